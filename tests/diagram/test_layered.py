"""Boxes on ranks: whatever the boxes and links, nothing overlaps, and every link begins and ends where it should."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.backends.diagram.graph.columns import cut, join
from archdsl.backends.diagram.layered import GAPS, LANE, Layers, Link, Size, layered
from archdsl.graph.parts import OUTSIDE

sizes = st.builds(Size, st.floats(5, 200), st.floats(5, 200), st.just(""))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Size], list[Link]]:
    boxes = draw(st.lists(sizes, min_size=1, max_size=14))
    pairs = [(a, b) for a in range(len(boxes)) for b in range(len(boxes)) if a != b]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=24, unique=True)) if pairs else []
    labels = draw(st.lists(st.sampled_from([0.0, 30.0]), min_size=len(chosen), max_size=len(chosen)))
    return boxes, [Link(a, b, label=label) for (a, b), label in zip(chosen, labels, strict=True)]


def boxes_of(found: Layers, given_sizes: list[Size]) -> list[tuple[float, float, float, float]]:
    return [
        (x - size.wide / 2, top, x + size.wide / 2, top + size.high)
        for (x, top), size in zip(found.places, given_sizes, strict=True)
    ]


@settings(deadline=None, max_examples=80)
@given(graphs())
def test_nothing_overlaps_and_links_hold(case: tuple[list[Size], list[Link]]) -> None:
    boxes, links = case
    found = layered(boxes, links)
    placed = boxes_of(found, boxes)
    for (l1, t1, r1, b1), (l2, t2, r2, b2) in combinations(placed, 2):
        assert r1 <= l2 + 1e-6 or r2 <= l1 + 1e-6 or b1 <= t2 + 1e-6 or b2 <= t1 + 1e-6
    for left, _, right, bottom in placed:
        assert left >= -1e-6
        assert right <= found.width + 1e-6
        assert bottom <= found.height + 1e-6
    for link, route in zip(links, found.routes, strict=True):
        tail, head = placed[link.tail], placed[link.head]
        down = link.tail < link.head or tail[3] <= head[1]
        assert route[0] == pytest.approx((found.places[link.tail][0], tail[3] if down else tail[1]))
        assert route[-1] == pytest.approx((found.places[link.head][0], head[1] if down else head[3]))


@settings(deadline=None, max_examples=20)
@given(graphs())
def test_the_same_again(case: tuple[list[Size], list[Link]]) -> None:
    assert layered(*case) == layered(*case)


def test_a_path_is_straight_and_its_shortcut_stands_aside() -> None:
    boxes = [Size(40, 14)] * 5
    links = [*(Link(i, i + 1) for i in range(4)), Link(0, 4)]
    found = layered(boxes, links)
    assert len({round(x, 6) for x, _ in found.places}) == 1
    shortcut = found.routes[-1]
    aside = {round(x, 6) for x, _ in shortcut[2:-1]}
    assert len(aside) == 1  # it runs straight past the ranks between
    assert abs(aside.pop() - found.places[0][0]) >= 20 + LANE / 2 + GAPS.box


def test_lines_meet_ports() -> None:
    """A link enters a box right of its middle: the box stands so that the link is straight."""
    found = layered([Size(10, 10), Size(80, 30)], [Link(0, 1, into=25)])
    assert found.places[0][0] == pytest.approx(found.places[1][0] + 25)


def test_borders_are_first_and_last() -> None:
    boxes = [Size(20, 10), Size(20, 10), Size(2, 0, "top"), Size(2, 0, "top"), Size(2, 0, "bottom")]
    links = [Link(2, 0), Link(0, 1), Link(3, 1), Link(1, 4)]
    found = layered(boxes, links)
    tops = [top for _, top in found.places]
    assert tops[2] == tops[3] == 0
    assert tops[4] == found.height == max(tops)
    assert tops[0] < tops[1]


def test_columns_of_a_chain() -> None:
    boxes = [Size(60, 40)] * 30
    links = [Link(i, i + 1) for i in range(29)]
    columns = cut(boxes, links, list(range(29)))
    assert len(columns) > 1
    heights = [column.layers.height for column in columns]
    assert max(heights[:-1]) - min(heights[:-1]) <= 40 + GAPS.rank + 1
    joined = join(columns, list(range(29)))
    assert sorted(joined.places) == list(range(30))
    assert sorted(joined.routes) == list(range(29))
    assert 0.5 < joined.width / joined.height < 2.5
    for index, link in enumerate(links):  # also those that go from one column to the next
        start, end = joined.routes[index][0], joined.routes[index][-1]
        assert start == pytest.approx((joined.places[link.tail][0], joined.places[link.tail][1] + 40))
        assert end == pytest.approx(joined.places[link.head])


def test_a_scope_that_branches_is_not_cut_where_many_links_cross() -> None:
    wide = [Size(60, 40)] * 42
    links = [Link(lane + 6 * row, lane + 6 * (row + 1)) for row in range(6) for lane in range(6)]
    assert len(cut(wide, links, list(range(len(links))))) == 1


def test_links_of_the_border() -> None:
    boxes = [Size(60, 40)] * 30
    links = [Link(OUTSIDE, 0), *(Link(i, i + 1) for i in range(29)), Link(29, OUTSIDE)]
    joined = join(cut(boxes, links, list(range(31))), list(range(31)))
    assert joined.routes[0][0] == pytest.approx((joined.ins[0], 0))
    assert joined.routes[30][-1] == pytest.approx((joined.outs[30], joined.height))
