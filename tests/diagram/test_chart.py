"""Curves: every point is where it belongs, and texts stay texts."""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree as ET

import pytest

from archdsl.backends.diagram.chart import Curve, CurvePanel, chart

SVG = "{http://www.w3.org/2000/svg}"


def points(svg: str) -> list[list[tuple[float, float]]]:
    found = []
    for path in ET.fromstring(svg).iter(f"{SVG}path"):
        pairs = re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", path.attrib["d"])
        found.append([(float(x), float(y)) for x, y in pairs])
    return found


@pytest.mark.parametrize("logarithmic", [False, True])
def test_curves_have_all_their_points_in_their_panel(logarithmic: bool) -> None:
    lines = [Curve("a <b>", [(n, 2.0**-n) for n in range(12)]), Curve("c", [(n, 1.0 + n) for n in range(12)])]
    svg = chart("t & u", [CurvePanel("loss", lines, logarithmic), CurvePanel("size", [Curve("d", [(0, 3), (11, 3)])])])
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
    svg = chart("t", [CurvePanel("p", [Curve(f"line {n}", [(0, 1), (9, 2 + n / 1000)]) for n in range(5)])])
    ys = sorted(float(t.attrib["y"]) for t in ET.fromstring(svg).iter(f"{SVG}text") if "line" in (t.text or ""))
    assert len(ys) == 5
    assert all(b - a > 6.5 for a, b in itertools.pairwise(ys))


def test_a_value_that_holds_until_the_next_is_a_step() -> None:
    svg = chart("t", [CurvePanel("p", [Curve("size", [(0, 1), (5, 2), (9, 2)], steps=True)])])
    assert re.search(r'd="M[\d. ]+H[\d.]+V[\d.]+H[\d.]+V', svg)


def test_one_epoch_and_numbers_that_are_none_are_drawn() -> None:
    svg = chart("t", [CurvePanel("p", [Curve("a", [(1, 2.0)]), Curve("b", [(1, float("nan"))])]), CurvePanel("q", [])])
    assert len(points(svg)) == 1


@pytest.mark.parametrize(
    ("axis", "xs", "ticks"),
    [
        ("epoch", (0, 3), ["0", "1", "2", "3"]),
        ("epoch", (0, 2000), ["0", "500", "1000", "1500", "2000"]),
        ("width", (1, 1.2), ["1", "1.05", "1.1", "1.15", "1.2"]),
        ("parameters", (20e6, 50e6), ["20M", "30M", "40M", "50M"]),
        ("top-1", (99.25, 99.85), ["99.3", "99.4", "99.5", "99.6", "99.7", "99.8"]),
        ("top-1", (99.2, 99.4), ["99.2", "99.225", "99.25", "99.275", "99.3", "99.325", "99.35", "99.375", "99.4"]),
    ],
)
def test_the_axis_says_what_it_is_in_full(axis: str, xs: tuple[float, float], ticks: list[str]) -> None:
    """Fractions of a knob have a place of their own, no digit is lost, and a number is not written as a power."""
    svg = chart("t", [CurvePanel("p", [Curve("a", [(x, 1.0) for x in xs])])], axis)
    found = [t.text or "" for t in ET.fromstring(svg).iter(f"{SVG}text") if t.attrib["text-anchor"] == "middle"]
    assert set(ticks) <= set(found)
    assert found[-1] == axis


def test_without_names_at_the_ends_the_panel_is_as_wide_as_the_page() -> None:
    def right(count: int) -> float:
        svg = chart("t", [CurvePanel("p", [Curve(f"{n}", [(0, 1), (9, 2)]) for n in range(count)])])
        frame = next(r.attrib for r in ET.fromstring(svg).iter(f"{SVG}rect") if r.attrib.get("stroke"))
        return float(frame["x"]) + float(frame["width"])

    assert right(1) > right(2) + 50
