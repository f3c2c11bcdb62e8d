"""The table that `archdsl verify` prints; rich is imported by whoever calls this."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from archdsl.cli import console
from archdsl.cli.tables import count, macs, plain_table
from archdsl.verify.results import Result, difference, words

_COLOURS = {"equal": "green", "close": "green", "refused": "green", "differs": "bold red", "skipped": "yellow"}


def parity_table(results: Sequence[Result]) -> Table:
    """Variants against references: costs, keys, greatest differences, verdict."""
    made = plain_table(
        ("variant", "left"),
        ("reference", "left"),
        ("params", "right"),
        ("MACs", "right"),
        ("keys", "right"),
        ("eval", "right"),
        ("training", "right"),
        ("", "left"),
    )
    for result in results:
        reference = result.reference
        name = reference.library if reference.model == result.variant else reference.name
        costs = (count(result.params), macs(result.macs), str(result.keys))
        worst = max(result.differences.values(), default=None)
        cells = (result.variant, name, *costs, difference(worst), difference(result.training))
        made.add_row(*map(console.text, cells), console.text(words(result), style=_COLOURS[result.verdict]))
    return made
