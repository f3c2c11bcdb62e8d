"""Widths that an `__init__` would compute again and again get a name: sums from the third time on, others later.

Takes a body and the parameters of its instances; gives the body with named numbers for what is repeated.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from archdsl.backends.python.modules import Body
from archdsl.backends.python.traversal import holes, rewrite
from archdsl.backends.python.values import Environment
from archdsl.symbolic import Binary, Const, Expr, Local, Symbol, evaluate, size

_NAME = "channels"
_SUM, _TERMS = 3, 5
"""How often a sum is written at least, and how large it is (in parts: three terms and two signs)."""
_OTHER, _LENGTH = 5, 12
"""How often another expression is, and how long."""
_MOST = 8

_Key = tuple[Expr, str]  # 4, 4.0 and True are equal, but not the same


def name_repeated(body: Body, environments: Sequence[Environment]) -> Body:
    """The body with a named number in each place of what it would say too often; the largest first."""
    for _ in range(_MOST):
        counts = Counter(
            (part, str(part)) for _, module in body.members for hole in holes(module) for part in _parts(hole)
        )
        often = [key for key, count in counts.items() if _is_too_often(key, count) and _is_width(key[0], environments)]
        if not often:
            break
        body = _named(body, max(often, key=lambda key: size(key[0])))
    return body


def _named(body: Body, wanted: _Key) -> Body:
    named = Local(_NAME, wanted[0])
    members = [(name, rewrite(module, lambda hole: _replaced(hole, wanted, named))) for name, module in body.members]
    return replace(body, members=members)


def _parts(expr: Expr) -> Iterator[Binary]:
    """The operations in an expression, as it is written: what a named number stands for is written once."""
    if isinstance(expr, Binary):
        yield expr
    if not isinstance(expr, Local):
        for part in expr.parts():
            yield from _parts(part)


def _is_too_often(key: _Key, count: int) -> bool:
    expr, text = key
    if isinstance(expr, Binary) and expr.op == "+" and size(expr) >= _TERMS:
        return count >= _SUM
    return count >= _OTHER and len(text) >= _LENGTH


def _is_width(expr: Expr, environments: Sequence[Environment]) -> bool:
    """Whether it is a whole number that can be computed wherever the class is used, whatever branch is taken."""
    return _is_plain(expr) and all(type(evaluate(expr, environment)) is int for environment in environments)


def _is_plain(expr: Expr) -> bool:
    if isinstance(expr, Binary):
        return expr.op in ("+", "-", "*") and all(map(_is_plain, expr.parts()))
    return isinstance(expr, Const | Symbol) or (isinstance(expr, Local) and _is_plain(expr.definition))


def _replaced(expr: Expr, wanted: _Key, named: Local) -> Expr:
    if expr == wanted[0] and str(expr) == wanted[1]:
        return named
    parts = expr.parts()
    if not parts or isinstance(expr, Local):
        return expr
    return expr.rebuild([_replaced(part, wanted, named) for part in parts])
