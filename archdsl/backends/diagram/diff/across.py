"""A changed block from left to right: takes rows, gives them places, and draws them with their arrows.

A layer and the norm and activation on it are one stack. The stacks of the main path stand on one axis; shortcuts are
lines above it, branches with layers of their own are stacks below it, to be read down.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.backends.diagram.canvas import Box, Canvas, Point
from archdsl.backends.diagram.diff.boxes import draw_row, least_width
from archdsl.backends.diagram.diff.rows import INPUT, Row, are_chains, branches_of, elided, rows_of
from archdsl.backends.diagram.lanes import lanes
from archdsl.graph.diff.changes import DistinctChange, Status
from archdsl.ops.spec import FOLLOWING, PASSING

_WIDEST = 116.0
_ARROW = 13.0
"""Between two stacks."""
_LANE = 5.0
_MARGIN = 6.0
"""Between stacks and what runs beside them."""
_TURN = 12.0
"""Between a line that comes down and the branch that it turns into."""


class RowStack:
    """Rows without anything between them, by their middle."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.wide = max(map(least_width, rows))
        self.high = sum(row.high for row in rows)
        self.x = self.y = 0.0
        for row in rows:
            row.wide = row.high if row.symbol else self.wide

    @property
    def left(self) -> float:
        return self.x - self.wide / 2

    @property
    def right(self) -> float:
        return self.x + self.wide / 2


@dataclass(frozen=True, slots=True)
class _Link:
    """Something read from further away than the stack before, since when; by the branch, or by none (a shortcut)."""

    source: int
    target: int
    status: Status
    branch: RowStack | None = None


