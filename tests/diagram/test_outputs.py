"""Pictures say what a network gives: outputs by name, where they come from; each tap is a line of its own."""

from __future__ import annotations

import pytest

import archdsl
from archdsl import api
from archdsl.backends.diagram import Options
from archdsl.backends.diagram.choices import Level
from archdsl.backends.diagram.lanes import starts
from archdsl.backends.diagram.page_data import page_data
from archdsl.graph.ir import Graph
from archdsl.source import Source
from tests.diagram.picture import Picture

DETECTOR = """
block Unit(width: int) = conv: conv(width, 3, stride = 2) -> bn: bn -> relu
block Head(out: int) = conv: conv(in.channels, 3) -> relu -> predict: conv(out, 3)
model Net {
  c2 = image(3, 64, 64) -> stem: Unit(8) -> stage layer1: Unit(8)
  c3 = c2 -> stage layer2: Unit(8)
  p3 = c3 -> inner3: conv(8, 1)
  p2 = (c2 -> inner2: conv(8, 1, stride = 2)) + p3
  for i, p in [p2, p3] {
    output p{i + 2} = p
    output cls{i + 2} = p -> cls.{i}: Head(5)
    output box{i + 2} = p -> box.{i}: Head(4)
  }
}
"""
NAMES = ["p2", "cls2", "box2", "p3", "cls3", "box3"]
TUPLE = """
model Net {
  x = image(3, 16, 16)
  y = x -> a: conv(4, 3)
  (x, y, y -> b: conv(8, 3))
}
"""
OPTIONS = [Options(1), Options(2), Options(2, "tb"), Options(1, "lr")]


def graph(text: str) -> Graph:
    return api.open_source(Source("test.arch", text)).only(None).graph


def picture(text: str, level: Level, options: Options | None = None) -> Picture:
    variant = api.open_source(Source("test.arch", text)).only(None)
    return Picture(variant.drawing(level, options).svg)


def tags(found: Picture) -> list[str]:
    """The names of outputs that a picture tells, in its order."""
    texts = [text.text for text in found.texts if text.text.startswith("→ ")]
    return [name for text in texts for name in text.partition(" · ")[0].removeprefix("→ ").split(", ")]


@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize(("text", "names"), [(DETECTOR, NAMES), (TUPLE, ["0", "1", "2"])], ids=["names", "tuple"])
def test_the_overview_names_every_output(options: Options, text: str, names: list[str]) -> None:
    found = picture(text, "overview", options)
    assert sorted(tags(found)) == sorted(names)
    assert list(found.problems()) == []


@pytest.mark.parametrize("depth", [1, 5])
@pytest.mark.parametrize(("text", "names"), [(DETECTOR, NAMES), (TUPLE, ["0", "1", "2"])], ids=["names", "tuple"])
def test_the_graph_names_every_output(depth: int, text: str, names: list[str]) -> None:
    """On what is drawn: the layer, or the closed block around it; a sum that is an output is no mere sign."""
    found = picture(text, "graph", Options(depth=depth))
    assert sorted(tags(found)) == sorted(names)
    assert list(found.problems()) == []


def test_an_only_result_has_no_name() -> None:
    for level in ("overview", "graph"):
        assert tags(picture("model Net = image(3, 8, 8) -> a: conv(4, 3) -> gap", level)) == []  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["googlenet_aux", "inception_v3_aux"])
def test_auxiliary_heads_of_the_families(name: str) -> None:
    graph = archdsl.find(name).graph
    for level in ("overview", "graph"):
        found = Picture(archdsl.find(name).drawing(level).svg)  # type: ignore[arg-type]
        assert sorted(tags(found)) == sorted(graph.output_names)
        assert list(found.problems()) == []


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_both_taps_of_the_auxiliary_heads_are_lines_of_their_own(options: Options) -> None:
    """GoogLeNet's heads see two tensors of one stage: nowhere do their lines run in one another."""
    found = Picture(archdsl.find("googlenet_aux").drawing("overview", options).svg)
    bent = [line for line in found.lines if len({round(x) for x, _ in line.points}) > 1]
    bent = [line for line in bent if len({round(y) for _, y in line.points}) > 1]
    first, second = sorted(bent, key=lambda line: -max(y for _, y in line.points))[:2]
    assert first.points[0] != second.points[0]
    shared = {(round(x), round(y)) for x, y in first.points} & {(round(x), round(y)) for x, y in second.points}
    assert len(shared) <= 2  # where they cross


def test_what_carries_one_tensor_begins_at_one_place() -> None:
    assert starts({(0, 2): "a", (0, 3): "a", (1, 3): "b"}) == [1, 1, 1]
    assert starts({(0, 2): "a", (0, 3): "b", (0, 4): "a", (0, 5): "c"}) == [0, 0.5, 0, 1]


def test_the_page_knows_them() -> None:
    data = page_data(graph(DETECTOR), Options())
    assert data["output"] == ("p2 8×8×8, cls2 5×8×8, box2 4×8×8, p3 8×8×8, cls3 5×8×8, box3 4×8×8")
    assert sorted(name for part in data["parts"] for name in part.get("gives", [])) == sorted(NAMES)


@pytest.mark.parametrize(("last", "said"), [("", True), ("  y -> gap -> flatten -> fc: linear(2)\n", False)])
def test_branches_side_by_side_are_no_chain(last: str, said: bool) -> None:
    """Three equal heads on one input; where one of them goes on, each stands for itself."""
    text = (
        "block U(w: int) = conv: conv(w, 3) -> relu\nmodel M {\n  x = image(3, 32, 32) -> stem: conv(8, 3, 2)\n"
        f"  output p1 = x -> a: U(8)\n  output p2 = x -> b: U(8)\n  y = x -> c: U(8)\n  output p3 = y\n{last}}}\n"
        "variant m = M()"
    )
    texts = [text.text.strip() for text in picture(text, "graph", Options(depth=99)).texts]
    assert ("×3 side by side" in texts) == said
    assert {"a", "b", "c"}.issubset(texts) != said
