"""A block whose branches cross, rank by rank from top to bottom (Sugiyama et al. 1981): takes a body and boxes.

Ranks follow the longest path; a unit stands just above what it feeds. The order in a rank is the best that sweeps of
barycentres find, its places are means of the neighbours' with nothing overlapping.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations, pairwise

from archdsl.backends.diagram.blocks.boxes import Sized
from archdsl.backends.diagram.blocks.units import Body
from archdsl.backends.diagram.canvas import Box, Canvas, Point

GAP = 26.0
"""Between two ranks."""
ASIDE = 5.0
"""Between two boxes of a rank."""
LANE = 4.0
"""Width of a line that passes a rank."""
SWEEPS = 12


@dataclass(slots=True, eq=False)
class Place:
    """A box, or a point of a line that passes the rank (`sized` None)."""

    rank: int
    sized: Sized | None = None
    wide: float = LANE
    x: float = 0
    above: list[Place] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)

    @property
    def is_sign(self) -> bool:
        """Whether it has its place below what it joins."""
        return self.sized is not None and self.sized.unit.kind in ("sign", "output")


class Layers:
    """Lays out one body. `width` and `height` are those of the whole; `draw` puts it at a place."""

    def __init__(self, body: Body, boxes: Sequence[Sized], id: str) -> None:
        self.body, self.boxes, self.id = body, boxes, id
        for sized in boxes:
            sized.widen(len(sized.unit.inputs))
        self.places = [Place(rank, sized, sized.wide) for rank, sized in zip(_ranks(body, boxes), boxes, strict=True)]
        self.lines: list[list[Place]] = [
            self._line(self.places[tail], self.places[unit.index]) for unit in body.units for tail, _ in unit.inputs
        ]
        self.rows = self._rows()
        _order(self.rows)
        _spread(self.rows)
        low = min(place.x - place.wide / 2 for row in self.rows for place in row)
        for row in self.rows:
            for place in row:
                place.x -= low
        self.width = max(place.x + place.wide / 2 for row in self.rows for place in row)
        self.heights = [max([p.sized.high for p in row if p.sized], default=0.0) for row in self.rows]
        self.height = sum(self.heights) + GAP * (len(self.rows) - 1)

    def _line(self, tail: Place, head: Place) -> list[Place]:
        """The line of an edge: its ends, and a place in every rank between."""
        between = [Place(rank) for rank in range(tail.rank + 1, head.rank)]
        line = [tail, *between, head]
        for above, below in pairwise(line):
            above.below.append(below)
            below.above.append(above)
        return line

    def _rows(self) -> list[list[Place]]:
        rows: list[list[Place]] = [[] for _ in range(max(place.rank for place in self.places) + 1)]
        for place in [*self.places, *(place for line in self.lines for place in line[1:-1])]:
            rows[place.rank].append(place)
        return rows

    def draw(self, canvas: Canvas, left: float, top: float) -> None:
        middles = [top + sum(self.heights[:rank]) + GAP * rank + high / 2 for rank, high in enumerate(self.heights)]
        drawn: dict[int, Box] = {}
        for index, place in enumerate(self.places):
            if place.sized:
                drawn[id(place)] = place.sized.draw(canvas, left + place.x, middles[place.rank], f"{self.id}.{index}")
        for line in self.lines:
            tail, head = drawn[id(line[0])], drawn[id(line[-1])]
            points = [tail.bottom]
            for place in line[1:-1]:  # straight past the boxes of the rank
                middle, half = middles[place.rank], self.heights[place.rank] / 2
                points += [(left + place.x, middle - half), (left + place.x, middle + half)]
            canvas.curve(tail, head, list(_smooth([*points, self._arrival(line, head)])))

    def _arrival(self, line: Sequence[Place], head: Box) -> Point:
        """Where on its top a box is reached: lines keep their order."""
        before = sorted(line[-1].above, key=lambda place: place.x)
        share = (before.index(line[-2]) + 1) / (len(before) + 1) - 0.5
        if head.width > head.height:
            return head.x + share * head.width * 0.9, head.top[1]
        turn = share * 2.4  # radians from the top of a circle
        return head.x + head.width / 2 * math.sin(turn), head.y - head.height / 2 * math.cos(turn)


def _ranks(body: Body, boxes: Sequence[Sized]) -> list[int]:
    ranks: list[int] = []
    for unit in body.units:
        ranks.append(max((ranks[index] + 1 for index, _ in unit.inputs), default=0))
    last = max(ranks)
    after = body.consumers()
    for unit in reversed(body.units):
        if unit.kind == "output":
            ranks[unit.index] = last
        elif unit.kind != "input" and after[unit.index]:
            ranks[unit.index] = min(ranks[index] for index in after[unit.index]) - 1
    return ranks


def _smooth(points: Sequence[Point]) -> Iterable[Point]:
    """A curve through points that is vertical at each, as Bézier control points."""
    yield points[0]
    for (x0, y0), (x1, y1) in pairwise(points):
        bend = (y1 - y0) * 0.5
        yield x0, y0 + bend
        yield x1, y1 - bend
        yield x1, y1


# --- order and places ------------------------------------------------------------------------


def _order(rows: list[list[Place]]) -> None:
    """Order each row so that few lines cross."""
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for row in rows[1:] if down else rows[-2::-1]:
            position = {id(place): index for other in rows for index, place in enumerate(other)}
            row.sort(key=lambda place: _barycentre(place.above if down else place.below, position, place))
        crossings = _crossings(rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    for row, found in zip(rows, best, strict=True):
        row[:] = found


def _barycentre(neighbours: Sequence[Place], position: dict[int, int], place: Place) -> float:
    if not neighbours:
        return float(position[id(place)])
    return sum(position[id(other)] for other in neighbours) / len(neighbours)


def _crossings(rows: Sequence[Sequence[Place]]) -> int:
    count = 0
    for upper, lower in pairwise(rows):
        position = {id(place): index for index, place in enumerate(lower)}
        edges = [(index, position[id(below)]) for index, place in enumerate(upper) for below in place.below]
        count += sum((a - c) * (b - d) < 0 for (a, b), (c, d) in combinations(edges, 2))
    return count


def _spread(rows: Sequence[Sequence[Place]]) -> None:
    """Give the places of each row their x."""
    for row in rows:
        x = 0.0
        for place in row:
            place.x = x + place.wide / 2
            x += place.wide + ASIDE
        for place in row:
            place.x -= x / 2
    for sweep in range(2 * SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            _settle(row, [_mean(place, sweep % 2 == 0) for place in row])
    for row in rows[1:]:
        _settle(row, [_mean(place, True) if place.is_sign else place.x for place in row])


def _mean(place: Place, down: bool) -> float:
    near = place.above if down else place.below
    near = near or place.above or place.below
    return sum(other.x for other in near) / len(near) if near else place.x


def _settle(row: Sequence[Place], wanted: Sequence[float]) -> None:
    """The x nearest to what is wanted at which nothing overlaps: neighbours that would meet form blocks."""
    blocks: list[list[float]] = []  # of each: sum of wanted positions of its first place, number, width
    for place, x in zip(row, wanted, strict=True):
        blocks.append([x - place.wide / 2, 1.0, place.wide])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] + blocks[-2][2] + ASIDE > blocks[-1][0] / blocks[-1][1]:
            total, count, wide = blocks.pop()
            before = blocks[-1]
            before[0] += total - count * (before[2] + ASIDE)
            before[1] += count
            before[2] += ASIDE + wide
    places = iter(row)
    for total, count, _ in blocks:
        x = total / count
        for _ in range(int(count)):
            place = next(places)
            place.x = x + place.wide / 2
            x += place.wide + ASIDE
