"""Boxes on ranks from top to bottom (Sugiyama et al., 1981): takes sizes and links, gives places and routes.

Ranks follow the longest path; the order in a rank is the best that sweeps of barycentres find; its places are as near
to their neighbours as nothing overlaps, and long links run straight. Boxes of a rank begin at one height, so links turn
only between ranks. Everything is determined by the order of boxes and links.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, NamedTuple

Point = tuple[float, float]

SWEEPS = 10
LANE = 5.0
"""Width of a link that passes a rank."""
SPINE = 6.0
"""Weight of the links of the longest path, where boxes have two neighbours above and below at most."""


class Size(NamedTuple):
    """A box. `end`: it is a point on the upper or lower border, on the first or last rank."""

    wide: float
    high: float
    end: Literal["", "top", "bottom"] = ""


class Link(NamedTuple):
    """From a box to another, given by position. It leaves and arrives `out` and `into` right of their middles.

    Heavy links are straighter. `label` is the width of what is written beside its beginning.
    """

    tail: int
    head: int
    weight: float = 1
    out: float = 0
    into: float = 0
    label: float = 0


class Gaps(NamedTuple):
    """Distances: between ranks, more where a link has a label, and between boxes of a rank."""

    rank: float = 14
    label: float = 8
    box: float = 9
    port: float = 8
    """Between a point on a border and the rank beside it."""


@dataclass(slots=True, eq=False)
class Spot:
    """A box, or a link where it passes a rank (`size` None)."""

    rank: int
    wide: float
    size: Size | None = None
    x: float = 0
    above: list[tuple[Spot, float, float]] = field(default_factory=list)
    """Neighbours: each with how far right of it this one wants to be, and how much."""
    below: list[tuple[Spot, float, float]] = field(default_factory=list)


@dataclass(slots=True)
class Layers:
    """The result: of each box its middle and its top, of each link its route: vertical at every point but in gaps."""

    width: float
    height: float
    places: list[Point]
    routes: list[list[Point]]


GAPS = Gaps()


def layered(sizes: Sequence[Size], links: Sequence[Link], gaps: Gaps = GAPS) -> Layers:
    """Lay boxes out. Links go from earlier boxes to later ones; others are routed upwards beside the boxes."""
    ranks = _ranks(sizes, links)
    spine = _spine(ranks, links)
    links = [link._replace(weight=SPINE) if index in spine else link for index, link in enumerate(links)]
    spots = [Spot(rank, size.wide, size) for rank, size in zip(ranks, sizes, strict=True)]
    chains = [_chain(spots, link) for link in links]
    rows: list[list[Spot]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for spot in (*spots, *(spot for chain in chains for spot in chain[1:-1])):
        rows[spot.rank].append(spot)
    _widen(spots, links)
    _order(rows)
    _spread(rows, gaps.box)
    columns = list(_columns(chains, links, spine))
    _gather(rows, columns, gaps.box)
    for column in columns:
        _straighten(rows, column, gaps.box)
    left = min((spot.x - spot.wide / 2 for row in rows for spot in row), default=0)
    width = max((spot.x + spot.wide / 2 for row in rows for spot in row), default=0) - left
    for row in rows:
        for spot in row:
            spot.x -= left
    tops, bottoms, height = _heights(rows, chains, links, gaps)
    places = [(spot.x, tops[spot.rank]) for spot in spots]
    routes = [_route(chain, link, tops, bottoms) for chain, link in zip(chains, links, strict=True)]
    return Layers(width, height, places, routes)


# --- ranks -----------------------------------------------------------------------------------


def _ranks(sizes: Sequence[Size], links: Sequence[Link]) -> list[int]:
    """The longest path from the top; then what is held more strongly by what follows goes down to it."""
    above: list[list[tuple[int, float]]] = [[] for _ in sizes]
    below: list[list[tuple[int, float]]] = [[] for _ in sizes]
    for link in links:
        upper, lower = link.tail, link.head
        if upper > lower and sizes[upper].end != "top" and sizes[lower].end != "bottom":
            upper, lower = lower, upper  # a link to an earlier box goes up
        above[lower].append((upper, link.weight))
        below[upper].append((lower, link.weight))
    ranks = [0] * len(sizes)
    first = int(any(size.end == "top" for size in sizes))
    boxes = [place for place, size in enumerate(sizes) if not size.end]
    for place in boxes:
        ranks[place] = max([first, *(ranks[other] + 1 for other, _ in above[place])])
    for place in reversed(boxes):
        if sum(weight for _, weight in below[place]) > sum(weight for _, weight in above[place]):
            inner = [ranks[other] for other, _ in below[place] if sizes[other].end != "bottom"]
            ranks[place] = min(inner, default=ranks[place] + 1) - 1
    last = max((rank + 1 for rank, size in zip(ranks, sizes, strict=True) if size.end != "bottom"), default=0)
    return [last if size.end == "bottom" else rank for rank, size in zip(ranks, sizes, strict=True)]


def _spine(ranks: Sequence[int], links: Sequence[Link]) -> set[int]:
    """The links of a longest path, by number; none where a box has many neighbours, which then stand around it."""
    into: dict[int, list[int]] = {}
    out: dict[int, int] = {}
    for index, link in enumerate(links):
        into.setdefault(link.head, []).append(index)
        out[link.tail] = out.get(link.tail, 0) + 1
    if not links or max(out.values()) > 2 or max(map(len, into.values())) > 2:
        return set()
    box = max(range(len(ranks)), key=lambda place: ranks[place])
    spine: set[int] = set()
    while True:
        above = [index for index in into.get(box, ()) if ranks[links[index].tail] == ranks[box] - 1]
        if not above:
            return spine
        spine.add(above[0])
        box = links[above[0]].tail


def _chain(spots: Sequence[Spot], link: Link) -> list[Spot]:
    """A link's ends and its spots in the ranks between; in the order of ranks, whichever end is the tail."""
    tail, head = spots[link.tail], spots[link.head]
    ends, shifts = [tail, head], [link.out, link.into]
    if tail.rank > head.rank:
        ends, shifts = ends[::-1], shifts[::-1]
    between = [Spot(rank, LANE) for rank in range(ends[0].rank + 1, ends[1].rank)]
    chain = [ends[0], *between, ends[1]]
    for index, (upper, lower) in enumerate(pairwise(chain)):
        shift = (shifts[0] if index == 0 else 0) - (shifts[1] if index == len(chain) - 2 else 0)
        inner = upper.size is None and lower.size is None
        weight = 8.0 if inner else link.weight
        lower.above.append((upper, shift, weight))
        upper.below.append((lower, -shift, weight))
    return chain if tail.rank <= head.rank else chain[::-1]


