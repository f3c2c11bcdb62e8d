"""An overview from left to right, in as many rows as the width asks for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Canvas, Line
from archdsl.backends.diagram.lanes import lanes, starts
from archdsl.backends.diagram.overview.glyphs import LENGTH, SHEET, Glyph, Shares
from archdsl.backends.diagram.text import LINE
from archdsl.graph.ir import Ref

TALLEST, LOWEST, VECTOR = 84.0, 11.0, 7.0
"""The height of the glyph of the highest resolution; the least height; the width of a vector."""
GAP = 4.0
"""Between the words of two glyphs."""
LOOSE, TIGHT = 11.0, 7.0
"""What an arrow is longer than its words; the second where one row is enough so."""
HIGHEST_BAR = 22.0
TIMES = 7.0
"""What `×3` takes below a glyph."""
LANE = 5.0
"""Between two arrows that run side by side."""
INFINITY = float("inf")

Edges = Mapping[tuple[int, int], frozenset[Ref]]


class GlyphColumn:
    """A glyph and its place."""

    def __init__(self, index: int, glyph: Glyph) -> None:
        self.index, self.glyph = index, glyph
        self.wide: float
        self.high: float
        channels = glyph.shape.channels**0.5
        if glyph.is_vector:
            self.wide, self.high = VECTOR, min(TALLEST, max(LOWEST / 2, LENGTH * channels))
        else:
            self.wide = min(56.0, max(6.0, 1.1 * channels))
            self.high = max(LOWEST, TALLEST * glyph.scale)
        self.x: float = 0
        self.slack = LOOSE
        self.label: float = max(glyph.label, 30.0 if glyph.segment else 0)

    @property
    def reach(self) -> float:
        """How far the glyph goes to the right of its x."""
        return self.wide / 2 + SHEET * self.glyph.sheets

    @property
    def room(self) -> float:
        """What the arrow of an output takes."""
        return self.size_width + 14 if self.glyph.leaves else 0

    @property
    def out(self) -> float:
        """Where the line to the next row turns."""
        return self.x + self.reach + self.size_width + 12

    @property
    def size(self) -> tuple[str, str]:
        """What stands above and below the arrow to the next."""
        shape = self.glyph.shape
        if len(shape.dims) == 1:
            return str(shape.channels), ""
        return f"{shape.channels}×", f"{shape.height}×{shape.width}"

    @property
    def size_width(self) -> float:
        return max(Line(text, style.SMALL).width for text in self.size)


class Arc(NamedTuple):
    """An arrow to a segment that is not the next; `at`: where at the top of the first it begins, 0 to 1."""

    tail: GlyphColumn
    head: GlyphColumn
    at: float


class GlyphRow:
    """Columns on one axis, and the lanes above them for arrows to segments that are not the next.

    An arrow to another row has a lane in both.
    """

    def __init__(self, columns: list[GlyphColumn], arcs: list[Arc]) -> None:
        self.columns = columns
        self.lanes = lanes([(self._end(arc.tail), self._end(arc.head)) for arc in arcs])
        self.arcs = arcs
        self.high: float = max(column.high for column in columns)
        self.top: float = 0
        self.axis: float = 0

    def _end(self, column: GlyphColumn) -> float:
        return column.x if column in self.columns else INFINITY

    def lane(self, arc: Arc) -> float:
        """The y of the lane of an arc."""
        return self.axis - self.high / 2 - 13 - LANE * self.lanes[self.arcs.index(arc)]

    def set_top(self, top: float) -> None:
        self.top = top
        self.axis = top + self.high / 2 + 8 + (8 + LANE * (max(self.lanes) + 1) if self.lanes else 0)


def lay_out(
    canvas: Canvas, glyphs: Sequence[Glyph], edges: Edges, shares: Shares, top: float, width: float
) -> tuple[float, float]:
    """Draw all glyphs and arrows; gives the y of the end and the length of the longest row."""
    columns = [GlyphColumn(index, glyph) for index, glyph in enumerate(glyphs)]
    broken = _rows(columns, width)
    length = max(_place(row) for row in broken)
    loose = {(tail, head): refs for (tail, head), refs in edges.items() if head != tail + 1}
    far = [Arc(columns[tail], columns[head], at) for (tail, head), at in zip(loose, starts(loose), strict=True)]
    rows = [GlyphRow(row, [arc for arc in far if arc.tail in row or arc.head in row]) for row in broken]
    for row in rows:
        row.set_top(top)
        top = _row(canvas, row, edges, shares)
    for before, after in pairwise(rows):
        if (before.columns[-1].index, after.columns[0].index) in edges:
            _return(canvas, before.columns[-1], after.columns[0], after.top)
    margin = max([length, *(row.columns[-1].out for row in rows[:-1])])
    row_of = {column: row for row in rows for column in row.columns}
    crossing = [arc for arc in far if row_of[arc.tail] is not row_of[arc.head]]
    beside = lanes([(rows.index(row_of[arc.tail]), rows.index(row_of[arc.head])) for arc in crossing])
    for arc in far:
        lane = beside[crossing.index(arc)] if arc in crossing else 0
        _arc(canvas, arc, row_of[arc.tail], row_of[arc.head], margin + LANE * (1 + lane))
    return top, length


def _rows(columns: list[GlyphColumn], width: float) -> list[list[GlyphColumn]]:
    """The columns in as few rows as the width allows, of about equal length."""
    for slack in (LOOSE, TIGHT):
        for column in columns:
            column.slack = slack
        total = _place(columns)
        if total <= width:
            return [columns]
    for count in range(1, len(columns) + 1):
        target = max(total / count, 40)
        while target <= width:
            rows = _broken(columns, target)
            if len(rows) <= count:
                return rows
            target += 4
    return [[column] for column in columns]


def _broken(columns: list[GlyphColumn], limit: float) -> list[list[GlyphColumn]]:
    rows: list[list[GlyphColumn]] = []
    for column in columns:
        if rows and _place([*rows[-1], column]) <= limit:
            rows[-1].append(column)
        else:
            rows.append([column])
    return rows


def _place(row: Sequence[GlyphColumn]) -> float:
    """Set the columns' x; gives the row's length."""
    x = 0.0
    for before, column in zip([None, *row], row, strict=False):
        if before is None:
            x = max(column.label, column.wide) / 2
        else:
            gap = before.size_width + before.slack + (22 if before.glyph.leaves else 0)
            x += max(before.reach + gap + column.wide / 2, (before.label + column.label) / 2 + GAP)
        column.x = x
    last = row[-1]
    return x + max(last.reach + 4 + last.room, last.label / 2)


def _row(canvas: Canvas, row: GlyphRow, edges: Edges, shares: Shares) -> float:
    """Draw one row but for its arcs; gives the y of its end."""
    axis = row.axis
    for column in row.columns:
        column.glyph.draw(canvas, column.x, axis, column.wide, column.high)
        if column.glyph.times > 1:
            canvas.text(column.x, axis + column.high / 2 + 6, Line(f"×{column.glyph.times}", style.SIZE, True))
    for before, after in pairwise(row.columns):
        if (before.index, after.index) in edges:
            _arrow(canvas, before, after, axis)
    for column in row.columns:
        if column.glyph.leaves:
            _output(canvas, column, axis)
    y = axis + max(column.high / 2 + (TIMES if column.glyph.times > 1 else 0) for column in row.columns) + 6
    for column in row.columns:
        _caption(canvas, column, y)
    lines = max(len(column.glyph.title) + len(column.glyph.tags) for column in row.columns) + 1
    y += lines * style.SMALL * LINE + 4
    _bars(canvas, shares, row.columns, y)
    return y + HIGHEST_BAR + 24


def _arrow(canvas: Canvas, before: GlyphColumn, after: GlyphColumn, axis: float) -> None:
    tail, head = before.glyph.box, after.glyph.box
    assert tail is not None
    assert head is not None
    start, end = before.x + before.reach, head.left[0]
    canvas.arrow(tail, head, [(start + 1, axis), (end - 1, axis)])
    _size(canvas, before, (start + end) / 2 - 1.5, axis)


def _output(canvas: Canvas, column: GlyphColumn, axis: float) -> None:
    assert column.glyph.box is not None
    start, end = column.x + column.reach + 1, column.x + column.reach + column.room
    canvas.arrow(column.glyph.box, canvas.anchor(end, axis), [(start, axis), (end, axis)])
    _size(canvas, column, (start + end) / 2 - 1.5, axis)


def _arc(canvas: Canvas, arc: Arc, source: GlyphRow, target: GlyphRow, margin: float) -> None:
    """An arrow above the row, to a segment that is not the next; from another row by the margin on the right."""
    before, after, y = arc.tail, arc.head, target.lane(arc)
    tail, head = before.glyph.box, after.glyph.box
    assert tail is not None
    assert head is not None
    start, end = before.x + before.wide * (arc.at / 2 - 0.25), after.x - after.wide / 3
    points = [(start, tail.top[1] - 1)]
    if source is not target:
        above = source.lane(arc)
        points += [(start, above), (margin, above), (margin, y)]
    else:
        points.append((start, y))
    canvas.arrow(tail, head, [*points, (end, y), (end, head.top[1] - SHEET * after.glyph.sheets - 1)])


def _size(canvas: Canvas, column: GlyphColumn, x: float, axis: float) -> None:
    above, below = column.size
    canvas.text(x, axis - 5.5, Line(above, style.SMALL))
    canvas.text(x, axis + 5.5, Line(below, style.SMALL))


def _return(canvas: Canvas, before: GlyphColumn, after: GlyphColumn, top: float) -> None:
    """The line from the end of a row to the beginning of the next."""
    tail, head = before.glyph.box, after.glyph.box
    assert tail is not None
    assert head is not None
    x0, y0 = before.x + before.reach, tail.y
    x1, y1 = head.left
    out, back, between = before.out, min(x1 - 14, -8), top - 8
    _size(canvas, before, (x0 + out) / 2, y0)
    points = [(x0 + 1, y0), (out, y0), (out, between), (back, between), (back, y1), (x1 - 1, y1)]
    canvas.arrow(tail, head, points)


def _caption(canvas: Canvas, column: GlyphColumn, y: float) -> None:
    for line in column.glyph.words:
        canvas.text(column.x, y + line.height / 2, line)
        y += line.height


def _bars(canvas: Canvas, shares: Shares, row: Sequence[GlyphColumn], top: float) -> None:
    """The shares of all parameters and MACs of each segment."""
    base = top + HIGHEST_BAR + 8
    for column in row:
        segment = column.glyph.segment
        if segment is None:
            continue
        for share, look, side in zip(shares.both(segment), style.BARS, (-1, 1), strict=True):
            x = column.x + side * 8
            high = max(0.6, share / shares.largest * HIGHEST_BAR)
            canvas.box(x, base - high / 2, 9, high, look, kind="bar", legend=False)
            canvas.text(x, base - high - 4, Line(style.share_text(share), style.TINY, colour=style.FAINT))
