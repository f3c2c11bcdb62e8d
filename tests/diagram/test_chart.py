"""Curves: every point is where it belongs, and texts stay texts."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from archdsl.backends.diagram.chart import Line, Panel, chart

SVG = "{http://www.w3.org/2000/svg}"


def points(svg: str) -> list[list[tuple[float, float]]]:
    found = []
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        pairs = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path.attrib["d"])
        found.append([(float(x), float(y)) for x, y in pairs])
    return found


@pytest.mark.parametrize("logarithmic", [False, True])
def test_curves_have_all_their_points_in_their_panel(logarithmic: bool) -> None:
    lines = [Line("a <b>", [(n, 2.0**-n) for n in range(12)]), Line("c", [(n, 1.0 + n) for n in range(12)])]
    svg = chart("t & u", [Panel("loss", lines, logarithmic), Panel("size", [Line("d", [(0, 3), (11, 3)])])])
    first, second, third = points(svg)
    assert len(first) == len(second) == 12
    frames = [r.attrib for r in ET.fromstring(svg).iter(f"{SVG}rect") if r.attrib.get("stroke")]
    for curve, frame in ((first, frames[0]), (second, frames[0]), (third, frames[1])):
        left, top = float(frame["x"]), float(frame["y"])
        right, bottom = left + float(frame["width"]), top + float(frame["height"])
        assert all(left - 0.01 <= x <= right + 0.01 and top <= y <= bottom for x, y in curve)
    assert [y for _, y in first] == sorted(y for _, y in first)  # it falls
    steps = [b - a for (_, a), (_, b) in itertools.pairwise(first)]
    assert (max(steps) - min(steps) < 0.05) == logarithmic
    texts = [t.text for t in ET.fromstring(svg).iter(f"{SVG}text")]
    assert {"t & u", "a <b>", "c", "loss", "size", "epoch"} <= set(texts)


def test_names_at_the_ends_do_not_touch() -> None:
    svg = chart("t", [Panel("p", [Line(f"line {n}", [(0, 1), (9, 2 + n / 1000)]) for n in range(5)])])
    ys = sorted(float(t.attrib["y"]) for t in ET.fromstring(svg).iter(f"{SVG}text") if "line" in (t.text or ""))
    assert len(ys) == 5
    assert all(b - a > 6.5 for a, b in itertools.pairwise(ys))


def test_a_value_that_holds_until_the_next_is_a_step() -> None:
    svg = chart("t", [Panel("p", [Line("size", [(0, 1), (5, 2), (9, 2)], steps=True)])])
    assert re.search(r'd="M[\d. ]+H[\d.]+V[\d.]+H[\d.]+V', svg)


def test_one_epoch_and_numbers_that_are_none_are_drawn() -> None:
    svg = chart("t", [Panel("p", [Line("a", [(1, 2.0)]), Line("b", [(1, float("nan"))])]), Panel("q", [])])
    assert len(points(svg)) == 1
