"""Widths as a reader writes them: takes expressions over a block's parameters, gives `6·C`, `out/4`, `C + growth`.

An expression of a spec says more than one picture needs: it holds for every network that the block could be in. Here it
is read for the instances that are drawn, and what is written is true of each of them: what is the same in all is a
number, a branch that none takes is left out, a rounding that changes nothing is too, and where only an unknown function
of one number is left, `divisible(6·C)`, but gives six times that number everywhere, that is said instead.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from archdsl.graph.ir import Graph
from archdsl.graph.scopes import BlockScope
from archdsl.symbolic import (
    EXACT,
    Apply,
    Binary,
    Conditional,
    Const,
    Expr,
    Invoke,
    Local,
    Symbol,
    Tuple,
)

Sum: TypeAlias = "dict[tuple[str, ...], Fraction]"
"""Products of names, each with its factor: `4·width + 1` is `{("width",): 4, (): 1}`."""

LONGEST = 30
"""Characters of an expression that is worth reading."""
_INLINE = 12
"""Characters of a definition that is written instead of its name."""
_MOST_TERMS = 64
"""Of a product: what is longer is nothing to read, and powers of sums grow without end."""
_FINEST = 64
"""The greatest denominator that is written."""
_QUOTIENTS = frozenset({"/", "//", EXACT})
_ROUNDING = frozenset({"int", "round", "math.ceil", "math.floor"})


class NoCommonExpression(Exception):
    """No one expression holds for all instances."""


class Algebra:
    """Reads expressions for some instances of one definition; `every` are all there are in the network.

    `notes` says what the names mean that were kept, `hidden = divisible(ratio·C)`; `defaults` are parameters that no
    instance was given.
    """

    def __init__(self, graph: Graph, scopes: Sequence[BlockScope], every: Sequence[BlockScope]) -> None:
        self.scopes = scopes
        self.widths = {name: _width_name(name) for name in scopes[0].width_names}
        self.values = [_values(graph, scope) for scope in scopes]
        given = {name for scope in every for name, bound in scope.arguments.items() if bound.explicit}
        self.defaults = {name for name in scopes[0].arguments if name not in given}
        self.constants = _constants(self.values)
        self.aliases = self._aliases()
        self.silent = {n for n, v in self.constants.items() if n not in given or type(v) is not int} - {*self.widths}
        self.notes: dict[str, str] = {}
        self._known: dict[int, tuple[Expr, Sum | None]] = {}

    def _aliases(self) -> dict[str, str]:
        """Parameters that are always as many as the channels of an input: `C → C/4 → C`, not `C → out/4 → out`."""
        found: dict[str, str] = {}
        for name in self.scopes[0].arguments:
            for width, short in self.widths.items():
                pairs = [(values.get(name), values.get(width)) for values in self.values]
                if len(set(pairs)) > 1 and all(type(a) is int and a == b for a, b in pairs):
                    found.setdefault(name, short)
        return found

    def text(self, exprs: Iterable[Expr | None], longest: int = LONGEST) -> str:
        """One expression for what each instance has its own for; empty where there is none, or it is a number."""
        found: Sum | None = None
        for expr in exprs:
            read = self._read(expr)
            if read is None or (found is not None and read != found):
                return ""
            found = read
        if found is None or not any(found):
            return ""
        text = _written(found)
        return text if len(text) <= longest else ""

    def _read(self, expr: Expr | None) -> Sum | None:
        if expr is None:
            return None
        if id(expr) not in self._known:
            try:
                found: Sum | None = self._best(expr)
            except NoCommonExpression:
                found = None
            self._known[id(expr)] = expr, found
        return self._known[id(expr)][1]

    def _best(self, expr: Expr) -> Sum:
        """As a sum of products of names; if that takes functions, as what the whole comes to."""
        found = self._told(self._sum(expr))
        return self._opaque(expr, found) if any("(" in name for names in found for name in names) else found

    def _told(self, found: Sum, every: bool = False) -> Sum:
        """With numbers for the constants that are factors of what varies: `6·C` rather than `expand·C`."""
        result: Sum = {}
        for names, factor in found.items():
            fixed = [name for name in names if name in self.constants and name not in self.widths.values()]
            if every or len(fixed) < len(names):
                factor *= math.prod(self.constants[name] for name in fixed)
                names = tuple(name for name in names if name not in fixed)
            _add(result, names, factor)
        return result

    # --- reading -----------------------------------------------------------------------------

    def _sum(self, expr: Expr) -> Sum:
        match expr:
            case Const(value):
                return self._number(value)
            case Symbol(name):
                if name in self.silent:
                    return self._number(self.constants[name])
                return {(self._shown(name),): Fraction(1)}
            case Local():
                return self._local(expr)
            case Binary(("+" | "-") as op, left, right):
                result = dict(self._sum(left))
                for names, factor in self._sum(right).items():
                    _add(result, names, factor if op == "+" else -factor)
                return result
            case Binary("*", left, right):
                return _product(self._sum(left), self._sum(right), self._order)
            case Binary(op, left, right) if op in _QUOTIENTS:
                return self._quotient(op, left, right, expr)
            case Conditional(condition, yes, no):
                taken = {bool(value) for value in self._all(condition)}
                if len(taken) > 1:
                    raise NoCommonExpression
                return self._sum(yes if taken.pop() else no)
            case Apply(function, (inner,)) if function in _ROUNDING and self._is_whole(inner):
                return self._sum(inner)
            case Apply("min" | "max", arguments):
                values = self._all(expr)
                for argument in sorted(arguments, key=lambda argument: isinstance(argument, Const)):
                    if self._all(argument) == values:
                        return self._sum(argument)
        return self._opaque(expr)

    def _shown(self, name: str) -> str:
        return self.widths.get(name) or self.aliases.get(name, name)

    def _number(self, value: Any) -> Sum:
        if type(value) not in (int, float) or not math.isfinite(value):
            raise NoCommonExpression
        if Fraction(value).denominator > _FINEST:
            return {(f"{value:g}",): Fraction(1)}
        return {(): Fraction(value)} if value else {}

    def _local(self, local: Local) -> Sum:
        found = self._best(local.definition)
        text = _written(found)
        if not any(found) or len(text) <= _INLINE:
            return found
        self.notes[local.name] = text
        return {(local.name,): Fraction(1)}

    def _quotient(self, op: str, left: Expr, right: Expr, expr: Expr) -> Sum:
        whole = [a % b == 0 for a, b in zip(self._all(left), self._all(right), strict=True)]
        divisor = self._sum(right)
        if divisor.keys() == {()} and (op != "//" or all(whole)):
            return {names: factor / divisor[()] for names, factor in self._sum(left).items()}
        return self._opaque(expr)

    def _opaque(self, expr: Expr, known: Sum | None = None) -> Sum:
        """What is no sum of products: a number, a multiple of a name, if it is that everywhere, or a term by itself."""
        values = self._all(expr)
        if len(set(values)) == 1:
            return self._number(values[0])
        for name in sorted(_names(expr), key=lambda name: (name not in self.widths, name)):
            ratio = self._ratio(values, [env.get(name) for env in self.values])
            if ratio is not None:
                return {(self._shown(name),): ratio}
        return {(self._term(expr),): Fraction(1)} if known is None else known

    def _ratio(self, values: Sequence[Any], others: Sequence[Any]) -> Fraction | None:
        """What some numbers are multiplied with to give others, if that is one number and more than a coincidence."""
        if len(set(others)) < 2 or not all(type(v) is int and v for v in [*values, *others]):
            return None
        ratios = {Fraction(value, other) for value, other in zip(values, others, strict=True)}
        ratio = ratios.pop()
        return ratio if not ratios and ratio.denominator <= _FINEST else None

    def _term(self, expr: Expr) -> str:
        match expr:
            case Apply(function, arguments):
                return f"{function.removeprefix('math.')}({self._list(arguments)})"
            case Invoke(function, arguments):
                names = [name for name, _ in function.parameters]
                texts = [
                    self._inner(value) if names[place] == name else f"{name} = {self._inner(value)}"
                    for place, (name, value) in enumerate(arguments)
                ]
                return f"{function.name}({', '.join(texts)})"
            case Binary(op, left, right):
                sign = "/" if op == EXACT else op
                return f"({self._operand(left)} {sign} {self._operand(right)})"
        raise NoCommonExpression

    def _list(self, exprs: Iterable[Expr]) -> str:
        return ", ".join(map(self._inner, exprs))

    def _inner(self, expr: Expr) -> str:
        if isinstance(expr, Tuple):
            return f"[{self._list(expr.items)}]"
        return _written(self._told(self._sum(expr), every=True))

    def _operand(self, expr: Expr) -> str:
        text = self._inner(expr)
        return f"({text})" if " " in text and not text.endswith(")") else text

    # --- values ------------------------------------------------------------------------------

    def _all(self, expr: Expr) -> list[Any]:
        """The value of an expression in every instance."""
        try:
            return [expr.under(values) for values in self.values]
        except (KeyError, TypeError, ValueError, ArithmeticError, IndexError, AttributeError):
            raise NoCommonExpression from None

    def _is_whole(self, expr: Expr) -> bool:
        return all(type(value) in (int, float) and value == int(value) for value in self._all(expr))

    def _order(self, name: str) -> tuple[bool, str]:
        """Widths of inputs come last in a product."""
        return name in self.widths.values(), name


def _values(graph: Graph, scope: BlockScope) -> dict[str, Any]:
    values = {name: bound.value for name, bound in scope.arguments.items()}
    return values | {
        name: graph.shape(ref).channels for name, ref in zip(scope.width_names, scope.inputs, strict=False)
    }


def _constants(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The plain values that all have."""
    first, *others = values
    return {
        name: value
        for name, value in first.items()
        if isinstance(value, bool | int | float | str | tuple)
        and all(type(other.get(name)) is type(value) and other[name] == value for other in others)
    }


