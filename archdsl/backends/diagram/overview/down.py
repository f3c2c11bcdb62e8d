"""An overview from top to bottom, for one column of a paper: glyph, words and bars side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Canvas, Line
from archdsl.backends.diagram.lanes import lanes, starts
from archdsl.backends.diagram.overview.glyphs import LENGTH, SHEET, Glyph, Shares
from archdsl.graph.ir import Ref

WIDEST, NARROWEST, VECTOR = 96.0, 12.0, 6.0
"""The width of the glyph of the highest resolution; the least width; the height of a vector."""
ARROW = 15.0
"""Length of an arrow."""
AXIS = WIDEST / 2 + 8
WORDS = 2 * AXIS + 4
LONGEST_BAR = 34.0
LANE = 5.0
"""Between two arrows that run side by side."""

Edges = Mapping[tuple[int, int], frozenset[Ref]]


def lay_out(
    canvas: Canvas, glyphs: Sequence[Glyph], edges: Edges, shares: Shares, top: float, width: float
) -> tuple[float, float]:
    """Draw all glyphs and arrows; gives the y of the end and the width that is used."""
    words = WORDS + max(glyph.label for glyph in glyphs) + 10
    bars = words + 12
    y = top + 2
    for index, glyph in enumerate(glyphs):
        wide, high = _extent(glyph)
        room = max(high + SHEET * glyph.sheets, _words_height(glyph))
        if index:
            y += ARROW
        middle = y + room / 2
        glyph.draw(canvas, AXIS, middle, wide, high)
        _words(canvas, glyph, middle)
        _bars(canvas, glyph, shares, bars, middle)
        if index and (index - 1, index) in edges:
            _arrow(canvas, glyphs[index - 1], glyph)
        y += room
        if glyph.leaves:
            y += ARROW
            _output(canvas, glyph)
    far = {(tail, head): refs for (tail, head), refs in edges.items() if head != tail + 1}
    for (tail, head), lane, at in zip(far, lanes(list(far)), starts(far), strict=True):
        _arc(canvas, glyphs[tail], glyphs[head], -4.0 - LANE * lane, at)
    return y + 14, max(bars + LONGEST_BAR + 22, width * 0.9)


def _extent(glyph: Glyph) -> tuple[float, float]:
    channels = glyph.shape.channels**0.5
    if glyph.is_vector:
        return min(WIDEST, max(NARROWEST / 2, LENGTH * channels)), VECTOR
    return max(NARROWEST, WIDEST * glyph.scale), min(26.0, max(4.0, 0.5 * channels))


def _words_height(glyph: Glyph) -> float:
    return len(glyph.words) * style.SMALL * 1.2


def _words(canvas: Canvas, glyph: Glyph, middle: float) -> None:
    lines = glyph.words
    if glyph.times > 1:
        lines[0] = Line(f"{glyph.times} × {lines[0].text}", style.SMALL, True)
    y = middle - sum(line.height for line in lines) / 2
    for line in lines:
        canvas.text(WORDS, y + line.height / 2, line, "left")
        y += line.height


def _arrow(canvas: Canvas, before: Glyph, after: Glyph) -> None:
    assert before.box is not None
    assert after.box is not None
    start, end = before.box.bottom, after.box.top
    tip = end[1] - SHEET * after.sheets
    canvas.arrow(before.box, after.box, [(AXIS, start[1] + 1), (AXIS, tip - 1)])
    canvas.text(AXIS + 4, (start[1] + tip) / 2 - 0.5, Line(str(before.shape), style.SMALL), "left")


def _output(canvas: Canvas, glyph: Glyph) -> None:
    assert glyph.box is not None
    start = glyph.box.bottom[1] + 1
    canvas.arrow(glyph.box, canvas.anchor(AXIS, start + ARROW), [(AXIS, start), (AXIS, start + ARROW)])
    canvas.text(AXIS + 4, start + ARROW / 2 - 1, Line(str(glyph.shape), style.SMALL), "left")


def _arc(canvas: Canvas, before: Glyph, after: Glyph, x: float, at: float) -> None:
    """An arrow on the left, to a segment that is not the next; `at`: where on the first one's side it begins."""
    assert before.box is not None
    assert after.box is not None
    (x0, y0), (x1, y1) = before.box.left, after.box.left
    y0, y1 = y0 + before.box.height * (at / 2 - 0.25), y1 - after.box.height / 4
    points = [(x0 - 1, y0), (x, y0), (x, y1), (x1 - 1, y1)]
    canvas.arrow(before.box, after.box, points)


def _bars(canvas: Canvas, glyph: Glyph, shares: Shares, x: float, middle: float) -> None:
    if glyph.segment is None:
        return
    for share, look, side in zip(shares.both(glyph.segment), style.BARS, (-1, 1), strict=True):
        y = middle + side * 4
        long = max(0.6, share / shares.largest * LONGEST_BAR)
        canvas.box(x + long / 2, y, long, 5, look, kind="bar", legend=False)
        canvas.text(x + long + 3, y, Line(style.share_text(share), style.TINY, colour=style.FAINT), "left")
