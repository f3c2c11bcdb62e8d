"""A block whose branches cross, in layers from top to bottom: takes a body and boxes, draws what dot lays out.

A box stands just above the sign it goes into, and that above the one that ends the block, as in the drawings of
NASNet's cells; a sign at which many lines arrive is a bar.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from archdsl.backends.diagram.blocks.boxes import SPREAD, SizedUnit
from archdsl.backends.diagram.blocks.units import Body
from archdsl.backends.diagram.canvas import Canvas, Point
from archdsl.backends.diagram.layout import Gaps, Link, Size, laid_out

GAPS = Gaps(rank=26, box=7, port=26)


class Layered:
    """Lays out one body. `width` and `height` are those of the whole; `draw` puts it at a place."""

    def __init__(self, body: Body, boxes: Sequence[SizedUnit], id: str) -> None:
        self.boxes, self.id = boxes, id
        for sized in boxes:
            sized.widen(len(sized.unit.inputs))
        sizes = [Size(sized.wide, sized.high) for sized in boxes]
        self.links = [Link(tail, unit.index) for unit in body.units for tail, _ in unit.inputs]
        above = self._ranks()
        self.links = [link._replace(span=above[link.tail] - above[link.head]) for link in self.links]
        routes = laid_out(sizes, self.links, GAPS).routes  # they tell from which side each comes
        self.order = [self._order(index, routes) for index in range(len(boxes))]
        self.links = [link._replace(into=self._slot(index)) for index, link in enumerate(self.links)]
        found = laid_out(sizes, self.links, GAPS)
        self.width, self.height = found.width, found.height
        self.places, self.routes = found.places, found.routes

    def _ranks(self) -> list[int]:
        """How many ranks above the last a unit stands: just above what it goes into."""
        above = [0] * len(self.boxes)
        for link in reversed(self.links):
            above[link.tail] = max(above[link.tail], above[link.head] + 1)
        return above

    def _order(self, head: int, routes: Sequence[Sequence[Point]]) -> list[int]:
        """The inputs of a box as they arrive, from left to right."""
        inputs = range(len(self.boxes[head].unit.inputs))
        return sorted(inputs, key=lambda number: routes[self._first(head) + number][-4][0])

    def _first(self, head: int) -> int:
        """The number of the first link to a box; the others follow it."""
        return next((number for number, link in enumerate(self.links) if link.head == head), 0)

    def _slot(self, index: int) -> float:
        """Where a link arrives, right of the middle of its box: each by itself, since what meets is read as a sum."""
        head = self.links[index].head
        sized, order = self.boxes[head], self.order[head]
        share = (order.index(index - self._first(head)) + 1) / (len(order) + 1) - 0.5
        return share * sized.wide * (SPREAD if sized.wide > sized.high else 1)

    def draw(self, canvas: Canvas, left: float, top: float) -> None:
        drawn = [
            sized.draw(canvas, left + x, top + y + sized.high / 2, f"{self.id}.{index}", self.order[index])
            for index, (sized, (x, y)) in enumerate(zip(self.boxes, self.places, strict=True))
        ]
        for index, (link, route) in enumerate(zip(self.links, self.routes, strict=True)):
            *points, (x, y) = [(left + x, top + y) for x, y in route]
            sized, head = self.boxes[link.head], drawn[link.head]
            if sized.unit.kind == "sign" and not sized.is_bar:
                y = head.y - math.sqrt(max((head.width / 2) ** 2 - link.into**2, 0))  # on the circle
            canvas.curve(drawn[link.tail], head, [*points, (x, y)])
            sized.operand(canvas, index - self._first(link.head), x + (6 if x > head.x else -6), y - 5)
