"""The stages of progressive learning in a recipe: takes their syntax, gives a `Progressive`.

Reports E106, E301, E302, E318, E438 and errors in values.
"""

from __future__ import annotations

from collections.abc import Container, Sequence

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.diagnostics.suggest import closest
from archdsl.graph.recipe import VARYING, Progressive
from archdsl.semantics.elaborate import constant
from archdsl.semantics.program import FileScope
from archdsl.semantics.values import UNKNOWN, Unknown, type_name
from archdsl.source import Span
from archdsl.syntax import ast

MAX_STAGES = 1_000


def read_progressive(
    item: ast.Progressive, parameters: Container[str], file: FileScope, bag: Bag
) -> Progressive | None:
    """The stages; `parameters`: columns that are known to be parameters of the model. None after an error."""
    names = tuple(column.name for column in item.columns)
    if not _right_columns(item, parameters, bag):
        return None
    count = _count(item, file, bag)
    rows = [_row(row, item, file, bag) for row in item.rows]
    if count is UNKNOWN or any(row is None for row in rows) or not _right_rows(item, count, bag):
        return None
    values = [row for row in rows if row is not None]
    lengths: tuple[int, ...] | None = None
    if "epochs" in names:
        at = names.index("epochs")
        found = _lengths([int(row[at]) for row in values], [row.values[at].span for row in item.rows], bag)
        if found is None:
            return None
        lengths = found
        names = tuple(name for name in names if name != "epochs")
        values = [row[:at] + row[at + 1 :] for row in values]
    return Progressive(
        columns=names, rows=tuple(tuple(map(float, row)) for row in values), stages=count, lengths=lengths
    )


def _right_columns(item: ast.Progressive, parameters: Container[str], bag: Bag) -> bool:
    places: dict[str, Span] = {}
    ok = True
    for column in item.columns:
        if column.name in places:
            first = Label(places[column.name], "first given here")
            bag.report("E106", column.span, name=column.name, secondary=[first])
            ok = False
        elif column.name not in ("epochs", *VARYING) and column.name not in parameters:
            near = closest(column.name, ("epochs", *VARYING))
            hint = f"did you mean `{near}`?" if near else f"what grows with the stages is one of: {', '.join(VARYING)}"
            bag.report("E438", column.span, detail=f"`{column.name}` cannot change from stage to stage", hint=hint)
            ok = False
        places.setdefault(column.name, column.span)
    if ok and not places.keys() - {"epochs"}:
        hint = "name what changes: progressive(size, magnitude)"
        bag.report("E438", item.span, detail="nothing changes from stage to stage", hint=hint)
        return False
    return ok


def _count(item: ast.Progressive, file: FileScope, bag: Bag) -> int | Unknown | None:
    """The number of stages between two ends, None where each row is one; UNKNOWN after an error."""
    if item.count is None:
        return None
    value = constant(item.count, file, bag)
    if value is UNKNOWN:
        return UNKNOWN
    if type(value) is not int:
        got = str(value) if type(value) is float else type_name(value)
        bag.report("E301", item.count.span, what="the number of stages", expected="a whole number", got=got)
        return UNKNOWN
    if not 2 <= value <= MAX_STAGES:
        expected = f"2 to {MAX_STAGES:,}"
        bag.report("E302", item.count.span, what="the number of stages", expected=expected, got=f"{value:,}")
        return UNKNOWN
    return value


def _right_rows(item: ast.Progressive, count: int | None, bag: Bag) -> bool:
    given = len(item.rows)
    if count is not None and given != 2:
        detail = f"the ends of {count} stages are two rows, not {given}"
        hint = "give the first stage and the last; or leave out `in`, and give a row for each stage"
        bag.report("E438", item.span, detail=detail, hint=hint)
        return False
    if count is not None and any(column.name == "epochs" for column in item.columns):
        place = next(column.span for column in item.columns if column.name == "epochs")
        hint = "leave the column out, or give a row for each stage"
        bag.report("E438", place, detail="stages between two ends are equally long", hint=hint)
        return False
    if not 2 <= given <= MAX_STAGES:
        hint = "give a row for each stage, from the first epochs to the last"
        bag.report("E438", item.span, detail=f"there are 2 to {MAX_STAGES:,} stages, not {given}", hint=hint)
        return False
    return True


def _row(row: ast.Row, item: ast.Progressive, file: FileScope, bag: Bag) -> tuple[int | float, ...] | None:
    """The numbers of a row; None after an error."""
    if len(row.values) != len(item.columns):
        bag.report("E318", row.misfit(len(item.columns)), given=len(row.values), wanted=len(item.columns))
        return None
    found = []
    for column, node in zip(item.columns, row.values, strict=True):
        value = constant(node, file, bag)
        if value is UNKNOWN:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float):
            bag.report("E301", node.span, what=column.name, expected="a number", got=type_name(value))
            return None
        if column.name in ("size", "epochs") and type(value) is not int:
            bag.report("E301", node.span, what=column.name, expected="a whole number", got=str(value))
            return None
        found.append(value)
    return tuple(found)


def _lengths(values: Sequence[int], places: Sequence[Span], bag: Bag) -> tuple[int, ...] | None:
    for value, place in zip(values, places, strict=True):
        if value < 1:
            bag.report("E302", place, what="epochs of a stage", expected="at least 1", got=value)
            return None
    return tuple(values)
