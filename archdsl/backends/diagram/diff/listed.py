"""A changed block in words, where it is too large to be drawn beside others: a line for each change."""

from __future__ import annotations

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Canvas, Line
from archdsl.backends.diagram.diff.looks import LOOKS
from archdsl.backends.diagram.text import LINE, fit
from archdsl.graph.diff import wording
from archdsl.graph.diff.changes import DistinctChange, Status

_MOST = 16
"""Lines that are shown."""
_HIGH = style.SMALL * LINE + 1.5


class ChangeList:
    """The changes of a block, as wide as the page at most; `wide` and `high` are its size."""

    def __init__(self, change: DistinctChange, width: float) -> None:
        found = wording.lines_of(change)
        self._lines: list[tuple[Status, Line]] = []
        for line in found[:_MOST]:
            text = f"{line.label}: {line.text}" if line.label else line.text
            self._lines.append((line.status, Line(fit(text, width - 12, style.SMALL), style.SMALL)))
        if len(found) > _MOST:
            rest = Line(f"and {len(found) - _MOST} more", style.SMALL, colour=style.FAINT)
            self._lines.append(("same", rest))
        self.wide = max(line.width for _, line in self._lines) + 12
        self.high = _HIGH * len(self._lines)

    def draw(self, canvas: Canvas, x: float, y: float, prefix: str) -> None:
        """Put the lines on the canvas, from x, y on."""
        for index, (status, line) in enumerate(self._lines):
            middle = y + _HIGH * (index + 0.5)
            sign = Line(wording.SIGNS[status].strip(), style.SMALL, True, LOOKS[status].line)
            canvas.text(x + 3, middle, sign)
            canvas.text(x + 9, middle, line, "left")
