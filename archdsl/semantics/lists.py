"""Lists: literals, repeats, comprehensions, ranges, and the binding of names to their members.

Takes the syntax of a list and the `Context` it stands in; gives a tuple of values, or a `Sequence` where the members
are layers. Reports E301, E302, E306, E307, E311 and E315.
"""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.semantics import bound
from archdsl.semantics.conditions import condition, integer, is_plain
from archdsl.semantics.context import MAX_LIST, Context
from archdsl.semantics.evaluate import evaluate, evaluates
from archdsl.semantics.values import (
    UNKNOWN,
    Choice,
    Identity,
    Layer,
    Record,
    Sequence,
    Tensor,
    Traced,
    Unknown,
    Value,
    expr_of,
    is_true,
    list_of,
    members,
    type_name,
    whole,
)  # fmt: skip
from archdsl.source import Span
from archdsl.syntax import ast

_UNPACK_TENSOR = "this is one tensor: `split(2)` gives two, and so does a block whose result is a tuple"


@evaluates(bound.List)
def _list(node: bound.List, ctx: Context) -> Value:
    values: list[Value] = []
    for item in node.items:
        members_ = _item(item, ctx)
        if members_ is UNKNOWN:
            return UNKNOWN
        values.extend(members_)
    return list_value(values, node.span, ctx)


def list_value(values: list[Value], span: Span, ctx: Context) -> Value:
    """A list of values, or a sequence if its members are layers."""
    ctx.step(span, len(values))
    if len(values) > MAX_LIST:
        ctx.limit(span, "members of a list", MAX_LIST)
    if any(isinstance(value, tuple | Record) for value in values):
        ctx.sized(values, span)
    layers = [value for value in values if isinstance(value, Layer)]
    if not layers:
        return tuple(values)
    if len(layers) < len(values):
        odd = next(value for value in values if not isinstance(value, Layer))
        got = type_name(odd)
        return ctx.error("E301", span, what="every member of a sequence", expected="a layer", got=got)
    return Sequence(span, tuple(layers), size=ctx.sized(layers, span))


def _item(item: bound.Item, ctx: Context) -> list[Value] | Unknown:
    """The members that one item of a list stands for, or UNKNOWN."""
    if item.condition is not None:
        return _optional(item, item.condition, ctx)
    if item.count is not None:
        return _repeated(item, item.count, ctx)
    return _spliced(item.value, ctx)


def _spliced(node: bound.Expression | bound.Splice, ctx: Context) -> list[Value] | Unknown:
    """One value as a list of it; of `..xs` the members; or UNKNOWN."""
    if not isinstance(node, bound.Splice):
        value = evaluate(node, ctx)
        return UNKNOWN if value is UNKNOWN else [value]
    value = evaluate(node.value, ctx)
    while isinstance(value, Choice):  # how many members there are depends on the condition
        ctx.structural(value.condition)
        value = value.layer
    if value is UNKNOWN:
        return UNKNOWN
    if isinstance(value, Sequence):
        ctx.step(node.span, len(value.layers))
        return list(value.layers)
    items = list_of(value)
    if items is None:
        expected, help_ = "a list or a sequence", "`..` puts the members of a list into another: `[..layers, relu]`"
        got = type_name(value)
        return ctx.error("E301", node.value.span, what="what stands after ..", expected=expected, got=got, help=help_)
    ctx.structural(expr_of(value))
    ctx.step(node.span, len(items))
    return list(members(value))


def _repeated(item: bound.Item, times: bound.Expression, ctx: Context) -> list[Value] | Unknown:
    count = integer(times, ctx, "the number of repeats")
    if count is UNKNOWN:
        return UNKNOWN
    number = whole(count)
    if number < 0:
        what = "the number of repeats"
        return ctx.error("E302", times.span, what=what, expected="at least 0", got=number)
    if number > MAX_LIST:
        ctx.limit(item.span, "members of a list", MAX_LIST)
    ctx.structural(expr_of(count))
    values = _spliced(item.value, ctx)
    if values is UNKNOWN:
        return UNKNOWN
    if number * len(values) > MAX_LIST:
        ctx.limit(item.span, "members of a list", MAX_LIST)
    return values * number


def _optional(item: bound.Item, asked: bound.Expression, ctx: Context) -> list[Value] | Unknown:
    test = condition(asked, ctx)
    if test is UNKNOWN:
        return UNKNOWN
    always = _without_condition(item)
    if not isinstance(test, Traced) or item.count is not None or isinstance(item.value, bound.Splice):
        ctx.structural(expr_of(test))
        return _item(always, ctx) if is_true(test) else []
    if not test.value:
        if is_plain(item.value, ctx):
            ctx.structural(test.expr)
            return []
        # A layer left out still leaves a mark, so that instances with and without it share one class.
        return [Choice(item.span, test.expr, False, item.span, Identity(item.span))]
    value = evaluate(item.value, ctx)
    if isinstance(value, Layer):
        return [Choice(item.span, test.expr, True, item.span, value, size=value.size)]
    ctx.structural(test.expr)
    return UNKNOWN if value is UNKNOWN else [value]


