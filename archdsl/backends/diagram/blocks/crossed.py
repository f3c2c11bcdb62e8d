"""A block whose branches cross, rank by rank from top to bottom: takes a body and boxes, draws what `layered` lays out.

A box stands just above the sign it goes into, and that above the one that ends the block, as in the drawings of
NASNet's cells; a sign at which many lines arrive is a bar.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from archdsl.backends.diagram.blocks.boxes import SPREAD, Sized
from archdsl.backends.diagram.blocks.units import Body
from archdsl.backends.diagram.canvas import Box, Canvas, Point
from archdsl.backends.diagram.layered import Gaps, Link, Size, layered

SIGN_WEIGHT, BAR_WEIGHT = 2.0, 4.5
"""Of links to a sign, and to one at which many arrive."""
GAPS = Gaps(rank=26, box=5)


class Crossed:
    """Lays out one body. `width` and `height` are those of the whole; `draw` puts it at a place."""

    def __init__(self, body: Body, boxes: Sequence[Sized], id: str) -> None:
        self.boxes, self.id = boxes, id
        for sized in boxes:
            sized.widen(len(sized.unit.inputs))
        self.links = [(tail, unit.index) for unit in body.units for tail, _ in unit.inputs]
        sizes = [Size(sized.wide, sized.high) for sized in boxes]
        # What follows a box weighs more than what comes before it, so that it decides on its rank.
        weights = [1.0 if sized.unit.kind != "sign" else BAR_WEIGHT if sized.is_bar else SIGN_WEIGHT for sized in boxes]
        links = [Link(tail, head, weights[head]) for tail, head in self.links]
        found = layered(sizes, links, GAPS)
        self.width, self.height = found.width, found.height
        self.places, self.routes = found.places, found.routes

    def draw(self, canvas: Canvas, left: float, top: float) -> None:
        drawn = [
            sized.draw(canvas, left + x, top + y + sized.high / 2, f"{self.id}.{index}", self._order(index))
            for index, (sized, (x, y)) in enumerate(zip(self.boxes, self.places, strict=True))
        ]
        for index, (tail, head) in enumerate(self.links):
            inner = [(left + x, top + y) for x, y in self.routes[index][1:-1]]
            points = [drawn[tail].bottom, *inner, self._arrival(index, drawn[head])]
            canvas.curve(drawn[tail], drawn[head], list(_smooth(points)))
            x, y = points[-1]
            self.boxes[head].operand(canvas, index - self._first(head), x + (6 if x > drawn[head].x else -6), y - 5)

    def _first(self, head: int) -> int:
        """The number of the first link to a box; the others follow it."""
        return next((number for number, (_, into) in enumerate(self.links) if into == head), 0)

    def _order(self, head: int) -> list[int]:
        """The inputs of a box as they arrive, from left to right."""
        first = self._first(head)
        inputs = range(len(self.boxes[head].unit.inputs))
        return sorted(inputs, key=lambda number: self.routes[first + number][-2][0])

    def _arrival(self, index: int, head: Box) -> Point:
        """Where on its top a box is reached: lines keep their order."""
        into = self.links[index][1]
        place, count = self._order(into).index(index - self._first(into)), len(self.boxes[into].unit.inputs)
        share = (place + 1) / (count + 1) - 0.5
        if head.width > head.height:
            return head.x + share * head.width * SPREAD, head.top[1]
        turn = share * 2.4  # radians from the top of a circle
        return head.x + head.width / 2 * math.sin(turn), head.y - head.height / 2 * math.cos(turn)


def _smooth(points: Sequence[Point]) -> Iterator[Point]:
    """A curve through points that is vertical at each, as Bézier control points."""
    yield points[0]
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (y1 - y0) * 0.5
        yield x0, y0 + bend
        yield x1, y1 - bend
        yield x1, y1
