"""A block whose paths are series and branches, from top to bottom: takes a tree and boxes, draws them.

The main path is a straight line. What leaves it and comes back to a sign on it is an arc at its side: an identity, a
projection, a gate; branches of equal standing (Inception) lie side by side.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Literal

from archdsl.backends.diagram.blocks.boxes import SizedUnit, sign
from archdsl.backends.diagram.blocks.tree import Parallel, Series, units_in
from archdsl.backends.diagram.canvas import Box, Canvas, Point
from archdsl.graph.ir import Cost

GAP = 13.0
"""Length of an arrow between two boxes."""
FORK = 5.0
"""What a fork takes above its branches; `SPREAD` where they lie side by side, and again below them."""
SPREAD = 8.0
BESIDE = 11.0
"""Between branches, and between a box and an arc."""
TURN = 3.0
"""Between lines that turn one below the other."""
LANE = 8.0
"""Width of an identity among branches side by side."""


@dataclass(slots=True)
class Extent:
    """Space of an element: to the left and right of its axis, and from the end of what is above to its own."""

    left: float
    right: float
    height: float


@dataclass(slots=True)
class End:
    """A line that waits for the next box: from which box of which unit, through which points, how it is to arrive."""

    tail: Box
    unit: int
    points: list[Point]
    x: float
    manner: Literal["straight", "side", "spread"] = "straight"


class Spine:
    """Lays out one tree. `size` is that of the whole; `draw` puts it at a place."""

    def __init__(self, tree: Series, boxes: Sequence[SizedUnit], id: str) -> None:
        self.tree, self.boxes, self.id = tree, boxes, id
        whole = self._series(tree)
        self.left, self.width, self.height = whole.left, whole.left + whole.right, whole.height - GAP

    def draw(self, canvas: Canvas, left: float, top: float) -> None:
        self.canvas = canvas
        self._draw_series(self.tree, left + self.left, top - GAP, [])

    # --- extents -----------------------------------------------------------------------------

    def _series(self, series: Series) -> Extent:
        left = right = height = 0.0
        spread = False
        for element in series:
            if isinstance(element, Parallel):
                part = self._parallel(element)[0]
                spread = self._is_spread(element)
            else:
                box = self.boxes[element]
                part = Extent(box.wide / 2, box.wide / 2, GAP + (SPREAD if spread else 0) + box.high)
                spread = False
            left, right, height = max(left, part.left), max(right, part.right), height + part.height
        return Extent(left, right, height)

    def _is_spread(self, parallel: Parallel) -> bool:
        """Whether the branches lie side by side rather than along a main path."""
        sink = self.boxes[parallel.sink].unit
        if sink.kind != "sign":
            return True
        identity = any(not branch for branch in parallel.branches)
        if sign(sink) == "‖":
            return not identity or len(parallel.branches) > 2
        return len(parallel.branches) > 3

    def _parallel(self, parallel: Parallel) -> tuple[Extent, list[float]]:
        """The space of branches, and each one's axis relative to theirs."""
        extents = [self._series(branch) for branch in parallel.branches]
        height = max(extent.height for extent in extents)
        if self._is_spread(parallel):
            wide = [max(e.left + e.right, LANE) for e in extents]
            x = -(sum(wide) + BESIDE * (len(wide) - 1)) / 2
            whole = Extent(-x, -x, height + SPREAD)
            axes = []
            for extent, room in zip(extents, wide, strict=True):
                axes.append(x + (extent.left or room / 2))
                x += room + BESIDE
            return whole, axes
        main = self._main(parallel)
        left, right = extents[main].left, extents[main].right
        axes = [0.0] * len(extents)
        sides = cycle(("right", "left"))
        others = [index for index in range(len(extents)) if index != main]
        for index in sorted(others, key=lambda i: not parallel.branches[i]):
            extent = extents[index]
            if next(sides) == "right":
                axes[index] = right + BESIDE + extent.left
                right = axes[index] + extent.right
            else:
                axes[index] = -(left + BESIDE + extent.right)
                left = -axes[index] + extent.left
        return Extent(left, right, height + FORK), axes

    def _main(self, parallel: Parallel) -> int:
        """The branch that goes on straight: the one with most work, but the identity of a gate or a rail."""
        branches = parallel.branches
        identity = next((index for index, branch in enumerate(branches) if not branch), None)
        sink = self.boxes[parallel.sink].unit
        if identity is not None and sign(sink) == "‖":
            return identity
        shapes = [shape for shape in sink.lead.input_shapes if shape != sink.lead.shape]
        if identity is not None and shapes:  # a gate: one value for each channel
            return identity
        return max(range(len(branches)), key=lambda index: (self._work(branches[index]), -index))

    def _work(self, branch: Series) -> tuple[int, int]:
        nodes = [node for index in units_in(branch) for node in self.boxes[index].unit.nodes]
        return len(list(units_in(branch))), Cost.of(nodes).macs

    # --- drawing -----------------------------------------------------------------------------

    def _draw_series(self, series: Series, x: float, y: float, ends: list[End]) -> list[End]:
        for element in series:
            if isinstance(element, Parallel):
                ends, y = self._draw_parallel(element, x, y, ends)
            else:
                y += SPREAD if any(end.manner == "spread" for end in ends) else 0
                sized = self.boxes[element]
                ends.sort(key=lambda end: end.x)
                order = _order(sized, ends)
                box = sized.draw(self.canvas, x, y + GAP + sized.high / 2, f"{self.id}.{element}", order)
                if sized.unit.kind != "sign" and len(ends) > 1:
                    self._arrive(ends, box, sized.slots(x), y)
                else:
                    for place, end in zip(order, ends, strict=True):
                        self._join(end, box, y)
                        beside = 12 if end.x > box.x else -12 if end.x < box.x else -6
                        sized.operand(self.canvas, place, x + beside, box.y - (5 if end.x != box.x else 11))
                y += GAP + sized.high
                ends = [End(box, element, [box.bottom], x)]
        return ends

    def _draw_parallel(self, parallel: Parallel, x: float, y: float, ends: list[End]) -> tuple[list[End], float]:
        whole, axes = self._parallel(parallel)
        spread = self._is_spread(parallel)
        fork = y + FORK
        top = y + (SPREAD if spread else FORK)
        found: list[End] = []
        for branch, offset in zip(parallel.branches, axes, strict=True):
            axis = x + offset
            starts = [End(e.tail, e.unit, [*e.points, *self._turn(e, fork, axis)], axis, e.manner) for e in ends]
            spare = whole.height - (top - y) - self._series(branch).height
            last = self._draw_series(branch, axis, top + spare / 2, starts)
            for end in last:
                # What comes out of nested branches is spread already.
                end.manner = "spread" if spread or end.manner == "spread" else "side" if offset else "straight"
            found += last
        return found, y + whole.height

    def _turn(self, end: End, fork: float, axis: float) -> list[Point]:
        return [] if abs(end.x - axis) < 0.01 else [(end.x, fork), (axis, fork)]

    def _arrive(self, ends: Sequence[End], box: Box, slots: Sequence[float], y: float) -> None:
        """Draw lines that arrive side by side; one that comes from further away turns below the others."""
        for place, (end, slot) in enumerate(zip(ends, slots, strict=True)):
            before = ends[place + 1 :] if end.x < slot else ends[:place]
            passed = sum((other.x < at) == (end.x < slot) for other, at in zip(before, slots, strict=False))
            turn = y + TURN * passed
            points = [] if abs(end.x - slot) < 0.01 else [(end.x, turn), (slot, turn)]
            self.canvas.arrow(end.tail, box, [*end.points, *points, (slot, box.top[1])], radius=3)

    def _join(self, end: End, box: Box, y: float) -> None:
        """Draw a line to the box it waited for; `y` is where branches side by side meet."""
        if end.manner == "side":
            side = box.right if end.x > box.x else box.left
            points = [*end.points, (end.x, box.y), side]
        elif abs(end.x - box.x) < 0.01:
            points = [*end.points, box.top]
        else:
            points = [*end.points, (end.x, y), (box.x, y), box.top]
        self.canvas.arrow(end.tail, box, points, radius=5)


def _order(sized: SizedUnit, ends: Sequence[End]) -> list[int]:
    """Which inputs of a unit some lines are, from left to right."""
    waiting = [source for source, _ in sized.unit.inputs]
    order = []
    for end in ends:
        place = waiting.index(end.unit)
        waiting[place] = -1
        order.append(place)
    return order
