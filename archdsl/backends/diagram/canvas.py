"""Pictures whose positions are ours: boxes, texts and arrows at given points, as DOT with fixed positions.

x goes right and y goes down, in points. Elements are drawn in the order in which they are added, arrows last.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from archdsl.backends.diagram import style
from archdsl.backends.diagram.choices import Level
from archdsl.backends.diagram.dot import Dot, number
from archdsl.backends.diagram.drawing import Drawing
from archdsl.backends.diagram.style import Look
from archdsl.backends.diagram.text import LINE, fit, width

Point = tuple[float, float]
Anchor = Literal["center", "left", "right"]
_INCH = 72.0
_PAD = 0.03
"""Around the picture, in inches."""
_HIGHEST = 1000
"""Inches: no limit of height."""
_HEAD = 5.0
"""Length of an arrow's head."""


class Line(NamedTuple):
    """A line of text: its size, weight and colour."""

    text: str
    size: float = style.SIZE
    bold: bool = False
    colour: str = style.INK

    @property
    def width(self) -> float:
        return width(self.text, self.size, self.bold)

    @property
    def height(self) -> float:
        return self.size * LINE


class Box(NamedTuple):
    """A rectangle by its centre; `name` is that of the node in DOT."""

    name: str
    x: float
    y: float
    width: float
    height: float

    @property
    def left(self) -> Point:
        return self.x - self.width / 2, self.y

    @property
    def right(self) -> Point:
        return self.x + self.width / 2, self.y

    @property
    def top(self) -> Point:
        return self.x, self.y - self.height / 2

    @property
    def bottom(self) -> Point:
        return self.x, self.y + self.height / 2


