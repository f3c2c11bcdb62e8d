"""Boxes on ranks: whatever the boxes and links, nothing overlaps, and every link begins and ends where it should."""

from __future__ import annotations

from itertools import combinations
from math import hypot

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.backends.diagram.graph.columns import cut, join
from archdsl.backends.diagram.layout import GAPS, Layout, Link, Size, _laid_out, laid_out
from archdsl.graph.parts import OUTSIDE

SLACK = 0.3
"""dot gives places in quarters of points, and five digits; `END` is how near to a box it ends a line, where links go
down; those up to earlier boxes, which networks hardly have, end less exactly."""
END, END_UP = 0.5, 3.0

boxes = st.builds(Size, st.floats(5, 200), st.floats(5, 200), st.just(""), st.just(False))
signs = st.floats(5, 30).map(lambda wide: Size(wide, wide, round=True))


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Size], list[Link]]:
    sizes = draw(st.lists(boxes | signs, min_size=1, max_size=14))
    pairs = [(a, b) for a in range(len(sizes)) for b in range(len(sizes)) if a != b]
    if draw(st.booleans()):
        pairs = [pair for pair in pairs if pair[0] < pair[1]]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=24, unique=True)) if pairs else []
    labels = draw(st.lists(st.sampled_from([0.0, 30.0]), min_size=len(chosen), max_size=len(chosen)))
    return sizes, [Link(a, b, label=label) for (a, b), label in zip(chosen, labels, strict=True)]


def boxes_of(found: Layout, given_sizes: list[Size]) -> list[tuple[float, float, float, float]]:
    return [
        (x - size.wide / 2, top, x + size.wide / 2, top + size.high)
        for (x, top), size in zip(found.places, given_sizes, strict=True)
    ]


@settings(deadline=None, max_examples=100)
@given(graphs())
def test_nothing_overlaps_and_links_hold(case: tuple[list[Size], list[Link]]) -> None:
    boxes, links = case
    found = laid_out(boxes, links)
    placed = boxes_of(found, boxes)
    for (l1, t1, r1, b1), (l2, t2, r2, b2) in combinations(placed, 2):
        assert r1 <= l2 + SLACK or r2 <= l1 + SLACK or b1 <= t2 + SLACK or b2 <= t1 + SLACK
    for left, top, right, bottom in placed:
        assert -SLACK <= left <= right <= found.width + SLACK
        assert -SLACK <= top <= bottom <= found.height + SLACK
    near = END if all(link.tail < link.head for link in links) else END_UP
    for link, route in zip(links, found.routes, strict=True):
        assert len(route) % 3 == 1
        assert on_border(route[0], placed[link.tail], boxes[link.tail].round, near)
        assert on_border(route[-1], placed[link.head], boxes[link.head].round, near)


def on_border(point: tuple[float, float], box: tuple[float, float, float, float], is_round: bool, near: float) -> bool:
    (x, y), (left, top, right, bottom) = point, box
    if is_round:
        return abs(hypot(x - (left + right) / 2, y - (top + bottom) / 2) - (right - left) / 2) <= near
    inside = left - near <= x <= right + near and top - near <= y <= bottom + near
    return inside and min(abs(x - left), abs(x - right), abs(y - top), abs(y - bottom)) <= near


@settings(deadline=None, max_examples=10)
@given(graphs())
def test_the_same_again(case: tuple[list[Size], list[Link]]) -> None:
    first = laid_out(*case)
    _laid_out.cache_clear()
    assert laid_out(*case) == first


