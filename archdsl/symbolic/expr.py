"""Expressions over the parameters of a block: what a number of the spec was computed from.

The evaluator works with plain numbers. Beside each number that reaches an op it also keeps an
`Expr`, so that generated source can say `4 * width` where the graph says 256. The recipes of ops
use the same algebra over the op's own parameters (`dilation * (kernel - 1) // 2`).

Expressions are immutable values: `lift` makes one from a number, arithmetic operators build larger
ones and fold what is constant, `substitute` replaces symbols, `evaluate` computes, and
`str(expr)` prints Python. Names are only ever looked up in the mapping that is passed in.
"""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from archdsl.quoting import string_literal

Value: TypeAlias = Any
"""A compile-time value an expression stands for: int, float, bool, str, None or a tuple of them."""

EXACT = "exact"
"""The operator of a division that has to be exact: printed `//`."""


def _divide(a: Any, b: Any) -> Any:
    """The language's `/`: a whole number where the division is exact."""
    return a // b if type(a) is int and type(b) is int and a % b == 0 else a / b


def _exactly(a: int, b: int) -> int:
    if a % b:
        raise ValueError(f"{b} does not divide {a}")
    return a // b


_BINARY: dict[str, tuple[int, Callable[[Any, Any], Any]]] = {
    "or": (1, lambda a, b: a or b),
    "and": (2, lambda a, b: a and b),
    "==": (4, operator.eq),
    "!=": (4, operator.ne),
    "<": (4, operator.lt),
    "<=": (4, operator.le),
    ">": (4, operator.gt),
    ">=": (4, operator.ge),
    "+": (6, operator.add),
    "-": (6, operator.sub),
    "*": (7, operator.mul),
    "/": (7, _divide),
    EXACT: (7, _exactly),
    "//": (7, operator.floordiv),
    "%": (7, operator.mod),
    "**": (9, operator.pow),
}
_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": int,
    "round": round,
    "min": min,
    "max": max,
    "sum": sum,
    "len": len,
    "abs": abs,
    "math.ceil": math.ceil,
    "math.floor": math.floor,
    "linspace": lambda lo, hi, n: tuple(lo + (hi - lo) * i / (n - 1) if n > 1 else lo for i in range(n)),
}
_EXPONENT = re.compile(r"(?<=[0-9]e)([+-])0*")
_ATOM = 20
_CONDITIONAL = 0


class Expr:
    """Base of all expressions."""

    __slots__ = ()

    def __add__(self, other: Any) -> Expr:
        return binary("+", self, lift(other))

    def __radd__(self, other: Any) -> Expr:
        return binary("+", lift(other), self)

    def __sub__(self, other: Any) -> Expr:
        return binary("-", self, lift(other))

    def __rsub__(self, other: Any) -> Expr:
        return binary("-", lift(other), self)

    def __mul__(self, other: Any) -> Expr:
        return binary("*", self, lift(other))

    def __rmul__(self, other: Any) -> Expr:
        return binary("*", lift(other), self)

    def __floordiv__(self, other: Any) -> Expr:
        return binary("//", self, lift(other))

    def __str__(self) -> str:
        return self.python(_CONDITIONAL)

    def python(self, outer: int) -> str:
        """Python text, in parentheses where an operator of precedence `outer` needs them."""
        raise TypeError(f"{type(self).__name__} has no text")

    def under(self, values: Mapping[str, Value]) -> Value:
        """What `evaluate` gives."""
        raise TypeError(f"{type(self).__name__} has no value")

    def parts(self) -> tuple[Expr, ...]:
        """The direct sub-expressions."""
        return ()

    def rebuild(self, parts: Sequence[Expr]) -> Expr:
        """The same expression over other sub-expressions, folded again."""
        return self


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Const(Expr):
    """A literal. Floats print as `repr` does, so they read back bit for bit."""

    value: Value

    def under(self, values: Mapping[str, Value]) -> Value:
        return self.value

    def python(self, outer: int) -> str:
        if isinstance(self.value, tuple):
            return "[" + ", ".join(str(lift(item)) for item in self.value) + "]"
        if isinstance(self.value, str):
            return string_literal(self.value)
        text = _number(self.value)
        return f"({text})" if text.startswith("-") and outer > 6 else text