class Canvas:
    """Collects the elements of one picture. Give every element that stands for nodes of the graph what it covers.

    A picture that is wider than `limit` (points; None: any width) is scaled down to it. `lines_first`: boxes and texts
    lie on lines and arrows.
    """

    def __init__(self, limit: float | None = None, lines_first: bool = False) -> None:
        order = "edgesfirst" if lines_first else "nodesfirst"
        self._dot = Dot(pad=_PAD, outputorder=order, bgcolor="white")
        if limit is not None:
            self._dot.attributes("graph", size=f"{_inches(limit + 1)},{_HIGHEST}")  # sizes in SVG are whole points
        self._dot.attributes(
            "node", shape="box", fontname=style.FONT, fontsize=style.SIZE, fixedsize=True, penwidth=0.7
        )
        self._dot.attributes("edge", color=style.LINE, penwidth=0.8, arrowsize=_HEAD / 10)
        self._count = 0
        self._ids: set[str] = set()
        self.covers: dict[str, tuple[int, ...]] = {}
        self._used: dict[str, Look] = {}

    @property
    def looks(self) -> tuple[Look, ...]:
        """The looks in use, for the legend, in the order in which they came."""
        return tuple(self._used.values())

    def drawing(self, name: str, level: Level, title: str) -> Drawing:
        return Drawing(name, level, title, self._dot.source, dict(self.covers))

    # --- elements ----------------------------------------------------------------------------

    def box(
        self,
        x: float,
        y: float,
        wide: float,
        high: float,
        look: Look,
        *,
        lines: Sequence[Line] = (),
        covers: Sequence[int] = (),
        tooltip: str = "",
        id: str = "",
        shape: str = "box",
        rounded: bool = False,
        kind: str = "op",
        legend: bool = True,
    ) -> Box:
        """A filled box, centred on x, y, with lines of text in its middle."""
        name = self._name()
        key = self._id(id or name)
        if covers:
            self.covers[key] = tuple(covers)
        if legend:
            self._used.setdefault(look.name, look)
        looks = f"{look.style},rounded" if rounded else look.style
        hint: dict[str, Any] = {"tooltip": tooltip} if tooltip else {}
        self._dot.node(
            name,
            pos=_pos((x, y)),
            width=_inches(wide),
            height=_inches(high),
            shape=shape,
            style=looks,
            fillcolor=look.fill,
            color=look.line,
            id=key,
            class_=kind,
            **hint,
        )
        self._stack(x, y, lines)
        return Box(name, x, y, wide, high)

    def frame(self, x: float, y: float, wide: float, high: float, look: Look) -> None:
        """A rectangle behind others; it stands for nothing."""
        self.box(x, y, wide, high, look, kind="frame", legend=False)

    def text(self, x: float, y: float, line: Line, anchor: Anchor = "center") -> None:
        """A line of text with its middle at y; `anchor` says which of its points is at x."""
        if not line.text:
            return
        wide = line.width
        centre = x if anchor == "center" else x + wide / 2 if anchor == "left" else x - wide / 2
        self._dot.node(
            self._name(),
            line.text,
            pos=_pos((centre, y)),
            width=_inches(wide),
            height=_inches(line.height),
            shape="none",
            margin="0",
            fontsize=line.size,
            fontcolor=line.colour,
            fontname=style.BOLD_FONT if line.bold else style.FONT,
            class_="text",
            id=self._id(f"text{self._count}"),
        )

    def _stack(self, x: float, y: float, lines: Sequence[Line]) -> None:
        top = y - sum(line.height for line in lines) / 2
        for line in lines:
            self.text(x, top + line.height / 2, line)
            top += line.height

    def arrow(
        self,
        tail: Box,
        head: Box,
        points: Sequence[Point],
        *,
        dashed: bool = False,
        plain: bool = False,
        wide: bool = False,
        radius: float = 6,
    ) -> None:
        """An arrow along a line with rounded corners, from its first point to its last; `plain`: without a head."""
        more: dict[str, Any] = {"style": "dashed"} if dashed else {}
        if wide:
            more["penwidth"] = 2
        if plain:
            self._edge(tail, head, _spline(rounded(points, radius)), dir="none", **more)
            return
        (x0, y0), (x1, y1) = points[-2:]
        length = max(abs(x1 - x0) + abs(y1 - y0), 1e-6)
        stop = (x1 - (x1 - x0) / length * _HEAD, y1 - (y1 - y0) / length * _HEAD)
        self._edge(tail, head, f"e,{_pos(points[-1])} {_spline(rounded([*points[:-1], stop], radius))}", **more)

    def curve(
        self,
        tail: Box,
        head: Box,
        points: Sequence[Point],
        plain: bool = False,
        colour: str = style.LINE,
        thick: float = 0.8,
    ) -> None:
        """An arrow along Bézier curves: a point, then three for each curve; `plain`: without a head."""
        if plain:
            more: dict[str, Any] = {} if colour == style.LINE else {"color": colour, "penwidth": thick}
            self._edge(tail, head, _spline(points), dir="none", **more)
            return
        (x0, y0), (x1, y1) = points[-2:]
        length = max(((x1 - x0) ** 2 + (y1 - y0) ** 2) ** 0.5, 1e-6)
        stop = (x1 - (x1 - x0) / length * _HEAD, y1 - (y1 - y0) / length * _HEAD)
        self._edge(tail, head, f"e,{_pos(points[-1])} {_spline([*points[:-1], stop])}")

    def _edge(self, tail: Box, head: Box, pos: str, **attributes: Any) -> None:
        self._count += 1
        self._dot.edge(tail.name, head.name, pos=pos, id=self._id(f"edge{self._count}"), **attributes)

    def legend(self, y: float, width: float, more: Sequence[Look] = ()) -> float:
        """The looks in use, and more, in rows; gives the y of the last."""
        x = 0.0
        for look in (*self.looks, *more):
            line = Line(fit(look.name, width - 14, style.SMALL), style.SMALL)
            if x and x + 12 + line.width > width:
                x, y = 0, y + 11
            self.box(x + 4, y, 8, 7, look, kind="key", legend=False)
            self.text(x + 11, y, line, "left")
            x += line.width + 22
        return y

    def anchor(self, x: float, y: float) -> Box:
        """A point without extent that arrows may begin or end at."""
        name = self._name()
        self._dot.node(name, pos=_pos((x, y)), width=0.01, height=0.01, shape="none", style="invis")
        return Box(name, x, y, 0, 0)

    # --- names -------------------------------------------------------------------------------

    def _name(self) -> str:
        self._count += 1
        return f"n{self._count}"

    def _id(self, wanted: str) -> str:
        base = identifier(wanted)
        name, count = base, 1
        while name in self._ids:
            count += 1
            name = f"{base}.{count}"
        self._ids.add(name)
        return name


def identifier(text: str) -> str:
    """A text as an XML name: what may not stand in one becomes `_`."""
    name = re.sub(r"[^A-Za-z0-9_.\-]", "_", text)
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"


def _inches(points: float) -> str:
    return f"{points / _INCH:.4f}"


def _pos(point: Point) -> str:
    return f"{number(point[0])},{number(-point[1])}"


def _spline(curve: Sequence[Point]) -> str:
    return " ".join(map(_pos, curve))


def rounded(points: Sequence[Point], radius: float) -> list[Point]:
    """A polyline as Bézier curves, its corners rounded: a point, then three for each curve."""
    path: list[Point] = [points[0]]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        start, end = _toward(corner, before, radius), _toward(corner, after, radius)
        path += [path[-1], start, start]
        path += [_toward(corner, start, radius * 0.45), _toward(corner, end, radius * 0.45), end]
    return [*path, path[-1], points[-1], points[-1]]


def _toward(start: Point, end: Point, by: float) -> Point:
    length = ((end[0] - start[0]) ** 2 + (end[1] - start[1]) ** 2) ** 0.5
    share = min(0.5, by / length) if length else 0
    return start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
