"""Expressions as Python text."""

from __future__ import annotations

import re

from archdsl.symbolic import Const, Expr, Tuple

_EXPONENT = re.compile(r"(?<=[0-9]e)([+-])0+(?=[0-9])")


def text(expr: Expr, outer: int = 0) -> str:
    """The expression, numbers as people write them: 1e-6, not 1e-06; `outer` as for `Expr.python`."""
    plain = expr.python(outer)
    if '"' in plain:
        return plain
    return _EXPONENT.sub(lambda match: match.group(1).removeprefix("+"), plain)


def argument(expr: Expr) -> str:
    """The expression as an argument of torch, where pairs are tuples: `(1, 7)`."""
    if isinstance(expr, Const) and isinstance(expr.value, tuple) and len(expr.value) > 1:
        return "(" + ", ".join(text(Const(item)) for item in expr.value) + ")"
    if isinstance(expr, Tuple) and len(expr.items) > 1:
        return "(" + ", ".join(map(text, expr.items)) + ")"
    return text(expr)
