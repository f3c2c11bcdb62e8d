"""Repeats in sequences: equal neighbours, or neighbours whose numbers step, become one comprehension.

`[Block(64, rates[3]), Block(64, rates[4])]` becomes `Block(64, rates[i])` for i in range(3, 5).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from archdsl.backends.python.modules import Built, Instance, Kwargs, Listed, ModuleExpr, Option, Repeat
from archdsl.backends.python.traversal import holes, modules_in, rewrite
from archdsl.symbolic import Binary, Const, Expr, Local, Symbol, binary, walk

_NUMBER = re.compile(r"\d+")
_LEAST_STEPPING = 3
UNREAD = ("_", "__")
"""Variables of loops that do not ask for them; no name of a spec begins with two underscores."""
LETTERS = ("i", "j", "k", "n", "m", "index")
"""Loop variables; when all are taken, the last with a number."""

Item = tuple[str, ModuleExpr]


def reroll(listed: Listed, taken: Set[str]) -> Listed:
    """The list with its repeats folded, inner lists first; no loop variable has a taken name. To be done once."""
    items = [(name, reroll(m, taken) if isinstance(m, Listed) else m) for name, m in listed.items]
    if not listed.sequential:
        return Listed(tuple(items), sequential=False)
    folded: list[Item] = []
    position = 0
    while position < len(items):
        count, item = _longest(items[position:], taken)
        folded.append(item)
        position += count
    return Listed(tuple(folded))


def _longest(items: Sequence[Item], taken: Set[str]) -> tuple[int, Item]:
    """The longest run at the beginning of `items` that one comprehension can say; the first item if there is none."""
    first = items[0]
    if _asks(first[1]):  # what an `if` adds to is made by statements
        return 1, first
    equal = 1
    while first[0] == "" and equal < len(items) and items[equal] == first:
        equal += 1
    stepping = _stepping(items, taken)
    if stepping is not None and stepping.count > equal:
        return stepping.count, ("", stepping)
    if equal > 1:
        return equal, ("", Repeat(equal, first[1], loop=_unread(taken)))
    return 1, first


def _asks(module: ModuleExpr) -> bool:
    return any(isinstance(inner, Option) for inner in modules_in([module]))


def _stepping(items: Sequence[Item], taken: Set[str]) -> Repeat | None:
    """The longest run whose numbers and names step evenly."""
    if len(items) < 2:
        return None
    # The first two members fix the steps; the run goes on while the others follow them.
    loop = Symbol(loop_letter(items[0][1], taken))
    module = _step_module(items[0][1], items[1][1], 0, loop)
    name = _step_name(items[0][0], items[1][0])
    if module is None or name is None:
        return None
    pattern, offset = name
    count = 2
    while count < len(items):
        wanted = pattern.format(offset + count)
        if items[count][0] != wanted or _step_module(items[count - 1][1], items[count][1], count - 1, loop) != module:
            break
        count += 1
    varies = module != items[0][1]
    if count < (_LEAST_STEPPING if varies else 2):
        return None
    return _shifted(Repeat(count, module, pattern, offset, 0, loop.name if varies or pattern else _unread(taken)))


def loop_letter(module: ModuleExpr, taken: Set[str]) -> str:
    """A loop variable that nothing else is called, in the class or in the loops inside."""
    taken = taken | {part.name for hole in holes(module) for part in walk(hole) if isinstance(part, Symbol | Local)}
    letters = itertools.chain(LETTERS, (f"{LETTERS[-1]}{number}" for number in itertools.count(2)))
    return next(letter for letter in letters if letter not in taken)


def _unread(taken: Set[str]) -> str:
    """The variable of a loop that does not ask for it."""
    return next(name for name in UNREAD if name not in taken)


def _shifted(repeat: Repeat) -> Repeat:
    """Count from where the numbers begin, if all begin at one: `rates[i]` for i in range(3, 6), not `rates[3 + i]`."""
    loop = Symbol(repeat.loop)
    bases = set(_bases(repeat.module, loop))
    if len(bases) != 1 or bases == {0}:
        return repeat
    (base,) = bases
    module = rewrite(repeat.module, lambda expr: _without(expr, base, loop))
    return replace(repeat, module=module, start=base, offset=repeat.offset - base)


def _bases(module: ModuleExpr, loop: Symbol) -> Iterator[int]:
    """What is added to the loop variable wherever it stands; 0 where it stands alone or multiplied."""
    for hole in holes(module):
        yield from _bases_in(hole, loop)


def _bases_in(expr: Expr, loop: Symbol) -> Iterator[int]:
    if expr == loop:
        yield 0
    elif isinstance(expr, Binary) and expr.op == "+" and expr.right == loop and isinstance(expr.left, Const):
        yield expr.left.value
    else:
        for part in expr.parts():
            yield from _bases_in(part, loop)


def _without(expr: Expr, base: int, loop: Symbol) -> Expr:
    if isinstance(expr, Binary) and expr.op == "+" and expr.right == loop and expr.left == Const(base):
        return loop
    parts = expr.parts()
    return expr.rebuild([_without(part, base, loop) for part in parts]) if parts else expr


def _step_name(first: str, second: str) -> tuple[str, int] | None:
    """`layer1`, `layer2` give ("layer{}", 1); two empty names give ("", 0)."""
    if not first and not second:
        return "", 0
    one, two = list(_NUMBER.finditer(first)), list(_NUMBER.finditer(second))
    if not one or len(one) != len(two):
        return None
    last = one[-1]
    if str(int(last.group())) != last.group():
        return None
    pattern = f"{first[: last.start()]}{{}}{first[last.end() :]}"
    offset = int(last.group())
    return (pattern, offset) if pattern.format(offset + 1) == second else None


def _step_module(first: ModuleExpr, second: ModuleExpr, position: int, loop: Symbol) -> ModuleExpr | None:
    """A module over the loop variable that is `first` at `position` and `second` after it; None where there is none."""
    if first == second:
        return first
    if isinstance(first, Instance) and isinstance(second, Instance) and first.definition == second.definition:
        kwargs = _step_kwargs(first.kwargs, second.kwargs, position, loop)
        return None if kwargs is None else Instance(first.definition, kwargs)
    if isinstance(first, Built) and isinstance(second, Built):
        return _step_built(first, second, position, loop)
    if isinstance(first, Listed) and isinstance(second, Listed) and len(first.items) == len(second.items):
        items: list[Item] = []
        for (name, a), (other, b) in zip(first.items, second.items, strict=True):
            module = _step_module(a, b, position, loop) if name == other else None
            if module is None:
                return None
            items.append((name, module))
        return Listed(tuple(items), first.sequential)
    return None


def _step_built(first: Built, second: Built, position: int, loop: Symbol) -> Built | None:
    alike = (first.target, first.defaults, first.inplace) == (second.target, second.defaults, second.inplace)
    if not alike or len(first.args) != len(second.args):
        return None
    args = [_step(a, b, position, loop) for a, b in zip(first.args, second.args, strict=True)]
    kwargs = _step_kwargs(first.kwargs, second.kwargs, position, loop)
    if kwargs is None or any(arg is None for arg in args):
        return None
    return replace(first, args=tuple(arg for arg in args if arg is not None), kwargs=kwargs)


def _step_kwargs(first: Kwargs, second: Kwargs, position: int, loop: Symbol) -> Kwargs | None:
    if [name for name, _ in first] != [name for name, _ in second]:
        return None
    found: list[tuple[str, Expr]] = []
    for (name, a), (_, b) in zip(first, second, strict=True):
        value = _step(a, b, position, loop)
        if value is None:
            return None
        found.append((name, value))
    return tuple(found)


def _step(first: Expr, second: Expr, position: int, loop: Symbol) -> Expr | None:
    """An expression over the loop variable that is `first` at `position` and `second` at the next."""
    if first == second and str(first) == str(second):  # 1, 1.0 and True are equal, but not the same
        return first
    if isinstance(first, Const) and isinstance(second, Const):
        if type(first.value) is not int or type(second.value) is not int:
            return None
        step = second.value - first.value
        base = Const(first.value - step * position)
        if step < 0:
            return binary("-", base, binary("*", Const(-step), loop))
        return binary("+", base, binary("*", Const(step), loop))
    parts, others = first.parts(), second.parts()
    if type(first) is not type(second) or not parts or len(parts) != len(others) or isinstance(first, Local):
        return None
    if any(getattr(first, kind, None) != getattr(second, kind, None) for kind in ("op", "function")):
        return None
    stepped = [_step(a, b, position, loop) for a, b in zip(parts, others, strict=True)]
    if any(part is None for part in stepped):
        return None
    return first.rebuild([part for part in stepped if part is not None])
