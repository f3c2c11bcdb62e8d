"""Where things are in level graph: takes the `Wording` of a view, gives the `Frame` of the whole and all that is in it.

Scopes are laid out from the inside out: dot places the members of an open scope (`layout`), then its frame is a box in
the scope around. A layer and what normalizes, activates or drops its result stand on each other. A scope that
is too tall is cut into columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Line, Point
from archdsl.backends.diagram.drawing import bounded
from archdsl.backends.diagram.graph.columns import Column, cut, join
from archdsl.backends.diagram.graph.words import Wording, Words, is_joint
from archdsl.backends.diagram.layout import Link, Size
from archdsl.graph.fold import Run
from archdsl.graph.ir import Ref
from archdsl.graph.parts import OUTSIDE, Part
from archdsl.ops.spec import FOLLOWING

BOX = 14.0
"""Height of the box of a node; `CLOSED` of a closed scope's, and of a node's that gives outputs with names."""
CLOSED = 23.0
SIGN = 13.0
LEAST = 44.0
PADDING = 6.0
HEADER = 15.0
MARGIN = 7.0
MOST = 2_000
"""Boxes that are laid out together: half a minute."""

_SPREAD = 0.8
"""Share of the top of a box on which its inputs arrive."""


@dataclass(slots=True, eq=False)
class Item:
    """A box, or an open scope with its frame, at `x`, `y` (left and top) in the scope around."""

    run: Run
    words: Words
    wide: float
    high: float
    frame: Frame | None = None
    x: float = 0
    y: float = 0

    @property
    def part(self) -> Part:
        return self.run.first


@dataclass(slots=True, eq=False)
class Stack:
    """Items on each other, mostly one."""

    items: list[Item]

    @property
    def wide(self) -> float:
        return max(item.wide for item in self.items)

    @property
    def high(self) -> float:
        return sum(item.high for item in self.items)


@dataclass(slots=True, eq=False)
class Wire:
    """A link between two stacks of a scope, given by position; `OUTSIDE` for its border."""

    source: int
    target: int
    tensor: Ref
    """As the drawn source has it; `entry` as others know it, which differs where it comes from another of a run."""
    entry: Ref
    label: str = ""


@dataclass(slots=True)
class Route:
    """A link as it is drawn: its points, in the scope's coordinates, and where its label is."""

    wire: Wire
    points: list[Point]
    arrow: bool
    label: tuple[Point, str] | None = None


@dataclass(slots=True, eq=False)
class Frame:
    """An open scope: its items and links, its size, and where on its border tensors enter and leave."""

    part: Part
    items: list[Item]
    wide: float
    high: float
    routes: list[Route]
    ins: dict[Ref, float] = field(default_factory=dict)
    outs: dict[Ref, float] = field(default_factory=dict)


class Frames:
    """Lays the scopes of a view out."""

    def __init__(self, wording: Wording) -> None:
        self.wording, self.view, self.folded = wording, wording.view, wording.folded

    def frame(self, part: Part) -> Frame:
        """The frame of an open scope."""
        chain = self.wording.levels(part) if part.parent is not None else [part]
        inner = chain[-1]  # two frames around the same boxes say nothing
        items = [self._item(run) for run in self.folded.runs(inner)]
        wires = [Wire(*link) for link in self.view.links(inner)]
        stacks = _stacks(items, wires)
        bounded("graph", self.folded.graph.name, "boxes in one block", len(stacks), MOST)
        self._label(stacks, wires)
        columns = cut(self._sizes(stacks), self._links(stacks, wires), _keys(wires), 1 if part.parent else 2)
        return self._frame(part, stacks, wires, columns)

    def _item(self, run: Run) -> Item:
        part, words = run.first, self.wording.words(run)
        if part.node is None and self.view.is_open(part):
            frame = self.frame(part)
            return Item(run, words, frame.wide, frame.high, frame)
        if part.node is None:
            return Item(run, words, words.width + 2 * PADDING, CLOSED)
        if is_joint(part) and run.count == 1 and not words.below:
            return Item(run, words, SIGN, SIGN)
        return Item(run, words, max(LEAST, words.width + 2 * PADDING), CLOSED if words.below else BOX)

    # --- links -------------------------------------------------------------------------------

    def _label(self, stacks: Sequence[Stack], wires: Sequence[Wire]) -> None:
        """Write a shape where it changes: at the first link that a tensor takes."""
        labelled: set[tuple[int, str]] = set()
        for wire in wires:
            text = str(self.folded.graph.shape(wire.tensor))
            if wire.source == OUTSIDE or wire.target == OUTSIDE or (wire.source, text) in labelled:
                continue
            parts = [item.part for item in stacks[wire.source].items]
            ends = [*(Ref(node.id, 0) for part in parts[:-1] if (node := part.node)), wire.tensor]
            if any(self.wording.changes_shape(part, end) for part, end in zip(parts, ends, strict=True)):
                labelled.add((wire.source, text))
                wire.label = text

    def _sizes(self, stacks: Sequence[Stack]) -> list[Size]:
        return [
            Size(stack.wide, stack.high, round=stack.wide == SIGN, frame=stack.items[0].frame is not None)
            for stack in stacks
        ]

    def _links(self, stacks: Sequence[Stack], wires: Sequence[Wire]) -> list[Link]:
        joined = Counter(wire.target for wire in wires)
        return [
            Link(
                wire.source,
                wire.target,
                1 if joined[wire.target] > 1 else 3,
                _port(stacks, wire.source, wire.tensor, leaving=True),
                _port(stacks, wire.target, wire.entry, leaving=False),
                Line(wire.label, style.SMALL).width if wire.label else 0,
            )
            for wire in wires
        ]

    # --- places ------------------------------------------------------------------------------

    def _frame(self, part: Part, stacks: Sequence[Stack], wires: Sequence[Wire], columns: Sequence[Column]) -> Frame:
        joined = join(columns, _keys(wires))
        root = part.parent is None
        margin, header = (0.0, 0.0) if root else (MARGIN, HEADER)
        title = 0.0 if root else sum(line.width for line in self.wording.words(self.folded.run(part)).first)
        wide = max(joined.width + 2 * margin, title + 2 * PADDING)
        dx, dy = (wide - joined.width) / 2, header + (0 if joined.ins or root else margin)
        for place, (x, y) in joined.places.items():
            stack = stacks[place]
            for item in stack.items:
                item.wide = stack.wide if item.frame is None else item.wide
                item.x, item.y = x - item.wide / 2 + dx, y + dy
                y += item.high
        high = joined.height + dy + (0 if joined.outs or root else margin)
        routes = []
        for index, points in joined.routes.items():
            wire = wires[index]
            moved = [(x + dx, y + dy) for x, y in points]
            label = _label_place(moved, wire.label) if wire.label else None
            routes.append(Route(wire, moved, wire.target != OUTSIDE, label))
        ins = {wires[index].entry: x + dx for index, x in joined.ins.items()}
        outs = {wires[index].entry: x + dx for index, x in joined.outs.items()}
        items = [item for stack in stacks for item in stack.items]
        return Frame(part, items, wide, high, routes, ins, outs)