def test_a_path_is_straight_and_its_shortcut_stands_beside_it() -> None:
    boxes = [Size(40, 14)] * 5
    links = [*(Link(i, i + 1) for i in range(4)), Link(0, 4)]
    found = laid_out(boxes, links)
    assert len({round(x, 6) for x, _ in found.places}) == 1
    middle = found.routes[-1][len(found.routes[-1]) // 2]
    assert abs(middle[0] - found.places[0][0]) >= 20 + GAPS.box / 2


def test_lines_meet_ports() -> None:
    """A link enters a box right of its middle: the box stands so that the link is straight."""
    found = laid_out([Size(10, 10), Size(80, 30)], [Link(0, 1, into=25)])
    assert found.places[0][0] == pytest.approx(found.places[1][0] + 25, abs=SLACK)
    assert {round(x, 1) for x, _ in found.routes[0]} == {round(found.routes[0][0][0], 1)}


def test_lines_that_are_one_are_drawn_once() -> None:
    found = laid_out([Size(40, 14)] * 2, [Link(0, 1, label=20), Link(0, 1)])
    assert found.routes[0] == found.routes[1]


def test_borders_are_first_and_last() -> None:
    boxes = [Size(20, 10), Size(20, 10), Size(2, 0, "top"), Size(2, 0, "top"), Size(2, 0, "bottom")]
    links = [Link(2, 0), Link(0, 1), Link(3, 1), Link(1, 4)]
    found = laid_out(boxes, links)
    tops = [top for _, top in found.places]
    assert tops[2] == tops[3] == pytest.approx(0, abs=SLACK)
    assert tops[4] == pytest.approx(found.height, abs=SLACK)
    assert tops[0] < tops[1]


@pytest.mark.parametrize("round_", [False, True])
def test_a_label_has_room_above_the_next_box(round_: bool) -> None:
    size = Size(13, 13, round=round_)
    tops = {label: laid_out([size, Size(40, 14)], [Link(0, 1, label=label)]).places[1][1] for label in (0.0, 30.0)}
    assert tops[0] == pytest.approx(13 + GAPS.rank, abs=SLACK)
    assert tops[30] == pytest.approx(13 + GAPS.rank + GAPS.label, abs=SLACK)


def test_a_long_link_spans_ranks() -> None:
    near, far = (laid_out([Size(40, 14)] * 2, [Link(0, 1, span=span)]) for span in (1, 3))
    assert far.height >= near.height + 2 * GAPS.port


def test_columns_of_a_chain() -> None:
    boxes = [Size(60, 40)] * 30
    links = [Link(i, i + 1) for i in range(29)]
    columns = cut(boxes, links, list(range(29)))
    assert len(columns) > 1
    heights = [column.layout.height for column in columns]
    assert max(heights[:-1]) - min(heights[:-1]) <= 40 + GAPS.rank + 1
    joined = join(columns, list(range(29)))
    assert sorted(joined.places) == list(range(30))
    assert sorted(joined.routes) == list(range(29))
    assert 0.5 < joined.width / joined.height < 2.5
    for index, link in enumerate(links):  # also those that go from one column to the next
        start, end = joined.routes[index][0], joined.routes[index][-1]
        assert start == pytest.approx((joined.places[link.tail][0], joined.places[link.tail][1] + 40), abs=SLACK)
        assert end == pytest.approx(joined.places[link.head], abs=SLACK)


def test_a_scope_that_branches_is_not_cut_where_many_links_cross() -> None:
    wide = [Size(60, 40)] * 42
    links = [Link(lane + 6 * row, lane + 6 * (row + 1)) for row in range(6) for lane in range(6)]
    assert len(cut(wide, links, list(range(len(links))))) == 1


def test_links_of_the_border() -> None:
    boxes = [Size(60, 40)] * 30
    links = [Link(OUTSIDE, 0), *(Link(i, i + 1) for i in range(29)), Link(29, OUTSIDE)]
    joined = join(cut(boxes, links, list(range(31))), list(range(31)))
    assert joined.routes[0][0] == pytest.approx((joined.ins[0], 0), abs=SLACK)
    assert joined.routes[30][-1] == pytest.approx((joined.outs[30], joined.height), abs=SLACK)


def test_lines_between_near_ranks_do_not_swing() -> None:
    """dot's own curves to two places on one frame go up to the box above, and through what is in the frame."""
    sizes = [Size(300, 60, frame=True), Size(250, 60, frame=True)]
    found = laid_out(sizes, [Link(0, 1, into=-90), Link(0, 1, into=30)])
    for route in found.routes:
        assert all(60 - END <= y <= found.places[1][1] + END for _, y in route)


def test_links_of_a_frame_meet_what_is_inside() -> None:
    """However many leave it, they go on from one point."""
    sizes = [Size(80, 30, frame=True), *[Size(40, 14)] * 4]
    found = laid_out(sizes, [Link(0, head) for head in (1, 2, 3, 4)])
    (x, top), ends = found.places[0], {route[0] for route in found.routes}
    assert all(end == pytest.approx((x, top + 30), abs=END) for end in ends)