def _width_name(name: str) -> str:
    """`C` for `in_channels`, `C_skip` for `skip_channels`."""
    return "C" if name == "in_channels" else "C_" + name.removesuffix("_").removesuffix("_channels")


def _names(expr: Expr) -> set[str]:
    found, stack = set[str](), [expr]
    while stack:
        part = stack.pop()
        if isinstance(part, Symbol):
            found.add(part.name)
        stack.extend(part.parts())
    return found


def _add(result: Sum, names: tuple[str, ...], factor: Fraction) -> None:
    result[names] = result.get(names, Fraction(0)) + factor
    if not result[names]:
        del result[names]


def _product(left: Sum, right: Sum, order: Any) -> Sum:
    if len(left) * len(right) > _MOST_TERMS:
        raise NoCommonExpression
    result: Sum = {}
    for names, factor in left.items():
        for others, other in right.items():
            _add(result, tuple(sorted([*names, *others], key=order)), factor * other)
    return result


def _written(found: Sum) -> str:
    text = ""
    for names, factor in sorted(found.items(), key=lambda item: not item[0]):  # a number last
        sign = " − " if factor < 0 else " + "
        text += (sign if text else sign.strip(" +")) + _monomial(names, abs(factor))
    return text or "0"


def _monomial(names: tuple[str, ...], factor: Fraction) -> str:
    above = "·".join([*([str(factor.numerator)] if factor.numerator != 1 or not names else []), *names])
    return above if factor.denominator == 1 else f"{above}/{factor.denominator}"