@evaluates(bound.Comprehension)
def _comprehension(node: bound.Comprehension, ctx: Context) -> Value:
    outer = dict(ctx.locals)
    values: list[Value] = []
    whole = _clauses(node, 0, values, ctx)
    ctx.locals = outer
    return list_value(values, node.span, ctx) if whole else UNKNOWN


def _clauses(node: bound.Comprehension, depth: int, values: list[Value], ctx: Context) -> bool:
    """Put into `values` what a comprehension gives from one of its clauses on; False after an error."""
    clause = node.clauses[depth]
    listed = iterable(evaluate(clause.iterable, ctx), clause.iterable.span, ctx)
    if listed is UNKNOWN:
        return False
    whole = True
    for index, value in listed:
        ctx.step(node.span)
        if not bind_loop(clause.target, index, value, ctx):
            return False
        if clause.condition is not None:
            keep = condition(clause.condition, ctx)
            if keep is UNKNOWN:
                return False
            ctx.structural(expr_of(keep))
            if not is_true(keep):
                continue
        if depth + 1 < len(node.clauses):
            if not _clauses(node, depth + 1, values, ctx):
                return False
            continue
        made = _spliced(node.value, ctx)
        whole = whole and made is not UNKNOWN
        if made is not UNKNOWN:
            values += made
        if len(values) > MAX_LIST:
            ctx.limit(node.span, "members of a list", MAX_LIST)
    return whole


def iterable(value: Value, span: Span, ctx: Context) -> Iterable[tuple[int, Value]] | Unknown:
    """Pairs (index, member) of a list or range, or UNKNOWN with E311 reported."""
    if value is UNKNOWN:
        return UNKNOWN
    ctx.walk(value, span)
    if list_of(value) is None:
        return ctx.error("E311", span, got=type_name(value))
    value = ctx.unsized(value, span)
    ctx.structural(expr_of(value))
    return enumerate(members(value))


def bind_loop(target: ast.Target, index: int, value: Value, ctx: Context) -> bool:
    """Bind the target of a loop: `v`, `(a, b)`, or with the index `i, v` and `i, (a, b)`."""
    if target.name is not None:
        return bind(target, value, ctx)
    if len(target.items) == 2:
        first, second = target.items
        return all([bind(first, index, ctx), bind(second, value, ctx)])
    if len(target.items) == 1:  # `(a, b)`: the member alone, without its index
        return bind(target.items[0], value, ctx)
    help_ = "write the index first and the member in brackets: for i, (a, b) in list"
    given = "an index and a member"
    ctx.error("E307", target.span, given=given, wanted=len(target.items), help=help_)
    bind_unknown(target, ctx)
    return False


def bind(target: ast.Target, value: Value, ctx: Context) -> bool:
    """Bind names to a value, unpacking lists; False after E307."""
    if target.name is not None:
        ctx.locals[target.name] = value
        ctx.note_discarded(target.name, value)
        return True
    listed = list_of(value)
    if listed is None or len(listed) != len(target.items):
        if value is not UNKNOWN:
            given = type_name(value) if listed is None else f"{len(listed)} value{'s' * (len(listed) != 1)}"
            help_ = _UNPACK_TENSOR if isinstance(value, Tensor) else None
            ctx.error("E307", target.span, help=help_, given=given, wanted=len(target.items))
        for part in target.items:
            bind_unknown(part, ctx)
        return False
    bound = [bind(part, item, ctx) for part, item in zip(target.items, members(value), strict=True)]
    return all(bound)  # every name is bound, whatever became of those before it


def bind_unknown(target: ast.Target, ctx: Context) -> None:
    """Bind every name of a target to UNKNOWN, so that no second error follows."""
    if target.name is not None:
        ctx.locals[target.name] = UNKNOWN
    for part in target.items:
        bind_unknown(part, ctx)


@evaluates(bound.Range)
def _range(node: bound.Range, ctx: Context) -> Value:
    if node.start is None or node.stop is None:
        help_ = "a range has two ends here: 0..n"
        return ctx.error(
            "E301", node.span, what="a range", expected="closed at both ends", got="an open one", help=help_
        )
    start, stop = integer(node.start, ctx, "the bound"), integer(node.stop, ctx, "the bound")
    if start is UNKNOWN or stop is UNKNOWN:
        return UNKNOWN
    ctx.structural(expr_of(start))
    ctx.structural(expr_of(stop))
    span = range(whole(start), whole(stop))
    if len(span) > MAX_LIST:
        ctx.limit(node.span, "members of a range", MAX_LIST)
    return span


@evaluates(bound.Tuple)
def _tuple(node: bound.Tuple, ctx: Context) -> Value:
    values = tuple(evaluate(item, ctx) for item in node.items)
    if any(value is UNKNOWN for value in values):
        return UNKNOWN
    if any(isinstance(value, tuple | Record | Layer) for value in values):
        ctx.sized(values, node.span)
    return values


def _without_condition(item: bound.Item) -> bound.Item:
    """A member of a list without its condition."""
    return bound.Item(item.span, item.value, item.count, None)
