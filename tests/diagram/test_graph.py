"""Level graph: everything is drawn once or counted, nothing overlaps, ids are paths, and what is open is as asked."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import combinations, pairwise
from pathlib import Path
from textwrap import dedent

import pytest

from archdsl.api import Variant, open_source
from archdsl.backends.diagram import Drawing, Options, engine
from archdsl.backends.diagram.graph import frames
from archdsl.diagnostics.core import ArchError
from archdsl.graph.fold import fold
from archdsl.source import Source
from tests.diagram.picture import Picture, Rect
from tests.shipped import families
from tests.shipped import named as variant

FAMILIES = families()
OTHERS = ("resnet50", "preresnet110_cifar10", "nasnetalarge", "efficientnet_lite0")
DEPTHS = (None, 9)


def spec(text: str) -> Variant:
    (made,) = open_source(Source("test.arch", dedent(text).strip() + "\n")).values()
    return made


@cache
def drawing(name: str, depth: int | None = None, expand: tuple[str, ...] = ()) -> Drawing:
    return variant(name).drawing("graph", Options(depth=depth, expand=expand))


@cache
def picture(name: str, depth: int | None = None, expand: tuple[str, ...] = ()) -> Picture:
    return Picture(drawing(name, depth, expand).svg)


def shown(found: Picture, kind: str) -> set[str]:
    return {box.id for box in found.boxes if box.kind == kind}


def texts(found: Picture) -> list[str]:
    return [text.text for text in found.texts]


# --- every picture ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_nothing_overlaps(name: str) -> None:
    found = picture(name)
    assert found.boxes
    assert found.lines
    assert list(found.problems()) == []
    assert list(nesting_problems(found)) == []


@pytest.mark.parametrize("name", ["resnet50", "densenet", "nasnetalarge", "efficientnet_lite0", "inception_v3", "van"])
@pytest.mark.parametrize("depth", [0, 3])
def test_nothing_overlaps_at_other_depths(name: str, depth: int) -> None:
    found = picture(name, depth)
    assert list(found.problems()) == []
    assert list(nesting_problems(found)) == []


def test_no_line_crosses_the_names_of_inputs() -> None:
    found = picture("nasnetalarge")
    names = [text for text in found.texts if text.text in ("previous", "current", "previous, current")]
    assert {name.text for name in names} == {"previous", "current", "previous, current"}
    points = [point for line in found.lines for point in line.points]
    assert [name.text for name in names if any(name.has(*point) for point in points)] == []


def nesting_problems(found: Picture) -> list[str]:
    """Frames that cross, and boxes outside the frame of the block they are in."""
    frames = [box for box in found.boxes if box.kind == "frame"]
    wrong = [
        f"{a.id} and {b.id} cross"
        for a, b in combinations(frames, 2)
        if a.overlaps(b) and not a.holds(b) and not b.holds(a)
    ]
    by_path = {frame.id: frame for frame in frames}
    for box in found.boxes:
        around = next((by_path[up] for up in _above(box.id) if up in by_path), None)
        if box.kind in ("op", "block", "frame") and around is not None and not around.holds(box):
            wrong.append(f"{box.id} is outside {around.id}")
    return wrong


def _above(path: str) -> list[str]:
    parts = path.split(".")
    return [".".join(parts[:end]) for end in range(len(parts) - 1, 0, -1)]


def test_the_check_of_frames_bites() -> None:
    found = picture("resnet50")
    frame = next(box for box in found.boxes if box.id == "layer2")
    found = Picture(drawing("resnet50").svg)
    found.boxes.remove(frame)
    found.boxes.append(replace(frame, bottom=frame.top + 20))
    assert any("outside layer2" in problem for problem in nesting_problems(found))


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
@pytest.mark.parametrize("depth", DEPTHS)
def test_every_node_is_drawn_once_or_counted(name: str, depth: int | None) -> None:
    made = drawing(name, depth)
    counted = sorted(node for nodes in made.covers.values() for node in nodes)
    assert counted == [node.id for node in variant(name).graph.nodes]


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_ids_are_paths(name: str) -> None:
    paths = {part.path for part in fold(variant(name).graph).root.walk()}
    found = picture(name)
    names = shown(found, "op") | shown(found, "block") | shown(found, "frame")
    assert {re.sub(r"^_(?=\d)", "", name) for name in names} <= paths


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "nasnetalarge", "efficientnet_b0", "inception_v3"])
def test_it_is_one_page(name: str) -> None:
    """About as wide as tall, and small enough to be printed on a sheet with text that can still be read."""
    wide, high = picture(name).size
    assert 0.3 < wide / high < 2.2
    assert wide * high < 1_100_000  # square points: text of 8 points stays above 5 on A4


def test_the_same_bytes() -> None:
    first, again = (variant("densenet121").drawing("graph").dot for _ in range(2))
    assert first == again
    assert drawing("densenet121").render("svg") == drawing("densenet121").render("svg")


# --- what is open ----------------------------------------------------------------------------


def test_depth() -> None:
    assert shown(picture("resnet50", 0), "block") == {f"layer{i}" for i in (1, 2, 3, 4)}
    deeper = picture("resnet50", 1)
    assert shown(deeper, "frame") == {f"layer{i}" for i in (1, 2, 3, 4)}
    assert shown(deeper, "block") == {f"layer{i}.{j}" for i in (1, 2, 3, 4) for j in (0, 1)}
    assert texts(deeper).count("×5") == 1


def test_expand() -> None:
    found = picture("resnet50", 1, ("layer3.1", "layer1.0.downsample"))
    assert {"layer3.1.conv1", "layer1.0.downsample.0"} <= shown(found, "op")
    assert "layer4.0" in shown(found, "block")
    assert shown(picture("resnet50", 1, ("layer3.4.conv2",)), "op") == shown(
        picture("resnet50", 1, ("layer3.1",)), "op"
    )


def test_expand_what_is_not_there() -> None:
    with pytest.raises(ArchError) as raised:
        variant("resnet50").drawing("graph", Options(expand=("layer3.1", "layr1", "zzz")))
    assert [d.code for d in raised.value.diagnostics] == ["E614", "E614"]
    assert "layer1" in str(raised.value)


def test_a_dense_block_of_the_paper_has_a_rail() -> None:
    """Each layer reads the concatenation of all before it; drawn, each concatenation reads the one before."""
    operands, lines = ["x"], []
    for i in range(12):
        lines.append(f"  f{i} = concat({', '.join(operands)}) -> conv{i}: conv(4, 3)")
        operands.append(f"f{i}")
    body = "\n".join(["  x = image(8, 32, 32)", *lines, f"  concat({', '.join(operands)})"])
    made = spec(f"model Dense {{\n{body}\n}}\nvariant dense = Dense")
    found = Picture(made.drawing("graph").svg)
    assert list(found.problems()) == []
    assert len([line for line in found.lines if line.points]) <= 40


def test_a_block_of_too_many_boxes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """What dot lays out together it lays out in time that grows with the square."""
    layers = " -> ".join(f"conv({width}, 3)" for width in range(3, 13))
    made = spec(f"model M() = image(3, 8, 8) -> {layers} -> gap -> flatten -> linear(2)\nvariant m = M()")
    assert made.drawing("graph").covers
    monkeypatch.setattr(frames, "MOST", 10)
    with pytest.raises(ArchError) as raised:
        made.drawing("graph")
    assert [d.code for d in raised.value.diagnostics] == ["E617"]
    assert "boxes in one block" in str(raised.value)


def test_places_need_an_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = spec("model M() = image(3, 8, 8) -> conv(4, 7) -> gap -> flatten -> linear(2)\nvariant m = M()")
    monkeypatch.setattr(engine, "embedded_program", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ArchError) as raised:
        made.drawing("graph")
    assert [d.code for d in raised.value.diagnostics] == ["E610"]
    assert "-o FILE.dot" not in str(raised.value)  # DOT has all places


# --- what it says ----------------------------------------------------------------------------


def test_shapes_stand_where_they_change() -> None:
    found = texts(picture("resnet50", 0))
    assert [text for text in found if "×" in text and text.replace("×", "").isdigit()] == [
        "64×112×112", "64×56×56", "256×56×56", "512×28×28", "1024×14×14", "2048×7×7", "2048×1×1",
    ]  # fmt: skip


def test_tooltips() -> None:
    svg = drawing("resnet50", 9).svg
    found = re.search(r'id="layer3.0.conv2"[^>]*>\s*<title>([^<]*)</title>', svg)
    assert found
    lines = found[1].replace("&#10;", "\n").split("\n")
    node = next(node for node in variant("resnet50").graph.nodes if node.path == "layer3.0.conv2")
    assert lines == [
        "layer3.0.conv2",
        "3×3 conv, 256, /2: 256×28×28 → 256×14×14",
        "receptive field 107×107, stride 16",
        f"{256 * 256 * 9:,} parameters, {256 * 256 * 9 * 14 * 14:,} MACs",
        f"resnet.arch:{node.span.line}",
    ]
    assert "layer3.1 … layer3.5" in svg


def test_drop_rates_of_a_run_are_told() -> None:
    found = texts(picture("convnext_tiny", 9))
    drops = [text for text in found if text.startswith("drop path") and "…" in text]
    rates = [tuple(map(float, re.findall(r"0\.\d+|0(?= …)", text))) for text in drops]
    assert rates
    assert all(low < high for low, high in rates)


def test_arrows_go_down_within_a_frame() -> None:
    """The first and last point of each link between boxes of one column: it ends below its beginning."""
    found = picture("resnet50", 9)
    places = {box.id: box for box in found.boxes}
    for above, below in pairwise(["layer2.1.conv1", "layer2.1.conv2", "layer2.1.conv3", "layer2.1.add1"]):
        assert places[above].bottom < places[below].top
        assert _middle(places[above]) == pytest.approx(_middle(places[below]), abs=0.5)  # the main path is straight


def _middle(box: Rect) -> float:
    return (box.left + box.right) / 2


def test_labels_of_a_spec_are_text() -> None:
    made = spec(
        r"""
        block B = conv: conv(4, 3) -> relu
        model M = image(3, 8, 8) -> b: B -> c: conv(4, 1) -> relu
        variant m = M
        """
    )
    for node in made.graph.nodes:
        node.name = '<b>"\\N' + node.name
        node.path = f'"><script>&{node.path}'
    svg = made.drawing("graph", Options(depth=9)).svg
    assert "<script" not in svg
    assert list(Picture(svg).problems()) == []
