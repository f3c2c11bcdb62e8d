"""What stands in the boxes of a form: takes the bodies of all its instances, gives lines of text.

Where instances differ (3×3 here, 5×5 there) both are named. Sizes are given twice: as expressions over the block's
parameters, `C` being the channels of its input, and as numbers of the first instance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from archdsl.backends.diagram import style
from archdsl.backends.diagram.blocks.units import Body, Unit, is_strong
from archdsl.backends.diagram.canvas import Line
from archdsl.backends.diagram.text import width, wrap
from archdsl.graph.describe import describe_value
from archdsl.graph.ir import Node, Ref, Scope
from archdsl.symbolic import Const, Expr, Symbol, substitute

CHANNELS = {"in_channels": Symbol("C")}
_CHANNELS_OF = re.compile(r"\b(\w+)_channels\b")
_WORD = re.compile(r"\w+")
_KIND = re.compile(r"[0-9.]+")
_LONGEST = 30
"""Characters of an expression that is worth reading."""


def lines_of(bodies: Sequence[Body], index: int, limit: float) -> list[Line]:
    """The lines of one box, none wider than the limit."""
    units = [body.units[index] for body in bodies]
    first = units[0]
    if first.kind == "block":
        return _block_lines(units, limit)
    titles, details = [], list[str]()
    for position, node in enumerate(first.nodes):
        if _only_turns(node):
            continue
        labels = list(dict.fromkeys(_label(unit.nodes[position]) for unit in units))
        titles.append(alternatives([title for title, _ in labels]))
        if is_strong(node):
            details += _details([rest for _, rest in labels])
    found = [Line(text, style.SIZE - 0.5) for text in wrap(", ".join(titles), limit, style.SIZE - 0.5)]
    if details:
        found += _small(", ".join(details), limit)
    return found + (_sizes(bodies[0], first, limit) if not first.lead.op.view else [])


def _only_turns(node: Node) -> bool:
    """Whether a node only changes the order of the axes."""
    before, after = node.input_shapes[0], node.shape
    same = (before.channels, before.height, before.width) == (after.channels, after.height, after.width)
    return same and before.layout != after.layout


def _label(node: Node) -> tuple[str, tuple[str, ...]]:
    """The words of an op: its name, and what else it says but its channels."""
    title, *details = node.label.split(", ")
    if not is_strong(node) and node.op.role != "reshape":
        return title, ()
    details = [detail for detail in details if detail != str(node.shape.channels)]
    return title, tuple(details)


def alternatives(texts: Iterable[str]) -> str:
    """`3×3 or 5×5 dwconv` for `3×3 dwconv` and `5×5 dwconv`."""
    words = [text.split() for text in dict.fromkeys(texts)]
    shared: list[str] = []
    while len(words) > 1 and all(len(parts) > 1 for parts in words) and len({parts[-1] for parts in words}) == 1:
        shared.insert(0, words[0][-1])
        words = [parts[:-1] for parts in words]
    different = list(dict.fromkeys(" ".join(parts) for parts in words))
    joined = " or ".join(different) if len(different) < 4 else f"{different[0]} … {different[-1]}"
    return " ".join([joined, *shared])


def _details(labels: Sequence[tuple[str, ...]]) -> list[str]:
    """Strides, groups and the like; `/1 or /2` where instances differ."""
    kinds: dict[str, list[str]] = {}
    for detail in dict.fromkeys(detail for rest in labels for detail in rest):
        kinds.setdefault(_KIND.sub("#", detail), []).append(detail)
    found = []
    for kind, values in kinds.items():
        missing = any(not any(value in rest for value in values) for rest in labels)
        if kind.startswith("/"):
            steps = [value.removeprefix("/") for value in values]
            found.append("stride " + alternatives((["1"] if missing else []) + steps))
        elif "#" in kind and len(values) > 2:
            numbers = [match[0] for value in values if (match := _KIND.search(value))]
            found.append(kind.replace("#", f"{numbers[0]}–{numbers[-1]}"))
        else:
            found.append(alternatives(values))
    return found


def _block_lines(units: Sequence[Unit], limit: float) -> list[Line]:
    scopes = [unit.scope for unit in units if unit.scope]
    folded = f"{units[0].folded} × " if units[0].folded > 1 else ""
    found = [
        Line(text, style.SIZE - 0.5, True)
        for text in wrap(folded + scopes[0].definition, limit, style.SIZE - 0.5, True)
    ]
    given = [unit.nodes[-1].shape.channels for unit in units]
    words = [text for name in scopes[0].arguments if (text := _argument(name, scopes, given))]
    return found + (_small(", ".join(words), limit)[:2] if words else [])


def _argument(name: str, scopes: Sequence[Scope], given: Sequence[int]) -> str:
    """What an inner block is told, if it is not how many channels it gives."""
    bounds = [scope.arguments[name] for scope in scopes if name in scope.arguments]
    values = list(dict.fromkeys(bound.value for bound in bounds if isinstance(bound.value, int | float | str | tuple)))
    if not values or not any(bound.explicit for bound in bounds) or isinstance(values[0], bool) or values == [0]:
        return ""
    if all(bound.value == width for bound, width in zip(bounds, given, strict=False)):
        return ""
    if len(values) == 1:
        return f"{name} {describe_value(values[0])}"
    expr = bounds[0].expr
    if not isinstance(expr, Const) and (text := expression(expr)):
        return f"{name} {text}" if text != name else name
    return f"{name} {alternatives(map(describe_value, values))}"


def meanings(scope: Scope, lines: Iterable[Line]) -> list[str]:
    """What the named numbers of a block mean that stand in these lines: `hidden = divisible(C·expand)`."""
    found: dict[str, str] = {}
    waiting = [word for line in lines for word in _WORD.findall(line.text)]
    while waiting:
        name = waiting.pop(0)
        if name in scope.locals and name not in found and not isinstance(scope.locals[name], Const):
            found[name] = expression(scope.locals[name], 2 * _LONGEST)
            waiting += _WORD.findall(found[name])
    return [f"{name} = {text}" for name, text in found.items() if text and text != name]


def expression(expr: Expr | None, longest: int = _LONGEST) -> str:
    """An expression over a block's parameters as a reader writes it; empty if longer than so many characters."""
    if expr is None:
        return ""
    text = (
        str(substitute(expr, CHANNELS))
        .replace(" * ", "·")
        .replace(" // ", "/")
        .replace(" - ", " − ")
        .replace(" / ", "/")
    )
    text = _CHANNELS_OF.sub(r"C_\1", text)
    return text if len(text) <= longest else ""


