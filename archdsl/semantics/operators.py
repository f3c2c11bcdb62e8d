"""Operators: arithmetic in which every rounding has its name, comparisons, logic.

Takes the syntax of an operation and the `Context` it stands in; gives a number (traced where it depends on a
parameter), or UNKNOWN once E301, E303-E305, E310 or E321 has been reported.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

from archdsl.semantics import bound
from archdsl.semantics.conditions import condition, kept, quietly
from archdsl.semantics.context import Context
from archdsl.semantics.evaluate import evaluate, evaluates
from archdsl.semantics.lists import list_value
from archdsl.semantics.nodes import combine
from archdsl.semantics.values import (
    MAX_NUMBER,
    UNKNOWN,
    Choice,
    Layer,
    Sequence,
    Tensor,
    Traced,
    Value,
    expr_of,
    is_number,
    list_of,
    members,
    plain,
    traced,
    type_name,
)  # fmt: skip
from archdsl.symbolic import Const, binary, negated

_NO_TEXT = 'texts are not joined; labels take values in braces: `layer{i}: f`, or quoted `"{p}.x": f`'
_ARITHMETIC: dict[str, Callable[[int | float, int | float], int | float]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip
_ORDER: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_DIVIDED = "a tensor is divided by a number with `x -> scale(1 / n)`; there is no quotient of tensors"
_COMBINES = {"+": "add", "-": "sub", "*": "mul"}
"""The op that an operator between layers or tensors means."""


@evaluates(bound.Unary)
def _unary(node: bound.Unary, ctx: Context) -> Value:
    value = evaluate(node.operand, ctx)
    number = plain(value)
    if value is UNKNOWN:
        return UNKNOWN
    if node.op == "not":
        if isinstance(number, bool):
            return traced(not number, negated(expr_of(value)))
        return ctx.error("E310", node.operand.span, got=type_name(value))
    if isinstance(number, int | float) and not isinstance(number, bool):
        return traced(-number, binary("-", Const(0), expr_of(value)))
    return ctx.error("E301", node.operand.span, what="the operand of -", expected="a number", got=type_name(value))


@evaluates(bound.Binary)
def _binary(node: bound.Binary, ctx: Context) -> Value:
    op = node.op
    if op in ("and", "or"):
        return _logic(node, ctx)
    left, right = evaluate(node.left, ctx), evaluate(node.right, ctx)
    if left is UNKNOWN or right is UNKNOWN:
        return UNKNOWN
    if isinstance(left, Layer | Tensor) or isinstance(right, Layer | Tensor):
        if op not in _COMBINES:
            kinds = {"left": type_name(left), "right": type_name(right)}
            help_ = _DIVIDED if op == "/" else None
            return ctx.error("E304", node.op_span, op=op, help=help_, facts=kinds)
        if op == "+" and _joins_or_adds(left, right):
            kinds = {"left": _kind(left), "right": _kind(right)}
            return ctx.error("E329", node.op_span, help=_both_meanings(node, left, right), facts=kinds)
        both = (node.left.span, node.right.span)
        return combine(_COMBINES[op], (left, right), ctx, node.span, both)
    return _arithmetic(node, ctx, left, right)


def _arithmetic(node: bound.Binary, ctx: Context, left: Value, right: Value) -> Value:
    for side in (left, right):
        ctx.walk(side, node.span)
    op, a, b = node.op, plain(left), plain(right)
    if op in ("==", "!="):
        equal = _same(a, b)
        for side in (left, right):
            if isinstance(side, tuple):  # what its members were computed from is not kept
                ctx.structural(expr_of(ctx.unsized(side, node.span)))
        return _result(equal if op == "==" else not equal, op, left, right, ctx)
    if isinstance(a, tuple) and isinstance(b, tuple) and op == "+":
        return list_value([*members(left), *members(right)], node.span, ctx)
    if op in _ORDER and isinstance(a, str) and isinstance(b, str):
        return _result(_ORDER[op](a, b), op, left, right, ctx)
    if not is_number(a) or not is_number(b):
        joined = op == "+" and isinstance(a, str) and isinstance(b, str)
        facts = {"left": type_name(a), "right": type_name(b)}
        return ctx.error("E304", node.op_span, op=op, help=_NO_TEXT if joined else None, facts=facts)
    if op in _ORDER:
        return _result(_ORDER[op](a, b), op, left, right, ctx)
    if op in ("/", "//", "%") and b == 0:
        return ctx.error("E305", node.right.span)
    value = _number(op, a, b)
    if value is None:
        return ctx.error("E321", node.span)
    return _result(value, "**" if op == "^" else op, left, right, ctx)


def _number(op: str, a: int | float, b: int | float) -> int | float | None:
    """What an arithmetic operation gives; None if it is no number, or too large."""
    if op == "/":
        exact = isinstance(a, int) and isinstance(b, int) and a % b == 0
        return a // b if exact else a / b
    if op == "^":
        return _power(a, b)
    value = _ARITHMETIC[op](a, b)
    return None if abs(value) > MAX_NUMBER else value


def _power(a: int | float, b: int | float) -> int | float | None:
    try:
        huge = abs(a) > 1 and abs(float(a)) ** float(b) > MAX_NUMBER
        value = None if huge or (a == 0 and b < 0) else a**b
    except OverflowError:
        return None
    return value if isinstance(value, int | float) else None


def _result(value: Value, op: str, left: Value, right: Value, ctx: Context) -> Value:
    if isinstance(left, Traced) or isinstance(right, Traced):
        return kept(value, binary(op, expr_of(left), expr_of(right)), ctx)
    return value


def _logic(node: bound.Binary, ctx: Context) -> Value:
    left = condition(node.left, ctx)
    if left is UNKNOWN:
        return UNKNOWN
    if plain(left) is (node.op == "or"):  # decided: the right side need not make sense, as in `i > 0 and xs[i - 1]`
        other = quietly(node.right, ctx) if isinstance(left, Traced) else None
        if other is not None:
            return kept(plain(left), binary(node.op, expr_of(left), other), ctx)
        ctx.structural(expr_of(left))
        return plain(left)
    right = condition(node.right, ctx)
    return UNKNOWN if right is UNKNOWN else _result(plain(right), node.op, left, right, ctx)


def _chosen(value: Value) -> Value:
    """The layer that an `if` chose."""
    while isinstance(value, Choice):
        value = value.layer
    return value


def _joins_or_adds(left: Value, right: Value) -> bool:
    """Whether `+` could join lists as well as add what layers give: between sequences, or a list and a layer."""
    left, right = _chosen(left), _chosen(right)
    if isinstance(left, Sequence) and isinstance(right, Sequence):
        return True
    lists = [list_of(value) is not None for value in (left, right)]
    return any(lists) and any(isinstance(value, Layer) for value in (left, right))


def _kind(value: Value) -> str:
    return "a sequence" if isinstance(_chosen(value), Sequence) else type_name(value)


def _both_meanings(node: bound.Binary, left: Value, right: Value) -> str:
    """How to write a joined sequence, and a sum, of these operands."""
    texts = [" ".join(side.span.text.split()) for side in (node.left, node.right)]
    if sum(map(len, texts)) > 60:
        texts = ["a", "b"]
    parts = []
    for text, side, value in zip(texts, (node.left, node.right), (left, right), strict=True):
        if isinstance(side, bound.List) and text[0] == "[":
            parts.append(text[1:-1])
            continue
        loose = isinstance(side, bound.If | bound.Arrow | bound.Labelled) and len(text) > 1
        parts.append(f"{'..' * _is_list(value)}{f'({text})' if loose else text}")
    joined = f"to join them, write `[{', '.join(part for part in parts if part)}]`"
    if any(list_of(value) is not None for value in (left, right)):
        return joined
    return f"{joined}; to add what each gives for the same input, `add({', '.join(texts)})`"


def _is_list(value: Value) -> bool:
    return isinstance(_chosen(value), Sequence) or list_of(value) is not None


def _same(a: Value, b: Value) -> bool:
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, tuple | range) and isinstance(b, tuple | range):  # a range is a list like any other
        if isinstance(a, range) and isinstance(b, range):
            return a == b
        return len(a) == len(b) and tuple(a) == tuple(b)
    return bool(a == b)
