"""Networks as points, and one network along its depth: takes numbers, gives a `Drawing`.

A name stands beside its point, or farther off with a thin line to it; where no place is free that touches no other name
and no point it is left out, and said to be: nothing is moved to make room. Points of one group have a colour.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Box, Canvas, Line, Point
from archdsl.backends.diagram.chart import Scale
from archdsl.backends.diagram.drawing import Drawing
from archdsl.backends.diagram.style import Look, block_look
from archdsl.backends.diagram.text import clean, fit

LEFT, RIGHT, TOP = 46.0, 8.0, 14.0
HEIGHTS = {1: 190.0, 2: 300.0}
"""Of the frame, by columns of the paper."""
MARK = 4.4
_REACH = (1.0, 4.0, 9.0, 15.0, 23.0, 33.0, 45.0, 60.0, 80.0)
"""How far off a name may stand, between its edge and that of its point."""
_WAYS = (
    (1.0, 0.0), (-1.0, 0.0), (0.0, -1.0), (0.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (1.0, 1.0), (-1.0, 1.0),
    (1.0, -0.5), (-1.0, -0.5), (1.0, 0.5), (-1.0, 0.5), (0.5, -1.0), (-0.5, -1.0), (0.5, 1.0), (-0.5, 1.0),
)  # fmt: skip
_FRAME = Look(style.PANEL, style.FRAME, "")
_OUTLINE = Look("transparent", style.FRAME, "")
_GRID = style.mixed(style.FRAME, 0.6)
_HUES = (4, 3, 0, 2, 6, 5, 1)
"""In which order the looks of blocks serve groups: neighbours of different hues."""
_DECADE = 8.0
"""An axis whose values range over more than this factor is logarithmic."""

_FEW = 12
"""Values of a number up to which its axis is marked at each."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A network: where it is, what it is called (nothing: no name stands there), the group that gives its colour;
    `minor`: paler."""

    x: float
    y: float
    label: str
    group: str
    minor: bool = False


@dataclass(frozen=True, slots=True)
class PlotAxis:
    """`text` writes a value; `linear`: never logarithmic. `whole`: marked at whole numbers only; `at`: only there."""

    title: str
    text: Callable[[float], str]
    linear: bool = False
    whole: bool = False
    at: Sequence[float] = ()

    @classmethod
    def of(cls, title: str, text: Callable[[float], str], values: Sequence[float], linear: bool = False) -> PlotAxis:
        """The axis of a number that has been given values: marked at these where they are few."""
        some = sorted(set(values))
        whole = all(float(value).is_integer() for value in some)
        return cls(title, text, linear, whole, some if len(some) <= _FEW else ())

    def ticks(self, scale: Scale, most: int, least: int) -> Sequence[float]:
        if self.at:
            return self.at[:: math.ceil(len(self.at) / most)]
        return scale.ticks(most, self.whole, least)

    def scale(self, values: Sequence[float], start: float, end: float) -> Scale:
        """From values to points, with room at both ends."""
        low, high = min(values), max(values)
        logarithmic = not self.linear and low > 0 and high / low > _DECADE
        if logarithmic:
            factor = (high / low) ** 0.05
            return Scale(low / factor, high * factor, start, end, True)
        room = (high - low) * 0.06
        return Scale(low - room, high + room, start, end)


Rect = tuple[float, float, float, float]
"""Left, top, right, bottom."""


def scatter(
    name: str,
    title: str,
    marks: Sequence[Mark],
    across: PlotAxis,
    up: PlotAxis,
    *,
    columns: int = 2,
    joined: bool = False,
) -> tuple[Drawing, list[str]]:
    """The picture, and the names that had no room. `joined`: a line through the points of each group, in order."""
    wide = style.COLUMN if columns == 1 else style.PAGE
    frame: Rect = (LEFT, TOP, wide - RIGHT, TOP + HEIGHTS[columns])
    canvas = Canvas(wide, lines_first=True)
    xs = across.scale([mark.x for mark in marks], frame[0], frame[2])
    ys = up.scale([mark.y for mark in marks], frame[3], frame[1])
    _axes(canvas, frame, xs, ys, across, up)
    names = dict.fromkeys(mark.group for mark in marks)
    groups = {group: block_look(_HUES[i % 7] + i // 7 * 7, group) for i, group in enumerate(names)}
    places = [(xs(mark.x), ys(mark.y)) for mark in marks]
    segments = _joined(canvas, marks, places, groups) if joined else []
    for mark, (x, y) in zip(marks, places, strict=True):
        look = groups[mark.group]
        shown = look._replace(fill=style.mixed(look.fill, 0.35)) if mark.minor else look
        told = clean(f"{mark.label or mark.group}: {up.text(mark.y)}, {across.text(mark.x)}")
        canvas.box(x, y, MARK, MARK, shown, shape="circle", kind="mark", id=mark.label, tooltip=told, legend=False)
    left_out = _names(canvas, marks, places, frame, segments)
    if len(groups) > 1:
        canvas.legend(frame[3] + 38, wide, list(groups.values()))
    return canvas.drawing(name, "plot", title), left_out


def _axes(canvas: Canvas, frame: Rect, xs: Scale, ys: Scale, across: PlotAxis, up: PlotAxis) -> None:
    left, top, right, bottom = frame
    canvas.frame((left + right) / 2, (top + bottom) / 2, right - left, bottom - top, _OUTLINE)
    room = left
    most = max(3, int((right - left) / 55))
    for value in across.ticks(xs, most, min(4, most - 1)):
        x, line = xs(value), Line(across.text(value), style.SMALL, colour=style.SOFT)
        _line(canvas, (x, top), (x, bottom), _GRID, 0.4)
        if x - line.width / 2 >= room - line.width / 2 and x + line.width / 2 <= right + RIGHT:
            canvas.text(x, bottom + 7, line)
            room = x + line.width + 4
    for value in up.ticks(ys, 8, 4):
        y = ys(value)
        _line(canvas, (left, y), (right, y), _GRID, 0.4)
        canvas.text(
            left - 4, y, Line(fit(up.text(value), left - 6, style.SMALL), style.SMALL, colour=style.SOFT), "right"
        )
    canvas.text((left + right) / 2, bottom + 19, Line(across.title, style.SIZE))
    canvas.text(left, top - 5, Line(up.title, style.SIZE), "left")


def _joined(
    canvas: Canvas, marks: Sequence[Mark], places: Sequence[Point], groups: dict[str, Look]
) -> list[tuple[Point, Point]]:
    segments: list[tuple[Point, Point]] = []
    for group, look in groups.items():
        path = [place for mark, place in zip(marks, places, strict=True) if mark.group == group and not mark.minor]
        for start, end in pairwise(path):
            if math.dist(start, end) > MARK:
                _line(canvas, start, end, look.line)
                segments.append((start, end))
    return segments


def _line(canvas: Canvas, start: Point, end: Point, colour: str, width: float = 0.8) -> None:
    boxes = [Box("", *place, 0, 0) for place in (start, end)]
    thirds = [(start[0] + (end[0] - start[0]) * t, start[1] + (end[1] - start[1]) * t) for t in (1 / 3, 2 / 3)]
    anchors = [canvas.anchor(box.x, box.y) for box in boxes]
    canvas.curve(anchors[0], anchors[1], [start, *thirds, end], plain=True, colour=colour, thick=width)


# --- names -----------------------------------------------------------------------------------


def _names(
    canvas: Canvas,
    marks: Sequence[Mark],
    places: Sequence[Point],
    frame: Rect,
    segments: Sequence[tuple[Point, Point]],
) -> list[str]:
    """Write the names, the highest points' first; gives those that have no room."""
    half = MARK / 2 + 0.4
    points: list[Rect] = [(x - half, y - half, x + half, y + half) for x, y in places]
    taken: list[Rect] = []
    leaders: list[tuple[Point, Point]] = []
    left_out: list[str] = []
    order = sorted(range(len(marks)), key=lambda i: (marks[i].minor, places[i][1]))
    for index in filter(lambda index: marks[index].label, order):
        line = Line(clean(marks[index].label), style.SMALL)
        found = _room(line, places[index], frame, points, taken, [*segments, *leaders])
        if found is None:
            left_out.append(marks[index].label)
            continue
        box, leader = found
        taken.append(box)
        canvas.text((box[0] + box[2]) / 2, (box[1] + box[3]) / 2, line)
        if leader is not None:
            leaders.append(leader)
            _line(canvas, *leader, style.FAINT, 0.4)
    return left_out


