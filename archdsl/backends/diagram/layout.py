"""Boxes and links placed by Graphviz's `dot`: takes sizes and links, gives places and routes.

One run lays one scope out, or one block: its boxes on ranks from top to bottom, few crossings, a straight main path.
Frames in frames, and columns that make a page of a tall scope, are ours (`graph/frames`, `graph/columns`). dot nests,
too, with clusters, but a network is a long chain: docs/layout/resnet50-clusters.png is what one run with clusters makes
of docs/layout/resnet50-columns.png. It is a strip seven times as high as wide (EfficientNet-B0: fifteen times), since
dot cannot go on in another column (`ratio` stretches, `pack` moves what is not connected); links cross the titles of
frames and turn at their borders; the main path wanders.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from graphlib import CycleError, TopologicalSorter
from typing import Any, Literal, NamedTuple

from archdsl.backends.diagram.canvas import Point
from archdsl.backends.diagram.dot import Dot, Markup
from archdsl.backends.diagram.engine import program, run

_SCALE = 4
"""dot rounds places to whole points: it is given lengths four times as long."""
_INCH = 72.0
_STRAIGHT = 0.1
"""Lines that are no further apart are one."""
_MAIN = 8
"""How much heavier the links of the main path are."""
_FAN = 3
"""Links that leave one box without a common beginning, at least."""


class Size(NamedTuple):
    """A box. `end`: it is a point on the upper or lower border, on the first or last rank.

    Links to and from a `frame` go on inside it, so they end just where they say.
    """

    wide: float
    high: float
    end: Literal["", "top", "bottom"] = ""
    round: bool = False
    frame: bool = False


class Link(NamedTuple):
    """From a box to another, given by position. It leaves and arrives `out` and `into` right of their middles.

    Heavy links are shorter and straighter. `label` is the width of what is written beside its beginning, `span` how
    many ranks lie between its ends at least.
    """

    tail: int
    head: int
    weight: float = 1
    out: float = 0
    into: float = 0
    label: float = 0
    span: int = 1


class Gaps(NamedTuple):
    """Distances: between ranks, more where a link has a label, and between boxes of a rank."""

    rank: float = 14
    label: float = 8
    box: float = 24
    """Where less is left, dot's lines have dents as they pass boxes."""
    port: float = 8
    """Between a point on a border and the rank beside it."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Of each box its middle and its top, of each link its route as Bézier curves: a point, then three for each."""

    width: float
    height: float
    places: tuple[Point, ...]
    routes: tuple[tuple[Point, ...], ...]


GAPS = Gaps()


def laid_out(sizes: Sequence[Size], links: Sequence[Link], gaps: Gaps = GAPS) -> Layout:
    """Lay boxes out. Links mostly go from earlier boxes to later ones. Raises ArchError E610 or E611."""
    return _laid_out(tuple(sizes), tuple(links), gaps)  # equal blocks, equal layouts


@lru_cache(256)
def _laid_out(sizes: tuple[Size, ...], links: tuple[Link, ...], gaps: Gaps) -> Layout:
    if not sizes:
        return Layout(0, 0, (), ())
    graph = _Graph(sizes, links, gaps)
    return graph.read(json.loads(run(program(), ["-Kdot", "-Tjson0"], graph.dot())))


