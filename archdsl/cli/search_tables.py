"""What `archdsl search` prints: the spaces of a file, and the networks that were found."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archdsl.cli import console
from archdsl.cli.costing import size, time
from archdsl.cli.shared import write_document
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.space import ASKED

if TYPE_CHECKING:
    from archdsl.api import ArchFile
    from archdsl.search.candidates import Candidates
    from archdsl.search.results import Better, ScoredNetwork


def list_spaces(file: ArchFile, as_json: bool) -> int:
    """Print the spaces of a file."""
    from archdsl.cli.tables import PROSE, plain_table

    spaces = file.spaces
    if as_json:
        from archdsl.cli.documents.exploring import SearchDocument

        nothing = {"results": None, "best": None, "refused": None}
        write_document(SearchDocument.of(file=file.name, spaces=[*spaces.values()], **nothing))
    elif not spaces:
        console.note(f"{file.name} has no space")
    else:
        table = plain_table(("space", "left"), ("for", "left"), ("networks", "right"), ("source", "left"))
        rows = [(space.name, space.target, f"{space.size:,}") for space in spaces.values()]
        room = PROSE - sum(2 + max(map(len, column)) for column in zip(*rows, strict=True))
        for row, space in zip(rows, spaces.values(), strict=True):
            source = textwrap.fill(" ".join(space.source.split()), max(30, room))
            table.add_row(*map(console.text, (*row, source)))
        console.show(table)
    return 0


@dataclass(frozen=True)
class Shown:
    """What a search has found."""

    candidates: Candidates
    found: list[ScoredNetwork]
    objectives: Mapping[str, Better]
    most: int
    faults: list[Diagnostic]


def print_found(shown: Shown, *, as_csv: bool, as_variants: bool, as_json: bool) -> None:
    """Print what was found, in one form."""
    from archdsl.search import results

    candidates, found, objectives = shown.candidates, shown.found, shown.objectives
    space = candidates.space
    chosen = results.best(found, objectives, shown.most)
    if as_json:
        from archdsl.cli.documents.exploring import SearchDocument

        told = SearchDocument.of(
            file=candidates.file.name,
            spaces=[space],
            results=found,
            best=[result.number for result in chosen],
            refused=candidates.refused.most_common(),
        )
        write_document(told, shown.faults, ok=False if not found else None)
    elif as_csv:
        console.write_data(results.as_csv(found, space, objectives))
    elif as_variants:
        words = f"Found by archdsl search in {space.name}: {len(chosen):,} of {len(found):,} networks."
        console.write_data(results.as_variants(chosen, space, words))
    elif chosen:
        console.show(_table(chosen, candidates, objectives))
    if not as_json:
        _say(candidates, found)


def _table(chosen: list[ScoredNetwork], candidates: Candidates, objectives: Mapping[str, Better]) -> Any:
    from archdsl.cli.tables import count, macs, plain_table
    from archdsl.search.results import measured

    counted = candidates.counted
    figures = [name for name in ASKED if name in counted.names]
    heads = {"intensity": "MACs/B", "seconds": counted.device.name if counted.device else ""}
    dimensions = list(dict.fromkeys(axis.dimension for axis in candidates.space.axes))
    own = measured(chosen, objectives)
    columns = ["number", *dimensions, "layers", "params", "MACs", "activations"]
    table = plain_table(*((head, "right") for head in (*columns, *(heads.get(n, n) for n in figures), *own)))
    for result in chosen:
        costs = result.costs
        cells = [str(result.number), *(result.texts[name] for name in dimensions)]
        cells += [count(int(costs["layers"])), count(int(costs["params"]))]
        cells += [macs(int(costs["macs"])), count(int(costs["activations"]))]
        cells += [_FIGURES.get(name, size)(costs[name]) for name in figures]
        cells += [f"{result.values[name]:.6g}" for name in own]
        table.add_row(*map(console.text, cells))
    return table


_FIGURES = {"intensity": lambda value: f"{value:.1f}", "seconds": time}
"""How figures are written that are no bytes."""


def _say(candidates: Candidates, found: list[ScoredNetwork]) -> None:
    """On standard error: how many there are, and what refused the others."""
    console.note(f"{len(found):,} networks of {candidates.space.name}")
    if not found and candidates.refused:
        console.note(f"of {candidates.refused.total():,} points that were tried none is in the space:")
    for text, count in candidates.refused.most_common(5):
        console.note(f"refused {count:,}: {text}")