def _room(
    line: Line,
    place: Point,
    frame: Rect,
    points: Sequence[Rect],
    taken: Sequence[Rect],
    lines: Sequence[tuple[Point, Point]],
) -> tuple[Rect, tuple[Point, Point] | None] | None:
    """The nearest free place for a name, and a line to its point where it is not beside it."""
    (x, y), wide, high = place, line.width + 1, line.height
    for far in _REACH:
        for dx, dy in _WAYS:
            reach = MARK / 2 + far * (0.7 if dx and dy else 1)
            cx, cy = x + dx * (reach + wide / 2), y + dy * (reach + high / 2)
            box = (cx - wide / 2, cy - high / 2, cx + wide / 2, cy + high / 2)
            inside = frame[0] < box[0] and frame[1] < box[1] and box[2] < frame[2] and box[3] < frame[3]
            if not inside or any(_touch(box, other) for other in (*taken, *points)):
                continue
            if any(_crosses(start, end, box) for start, end in lines):
                continue
            if far == _REACH[0]:
                return box, None
            leader = place, (min(max(x, box[0]), box[2]), min(max(y, box[1]), box[3]))
            others = (*taken, *(point for point in points if not _holds(point, place)))
            if not any(_crosses(*leader, other) for other in others):
                return box, leader
    return None