class _Graph:
    """Boxes and links on their way to dot and back."""

    def __init__(self, sizes: Sequence[Size], links: Sequence[Link], gaps: Gaps) -> None:
        self.sizes, self.links, self.gaps = sizes, links, gaps
        self.arriving: list[list[int]] = [[] for _ in sizes]
        self.leaving: list[list[int]] = [[] for _ in sizes]
        for index, link in enumerate(links):
            self.arriving[link.head].append(index)
            self.leaving[link.tail].append(index)
        self.above = [self._above(place) for place in range(len(sizes))]
        self.below = [self._below(place) for place in range(len(sizes))]
        self.main = self._main_path()
        self.groups = self._groups()

    # --- what dot is told --------------------------------------------------------------------

    def dot(self) -> str:
        """The boxes and links as DOT."""
        dot = Dot(ranksep=_inches(self.gaps.port), nodesep=_inches(self.gaps.box))
        dot.attributes("node", shape="box", fixedsize=True, penwidth=0)
        dot.attributes("edge", arrowhead="none")
        for place, size in enumerate(self.sizes):
            if not size.end:
                self._box(dot, place, size)
        for end, rank in (("top", "source"), ("bottom", "sink")):
            with dot.subgraph(f"ends_{end}", rank=rank) as ends:
                for place, size in enumerate(self.sizes):
                    if size.end == end:
                        ends.node(f"n{place}", shape="point", width="0.01", height="0.01", group=self.groups[place])
        for index in {_line(link): index for index, link in enumerate(self.links)}.values():
            self._link(dot, index, self.links[index])
        return dot.source

    def _box(self, dot: Dot, place: int, size: Size) -> None:
        room = [
            2 * (abs(self.links[i].out) + self.links[i].label + 3) for i in self.leaving[place] if self.links[i].label
        ]
        wide, high = max([size.wide, *room]), self.above[place] + size.high + self.below[place]
        group = self.groups[place]
        if self._has_ports(place):
            into = sorted({self.links[index].into for index in self.arriving[place]})
            out = sorted({self.links[index].out for index in self.leaving[place]})
            dot.node(f"n{place}", _table(wide, high, into, out), shape="plain", fixedsize=False, group=group)
        elif size.round:
            dot.node(f"n{place}", shape="circle", width=_inches(size.wide), group=group)
        else:
            dot.node(f"n{place}", width=_inches(wide), height=_inches(high), group=group)

    def _link(self, dot: Dot, index: int, link: Link) -> None:
        head, ports = self.sizes[link.head], {}
        if not self.sizes[link.tail].end and not self._fans_out(link.tail):
            ports["tailport"] = f"{_port('out', link.out)}:s" if self._has_ports(link.tail) else "s"
        if not head.round:
            ports["headport"] = f"{_port('into', link.into)}:n" if self._has_ports(link.head) else "n"
        weight = _MAIN * link.weight if index in self.main else link.weight
        dot.edge(f"n{link.tail}", f"n{link.head}", id=f"e{index}", weight=weight, minlen=link.span, **ports)

    def _below(self, place: int) -> float:
        """What a box is given below it: dot has one distance between all ranks, here that of the borders."""
        if self.sizes[place].end or self.sizes[place].round or self._fans_out(place):
            return 0
        return self._room([self.links[index] for index in self.leaving[place]])

    def _above(self, place: int) -> float:
        """What it is given above: the same for what is round, and so can have nothing below it."""
        if self.sizes[place].end or self.sizes[place].round:
            return 0
        links = [self.links[index] for index in self.arriving[place]]
        return self._room([link for link in links if self.sizes[link.tail].round])

    def _room(self, links: Sequence[Link]) -> float:
        inner = any(not self.sizes[link.head].end for link in links)
        return inner * (self.gaps.rank - self.gaps.port) + any(link.label for link in links) * self.gaps.label

    def _fans_out(self, place: int) -> bool:
        """Whether links leave a box wherever they are nearest to where they go."""
        links = [self.links[index] for index in self.leaving[place]]
        plain = all(link.head > place and not link.label for link in links)
        return len(links) >= _FAN and plain and not self._has_ports(place)

    def _has_ports(self, place: int) -> bool:
        """Whether links leave or arrive elsewhere than in its middle, or have to meet what is inside."""
        shifts = [self.links[index].into for index in self.arriving[place]]
        shifts += [self.links[index].out for index in self.leaving[place]]
        return self.sizes[place].frame or any(abs(shift) > _STRAIGHT for shift in shifts)

    def _main_path(self) -> set[int]:
        """The links of a longest path, by number; none where there are more than two neighbours or several ways in:
        what belongs to all of them stands in their middle."""
        if max(map(len, (*self.arriving, *self.leaving))) > 2 or sum(not links for links in self.arriving) > 1:
            return set()
        tails = {place: [self.links[index].tail for index in self.arriving[place]] for place in range(len(self.sizes))}
        try:
            order = [*TopologicalSorter(tails).static_order()]
        except CycleError:
            return set()
        length = [0] * len(order)
        last: dict[int, int] = {}  # the last link of a longest path to a box
        for place in order:
            if self.arriving[place]:
                last[place] = max(self.arriving[place], key=lambda index: length[self.links[index].tail])
                length[place] = length[self.links[last[place]].tail] + 1
        place, main = max(order, key=length.__getitem__), set[int]()
        while place in last:
            main.add(last[place])
            place = self.links[last[place]].tail
        return main

    def _groups(self) -> list[str]:
        """A name for boxes that are to stand below each other: the main path; without one, paths that don't branch."""
        groups = [f"g{place}" for place in range(len(self.sizes))]
        downwards = sorted(
            enumerate(self.links), key=lambda item: (self.sizes[item[1].tail].end != "top", item[1].tail)
        )
        for index, link in downwards:
            alone = len(self.arriving[link.head]) == len(self.leaving[link.tail]) == 1
            if index in self.main or (alone and not self.main):
                groups[link.head] = groups[link.tail]
        return groups

    # --- what dot found ----------------------------------------------------------------------

    def read(self, found: Any) -> Layout:
        """The layout from dot's JSON, whose y goes up from the lower left corner."""
        left, bottom, right, top = _numbers(found["bb"])
        places: list[Point] = [(0, 0)] * len(self.sizes)
        for node in found["objects"]:
            if "pos" in node:
                x, y = _numbers(node["pos"])
                place = int(node["name"][1:])
                high = self.above[place] + self.sizes[place].high + self.below[place]
                places[place] = (x - left, top - y - high / 2 + self.above[place])
        routes: dict[Link, tuple[Point, ...]] = {}
        for edge in found.get("edges", ()):
            link = self.links[int(edge["id"][1:])]
            points = _falling([(x - left, top - y) for x, y in map(_numbers, edge["pos"].split(" "))])
            if self.below[link.tail]:
                start = points[0][0], places[link.tail][1] + self.sizes[link.tail].high
                points = [*_straight(start, points[0]), *points[1:]]
            if self.above[link.head]:
                end = points[-1][0], places[link.head][1]
                points += _straight(points[-1], end)[1:]
            routes[_line(link)] = tuple(points)
        return Layout(right - left, top - bottom, tuple(places), tuple(routes[_line(link)] for link in self.links))


