"""The pure functions of the language. Every rounding has its name; none is implied."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from archdsl.semantics.values import MAX_SIZE, Builtin, Value, is_number, type_name


class ValueProblem(Exception):
    """An argument a built-in cannot take: a diagnostic code and its facts. Internal to the evaluator."""

    def __init__(self, code: str, **facts: object) -> None:
        self.code = code
        self.facts = facts
        super().__init__(code, facts)


def _number(value: Value, what: str) -> int | float:
    if not is_number(value):
        raise ValueProblem("E301", what=f"the argument of {what}", expected="a number", got=type_name(value))
    return value


def _list(value: Value, what: str) -> tuple[Value, ...]:
    if not isinstance(value, tuple | range):
        raise ValueProblem("E301", what=f"the argument of {what}", expected="a list", got=type_name(value))
    return tuple(value)


def _rounding(name: str, function: Callable[[Any], int | float]) -> Callable[[Value], Value]:
    return lambda value: function(_number(value, name))


def _extreme(name: str, function: Callable[[Iterable[Any]], int | float]) -> Callable[..., Value]:
    def call(*values: Value) -> Value:
        items = _list(values[0], name) if len(values) == 1 else values
        if not items:
            raise ValueProblem(
                "E301", what=f"the argument of {name}", expected="a list with members", got="an empty one"
            )
        return function(_number(item, name) for item in items)

    return call


def _zip(*lists: Value) -> tuple[Value, ...]:
    rows = [_list(item, "zip") for item in lists]
    if len({len(row) for row in rows}) > 1:
        raise ValueProblem("E308", lengths=" and ".join(str(len(row)) for row in rows))
    return tuple(zip(*rows, strict=True))


def _linspace(start: Value, stop: Value, count: Value) -> tuple[float, ...]:
    """`count` values from start to stop, both included: start + (stop - start) * i / (count - 1)."""
    if isinstance(count, bool) or not isinstance(count, int) or not 0 <= count <= MAX_SIZE:
        expected = f"a whole number from 0 to {MAX_SIZE:_}"
        raise ValueProblem("E301", what="the count of linspace", expected=expected, got=str(count))
    low, high = _number(start, "linspace"), _number(stop, "linspace")
    return tuple(low + (high - low) * i / (count - 1) if count > 1 else float(low) for i in range(count))


def _real(name: str, function: Callable[[float], float]) -> Callable[[Value], float]:
    def call(value: Value) -> float:
        try:
            return float(function(_number(value, name)))
        except ValueError:
            raise ValueProblem("E302", what=f"the argument of {name}", expected="positive", got=str(value)) from None

    return call


def _unique(items: Value) -> tuple[Value, ...]:
    return tuple(dict.fromkeys(_list(items, "unique")))


BUILTINS: dict[str, Builtin] = {
    b.name: b
    for b in (
        Builtin("int", _rounding("int", int), 1, 1, "int"),
        Builtin("round", _rounding("round", round), 1, 1, "round"),
        Builtin("ceil", _rounding("ceil", math.ceil), 1, 1, "math.ceil"),
        Builtin("floor", _rounding("floor", math.floor), 1, 1, "math.floor"),
        Builtin("abs", _rounding("abs", abs), 1, 1, "abs"),
        Builtin("min", _extreme("min", min), 1, None, "min"),
        Builtin("max", _extreme("max", max), 1, None, "max"),
        Builtin("sum", lambda items: sum(_number(i, "sum") for i in _list(items, "sum")), 1, 1, "sum"),
        Builtin("len", lambda items: len(_list(items, "len")), 1, 1, "len"),
        Builtin("zip", _zip, 1, None),
        Builtin("linspace", _linspace, 3, 3, "linspace"),
        Builtin("sqrt", _real("sqrt", math.sqrt), 1, 1),
        Builtin("log", _real("log", math.log), 1, 1),
        Builtin("exp", _real("exp", math.exp), 1, 1),
        Builtin("unique", _unique, 1, 1),
        Builtin("count", lambda items, value: _list(items, "count").count(value), 2, 2),
        Builtin("reversed", lambda items: _list(items, "reversed")[::-1], 1, 1),
    )
}