def _touch(one: Rect, other: Rect) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


def _holds(box: Rect, place: Point) -> bool:
    return box[0] <= place[0] <= box[2] and box[1] <= place[1] <= box[3]


def _crosses(start: Point, end: Point, box: Rect) -> bool:
    """Whether a line goes through a rectangle (Liang and Barsky)."""
    low, high = 0.0, 1.0
    for a, b, least, most in ((start[0], end[0], box[0], box[2]), (start[1], end[1], box[1], box[3])):
        if abs(b - a) < 1e-9:
            if not least < a < most:
                return False
            continue
        first, second = sorted(((least - a) / (b - a), (most - a) / (b - a)))
        low, high = max(low, first), min(high, second)
    return low < high


# --- along the depth -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Panel:
    """A figure of every layer, in order, and how it is written."""

    title: str
    values: Sequence[float]
    text: Callable[[float], str]


_PANEL, _GAP = 62.0, 20.0
_LOWEST = 1.44
"""The least height that Graphviz gives a box; what is less would hang below the line it stands on."""


def along(
    name: str, title: str, panels: Sequence[Panel], looks: Sequence[Look], parts: Sequence[tuple[str, int, int]]
) -> Drawing:
    """Bars of the layers of one network, `looks` their colours; `parts` are its stages: name, first layer, end."""
    wide = style.PAGE
    canvas = Canvas(wide)
    canvas.text(0, 6, Line(fit(clean(title), wide, style.TITLE, True), style.TITLE, True), "left")
    count = max(1, len(looks))
    step = (wide - RIGHT - LEFT) / count
    top = TOP + 14
    for panel in panels:
        _bars(canvas, panel, looks, parts, step, top)
        top += _PANEL + _GAP
    for part, first, end in parts:
        line = Line(fit(clean(part), (end - first) * step - 2, style.SMALL), style.SMALL, colour=style.SOFT)
        if len(line.text) > 2 or line.text == part:
            canvas.text(LEFT + (first + end) / 2 * step, top - _GAP + 7, line)
    canvas.legend(top - _GAP + 22, wide)
    return canvas.drawing(name, "plot", title)


def _solid(look: Look) -> Look:
    """The look of a bar, which is too narrow to be told by its outline."""
    return look if look.fill != "#FFFFFF" else look._replace(fill=look.line, style="filled")


def _bars(
    canvas: Canvas,
    panel: Panel,
    looks: Sequence[Look],
    parts: Sequence[tuple[str, int, int]],
    step: float,
    top: float,
) -> None:
    bottom, right = top + _PANEL, LEFT + step * len(looks)
    canvas.text(LEFT, top - 5, Line(panel.title, style.SIZE, True), "left")
    canvas.frame((LEFT + right) / 2, top + _PANEL / 2, right - LEFT, _PANEL, _FRAME)
    for index, (_, first, end) in enumerate(parts):
        if index % 2:
            shade = Look(style.mixed(style.FRAME, 0.3), style.PANEL, "")
            canvas.frame(LEFT + (first + end) / 2 * step, top + _PANEL / 2, (end - first) * step, _PANEL - 1, shade)
    most = max(panel.values, default=0.0) or 1.0
    up = Scale(0.0, most * 1.05, bottom, top)
    for value in up.ticks(3):
        canvas.text(LEFT - 4, up(value), Line(panel.text(value), style.SMALL, colour=style.SOFT), "right")
    for index, (value, look) in enumerate(zip(panel.values, looks, strict=True)):
        high = bottom - up(value)
        if high >= 0.05:
            bar = _solid(look)
            bar = bar if step >= 3 else bar._replace(line=bar.fill)
            x = LEFT + (index + 0.5) * step
            high = max(high, _LOWEST)
            canvas.box(x, bottom - high / 2, max(0.3, step * 0.86), high, bar, kind="column")
