"""The head of a picture: the network's name, what was set of it, and its figures. Takes a canvas, gives the y below."""

from __future__ import annotations

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Canvas, Line
from archdsl.backends.diagram.text import fit, wrap
from archdsl.graph.ir import Graph

_MOST = 3
"""Lines of settings."""


def heading(canvas: Canvas, graph: Graph, width: float, facts: str) -> float:
    """Side by side where there is room, else one below the other."""
    name = Line(fit(graph.name, width, style.TITLE, True), style.TITLE, True)
    canvas.text(0, 6, name, "left")
    x, y = name.width + 8, 6.0
    for text, colour in ((f"with {graph.settings}" if graph.settings else "", style.SOFT), (facts, style.FAINT)):
        line = Line(text, style.SMALL + 0.5, colour=colour)
        if not text:
            continue
        if x + line.width <= width:
            canvas.text(x, y + 0.7, line, "left")
            x += line.width + 8
            continue
        for part in _lines(text, width, line.size):
            y += 12 if x else line.height
            x = 0
            canvas.text(0, y, line._replace(text=part), "left")
        x = width  # what follows has a line of its own
    return y + (14 if y == 6 else 12)


def _lines(text: str, width: float, size: float) -> list[str]:
    lines = wrap(text, width, size)
    return lines if len(lines) <= _MOST else [*lines[: _MOST - 1], fit(" ".join(lines[_MOST - 1 :]), width, size)]
