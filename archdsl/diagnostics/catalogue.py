"""Words for codes: finding a fault and wording it are kept apart.

The entries live in `entries/`, one file per phase; a new code is one new `Entry` there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from archdsl.diagnostics.entry import Entry, Severity, fill, first_filled


@dataclass(frozen=True, slots=True)
class Wording:
    """A diagnostic's finished sentences. `label` may be empty; `help` is None where there is no hint."""

    message: str
    label: str
    help: str | None
    severity: Severity


@cache
def entries() -> dict[str, Entry]:
    """Every entry by its code, in order. Read at the first diagnostic: a faultless run does not need it."""
    from archdsl.diagnostics.entries import ALL

    found = {entry.code: entry for entry in ALL}
    if len(found) != len(ALL):
        raise ValueError("a code is used twice in the catalogue")
    return found


def describe(code: str, facts: Mapping[str, object]) -> Wording:
    """The words for `code` with the facts filled in. Raises KeyError for a code that has no entry (a bug)."""
    entry = entries()[code]
    return Wording(
        fill(entry.message, facts),
        first_filled(entry.labels, facts) or "",
        first_filled(entry.helps, facts),
        entry.severity,
    )


def explain(code: str) -> str | None:
    """The long form of a code in Markdown (meaning, a wrong example, its mend); None for an unknown code."""
    entry = entries().get(code.strip().upper())
    return entry.markdown if entry else None
