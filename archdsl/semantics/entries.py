"""The entries `key = value` of an item in braces, evaluated: `preprocess`, `reference` and the rows
of `weights` share how they are read."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.diagnostics.suggest import closest
from archdsl.semantics.elaborate import constant
from archdsl.semantics.program import FileScope
from archdsl.semantics.values import UNKNOWN, Arg
from archdsl.source import Span
from archdsl.symbolic import Const
from archdsl.syntax import ast


def read_entries(
    entries: Iterable[ast.Entry], known: Sequence[str], unknown: str, file: FileScope, bag: Bag
) -> dict[str, Arg] | None:
    """The values by key; None after E106, an error in a value, or the code `unknown` for a key that is not `known`."""
    found: dict[str, Arg] = {}
    places: dict[str, Span] = {}
    ok = True
    for entry in entries:
        if entry.key not in known:
            suggestion = closest(entry.key, known)
            bag.report(unknown, entry.key_span, key=entry.key, suggestion=suggestion, known=", ".join(known))
            ok = False
        elif entry.key in places:
            first = Label(places[entry.key], "first given here")
            bag.report("E106", entry.key_span, name=entry.key, secondary=[first])
            ok = False
        else:
            places[entry.key] = entry.key_span
            value = constant(entry.value, file, bag)
            if value is UNKNOWN:
                ok = False
            else:
                found[entry.key] = Arg(value, Const(value), entry.value.span)
    return found if ok else None
