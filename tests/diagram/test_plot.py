"""Plots without eyes: every point is where its numbers say, no name touches another or a point, none is lost."""

from __future__ import annotations

import itertools
import math
import random

import pytest

from archdsl.backends.diagram.plot import Mark, Panel, PlotAxis, _crosses, along, scatter
from archdsl.backends.diagram.style import look_of
from tests.diagram.picture import Picture

ACROSS, UP = (
    PlotAxis("cost", lambda value: f"{value:.3g}"),
    PlotAxis("accuracy", lambda value: f"{value:.3g}", linear=True),
)


def crowd(count: int, seed: int, groups: int = 3) -> list[Mark]:
    chance = random.Random(seed)
    cloud = [(10 ** chance.gauss(9, 0.7), chance.gauss(77, 4)) for _ in range(count)]
    return [Mark(x, y, f"network_{i}_{'x' * (i % 9)}", f"family{i % groups}") for i, (x, y) in enumerate(cloud)]


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize(("count", "joined"), [(1, False), (8, True), (40, False), (120, False)])
def test_names_touch_nothing_and_none_is_lost(count: int, joined: bool, columns: int) -> None:
    marks = crowd(count, count)
    drawing, left_out = scatter("plot", "t", marks, ACROSS, UP, columns=columns, joined=joined)
    picture = Picture(drawing.svg)
    labels = [text for text in picture.texts if text.text.startswith("network_")]
    points = [box for box in picture.boxes if box.kind == "mark"]
    assert sorted([text.text for text in labels] + left_out) == sorted(mark.label for mark in marks)
    assert len(points) == count
    frame = next(box for box in picture.boxes if box.kind == "frame")
    for one in labels:
        assert frame.holds(one)
    for one, other in itertools.combinations(labels, 2):
        assert not one.overlaps(other), (one.text, other.text)
    for label, point in itertools.product(labels, points):
        assert not label.overlaps(point), (label.text, point.id)
    if count <= 8:
        assert not left_out
    if joined:
        for line, label in itertools.product(picture.lines, labels):
            box = (label.left, label.top, label.right, label.bottom)
            if abs(line.points[0][0] - line.points[-1][0]) > 1 and abs(line.points[0][1] - line.points[-1][1]) > 1:
                assert not _crosses(line.points[0], line.points[-1], box)


def centres(svg: str) -> dict[str, tuple[float, float]]:
    points = [box for box in Picture(svg).boxes if box.kind == "mark"]
    return {box.id: ((box.left + box.right) / 2, (box.top + box.bottom) / 2) for box in points}


def test_an_axis_over_decades_is_logarithmic_and_accuracies_are_linear() -> None:
    marks = [Mark(10.0**n, 70.0 + n, f"net{n}", "g") for n in range(4)]
    places = centres(scatter("plot", "t", marks, ACROSS, UP)[0].svg)
    for axis in (0, 1):
        steps = [b[axis] - a[axis] for a, b in itertools.pairwise(places[f"net{n}"] for n in range(4))]
        assert max(steps) - min(steps) < 0.05
        assert (steps[0] > 0) == (axis == 0)
    near = centres(scatter("plot", "t", [Mark(x, 1, f"net{x}", "g") for x in (1, 2, 3)], ACROSS, UP)[0].svg)
    assert math.isclose(near["net2"][0] - near["net1"][0], near["net3"][0] - near["net2"][0], abs_tol=0.05)


@pytest.mark.parametrize("values", [[(1.0, 1.0)], [(5.0, 0.0), (5.0, 0.0)], [(0.0, 1.0), (1e12, 1.0)]])
def test_equal_values_and_zeros_are_drawn(values: list[tuple[float, float]]) -> None:
    marks = [Mark(x, y, f"n{i}", "g") for i, (x, y) in enumerate(values)]
    assert len(centres(scatter("plot", "t", marks, ACROSS, UP)[0].svg)) == len(values)


def test_names_are_texts() -> None:
    svg = scatter("plot", "a & <b>", [Mark(1, 1, '<"&\\N', "g"), Mark(2, 2, "b", "h")], ACROSS, UP)[0].svg
    assert {'<"&\\N', "b", "g", "h"} <= {text.text for text in Picture(svg).texts}


def test_columns_are_as_high_as_their_values() -> None:
    values = [0.0, 1.0, 4.0, 2.0]
    panels = [Panel("MACs", values, str), Panel("parameters", [3.0, 0, 0, 0], str)]
    looks = [look_of(role) for role in ("conv", "norm", "merge", "linear")]
    svg = along("n", "n along its depth", panels, looks, [("stem", 0, 1), ("layer1", 1, 4)]).svg
    columns = [box for box in Picture(svg).boxes if box.kind == "column"]
    heights = [box.bottom - box.top for box in columns]
    assert len(columns) == 4
    assert heights[1] / heights[0] == pytest.approx(4, rel=0.02)
    assert heights[2] / heights[0] == pytest.approx(2, rel=0.02)


def test_low_columns_stand_on_the_line() -> None:
    """Graphviz draws no box lower than 1.44 points: what is less than that stood below zero by half of the rest."""
    panels = [Panel("MACs", [1000.0, 500.0, 10.0, 2.0], str)]
    svg = along("n", "n", panels, [look_of("conv")] * 4, [("stem", 0, 4)]).svg
    bottoms = [box.bottom for box in Picture(svg).boxes if box.kind == "column"]
    assert len(bottoms) == 4
    assert bottoms == pytest.approx([bottoms[0]] * 4, abs=0.03)


@pytest.mark.parametrize(
    ("values", "marked"),
    [
        ([3, 5], ["3", "5"]),
        ([7, 3, 5, 3], ["3", "5", "7"]),
        ([0.5, 1, 2], ["0.5", "1", "2"]),
        ([*range(1, 31)], ["0", "5", "10", "15", "20", "25", "30"]),
    ],
)
def test_an_axis_of_choices_is_marked_at_these(values: list[float], marked: list[str]) -> None:
    across = PlotAxis.of("kernel", lambda value: f"{value:g}", values, linear=True)
    ticks = across.ticks(across.scale(values, 0, 400), 7, 4)
    assert [across.text(value) for value in ticks] == marked


def test_whole_numbers_are_marked_at_whole_numbers() -> None:
    across = PlotAxis.of("layers", lambda value: f"{value:g}", [100, *range(101, 116)])
    assert all(float(value).is_integer() for value in across.ticks(across.scale([100, 103], 0, 400), 8, 4))


def test_points_without_a_name_have_none() -> None:
    """They take no room from names, nor are they said to have had none."""
    marks = [*[Mark(1, 1, "", "g")] * 60, Mark(2, 2, "last", "g")]
    drawing, left_out = scatter("plot", "t", marks, ACROSS, UP, joined=True)
    assert left_out == []
    assert "last" in {text.text for text in Picture(drawing.svg).texts}