def _number(value: bool | int | float | None) -> str:
    """A number as people write it: 1e-6, not 1e-06. What a subclass prints for itself is not asked."""
    if isinstance(value, float):
        return _EXPONENT.sub(lambda match: match[1].removeprefix("+"), float.__repr__(value))
    return repr(value) if value is None or isinstance(value, bool) else int.__repr__(value)


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Symbol(Expr):
    """A parameter of the enclosing block or op; `in_channels` is the width of its input."""

    name: str

    def under(self, values: Mapping[str, Value]) -> Value:
        return values[self.name]

    def python(self, outer: int) -> str:
        return self.name


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Local(Expr):
    """A named intermediate result of a block body: prints its name, means its definition."""

    name: str
    definition: Expr
    parts_below: int = field(init=False, compare=False)
    known_symbols: set[str] | None = field(init=False, compare=False)

    def __post_init__(self) -> None:
        self.parts_below = size(self.definition)
        self.known_symbols = None

    def under(self, values: Mapping[str, Value]) -> Value:
        return self.definition.under(values)

    def python(self, outer: int) -> str:
        return self.name

    def parts(self) -> tuple[Expr, ...]:
        return (self.definition,)

    def rebuild(self, parts: Sequence[Expr]) -> Expr:
        return parts[0] if isinstance(parts[0], Const) else Local(self.name, parts[0])


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Binary(Expr):
    op: str
    left: Expr
    right: Expr

    def under(self, values: Mapping[str, Value]) -> Value:
        return _BINARY[self.op][1](self.left.under(values), self.right.under(values))

    def python(self, outer: int) -> str:
        level = _BINARY[self.op][0]
        left, right = self.left.python(level), self.right.python(level + 1)
        sign = "//" if self.op == EXACT else self.op
        text = f"{left} {sign} {right}" if self.op != "**" else f"{self.left.python(level + 1)}**{right}"
        return f"({text})" if level < outer else text

    def parts(self) -> tuple[Expr, ...]:
        return (self.left, self.right)

    def rebuild(self, parts: Sequence[Expr]) -> Expr:
        return binary(self.op, parts[0], parts[1])


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Not(Expr):
    operand: Expr

    def under(self, values: Mapping[str, Value]) -> Value:
        return not self.operand.under(values)

    def python(self, outer: int) -> str:
        text = f"not {self.operand.python(3)}"
        return f"({text})" if outer > 3 else text

    def parts(self) -> tuple[Expr, ...]:
        return (self.operand,)

    def rebuild(self, parts: Sequence[Expr]) -> Expr:
        return negated(parts[0])


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Apply(Expr):
    """A call of one of the language's pure functions, under its Python name."""

    function: str
    arguments: tuple[Expr, ...]

    def under(self, values: Mapping[str, Value]) -> Value:
        return _FUNCTIONS[self.function](*[argument.under(values) for argument in self.arguments])

    def python(self, outer: int) -> str:
        if self.function == "linspace":
            return self._linspace()
        return f"{self.function}({', '.join(map(str, self.arguments))})"

    def _linspace(self) -> str:
        low, high, count = self.arguments
        span = binary("-", high, low)
        step = f"{span.python(7)} * i / {(count - 1).python(8)}"
        start = "" if low in (Const(0), Const(0.0)) else f"{low.python(6)} + "
        return f"[{start}{step} for i in range({count})]"

    def parts(self) -> tuple[Expr, ...]:
        return self.arguments

    def rebuild(self, parts: Sequence[Expr]) -> Expr:
        return apply(self.function, *parts)


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Function:
    """A pure function of a spec over numbers: `result` is over its parameters, some with a default."""

    name: str
    parameters: tuple[tuple[str, Value | None], ...]
    result: Expr
    results: dict[tuple[Any, ...], Value] = field(init=False, compare=False)
    """By types and values of the arguments: what came out before."""

    def __post_init__(self) -> None:
        self.results = {}

    def called(self, given: Mapping[str, Value]) -> Value:
        """The value for some arguments by name."""
        key = tuple([(name, type(value), value) for name, value in given.items()])
        if key not in self.results:
            defaults = {name: default for name, default in self.parameters if default is not None}
            self.results[key] = self.result.under(defaults | dict(given))
        return self.results[key]


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Invoke(Expr):
    """A call of a spec's own function: `divisible(in_channels * expand)`; arguments by parameter name."""

    function: Function
    arguments: tuple[tuple[str, Expr], ...]

    def under(self, values: Mapping[str, Value]) -> Value:
        return self.function.called({name: value.under(values) for name, value in self.arguments})

    def python(self, outer: int) -> str:
        names = [name for name, _ in self.function.parameters]
        items = []
        for position, (name, value) in enumerate(self.arguments):
            items.append(str(value) if names[position] == name else f"{name}={value}")
        return f"{self.function.name}({', '.join(items)})"

    def parts(self) -> tuple[Expr, ...]:
        return tuple(value for _, value in self.arguments)

    def rebuild(self, parts: Sequence[Expr]) -> Expr:
        arguments = tuple((name, part) for (name, _), part in zip(self.arguments, parts, strict=True))
        constants = {name: part.value for name, part in arguments if isinstance(part, Const)}
        if len(constants) < len(arguments):
            return Invoke(self.function, arguments)
        try:
            return Const(
                self.function.called(constants)
            )  # not by substitution: that would unfold what it calls in turn
        except (KeyError, TypeError, ValueError, IndexError, ArithmeticError):
            return Invoke(self.function, arguments)


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Index(Expr):
    sequence: Expr
    index: Expr

    def under(self, values: Mapping[str, Value]) -> Value:
        return self.sequence.under(values)[self.index.under(values)]

    def python(self, outer: int) -> str:
        return f"{self.sequence.python(_ATOM)}[{self.index}]"

    def parts(self) -> tuple[Expr, ...]:
        return (self.sequence, self.index)

    def rebuild(self, parts: Sequence[Expr]) -> Expr:
        return item_of(parts[0], parts[1])


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Conditional(Expr):
    condition: Expr
    yes: Expr
    no: Expr

    def under(self, values: Mapping[str, Value]) -> Value:
        return (self.yes if self.condition.under(values) else self.no).under(values)

    def python(self, outer: int) -> str:
        text = f"{self.yes.python(1)} if {self.condition.python(1)} else {self.no.python(_CONDITIONAL)}"
        return f"({text})" if outer > _CONDITIONAL else text

    def parts(self) -> tuple[Expr, ...]:
        return (self.condition, self.yes, self.no)

    def rebuild(self, parts: Sequence[Expr]) -> Expr:
        condition, yes, no = parts
        if isinstance(condition, Const):
            return yes if condition.value else no
        return Conditional(condition, yes, no)