def _width_of(scope: Scope, ref: Ref) -> str:
    expr = scope.widths.get(ref)
    return "" if expr is None or isinstance(expr, Const) else expression(expr)


def _sizes(body: Body, unit: Unit, limit: float) -> list[Line]:
    """`C → 4·width` and `256 → 64`, on one line if there is room."""
    lead = unit.lead
    if lead.op.role not in ("conv", "linear"):
        return []
    last = unit.nodes[-1]
    before, after = unit.inputs[0][1], Ref(last.id, 0)
    numbers = arrow(str(unit.nodes[0].input_shapes[0].channels), str(last.shape.channels))
    symbols = arrow(_width_of(body.scope, before), _width_of(body.scope, after))
    both = f"{symbols} ({numbers})"
    if symbols and width(both, style.SMALL - 0.5) <= limit:
        return _small(both, limit)
    lines = [text for text in (symbols, numbers) if text and width(text, style.SMALL - 0.5) <= limit]
    return [Line(text, style.SMALL - 0.5, colour=style.SOFT) for text in lines]


def arrow(before: str, after: str) -> str:
    if not before or not after:
        return ""
    return f"{before} → {after}" if before != after else after


def terminal(body: Body, unit: Unit) -> str:
    """The channels at an input or output: `C = 256`."""
    ref = unit.inputs[0][1] if unit.inputs else list(dict.fromkeys(body.scope.inputs))[unit.index]
    return _width_of(body.scope, ref)


def _small(text: str, limit: float) -> list[Line]:
    return [Line(line, style.SMALL - 0.5, colour=style.SOFT) for line in wrap(text, limit, style.SMALL - 0.5)]
