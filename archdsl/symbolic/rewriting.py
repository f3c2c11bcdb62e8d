"""What is asked of a whole expression: its value, its parts, the names in it; and expressions made from others."""

from __future__ import annotations

import operator
from collections.abc import Iterator, Mapping, Sequence

from archdsl.symbolic.expr import Binary, Const, Expr, Local, Symbol, Value, binary


def total(terms: Sequence[Expr]) -> Expr:
    """The sum of widths, like terms collected: `width + growth + growth` is `width + 2 * growth`."""
    constant, counts = 0, dict[Expr, int]()
    for term in terms:
        for factor, part in _linear(term):
            if isinstance(part, Const):
                constant += factor * part.value
            else:
                counts[part] = counts.get(part, 0) + factor
    result: Expr = Const(0)
    for part, factor in counts.items():
        if factor:
            result = binary("+", result, binary("*", Const(factor), part))
    return binary("+", result, Const(constant))


def _linear(expr: Expr) -> Iterator[tuple[int, Expr]]:
    if isinstance(expr, Binary) and expr.op == "+":
        yield from _linear(expr.left)
        yield from _linear(expr.right)
    elif isinstance(expr, Binary) and expr.op == "*" and isinstance(expr.left, Const) and type(expr.left.value) is int:
        yield from ((expr.left.value * factor, part) for factor, part in _linear(expr.right))
    else:
        yield 1, expr


def substitute(expr: Expr, values: Mapping[str, Expr]) -> Expr:
    """Replace symbols by expressions; a symbol that is not named in `values` stays."""
    if isinstance(expr, Symbol):
        return values.get(expr.name, expr)
    parts = expr.parts()
    replaced = [substitute(part, values) for part in parts]
    return expr if all(map(operator.is_, replaced, parts)) else expr.rebuild(replaced)


def evaluate(expr: Expr, values: Mapping[str, Value]) -> Value:
    """The value of an expression; raises KeyError for a symbol without a value."""
    return expr.under(values)


def walk(expr: Expr) -> Iterator[Expr]:
    """The expression and everything below it, definitions of locals included."""
    yield expr
    for part in expr.parts():
        yield from walk(part)


def symbols(expr: Expr) -> set[str]:
    """Names of the parameters an expression depends on."""
    found: set[str] = set()
    stack = [expr]
    while stack:
        part = stack.pop()
        if isinstance(part, Symbol):
            found.add(part.name)
        elif isinstance(part, Local):  # asked once: a chain of definitions, each used twice, has very many paths
            if part.known_symbols is None:
                part.known_symbols = symbols(part.definition)
            found |= part.known_symbols
        else:
            stack.extend(part.parts())
    return found


def expand(expr: Expr) -> Expr:
    """The expression with every local replaced by its definition."""
    if isinstance(expr, Local):
        return expand(expr.definition)
    parts = expr.parts()
    expanded = [expand(part) for part in parts]
    return expr if all(map(operator.is_, expanded, parts)) else expr.rebuild(expanded)