class Across:
    """A block laid out from left to right; `wide` and `high` are its size."""

    def __init__(self, change: DistinctChange) -> None:
        self._rows = elided(rows_of(change, _WIDEST, _WIDEST - 16))
        self._main = _stacks([row for row in self._rows if row.main], self._rows)
        self._stack_of = {row.number: stack for stack in self._main for row in stack.rows}
        self._branches = [RowStack(branch) for branch in branches_of(self._rows)]
        self._in_branch = {row.number: stack for stack in self._branches for row in stack.rows}
        self._links = list(self._find_links())
        self._place()

    @property
    def is_plain(self) -> bool:
        """Whether every branch is a chain from the main path, as a stack says, and no line crosses another one."""
        chains = are_chains(self._rows, [stack.rows for stack in self._branches])
        return chains and not any(self._crosses(link) for link in self._links)

    def _crosses(self, link: _Link) -> bool:
        """Whether the way up from a branch to where it is read meets another one, or goes back."""
        if link.branch is None:
            return False
        x = self._stack_of[link.target].x
        above = (other for other in self._branches if other is not link.branch and other.y < link.branch.y)
        return x <= link.branch.right or any(other.left - 2 < x < other.right + 2 for other in above)

    # --- places ------------------------------------------------------------------------------

    def _find_links(self) -> list[_Link]:
        """The shortcuts, and for each branch a link to where it is read; what it reads itself is in its rows."""
        found = []
        for row in self._rows:
            for source, status in row.reads.items():
                if row.main and source in self._in_branch:
                    found.append(_Link(source, row.number, status, self._in_branch[source]))
                elif row.main and (source == INPUT or source in self._stack_of):
                    found.append(_Link(source, row.number, status))
        return found

    def _sources(self, branch: RowStack) -> dict[int, Status]:
        """What a branch reads on the main path, or from other branches."""
        own = {row.number for row in branch.rows}
        return {source: status for row in branch.rows for source, status in row.reads.items() if source not in own}

    def _place(self) -> None:
        x = 0.0
        for stack in self._main:
            left = x + _ARROW
            for link in self._links:
                if link.target == stack.rows[0].number and link.branch is not None:
                    starts = [self._out(source) for source in self._sources(link.branch) if self._is_known(source)]
                    left = max(left, max(starts, default=0.0) + link.branch.wide + _TURN + 4)
            stack.x = left + stack.wide / 2
            x = stack.right
        shortcuts = [link for link in self._links if link.branch is None]
        self._lanes = dict(
            zip(shortcuts, lanes([(self._out(s.source), self._stack_of[s.target].x) for s in shortcuts]), strict=True)
        )
        above = max(stack.high for stack in self._main) / 2
        self._top = -above - _MARGIN
        highest = self._top - _LANE * (max(self._lanes.values(), default=0)) if shortcuts else -above
        below = self._place_branches(above + _MARGIN)
        self.wide = max([x + _ARROW, *(branch.right for branch in self._branches)])
        self.axis = -highest + 2
        self.high = self.axis + max(above, below)

    def _place_branches(self, top: float) -> float:
        """Each branch below the main path, before the stack that reads it; gives the y of the lowest."""
        spans = []
        for branch in self._branches:
            numbers = {row.number for row in branch.rows}
            ends = [self._stack_of[link.target].left for link in self._links if link.source in numbers]
            start = max([self._out(s) for s in self._sources(branch) if self._is_known(s)], default=0.0)
            end = min(ends, default=start + branch.wide + _TURN)
            branch.x = max((start + end) / 2, start + _TURN + branch.wide / 2)
            spans.append((start, max(end, branch.right) + 2))
        depth = top
        tops: list[float] = []
        for number in range(max(lanes(spans), default=-1) + 1):
            members = [b for b, lane in zip(self._branches, lanes(spans), strict=True) if lane == number]
            tops.append(depth)
            for branch in members:
                branch.y = depth + branch.high / 2
            depth += max(branch.high for branch in members) + _MARGIN
        return depth - _MARGIN if tops else 0.0

    def _is_known(self, source: int) -> bool:
        return source == INPUT or source in self._stack_of

    def _out(self, source: int) -> float:
        """The x behind a source where its lines begin."""
        return 2.0 if source == INPUT else self._stack_of[source].right + 3.5

    # --- drawing -----------------------------------------------------------------------------

    def draw(self, canvas: Canvas, x: float, y: float, prefix: str) -> None:
        """Put the block on the canvas, its top left corner at x, y."""
        axis = y + self.axis
        boxes: dict[int, Box] = {INPUT: canvas.anchor(x, axis)}
        for stack in self._main:
            stack.y = 0.0
        for stack in (*self._main, *self._branches):
            top = axis + stack.y - stack.high / 2
            for row in stack.rows:
                boxes[row.number] = draw_row(canvas, row, x + stack.x, top + row.high / 2, prefix)
                top += row.high
        self._draw_path(canvas, boxes, x, axis)
        for link in self._links:
            if link.branch is None:
                self._draw_shortcut(canvas, boxes, link, x, axis)
        for branch in self._branches:
            self._draw_branch(canvas, boxes, branch, x, axis)

    def _draw_path(self, canvas: Canvas, boxes: dict[int, Box], x: float, axis: float) -> None:
        before, start = boxes[INPUT], x
        for stack in self._main:
            head = boxes[stack.rows[0].number]
            canvas.arrow(before, head, [(start, axis), (x + stack.left, axis)])
            before, start = boxes[stack.rows[-1].number], x + stack.right
        canvas.arrow(before, canvas.anchor(start + _ARROW, axis), [(start, axis), (start + _ARROW, axis)])

    def _draw_shortcut(self, canvas: Canvas, boxes: dict[int, Box], link: _Link, x: float, axis: float) -> None:
        target = self._stack_of[link.target]
        lane = axis + self._top - _LANE * self._lanes[link]
        start, end = x + self._out(link.source), x + target.x
        points = [(start, axis), (start, lane), (end, lane), (end, axis - target.high / 2)]
        _edge(canvas, boxes, link.source, link.target, points, link.status)

    def _draw_branch(self, canvas: Canvas, boxes: dict[int, Box], branch: RowStack, x: float, axis: float) -> None:
        first, last = branch.rows[0].number, branch.rows[-1].number
        middle = axis + branch.y
        # Into the first of its layers, and out of the last one.
        enters, leaves = boxes[first].y, boxes[last].y
        for source, status in self._sources(branch).items():
            if self._is_known(source):
                start = x + self._out(source)
                _edge(canvas, boxes, source, first, [(start, axis), (start, enters), (x + branch.left, enters)], status)
            elif source in self._in_branch:
                other = self._in_branch[source]
                points = [(x + other.x, axis + other.y + other.high / 2), (x + branch.x, middle - branch.high / 2)]
                _edge(canvas, boxes, source, first, points, status)
        own = {row.number for row in branch.rows}
        for link in self._links:
            if link.source in own:
                target = self._stack_of[link.target]
                points = [(x + branch.right, leaves), (x + target.x, leaves), (x + target.x, axis + target.high / 2)]
                _edge(canvas, boxes, last, link.target, points, link.status)


def _edge(canvas: Canvas, boxes: dict[int, Box], tail: int, head: int, points: list[Point], status: Status) -> None:
    canvas.arrow(boxes[tail], boxes[head], points, dashed=status == "removed", radius=4)


def _stacks(main: Sequence[Row], rows: Sequence[Row]) -> list[RowStack]:
    """The main path cut where an arrow is needed: before a layer, at a merge, and where something else is read."""
    sources = {source for row in rows for source in row.reads}
    groups: list[list[Row]] = []
    for row in main:
        role = next(iter(row.nodes)).op.role
        joins = role in FOLLOWING | PASSING and not (row.symbol or row.elided or row.reads)
        last = groups[-1][-1] if groups else None
        if last is None or not joins or last.symbol or last.elided or last.number in sources:
            groups.append([])
        groups[-1].append(row)
    return [RowStack(group) for group in groups]