def _widen(spots: Sequence[Spot], links: Sequence[Link]) -> None:
    """Room for what is written beside the beginning of a link."""
    for link in links:
        if link.label:
            spot = spots[link.tail]
            spot.wide = max(spot.wide, 2 * (abs(link.out) + link.label + 3))


# --- order -----------------------------------------------------------------------------------


def _order(rows: list[list[Spot]]) -> None:
    """Order each row so that few links cross."""
    best, fewest = [list(row) for row in rows], _crossings(rows)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        down = sweep % 2 == 0
        for row in rows[1:] if down else rows[-2::-1]:
            beside = rows[row[0].rank + (-1 if down else 1)]
            _sort(row, down, {id(spot): index for index, spot in enumerate(beside)})
        crossings = _crossings(rows)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
    for row, found in zip(rows, best, strict=True):
        row[:] = found


def _sort(row: list[Spot], down: bool, place: dict[int, int]) -> None:
    """Order a row by the mean places of the neighbours on one side; one without any stays."""
    wanted: dict[int, float] = {}
    for index, spot in enumerate(row):
        near = [place[id(other)] for other, _, _ in (spot.above if down else spot.below)]
        wanted[id(spot)] = sum(near) / len(near) if near else index
    row.sort(key=lambda spot: wanted[id(spot)])


