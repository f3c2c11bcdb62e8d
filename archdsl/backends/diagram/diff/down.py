"""One changed block as a picture: takes rows, gives them places, and draws them with their arrows.

The main path goes straight down. Shortcuts are lines on its left, branches with layers of their own stand on its right.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from archdsl.backends.diagram.canvas import Box, Canvas, Point
from archdsl.backends.diagram.diff.boxes import draw_row
from archdsl.backends.diagram.diff.rows import INPUT, Row, are_chains, branches_of, elided, rows_of
from archdsl.backends.diagram.lanes import lanes
from archdsl.graph.diff.changes import DistinctChange, Status
from archdsl.ops.spec import FOLLOWING

MAIN, SIDE = 112.0, 92.0
"""Widths of the boxes on the main path and beside it."""
_GAP, _CLOSE = 8.0, 0.0
"""Between rows: room for an arrow, or none, as between a convolution, its norm and its activation."""
_MOST = 45
"""Rows that a block is drawn with."""
_LANE = 6.0
_APART = 16.0
_STUB = 9.0
"""The arrow into the first row."""


class Down:
    """A block laid out top down; `wide` and `high` are its size, `axis` is the x of the main path."""

    def __init__(self, change: DistinctChange) -> None:
        self.rows = elided(rows_of(change, MAIN, SIDE))
        self.branches = branches_of(self.rows)
        _place_down(self.rows, self.branches)
        at = {row.number: row for row in self.rows}
        arcs = [
            (source, row.number, status)
            for row in self.rows
            for source, status in row.reads.items()
            if row.main and (source == INPUT or (source in at and at[source].main))
        ]
        lane = lanes([(at[source].bottom + 2 if source in at else 2.0, at[target].y) for source, target, _ in arcs])
        left = _LANE * (max(lane) + 1) + 4 if arcs else 0.0
        self.axis = left + MAIN / 2
        columns = lanes([(branch[0].top - _GAP, self._end(branch)) for branch in self.branches])
        for branch, column in zip(self.branches, columns, strict=True):
            for row in branch:
                row.x = left + MAIN + _APART + column * (SIDE + _APART / 2) + SIDE / 2
        for row in self.rows:
            row.x = self.axis if row.main else row.x
        reach = (max(columns) + 1) * (SIDE + _APART / 2) + _APART / 2 if columns else 0.0
        self.wide = left + MAIN + reach
        self.high = max(row.bottom for row in self.rows) + _STUB
        self._shortcuts = [
            (source, target, status, left - 2 - _LANE * (k + 0.5))
            for (source, target, status), k in zip(arcs, lane, strict=True)
        ]

    def _end(self, branch: Sequence[Row]) -> float:
        """How far down a branch reaches: to where it is read."""
        own = {row.number for row in branch}
        ends = [row.y for row in self.rows if row.main and own & row.reads.keys()]
        return max([branch[-1].bottom + _GAP, *ends])

    @property
    def is_plain(self) -> bool:
        """Whether it can be followed: branches are chains, and there is no more than a page of rows."""
        return len(self.rows) <= _MOST and are_chains(self.rows, self.branches)

    def draw(self, canvas: Canvas, x: float, y: float, prefix: str) -> None:
        """Put the block on the canvas, its top left corner at x, y; `prefix` begins the ids of its elements."""
        boxes = {row.number: draw_row(canvas, row, x + row.x, y + row.y, prefix) for row in self.rows}
        boxes[INPUT] = canvas.anchor(x + self.axis, y)
        main = [row for row in self.rows if row.main]
        for column in (main, *self.branches):
            for before, row in pairwise(column):
                if row.top - before.bottom > 1 and (row.main or before.number in row.reads):
                    points = [boxes[before.number].bottom, boxes[row.number].top]
                    _edge(canvas, boxes, before.number, row.number, points, row.reads.get(before.number, "same"))
        if main:
            first, last = boxes[main[0].number], boxes[main[-1].number]
            end = canvas.anchor(last.x, last.bottom[1] + _STUB)
            canvas.arrow(boxes[INPUT], first, [(first.x, y), first.top])
            canvas.arrow(last, end, [last.bottom, (end.x, end.y)])
        for source, target, status, lane in self._shortcuts:
            start = y + 1.5 if source == INPUT else boxes[source].bottom[1] + 2
            foot = boxes[source].x
            points = [(foot, start), (x + lane, start), (x + lane, boxes[target].y), boxes[target].left]
            _edge(canvas, boxes, source, target, points, status)
        self._draw_branches(canvas, boxes)

    def _draw_branches(self, canvas: Canvas, boxes: dict[int, Box]) -> None:
        """What the branches read, and where they are read."""
        inside = {row.number: branch for branch in self.branches for row in branch}
        for row in self.rows:
            own = inside.get(row.number)
            for source, status in row.reads.items():
                other = inside.get(source)
                if source not in boxes or (own is None and other is None):
                    continue
                if own is not None and own is other and own[own.index(row) - 1].number == source:
                    continue
                _edge(canvas, boxes, source, row.number, _around(boxes[source], boxes[row.number], row.main), status)


def _place_down(rows: Sequence[Row], branches: Sequence[Sequence[Row]]) -> None:
    """Every row below what it reads, and below the one before it in its column."""
    at = {row.number: row for row in rows}
    branch_of = {row.number: index for index, branch in enumerate(branches) for row in branch}
    # Where a line begins that does not go on down, there is room for it.
    read = {
        source for row in rows for source in row.reads if branch_of.get(source, -1) != branch_of.get(row.number, -1)
    }
    read |= {source for row in rows if row.main for source in row.reads}
    ends: dict[int, Row] = {}
    for row in rows:
        column = branch_of.get(row.number, -1)
        before = ends.get(column)
        top = _STUB if before is None else before.bottom + (_GAP if before.number in read else _between(before, row))
        for source in row.reads:
            if source in at and at[source] is not before:
                top = max(top, at[source].bottom + (_GAP if row.main else _GAP - 2))
            elif source == INPUT and not row.main:
                top = max(top, _STUB + 2)
        row.y = top + row.high / 2
        ends[column] = row


def _between(before: Row, row: Row) -> float:
    """No room between a layer and the norm and the activation on it."""
    if before.symbol or row.symbol or before.elided or row.elided:
        return _GAP
    role = next(iter(row.nodes)).op.role
    return _CLOSE if role in FOLLOWING else _GAP


def _around(tail: Box, head: Box, joins: bool) -> list[Point]:
    """From the main path down into a branch, or from the end of a branch back to the main path."""
    if joins:
        return [tail.bottom, (tail.x, head.y), head.right]
    y = tail.bottom[1] + 2.5 if tail.height else tail.y + 1.5
    return [(tail.x, y), (head.x, y), head.top]


def _edge(canvas: Canvas, boxes: dict[int, Box], tail: int, head: int, points: list[Point], status: Status) -> None:
    canvas.arrow(boxes[tail], boxes[head], points, dashed=status == "removed", radius=4)