def _keys(wires: Sequence[Wire]) -> list[Ref]:
    """What links that enter or leave through one point have in common."""
    return [wire.entry if OUTSIDE in (wire.source, wire.target) else wire.tensor for wire in wires]


def _port(stacks: Sequence[Stack], place: int, tensor: Ref, leaving: bool) -> float:
    """How far right of a stack's middle a tensor leaves or enters it."""
    if place == OUTSIDE:
        return 0
    item = stacks[place].items[-1 if leaving else 0]
    frame = item.frame
    if frame is None:
        return 0 if leaving else _arrival(item, tensor)
    ports = frame.outs if leaving else frame.ins
    return ports[tensor] - frame.wide / 2 if tensor in ports else 0


def _arrival(item: Item, tensor: Ref) -> float:
    """Where a box with several inputs is entered by one of them: what arrives at one point is read as a sum."""
    entries = list(item.part.entries)
    if len(entries) < 2 or tensor not in entries or (item.part.node and item.part.node.op.role == "merge"):
        return 0
    return ((entries.index(tensor) + 1) / (len(entries) + 1) - 0.5) * item.wide * _SPREAD


def _label_place(points: Sequence[Point], text: str) -> tuple[Point, str]:
    """Beside the beginning of a link, before it turns."""
    x, y = points[0]
    return (x + Line(text, style.SMALL).width / 2 + 3, y + 6), text


def _stacks(items: Sequence[Item], wires: list[Wire]) -> list[Stack]:
    """Put what normalizes, activates or drops a layer's result on the layer; renumber the wires without inner ones."""
    readers: dict[int, list[Wire]] = {}
    sources: dict[int, list[Wire]] = {}
    for wire in wires:
        readers.setdefault(wire.source, []).append(wire)
        sources.setdefault(wire.target, []).append(wire)
    stacks: list[Stack] = []
    stack_of: dict[int, int] = {}
    inner: set[int] = set()
    for place, item in enumerate(items):
        before = sources.get(place, [])
        if len(before) == 1 and before[0].source != OUTSIDE and _joins(items, before[0], readers, place):
            stack_of[place] = stack_of[before[0].source]
            stacks[stack_of[place]].items.append(item)
            inner.add(id(before[0]))
        else:
            stack_of[place] = len(stacks)
            stacks.append(Stack([item]))
    wires[:] = [wire for wire in wires if id(wire) not in inner]
    for wire in wires:
        wire.source = stack_of.get(wire.source, OUTSIDE)
        wire.target = stack_of.get(wire.target, OUTSIDE)
    return stacks


def _joins(items: Sequence[Item], wire: Wire, readers: dict[int, list[Wire]], place: int) -> bool:
    above, below = items[wire.source], items[place]
    nodes = above.part.node is not None and below.part.node is not None and below.part.node.op.role in FOLLOWING
    single = len(readers[wire.source]) == 1 and above.run.count == below.run.count == 1
    return (
        nodes and single and not is_joint(above.part) and above.part.node is not None and bool(above.part.node.inputs)
    )


def frames(frame: Frame) -> Iterator[Frame]:
    """A frame and all inside it."""
    yield frame
    for item in frame.items:
        if item.frame is not None:
            yield from frames(item.frame)
