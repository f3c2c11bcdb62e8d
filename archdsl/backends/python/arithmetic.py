"""Numbers as Python computes them: what a spec's expression becomes in a class, right for every argument.

The language's `/` gives a whole number where the division is exact. Python's gives a float, which does where the result
is rounded or is a float anyway; elsewhere it is printed `//`, and what does not divide is refused (`divisions`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from archdsl.backends.python.layout import statement
from archdsl.backends.python.text import text
from archdsl.backends.python.values import Environment, same
from archdsl.symbolic import (
    EXACT,
    Apply,
    Binary,
    Conditional,
    Const,
    Expr,
    Index,
    Invoke,
    Local,
    Not,
    Symbol,
    Tuple,
    binary,
    evaluate,
    walk,
)

_ROUNDINGS = ("int", "round", "math.ceil", "math.floor")
_TRUNCATIONS = ("int", "math.floor")
_ARITHMETIC = frozenset("+ - * // % **".split())


def simplified(expr: Expr, environments: Sequence[Environment]) -> Expr:
    """The expression without roundings of whole numbers, products with zero, sums with it and choices between equals;
    divisions as Python writes them.
    """
    short = _shortened(expr, environments)
    if not any(isinstance(part, Binary) and part.op == "/" for part in walk(short)):
        return short
    return _divided(short, environments, _is_whole_in(short, environments))


def _shortened(expr: Expr, environments: Sequence[Environment]) -> Expr:
    parts = expr.parts()
    if not parts:
        return expr
    expr = expr.rebuild([_shortened(part, environments) for part in parts])
    if isinstance(expr, Conditional) and expr.yes == expr.no and str(expr.yes) == str(expr.no):
        return expr.yes
    if isinstance(expr, Apply) and expr.function in _ROUNDINGS and len(expr.arguments) == 1:
        (argument,) = expr.arguments
        if _is_whole(argument, environments):
            return argument
    if isinstance(expr, Binary) and expr.op == "*" and 0 in (_constant(expr.left), _constant(expr.right)):
        values = [_value(expr, environment) for environment in environments]
        if values and all(same(value, values[0]) and value == 0 for value in values):
            return Const(values[0])
    if isinstance(expr, Binary) and expr.op == "+" and 0 in (_constant(expr.left), _constant(expr.right)):
        other = expr.right if _constant(expr.left) == 0 else expr.left
        if all(same(_value(expr, environment), _value(other, environment)) for environment in environments):
            return other
    shorter = _multiplied(expr)
    if isinstance(expr, Binary) and expr.op in ("/", "//", EXACT) and _is_whole(expr.left, environments):
        shorter = _cancelled(expr.left, expr.right)
    if shorter is not None and all(same(_value(expr, e), _value(shorter, e)) for e in environments):
        return shorter
    return expr


def _multiplied(expr: Expr) -> Expr | None:
    """`2 * (w / 2)` is `w`; None where nothing cancels out."""
    if isinstance(expr, Binary) and expr.op == "*":
        for factor, other in ((expr.left, expr.right), (expr.right, expr.left)):
            if isinstance(other, Binary) and other.op in ("/", EXACT) and factor == other.right:
                return other.left
    return None


def _cancelled(left: Expr, right: Expr) -> Expr | None:
    """`w * 4 // 2` is `w * 2`, `w * scales / scales` is `w`; None where nothing cancels out."""
    if not isinstance(left, Binary) or left.op != "*":
        return None
    for factor, other in ((left.right, left.left), (left.left, left.right)):
        if factor == right and not isinstance(factor, Const):
            return other
        number, divisor = _constant(factor), _constant(right)
        if type(number) is int and type(divisor) is int and divisor and number % divisor == 0:
            quotient = Const(number // divisor)
            return binary("*", other, quotient) if factor is left.right else binary("*", quotient, other)
    return None


def _is_whole(expr: Expr, environments: Sequence[Environment]) -> bool:
    """Whether an expression is a whole number for whatever whole numbers it is computed from."""
    match expr:
        case Local():
            return _is_whole(expr.definition, environments)
        case Binary() if expr.op in _ARITHMETIC:
            return _is_whole_in(expr, environments) and all(_is_whole(part, environments) for part in expr.parts())
        case Conditional():
            return _is_whole(expr.yes, environments) and _is_whole(expr.no, environments)
        case Apply() if expr.function in ("min", "max", "abs", "sum"):
            return all(_is_whole(argument, environments) for argument in expr.arguments)
        case Apply() if expr.function in (*_ROUNDINGS, "len"):
            return _is_whole_in(expr, environments)
        case Const() | Symbol() | Index() | Invoke():
            return _is_whole_in(expr, environments)
    return False


def _is_whole_in(expr: Expr, environments: Sequence[Environment]) -> bool:
    return all(type(_value(expr, environment)) is int for environment in environments)


# --- division --------------------------------------------------------------------------------


def _divided(expr: Expr, environments: Sequence[Environment], whole: bool) -> Expr:
    """The expression with each `/` as Python has it; `whole`: a float would not do where it stands."""
    match expr:
        case Binary(op="/", left=left, right=right):
            if whole and _is_whole_in(expr, environments):
                return binary(EXACT, _divided(left, environments, True), _divided(right, environments, True))
            return binary("/", _divided(left, environments, False), _divided(right, environments, False))
        case Apply(function=function, arguments=(Binary(op="/", left=left, right=right),)) if (
            function in _TRUNCATIONS and _is_whole(left, environments) and _is_whole(right, environments)
        ):
            return binary("//", _divided(left, environments, True), _divided(right, environments, True))
        case Apply() if expr.function in _ROUNDINGS:
            return expr.rebuild([_divided(part, environments, False) for part in expr.parts()])
        case Binary() if expr.op in ("//", "%", EXACT):
            floor = _is_whole_in(expr, environments)
            return expr.rebuild([_divided(part, environments, floor) for part in expr.parts()])
        case Binary() if expr.op in _ARITHMETIC:
            return expr.rebuild([_divided(part, environments, whole) for part in expr.parts()])
        case Apply() if expr.function in ("min", "max", "abs"):
            return expr.rebuild([_divided(part, environments, whole) for part in expr.parts()])
        case Binary() | Not():
            return expr.rebuild([_divided(part, environments, False) for part in expr.parts()])
        case Conditional(condition=condition, yes=yes, no=no):
            parts = [_divided(part, environments, whole) for part in (yes, no)]
            return expr.rebuild([_divided(condition, environments, False), *parts])
        case Local() | Index() | Tuple() | Invoke() | Apply():
            return expr.rebuild(
                [_divided(part, environments, _is_whole_in(part, environments)) for part in expr.parts()]
            )
    return expr


def divisions(exprs: Iterable[Expr], environments: Sequence[Environment], depth: int) -> Iterator[str]:
    """Statements that refuse arguments for which a `//` would not be the spec's `/`."""
    met: set[str] = set()
    for expr in exprs:
        for part in walk(expr):
            if not isinstance(part, Binary) or part.op != EXACT or isinstance(part.left, Const):
                continue
            remainder = text(Binary("%", part.left, part.right))
            # What is not computed in every instance cannot be refused in every instance.
            if remainder not in met and _is_whole_in(part, environments):
                met.add(remainder)
                yield from statement("if ", remainder, ":", depth)
                message = f"{text(part.left)} must be divisible by {text(part.right)}"
                yield from statement("raise ", f"ValueError({text(Const(message))})", "", depth + 1)


def _constant(expr: Expr) -> Any:
    return expr.value if isinstance(expr, Const) else None


def _value(expr: Expr, environment: Environment) -> Any:
    try:
        return evaluate(expr, environment)
    except (KeyError, TypeError, ValueError, IndexError, ArithmeticError):
        return None