@dataclass(slots=True, repr=False, unsafe_hash=True)
class Tuple(Expr):
    """A list whose members are expressions of their own."""

    items: tuple[Expr, ...]

    def under(self, values: Mapping[str, Value]) -> Value:
        return tuple([item.under(values) for item in self.items])

    def python(self, outer: int) -> str:
        return "[" + ", ".join(map(str, self.items)) + "]"

    def parts(self) -> tuple[Expr, ...]:
        return self.items

    def rebuild(self, parts: Sequence[Expr]) -> Expr:
        if all(isinstance(part, Const) for part in parts):
            return Const(tuple(part.value for part in parts if isinstance(part, Const)))
        return Tuple(tuple(parts))


IN_CHANNELS = Symbol("in_channels")
"""The number of channels of the (first) input of an op or block."""


def lift(value: Any) -> Expr:
    """An expression for a value that may be one already."""
    if isinstance(value, Expr):
        return value
    return Const(tuple(value)) if isinstance(value, list) else Const(value)


def binary(op: str, left: Expr, right: Expr) -> Expr:
    """`left op right` in Python's meaning, folded where constant or neutral (`1 * x`, `x + 0`)."""
    if isinstance(left, Const) and isinstance(right, Const):
        return Const(_BINARY[op][1](left.value, right.value))
    if (op in ("*", "/", "//", EXACT) and _is_int(right, 1)) or (op in ("+", "-") and _is_int(right, 0)):
        return left
    if (op == "*" and _is_int(left, 1)) or (op == "+" and _is_int(left, 0)):
        return right
    return Binary(op, left, right)


def negated(expr: Expr) -> Expr:
    """`not expr`, folded where it is constant."""
    return Const(not expr.value) if isinstance(expr, Const) else Not(expr)


def apply(function: str, *arguments: Expr) -> Expr:
    """A call of a pure function by its Python name, folded where all arguments are constant."""
    if all(isinstance(argument, Const) for argument in arguments):
        return Const(_FUNCTIONS[function](*(a.value for a in arguments if isinstance(a, Const))))
    return Apply(function, arguments)


def item_of(sequence: Expr, index: Expr) -> Expr:
    """`sequence[index]`, folded where the member is known."""
    if isinstance(index, Const):
        if isinstance(sequence, Const):
            return Const(sequence.value[index.value])
        if isinstance(sequence, Tuple):
            return sequence.items[index.value]
    return Index(sequence, index)


def size(expr: Expr) -> int:
    """How many parts an expression has, those of the definitions of its locals included."""
    if isinstance(expr, Const | Symbol):
        return 1
    count, stack = 0, [expr]
    while stack:
        part = stack.pop()
        count += 1
        if isinstance(part, Local):
            count += part.parts_below
        else:
            stack.extend(part.parts())
    return count


def _is_int(expr: Expr, value: int) -> bool:
    return isinstance(expr, Const) and type(expr.value) is int and expr.value == value
