"""Repeats in sequences: equal neighbours, or neighbours whose numbers step, become one comprehension.

`[Block(64, rate=rates[0]), Block(64, rate=rates[1])]` becomes `Block(64, rate=rates[i])` for i in range(2).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from archdsl.backends.python.modules import Built, Instance, Listed, ModuleExpr, Option, Repeat
from archdsl.symbolic import Const, Expr, Symbol, binary

LOOP = Symbol("i")
_NUMBER = re.compile(r"\d+")
_LEAST_STEPPING = 3


def reroll(listed: Listed) -> Listed:
    """The list with its repeats folded, inner lists first."""
    items = [(name, _inner(module)) for name, module in listed.items]
    if not listed.sequential:
        return Listed(tuple(items), sequential=False)
    folded: list[tuple[str, ModuleExpr]] = []
    position = 0
    while position < len(items):
        count, repeat = _longest(items[position:])
        folded.append(repeat if repeat is not None else items[position])
        position += count
    return Listed(tuple(folded))


def _inner(module: ModuleExpr) -> ModuleExpr:
    return reroll(module) if isinstance(module, Listed) else module


def _longest(items: Sequence[tuple[str, ModuleExpr]]) -> tuple[int, tuple[str, ModuleExpr] | None]:
    """The longest run at the beginning of `items` that one comprehension can say; (1, None) if there is none."""
    equal = 1
    while equal < len(items) and items[equal][0] == "" and items[equal] == items[0]:
        equal += 1
    stepping = _stepping(items)
    if stepping is not None and stepping[0] > equal:
        count, module, name = stepping
        return count, (name, Repeat(count, module, name))
    if equal > 1:
        return equal, ("", Repeat(equal, items[0][1]))
    return 1, None


def _stepping(items: Sequence[tuple[str, ModuleExpr]]) -> tuple[int, ModuleExpr, str] | None:
    """The longest run whose numbers and names step evenly: its length, its module over `i`, its name's format."""
    best: tuple[int, ModuleExpr, str] | None = None
    if len(items) < 2 or type(items[0][1]) is not type(items[1][1]):
        return None
    # The first two members fix the steps; the run goes on while the others follow them.
    module = _step_module(items[0][1], items[1][1])
    name = _step_name(items[0][0], items[1][0])
    if module is None or name is None:
        return None
    count = 2
    while count < len(items) and _follows(items, count, module, name):
        count += 1
    varies = module != items[0][1]
    if count >= (_LEAST_STEPPING if varies else 2):
        best = (count, module, name)
    return best


def _follows(items: Sequence[tuple[str, ModuleExpr]], count: int, module: ModuleExpr, name: str) -> bool:
    following_name, following = items[count]
    previous_name, previous = items[count - 1]
    if type(following) is not type(previous):
        return False
    if name and following_name != name.replace("{i}", str(_base(name) + count)).split("|")[0]:
        return False
    if not name and following_name:
        return False
    step = _step_module(previous, following, count - 1)
    return step == module


def _base(name: str) -> int:
    return int(name.split("|")[1])


def _step_name(first: str, second: str) -> str | None:
    """`denselayer1`, `denselayer2` give `denselayer{i}|1`; equal empty names give ""."""
    if not first and not second:
        return ""
    one, two = list(_NUMBER.finditer(first)), list(_NUMBER.finditer(second))
    if not one or len(one) != len(two):
        return None
    last = one[-1]
    base = int(last.group())
    expected = first[: last.start()] + str(base + 1) + first[last.end() :]
    return f"{first[: last.start()]}{{i}}{first[last.end() :]}|{base}" if expected == second else None


def _step_module(first: ModuleExpr, second: ModuleExpr, position: int = 0) -> ModuleExpr | None:
    """A module over `i` that is `first` at `position` and `second` after it; None where there is none."""
    if first == second:
        return first
    if isinstance(first, Instance) and isinstance(second, Instance) and first.definition == second.definition:
        kwargs = _step_kwargs(first.kwargs, second.kwargs, position)
        return None if kwargs is None else Instance(first.definition, kwargs)
    if isinstance(first, Built) and isinstance(second, Built) and first.target == second.target:
        if len(first.args) != len(second.args):
            return None
        args = [_step(a, b, position) for a, b in zip(first.args, second.args, strict=True)]
        kwargs = _step_kwargs(first.kwargs, second.kwargs, position)
        if kwargs is None or any(arg is None for arg in args):
            return None
        return Built(first.target, tuple(a for a in args if a is not None), kwargs, first.defaults)
    if isinstance(first, Listed) and isinstance(second, Listed) and len(first.items) == len(second.items):
        items: list[tuple[str, ModuleExpr]] = []
        for (name, a), (other, b) in zip(first.items, second.items, strict=True):
            module = _step_module(a, b, position) if name == other and not isinstance(a, Option | Repeat) else None
            if module is None:
                return None
            items.append((name, module))
        return Listed(tuple(items), first.sequential)
    return None


def _step_kwargs(
    first: Sequence[tuple[str, Expr]], second: Sequence[tuple[str, Expr]], position: int
) -> tuple[tuple[str, Expr], ...] | None:
    if [name for name, _ in first] != [name for name, _ in second]:
        return None
    found: list[tuple[str, Expr]] = []
    for (name, a), (_, b) in zip(first, second, strict=True):
        value = _step(a, b, position)
        if value is None:
            return None
        found.append((name, value))
    return tuple(found)


def _step(first: Expr, second: Expr, position: int) -> Expr | None:
    """An expression over `i` that is `first` at `position` and `second` at the next."""
    if first == second:
        return first
    if isinstance(first, Const) and isinstance(second, Const):
        if type(first.value) is not int or type(second.value) is not int:
            return None
        step = second.value - first.value
        return binary("+", Const(first.value - step * position), binary("*", Const(step), LOOP))
    parts, others = first.parts(), second.parts()
    if type(first) is not type(second) or not parts or len(parts) != len(others):
        return None
    if getattr(first, "op", None) != getattr(second, "op", None) or getattr(first, "function", None) != getattr(
        second, "function", None
    ):
        return None
    stepped = [_step(a, b, position) for a, b in zip(parts, others, strict=True)]
    if any(part is None for part in stepped):
        return None
    return first.rebuild([part for part in stepped if part is not None])