def _crossings(rows: Sequence[Sequence[Spot]]) -> int:
    """How many pairs of links cross, counted as inversions."""
    count = 0
    for upper, lower in pairwise(rows):
        place = {id(spot): index for index, spot in enumerate(lower)}
        seen: list[int] = []
        for spot in upper:
            heads = sorted(place[id(other)] for other, _, _ in spot.below)
            for head in heads:
                count += len(seen) - bisect_left(seen, head + 1)
            for head in heads:
                insort(seen, head)
    return count


# --- places ----------------------------------------------------------------------------------


def _spread(rows: Sequence[Sequence[Spot]], gap: float) -> None:
    """Give each row its x: near to its neighbours above, then below, and so on."""
    for row in rows:
        x = 0.0
        for spot in row:
            spot.x = x + spot.wide / 2
            x += spot.wide + gap
        for spot in row:
            spot.x -= (x - gap) / 2
    for sweep in range(2 * SWEEPS):
        down = sweep % 2 == 0
        for row in rows if down else rows[::-1]:
            settle(row, [_wanted(spot, down) for spot in row], gap)
    for row in rows:
        settle(row, [_wanted(spot, None) for spot in row], gap)


def _wanted(spot: Spot, down: bool | None) -> tuple[float, float]:
    """Where a spot is drawn to by what is above (down), below, or both; and how strongly."""
    near = spot.above + spot.below if down is None else spot.above if down else spot.below
    if not near:
        return spot.x, 0.5
    total = sum(weight for _, _, weight in near)
    return sum((other.x + shift) * weight for other, shift, weight in near) / total, total


def settle(row: Sequence[Spot], wanted: Sequence[tuple[float, float]], gap: float) -> None:
    """The x nearest to what is wanted, by weight, at which nothing overlaps: spots that would meet form blocks."""
    blocks: list[list[float]] = []  # of each: weighted sum of wanted left ends, weight, width, number
    for spot, (x, weight) in zip(row, wanted, strict=True):
        blocks.append([(x - spot.wide / 2) * weight, weight, spot.wide, 1])
        while len(blocks) > 1 and blocks[-2][0] / blocks[-2][1] + blocks[-2][2] + gap > blocks[-1][0] / blocks[-1][1]:
            total, heavy, wide, count = blocks.pop()
            before = blocks[-1]
            before[0] += total - heavy * (before[2] + gap)
            before[1] += heavy
            before[2] += gap + wide
            before[3] += count
    spots = iter(row)
    for total, heavy, _, count in blocks:
        x = total / heavy
        for _ in range(int(count)):
            spot = next(spots)
            spot.x = x + spot.wide / 2
            x += spot.wide + gap


def _columns(
    chains: Sequence[list[Spot]], links: Sequence[Link], spine: set[int]
) -> Iterator[list[tuple[Spot, float]]]:
    """Spots that should be below each other, each with how far right: the spine, unbranched paths, long links."""
    follows: dict[int, tuple[Spot, float]] = {}
    for index, (chain, link) in enumerate(zip(chains, links, strict=True)):
        alone = len(chain[0].below) == len(chain[-1].above) == 1
        if len(chain) == 2 and chain[0].rank < chain[1].rank and (index in spine or (alone and not spine)):
            follows[id(chain[0])] = chain[1], link.out - link.into
    heads = {id(spot) for spot, _ in follows.values()}
    for chain in chains:
        if id(chain[0]) in follows and id(chain[0]) not in heads:
            column, spot, shift = [(chain[0], 0.0)], chain[0], 0.0
            while id(spot) in follows:
                after = follows.pop(id(spot))
                spot, shift = after[0], shift + after[1]
                column.append((spot, shift))
            yield column
    for chain in chains:
        if len(chain) > 2:
            yield [(spot, 0.0) for spot in chain[1:-1]]


