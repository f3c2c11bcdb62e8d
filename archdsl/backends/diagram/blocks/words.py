"""What stands in the boxes of a form: takes the bodies of all its instances, gives lines of text.

Every line is true of each of them: where they differ (3×3 here, 5×5 there) both are named, or the least and the
greatest number. Sizes are given twice: as expressions over the block's parameters, `C` being the channels of its input,
where one holds for all, and as numbers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from archdsl.backends.diagram import style
from archdsl.backends.diagram.blocks.algebra import Algebra
from archdsl.backends.diagram.blocks.definitions import Form
from archdsl.backends.diagram.blocks.units import Body, Unit, is_strong
from archdsl.backends.diagram.canvas import Line
from archdsl.backends.diagram.text import width, wrap
from archdsl.graph.describe import describe_value
from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.scopes import BlockScope, Bound
from archdsl.ops.spec import LAYERS
from archdsl.symbolic import symbols

_WORD = re.compile(r"\w+")
_NUMBERED = re.compile(r"(?:dilation )?[0-9]+(?: groups)?")
"""Details that are 1 where they are not written."""
_NUMBER = re.compile(r"[0-9.]+")


def lines_of(form: Form, index: int, limit: float) -> list[Line]:
    """The lines of one box, none wider than the limit."""
    units = [body.units[index] for body in form.bodies]
    first = units[0]
    if first.kind == "block":
        return _block_lines(form, units, limit)
    titles, details = [], list[str]()
    for position, node in enumerate(first.nodes):
        if all(_only_turns(unit.nodes[position]) for unit in units):
            continue
        labels = list(dict.fromkeys(_label(unit.nodes[position]) for unit in units))
        titles.append(alternatives([title for title, _ in labels]))
        if is_strong(node):
            details += _details([rest for _, rest in labels])
    found = [Line(text, style.SIZE - 0.5) for text in wrap(", ".join(titles), limit, style.SIZE - 0.5)]
    if details:
        found += _small(", ".join(details), limit)
    return found + (_sizes(form, units, limit) if first.lead.op.role in LAYERS else [])


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
    return title, tuple(detail for detail in details if detail != str(node.shape.channels))


def alternatives(texts: Iterable[str]) -> str:
    """`3×3 or 5×5 dwconv` for `3×3 dwconv` and `5×5 dwconv`."""
    words = [text.split() for text in dict.fromkeys(texts)]
    begun: list[str] = []
    while len(words) > 1 and all(len(parts) > 1 for parts in words) and len({parts[0] for parts in words}) == 1:
        begun.append(words[0][0])
        words = [parts[1:] for parts in words]
    shared: list[str] = []
    while len(words) > 1 and all(len(parts) > 1 for parts in words) and len({parts[-1] for parts in words}) == 1:
        shared.insert(0, words[0][-1])
        words = [parts[:-1] for parts in words]
    different = list(dict.fromkeys(" ".join(parts) for parts in words))
    if all(text[:1].isdigit() for text in different):
        different.sort(key=lambda text: [float(number) for number in _NUMBER.findall(text)])
    return " ".join([*begun, " or ".join(different), *shared])


def numbers(values: Iterable[float]) -> str:
    """`64`, `64 or 128`, `64–512`: one, both, or the least and the greatest."""
    found = sorted(set(values))
    if len(found) <= 2:
        return " or ".join(f"{value:.12g}" for value in found)
    return f"{found[0]:.12g}–{found[-1]:.12g}"


def _details(labels: Sequence[tuple[str, ...]]) -> list[str]:
    """Strides, groups and the like; `stride 1 or 2` where instances differ."""
    kinds: dict[str, list[str]] = {}
    for detail in dict.fromkeys(detail for rest in labels for detail in rest):
        kinds.setdefault(detail[0] if detail[0] in "/×" else _NUMBER.sub("#", detail), []).append(detail)
    found = []
    for kind, values in kinds.items():
        missing = any(not any(value in rest for value in values) for rest in labels)
        if kind in "/×":  # × of what makes an image larger
            steps = alternatives((["1"] if missing else []) + [value[1:] for value in values])
            found.append(f"stride {steps}" if kind == "/" else f"×{steps}")
        elif all(map(_NUMBERED.fullmatch, values)):
            texts = [1] * missing + [int(match[0]) for value in values if (match := _NUMBER.search(value))]
            found.append(kind.replace("#", numbers(texts)))
        else:
            found.append(alternatives(values + (["none"] if missing else [])))
    return found


# --- inner blocks ----------------------------------------------------------------------------


def _block_lines(form: Form, units: Sequence[Unit], limit: float) -> list[Line]:
    first = units[0]
    scopes = [unit.scope for unit in units if unit.scope]
    counts = {unit.folded for unit in units}
    folded = f"{numbers(counts)} × " if counts != {1} else ""
    title = wrap(folded + scopes[0].definition, limit, style.SIZE - 0.5, True)
    found = [Line(text, style.SIZE - 0.5, True) for text in title]
    graph = form.blocks.same.graph
    given = [graph.shape(_result(unit)).channels for unit in units]
    words = [text for name in scopes[0].arguments if (text := _argument(form, name, scopes, given))]
    found += _small(", ".join(words), limit) if words else []
    changes = any(graph.shape(unit.inputs[0][1]).channels != width for unit, width in zip(units, given, strict=True))
    return found + (_sizes(form, units, limit) if changes and len(first.inputs) == 1 else [])


def _source(unit: Unit) -> Ref:
    """What a box is fed with, at its first layer of weights or before: what is flattened first has other channels."""
    first = unit.nodes[0].input_shapes[0].channels == unit.lead.input_shapes[0].channels
    return unit.inputs[0][1] if first or unit.kind == "block" else unit.lead.inputs[0]


def _result(unit: Unit) -> Ref:
    """What a box gives, or the last that has the channels of its layer of weights."""
    if unit.scope is not None:
        return unit.scope.outputs[0] if unit.folded == 1 else Ref(unit.nodes[-1].id, 0)
    last = next(node for node in reversed(unit.nodes) if node.shape.channels == unit.lead.shape.channels)
    return Ref(last.id, 0)


def _argument(form: Form, name: str, scopes: Sequence[BlockScope], given: Sequence[int]) -> str:
    """What an inner block is told, if it is not how many channels it gives."""
    bounds = [scope.arguments[name] for scope in scopes]
    texts = list(dict.fromkeys(map(_value, bounds)))
    if not all(texts) or not any(bound.explicit for bound in bounds):
        return ""
    if all(bound.value == width for bound, width in zip(bounds, given, strict=True)):
        return ""
    everywhere = {_value(scope.arguments[name]) for scope in form.blocks.like(scopes[0])}
    if len(everywhere) == 1 and _is_default(form.algebra, bounds[0]):
        return ""
    if len(texts) > 1 and form.blocks.same.equal(scopes):
        return ""  # rates of regularizers
    if len(texts) == 1:
        return f"{name} {texts[0]}"
    if text := form.algebra.text(bound.expr for bound in bounds):
        return f"{name} {text}" if text != name else name
    values = [bound.value for bound in bounds]
    if all(type(value) in (int, float) for value in values):
        return f"{name} {numbers(values)}"
    return f"{name} {alternatives(texts)}"


def _value(bound: Bound) -> str:
    """An argument in words; empty for what says nothing: a flag, nothing of something, a row of a table."""
    value = bound.value
    wordless: Any = object.__repr__
    if isinstance(value, bool) or value in (0, None) or type(value).__repr__ is wordless:
        return ""
    return describe_value(value)


def _is_default(algebra: Algebra, bound: Bound) -> bool:
    """Whether a value is only what the block around has as a default, or a layer that is the same everywhere."""
    if not isinstance(bound.value, int | float | str | tuple):
        return True
    names = symbols(bound.expr)
    return bool(names) and names <= algebra.defaults


def meanings(algebra: Algebra, lines: Iterable[Line]) -> Iterator[tuple[str, str]]:
    """What the named numbers of a form mean that stand in these lines: `hidden`, `divisible(ratio·C)`."""
    said: set[str] = set()
    waiting = [word for line in lines for word in _WORD.findall(line.text)]
    while waiting:
        name = waiting.pop(0)
        if name in algebra.notes and name not in said:
            said.add(name)
            yield name, algebra.notes[name]
            waiting += _WORD.findall(algebra.notes[name])


# --- channels --------------------------------------------------------------------------------


def _sizes(form: Form, units: Sequence[Unit], limit: float) -> list[Line]:
    """`C → 4·width` and `256 → 64`, on one line if there is room."""
    graph = form.blocks.same.graph
    before, after = list(map(_source, units)), list(map(_result, units))
    pairs = [(graph.shape(a).channels, graph.shape(b).channels) for a, b in zip(before, after, strict=True)]
    if all(a == b for a, b in pairs):
        channels = numbers(b for _, b in pairs)
    else:
        channels = f"{numbers(a for a, _ in pairs)} → {numbers(b for _, b in pairs)}"
    symbols = _arrow(_width_of(form, before), _width_of(form, after))
    both = f"{symbols} ({channels})"
    if symbols and width(both, style.SMALL - 0.5) <= limit:
        return _small(both, limit)
    shown = bool(symbols) and width(symbols, style.SMALL - 0.5) <= limit
    return (_small(symbols, limit) if shown else []) + _small(channels, limit)


def _width_of(form: Form, refs: Sequence[Ref]) -> str:
    return form.algebra.text(body.scope.known_width(ref) for body, ref in zip(form.bodies, refs, strict=True))


def _arrow(before: str, after: str) -> str:
    if not before or not after:
        return ""
    return f"{before} → {after}" if before != after else after


def terminal(graph: Graph, form: Form, unit: Unit) -> tuple[str, str]:
    """The channels at an input or output, as an expression and in numbers: `C`, `256`."""
    refs = [_ref(body, body.units[unit.index]) for body in form.bodies]
    return _width_of(form, refs), numbers(graph.shape(ref).channels for ref in refs)


def _ref(body: Body, unit: Unit) -> Ref:
    return unit.inputs[0][1] if unit.inputs else list(dict.fromkeys(body.scope.inputs))[unit.index]


def _small(text: str, limit: float) -> list[Line]:
    return [Line(line, style.SMALL - 0.5, colour=style.SOFT) for line in wrap(text, limit, style.SMALL - 0.5)]