def _falling(points: list[Point]) -> list[Point]:
    """A route without the swings of dot's curves between near ranks, which go through what is above and below them."""
    for at in range(0, len(points) - 1, 3):
        low, high = sorted((points[at][1], points[at + 3][1]))
        for place in (at + 1, at + 2):
            points[place] = points[place][0], min(max(points[place][1], low), high)
    return points


def _straight(start: Point, end: Point) -> list[Point]:
    """A line as a Bézier curve that has a direction at both ends."""
    (x, y), (dx, dy) = start, ((end[0] - start[0]) / 3, (end[1] - start[1]) / 3)
    return [start, (x + dx, y + dy), (x + 2 * dx, y + 2 * dy), end]


def _line(link: Link) -> Link:
    """What two links have in common that are drawn as one line."""
    return link._replace(weight=0, label=0, span=0)


def _table(wide: float, high: float, into: Sequence[float], out: Sequence[float]) -> Markup:
    """A box with places on its upper and lower side at which links arrive and leave, as an HTML-like label."""
    plain = 'BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0"'

    def cells(kind: str, shifts: Sequence[float]) -> Iterator[str]:
        at = -wide / 2
        for shift in shifts:
            yield _cell(shift - 0.1 - at, high / 2)
            yield _cell(0.2, high / 2, f' PORT="{_port(kind, shift)}"')
            at = shift + 0.1
        yield _cell(wide / 2 - at, high / 2)

    rows = (
        f"<TR><TD><TABLE {plain}><TR>{''.join(cells(kind, shifts or [0]))}</TR></TABLE></TD></TR>"
        for kind, shifts in (("into", into), ("out", out))
    )
    return Markup(f"<<TABLE {plain}>{''.join(rows)}</TABLE>>")


def _cell(wide: float, high: float, port: str = "") -> str:
    return f'<TD FIXEDSIZE="TRUE" WIDTH="{round(wide * _SCALE)}" HEIGHT="{round(high * _SCALE)}"{port}></TD>'


def _port(kind: str, shift: float) -> str:
    return f"{kind}{round(100 * shift)}".replace("-", "m")


def _inches(points: float) -> str:
    return f"{points * _SCALE / _INCH:.4f}"


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(float(number) / _SCALE for number in text.split(","))