def _gather(rows: Sequence[Sequence[Spot]], columns: Sequence[Sequence[tuple[Spot, float]]], gap: float) -> None:
    """Draw the spots of each column to their mean, more and more strongly; the others make room."""
    for strength in (2.0, 8.0, 32.0, 128.0):
        wanted: dict[int, tuple[float, float]] = {}
        for column in columns:
            mean = sum(spot.x - shift for spot, shift in column) / len(column)
            wanted.update((id(spot), (mean + shift, strength * len(column))) for spot, shift in column)
        for row in rows:
            settle(row, [wanted.get(id(spot)) or _wanted(spot, None) for spot in row], gap)


def _straighten(rows: Sequence[Sequence[Spot]], column: Sequence[tuple[Spot, float]], gap: float) -> None:
    """Put spots below each other where there is room: where they are on average, or below or above a neighbour."""
    low, high = -float("inf"), float("inf")
    for spot, shift in column:
        row = rows[spot.rank]
        place = row.index(spot)
        if place:
            low = max(low, row[place - 1].x + row[place - 1].wide / 2 + gap + spot.wide / 2 - shift)
        if place + 1 < len(row):
            high = min(high, row[place + 1].x - row[place + 1].wide / 2 - gap - spot.wide / 2 - shift)
    if low > high:
        return
    mean = sum(spot.x - shift for spot, shift in column) / len(column)
    (first, first_shift), (last, last_shift) = column[0], column[-1]
    ends = [other.x + shift - last_shift for other, shift, _ in last.below] if last.size is None else []
    ends += [other.x + shift - first_shift for other, shift, _ in first.above] if first.size is None else []
    x = next((end for end in ends if low <= end <= high), min(max(mean, low), high))
    for spot, shift in column:
        spot.x = x + shift


def _heights(
    rows: Sequence[Sequence[Spot]], chains: Sequence[list[Spot]], links: Sequence[Link], gaps: Gaps
) -> tuple[list[float], list[float], float]:
    """Top of every rank, where links may turn below it, and the height of all: labels stand above the turns."""
    labelled = {chain[0].rank for chain, link in zip(chains, links, strict=True) if link.label}
    tops, bottoms, y, bottom = [], [], 0.0, 0.0
    for rank, row in enumerate(rows):
        bottom = y + max((spot.size.high for spot in row if spot.size), default=0.0)
        tops.append(y)
        bottoms.append(bottom + (gaps.label if rank in labelled else 0))
        below = rows[rank + 1] if rank + 1 < len(rows) else []
        y = bottoms[-1] + (gaps.port if _is_border(row, "top") or _is_border(below, "bottom") else gaps.rank)
    return tops, bottoms, bottom


def _is_border(row: Sequence[Spot], end: str) -> bool:
    return all(spot.size is None or spot.size.end == end for spot in row)


def _route(chain: Sequence[Spot], link: Link, tops: Sequence[float], bottoms: Sequence[float]) -> list[Point]:
    """Points at which a link is vertical: it leaves, passes ranks and arrives."""
    tail, head = chain[0], chain[-1]
    down = tail.rank <= head.rank
    assert tail.size is not None
    start = tail.x + link.out
    end = head.x + link.into
    if not down:  # from the top of a box up to the bottom of another
        points = [(start, tops[tail.rank])]
        for spot in chain[1:-1]:
            points += [(spot.x, bottoms[spot.rank]), (spot.x, tops[spot.rank])]
        assert head.size is not None
        return [*points, (end, bottoms[head.rank]), (end, tops[head.rank] + head.size.high)]
    points = [(start, tops[tail.rank] + tail.size.high), (start, bottoms[tail.rank])]
    for spot in chain[1:-1]:
        points += [(spot.x, tops[spot.rank]), (spot.x, bottoms[spot.rank])]
    return [*points, (end, tops[head.rank])]
