"""What an expression has to be: a whole number, a bool; and what one would give that is not needed.

Takes an expression and the `Context` it stands in; gives a number or bool (traced where it depends on a parameter), or
UNKNOWN once E301, E303 or E310 has been reported.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from archdsl.semantics import bound
from archdsl.semantics.context import Context
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.values import UNKNOWN, Layer, expr_of, is_long, plain, traced, type_name
from archdsl.symbolic import Expr


def integer(node: bound.Expression, ctx: Context, what: str) -> Any:
    """A whole number (perhaps traced), or UNKNOWN with E301 or E303 reported."""
    value = evaluate(node, ctx)
    number = plain(value)
    if value is UNKNOWN:
        return value
    if isinstance(number, int) and not isinstance(number, bool):
        return ctx.unsized(value, node.span)
    if isinstance(number, float) and isinstance(node, bound.Binary) and node.op == "/":
        left, right = (plain(evaluate(side, ctx)) for side in (node.left, node.right))
        return ctx.error("E303", node.span, left=left, right=right)
    return ctx.error("E301", node.span, what=what, expected="a whole number", got=type_name(value))


def condition(node: bound.Expression, ctx: Context) -> Any:
    """A bool (perhaps traced), or UNKNOWN with E310 reported."""
    value = evaluate(node, ctx)
    if value is UNKNOWN:
        return value
    if isinstance(plain(value), bool):
        return ctx.unsized(value, node.span)
    return ctx.error("E310", node.span, got=type_name(value))


def quietly(node: bound.Expression, ctx: Context) -> Expr | None:
    value = _aside(node, ctx)
    return expr_of(value) if isinstance(plain(value), int | float | str | bool) else None


def is_plain(node: bound.Expression, ctx: Context) -> bool:
    """Whether an expression that is not needed would give a number, string, list or record."""
    value = _aside(node, ctx)
    return value is not UNKNOWN and not isinstance(value, Layer)


def _aside(node: bound.Expression, ctx: Context) -> Any:
    """The value of an expression that is not needed here: what it reports is forgotten, and UNKNOWN given back."""
    inner = replace(ctx, scope=None, locals=dict(ctx.locals))
    return ctx.run.trial(lambda: evaluate(node, inner), UNKNOWN)


def kept(value: Any, expr: Expr, ctx: Context) -> Any:
    """A value with its trace, unless that has grown too long to be printed: then the number itself is used."""
    if is_long(expr):
        ctx.structural(expr)
        return value
    return traced(value, expr)
