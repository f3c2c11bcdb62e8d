"""Expressions as Python text."""

from __future__ import annotations

from archdsl.symbolic import Const, Expr, Tuple


def text(expr: Expr, outer: int = 0) -> str:
    """The expression; `outer` as for `Expr.python`."""
    return expr.python(outer)


def argument(expr: Expr) -> str:
    """The expression as an argument of torch, where pairs are tuples: `(1, 7)`."""
    if isinstance(expr, Const) and isinstance(expr.value, tuple) and len(expr.value) > 1:
        return "(" + ", ".join(text(Const(item)) for item in expr.value) + ")"
    if isinstance(expr, Tuple) and len(expr.items) > 1:
        return "(" + ", ".join(map(text, expr.items)) + ")"
    return text(expr)
