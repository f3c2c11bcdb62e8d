"""What an expression has to be: a whole number, a bool; and what one would give that is not needed.

Takes an expression and the `Context` it stands in; gives a number or bool (traced where it depends on a parameter), or
UNKNOWN once E301, E303 or E310 has been reported.
"""

from __future__ import annotations

from dataclasses import replace

from archdsl.semantics import bound
from archdsl.semantics.context import Context
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.values import UNKNOWN, Layer, Traced, Unknown, Value, expr_of, is_long, plain, traced, type_name
from archdsl.symbolic import Expr


def integer(node: bound.Expression, ctx: Context, what: str) -> int | Traced | Unknown:
    """A whole number (perhaps traced), or UNKNOWN with E301 or E303 reported."""
    value = evaluate(node, ctx)
    number = plain(value)
    if value is UNKNOWN:
        return value
    if isinstance(number, int) and not isinstance(number, bool):
        known = ctx.unsized(value, node.span)
        return known if isinstance(known, Traced) else number
    if isinstance(number, float) and isinstance(node, bound.Binary) and node.op == "/":
        left, right = (plain(evaluate(side, ctx)) for side in (node.left, node.right))
        return ctx.error("E303", node.span, left=left, right=right)
    return ctx.error("E301", node.span, what=what, expected="a whole number", got=type_name(value))


def condition(node: bound.Expression, ctx: Context) -> bool | Traced | Unknown:
    """A bool (perhaps traced), or UNKNOWN with E310 reported."""
    value = evaluate(node, ctx)
    if value is UNKNOWN:
        return value
    answer = plain(value)
    if isinstance(answer, bool):
        known = ctx.unsized(value, node.span)
        return known if isinstance(known, Traced) else answer
    return ctx.error("E310", node.span, got=type_name(value))


def quietly(node: bound.Expression, ctx: Context) -> Expr | None:
    value = _silently(node, ctx)
    return expr_of(value) if isinstance(plain(value), int | float | str | bool) else None


def is_plain(node: bound.Expression, ctx: Context) -> bool:
    """Whether an expression that is not needed would give a number, string, list or record."""
    value = _silently(node, ctx)
    return value is not UNKNOWN and not isinstance(value, Layer)


def _silently(node: bound.Expression, ctx: Context) -> Value:
    """The value of an expression that is not needed here: what it reports is forgotten, and UNKNOWN given back."""
    inner = replace(ctx, scope=None, locals=dict(ctx.locals))
    unknown: Value = UNKNOWN
    return ctx.run.trial(lambda: evaluate(node, inner), unknown)


def kept(value: Value, expr: Expr, ctx: Context) -> Value:
    """A value with its trace, unless that has grown too long to be printed: then the number itself is used."""
    if is_long(expr):
        ctx.structural(expr)
        return value
    return traced(value, expr)
