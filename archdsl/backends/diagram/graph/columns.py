"""A tall scope in several columns: takes sizes and links, gives each column laid out, and all of them side by side.

A cut is made between two boxes that follow each other in the scope, where few links cross. A link that is cut leaves
its column at the bottom, goes up beside it and enters the next one at the top.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from math import ceil, sqrt

from archdsl.backends.diagram.canvas import Point, rounded
from archdsl.backends.diagram.layout import Layout, Link, Size, laid_out
from archdsl.graph.parts import OUTSIDE

GUTTER = 16.0
LANE = 5.0
RADIUS = 4.0
"""Of the corners of what goes from one column to the next."""
TALL = 500.0
SHAPE = 1.1
"""Width over height that columns aim at."""
MAIN = 0.6
"""A scope is not cut if one of its boxes has this share of its height."""
LEAST = 0.45
"""Height of a column that is not the last, in heights of the tallest."""


@dataclass(slots=True)
class Column:
    """Boxes `start` to `stop` with the parts of links that are in the column, by number.

    `pieces` maps the number of a link to its piece here; `enters` and `leaves` are the positions of its ends on the
    column's border, where it has any.
    """

    start: int
    stop: int
    layout: Layout
    pieces: dict[int, int]
    enters: dict[int, int] = field(default_factory=dict)
    leaves: dict[int, int] = field(default_factory=dict)


@dataclass(slots=True)
class Joined:
    """All columns: places of boxes (middle, top), routes of links, and where links enter and leave at the border."""

    width: float
    height: float
    places: dict[int, Point]
    routes: dict[int, list[Point]]
    ins: dict[int, float]
    outs: dict[int, float]


def cut(sizes: Sequence[Size], links: Sequence[Link], keys: Sequence[Hashable], most: int = 1) -> list[Column]:
    """The columns of a scope: as many as make it about as wide as tall, if it is taller than a page is wide.

    Links to `OUTSIDE` end at the border; those with equal keys share a point there. A cut crosses `most` keys at most.
    """
    whole = _column(sizes, links, keys, 0, len(sizes))
    width, height = whole.layout.width, whole.layout.height
    tall = max(TALL, sqrt(width * height / SHAPE))
    if height <= tall or max(size.high for size in sizes) > MAIN * height:
        return [whole]
    for count in range(ceil(height / tall), 1, -1):
        starts = _starts(whole.layout, sizes, _allowed(whole.layout, sizes, links, keys, most), count)
        columns = [_column(sizes, links, keys, *ends) for ends in pairwise([*starts, len(sizes)])]
        heights = [column.layout.height for column in columns]
        if min(heights[:-1], default=0) >= LEAST * max(heights):
            return columns
    return [whole]


def _starts(layout: Layout, sizes: Sequence[Size], allowed: Sequence[int], count: int) -> list[int]:
    """Where the columns begin, at most `count` of them, so that the tallest is as low as it can be."""
    tops, bottoms = _extents(layout, sizes)
    low, high = max(size.high for size in sizes), layout.height
    while high - low > 1:
        middle = (low + high) / 2
        found = _fill(tops, bottoms, allowed, middle)
        low, high = (low, middle) if found and len(found) <= count else (middle, high)
    return _fill(tops, bottoms, allowed, high) or [0]


def _extents(layout: Layout, sizes: Sequence[Size]) -> tuple[list[float], list[float]]:
    """Tops and bottoms of the boxes."""
    tops = [top for _, top in layout.places[: len(sizes)]]
    return tops, [top + size.high for top, size in zip(tops, sizes, strict=True)]


def _allowed(
    layout: Layout, sizes: Sequence[Size], links: Sequence[Link], keys: Sequence[Hashable], most: int
) -> list[int]:
    """The boxes at which a column may begin: everything before is above, everything after is not, few links cross."""
    tops, bottoms = _extents(layout, sizes)
    crossing: list[set[Hashable]] = [set() for _ in tops]
    for key, link in zip(keys, links, strict=True):
        tail = -1 if link.tail == OUTSIDE else link.tail
        head = len(tops) if link.head == OUTSIDE else link.head
        for place in range(tail + 1, min(head, len(tops) - 1) + 1):
            crossing[place].add(key)
    lowest = list(accumulate(bottoms, max))
    highest = list(accumulate(reversed(tops), min))[::-1]
    return [
        place
        for place in range(1, len(tops))
        if lowest[place - 1] <= tops[place] <= highest[place] and len(crossing[place]) <= most
    ]


def _fill(tops: Sequence[float], bottoms: Sequence[float], allowed: Sequence[int], tall: float) -> list[int] | None:
    """Columns filled one after the other up to a height; None if something does not fit."""
    starts = [0]
    for place, after in pairwise([*allowed, len(tops)]):
        lowest = max(bottoms[place:after])
        if lowest - tops[starts[-1]] > tall and place != starts[-1]:
            starts.append(place)
        if lowest - tops[starts[-1]] > tall:
            return None
    return starts


def _column(sizes: Sequence[Size], links: Sequence[Link], keys: Sequence[Hashable], start: int, stop: int) -> Column:
    """Boxes `start` to `stop` laid out; links from before and to what follows end on the border."""
    own = list(sizes[start:stop])
    inner: list[Link] = []
    pieces: dict[int, int] = {}
    enters: dict[int, int] = {}
    leaves: dict[int, int] = {}
    tops: dict[Hashable, int] = {}
    bottoms: dict[Hashable, int] = {}

    def border(ends: dict[Hashable, int], key: Hashable, end: Size) -> int:
        if key not in ends:
            ends[key] = len(own)
            own.append(end)
        return ends[key]

    for index, link in enumerate(links):
        tail = -1 if link.tail == OUTSIDE else link.tail
        head = len(sizes) if link.head == OUTSIDE else link.head
        if tail >= stop or head < start:
            continue
        piece = link._replace(tail=tail - start, head=head - start)
        if tail < start:
            enters[index] = border(tops, keys[index], Size(2, 0, "top"))
            piece = piece._replace(tail=enters[index], out=0, label=0)
        if head >= stop:
            leaves[index] = border(bottoms, keys[index], Size(2, 0, "bottom"))
            piece = piece._replace(head=leaves[index], into=0)
        pieces[index] = len(inner)
        inner.append(piece)
    return Column(start, stop, laid_out(own, inner), pieces, enters, leaves)


def join(columns: Sequence[Column], keys: Sequence[Hashable]) -> Joined:
    """Columns side by side."""
    first, last = columns[0], columns[-1]
    crossing = [dict.fromkeys(keys[i] for i in column.leaves) for column in columns[:-1]]
    lanes = max((len(found) for found in crossing), default=0)
    above = LANE * lanes if lanes else 0.0
    inner = max(column.layout.height for column in columns)
    height = above + inner + (above + LANE if lanes else 0.0)
    places: dict[int, Point] = {}
    routes: dict[int, list[Point]] = {}
    x = 0.0
    for number, column in enumerate(columns):
        for place in range(column.start, column.stop):
            left, top = column.layout.places[place - column.start]
            places[place] = (left + x, top + above)
        for index, piece in column.pieces.items():
            points = [(left + x, top + above) for left, top in column.layout.routes[piece]]
            if index in column.enters and number:
                lane = list(crossing[number - 1]).index(keys[index]) + 1
                end, start = routes[index][-1], points[0]
                bottom, top = above + inner + LANE * lane, LANE * (lanes - lane)
                middle = x - GUTTER / 2 - LANE * (lanes / 2 - lane + 0.5)
                around = [end, (end[0], bottom), (middle, bottom), (middle, top), (start[0], top), start]
                routes[index] += [*rounded(around, RADIUS)[1:], *points[1:]]
            else:
                begins = index in column.enters
                routes[index] = [*rounded([(points[0][0], 0.0), points[0]], 0), *points[1:]] if begins else points
            if index in column.leaves and number == len(columns) - 1:
                end = routes[index][-1]
                routes[index] += rounded([end, (end[0], height)], 0)[1:]
        x += column.layout.width + GUTTER + LANE * lanes
    ins = {index: column_x(first, place, 0) for index, place in first.enters.items()}
    width = x - GUTTER - LANE * lanes
    offset = width - last.layout.width
    outs = {index: column_x(last, place, offset) for index, place in last.leaves.items()}
    return Joined(width, height, places, routes, ins, outs)


def column_x(column: Column, place: int, offset: float) -> float:
    return column.layout.places[place][0] + offset
