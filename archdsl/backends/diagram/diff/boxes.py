"""Takes a row of a changed block; draws a box with a sign, what the op is, and its label; for a merge, a circle."""

from __future__ import annotations

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Box, Canvas, Line
from archdsl.backends.diagram.diff.looks import LOOKS
from archdsl.backends.diagram.diff.rows import Row
from archdsl.graph.diff import wording

SIGN = 9.0
"""Where the words begin, behind the sign."""
_SHOWN = 6
"""Paths in a tooltip."""


def draw_row(canvas: Canvas, row: Row, x: float, y: float, prefix: str) -> Box:
    """Draw a row, centred on x, y; `prefix` begins its id."""
    look = LOOKS[row.status]
    nodes = list(row.nodes)
    tip = "\n".join(node.path for node in nodes[:_SHOWN])
    covers = [node.id for node in nodes if row.status != "removed"]
    key = f"{prefix}-{row.status}-{nodes[0].path}"
    sign = Line(wording.SIGNS[row.status].strip(), style.SMALL, True, look.line)
    if row.symbol:
        middle = [Line(row.symbol, style.SMALL, True)]
        box = canvas.box(
            x, y, row.high, row.high, look, lines=middle, covers=covers, tooltip=tip, id=key, shape="circle"
        )
        canvas.text(x + row.high / 2 + 4, y - 4.5, sign)
        return box
    look = look._replace(style="filled,dotted") if row.elided else look
    box = canvas.box(x, y, row.wide, row.high, look, covers=covers, tooltip=tip, id=key)
    left, top = x - row.wide / 2, y - sum(line.height for line in row.lines) / 2
    first = top + row.lines[0].height / 2
    canvas.text(left + 4.5, first, sign)
    colour = style.FAINT if row.status == "same" else style.LINE
    canvas.text(x + row.wide / 2 - 2.5, first, Line(row.tag, style.TINY, colour=colour), "right")
    for line in row.lines:
        canvas.text(left + SIGN, top + line.height / 2, line, "left")
        top += line.height
    return box


def least_width(row: Row) -> float:
    """The width that a row's words take."""
    if row.symbol:
        return row.high
    tag = Line(row.tag, style.TINY).width + 5 if row.tag else 0
    first, *rest = row.lines
    return SIGN + 4 + max([first.width + tag, *(line.width for line in rest)])
