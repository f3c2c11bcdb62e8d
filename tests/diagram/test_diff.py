"""Level diff: that nothing is left out, nothing overlaps, no text is wider than its box, and the same every time."""

from __future__ import annotations

import re
from itertools import combinations
from typing import Literal

import pytest

import archdsl
from archdsl.backends.diagram import Drawing, Options, draw
from archdsl.backends.diagram.diff.across import Across
from archdsl.backends.diagram.diff.down import Down
from archdsl.backends.diagram.diff.looks import ADDED, AFTER, BEFORE, CHANGED, REMOVED, SAME
from archdsl.backends.diagram.diff.rows import INPUT, rows_of
from archdsl.backends.diagram.style import COLUMN, PAGE, lightness
from archdsl.graph.diff.compare import diff, distinct
from archdsl.steps import amendments, chain, draw_steps
from tests.diagram.picture import Picture

PAIRS = [
    ("resnet50", "resnext50_32x4d"),
    ("resnet50", "seresnet50"),
    ("mobilenet_v2", "mobilenet_v3_large"),
    ("convnext_tiny", "convnext_small"),
    ("resnet50", "convnext_tiny"),
    ("roadmap_inverted", "roadmap_moved_up"),
    ("resnet50", "resnetv2_50"),
    ("densenet121", "densenet161"),
    ("inception_v3", "inception_v4"),
    ("nasnetalarge", "resnet18"),
    ("mobilenetv3_large_100", "roadmap_width"),
    ("resnet34d", "regnety_120"),
]


def words(drawing: Drawing) -> list[str]:
    return [text.text for text in Picture(drawing.svg).texts]


def drawn(first: str, second: str, options: Options | None = None) -> Drawing:
    return draw("diff", archdsl.find(first).graph, archdsl.find(second).graph, options=options)


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("options", [Options(), Options(columns=1)], ids=["two columns", "one column"])
def test_every_picture(first: str, second: str, options: Options) -> None:
    drawing = drawn(first, second, options)
    after = archdsl.find(second).graph
    stages = [drawing.covers[key] for key in drawing.covers if key.startswith("stage-")]
    assert sorted(node for covered in stages for node in covered) == [node.id for node in after.nodes[1:]]

    picture = Picture(drawing.svg)
    assert len(picture.boxes) > len(stages)
    assert list(picture.problems()) == []
    assert picture.size[0] <= (PAGE if options.columns == 2 else COLUMN)
    assert drawing.dot == drawn(first, second, options).dot


@pytest.mark.parametrize("lay_out", [Across, Down])
def test_every_op_of_a_changed_block_is_there_once(lay_out: type[Across] | type[Down]) -> None:
    difference = diff(archdsl.find("resnet50").graph, archdsl.find("seresnet50").graph)
    change = distinct(difference, whole=True)[0]
    drawing = drawn("resnet50", "seresnet50", Options(direction="lr" if lay_out is Across else "tb"))
    block = change.example
    assert block.after
    ids = [key for key in drawing.covers if key.startswith("block0.0-")]
    assert sorted(n for key in ids for n in drawing.covers[key]) == sorted(node.id for node in block.after.nodes)
    added = {key.rpartition("-")[2] for key in ids if key.startswith("block0.0-added-")}
    path = block.after.path
    names = ("gap1", "fc1", "relu1", "fc2", "sigmoid1", "mul1")
    assert added == {f"{path}.se.{name}" for name in names}


def test_shortcuts_stay_where_norms_move() -> None:
    """Figure 4 of He et al. (2016): the identity of a pre-activation block goes from its input to its sum."""
    difference = diff(archdsl.find("resnet50").graph, archdsl.find("resnetv2_50").graph)
    (identity,) = [change for change in distinct(difference) if change.counts == (12, 12)]
    rows = rows_of(identity, 116, 100)
    assert [row.reads for row in rows if row.symbol == "+"] == [{INPUT: "same"}]
    assert all(not row.reads for row in rows if row.main and not row.symbol)


def test_what_changed_is_written_from_old_to_new() -> None:
    labels = words(drawn("resnet50", "resnext50_32x4d"))
    wanted = {"resnet50 → resnext50_32x4d", "groups 1 → 32", "out 64…512 → 128…1024"}
    # Table 1 of He et al. (2015): of 16 blocks the first of each stage has a projection.
    assert wanted | {f"{count} in layer1, layer2, layer3, layer4" for count in (4, 12)} <= set(labels)
    assert any("9 → 27" in text for text in words(drawn("convnext_tiny", "convnext_small")))


ROADMAP_TOP1 = (
    "76.13 78.82 79.36 79.51 78.28 80.50 80.64 79.92 80.35 80.57 80.57 80.47 80.62 81.27 81.41 81.47 81.97".split()
)
"""Table 10 of Liu et al. (2022)."""


def roadmap(columns: Literal[1, 2] = 2) -> Drawing:
    return draw_steps(amendments(archdsl.open("convnext_roadmap")), "convnext_roadmap", Options(columns))


def test_the_roadmap_has_a_row_for_each_step() -> None:
    steps = [key for key in roadmap().covers if key.startswith("step-")]
    assert len(steps) == len(ROADMAP_TOP1) == 17
    labels = words(roadmap())
    assert [label for label in labels if re.fullmatch(r"\d\d\.\d\d", label)] == ROADMAP_TOP1
    assert "groups 1 → 64…512" in next(label for label in labels if label.startswith("spatial conv"))
    assert {"dwconv kernel 5 → 7", "blocks 3, 4, 6, 3 → 3, 3, 9, 3", "2 × GELU", "2 × BN"} <= set(labels)
    dots = [box for box in Picture(roadmap().svg).boxes if box.kind == "dot"]
    assert len(dots) == 17
    assert max(dots, key=lambda dot: dot.left) is max(dots, key=lambda dot: dot.top)  # the last step, 81.97
    assert [step.variant.name for step in amendments(archdsl.open("convnext_roadmap")) if not step.leads_on] == [
        "roadmap_kernel9",
        "roadmap_kernel11",
    ]


@pytest.mark.parametrize("columns", [1, 2])
def test_nothing_of_a_sequence_overlaps(columns: Literal[1, 2]) -> None:
    picture = Picture(roadmap(columns).svg)
    assert list(picture.problems()) == []
    assert picture.size[0] <= (PAGE if columns == 2 else COLUMN)


def test_a_chain_of_any_networks() -> None:
    steps = chain([archdsl.find(name) for name in ("resnet18", "resnet50", "resnext50_32x4d")])
    labels = set(words(draw_steps(steps, "chain")))
    assert {"resnet18", "resnet50", "resnext50_32x4d", "blocks 2, 2, 2, 2 → 3, 4, 6, 3"} <= labels
    assert "conv2 out 64…512 → 128…1024, groups 1 → 32" in labels


def test_many_changes_are_merged_where_the_same_came_and_went() -> None:
    """MobileNetV3 (Howard et al., 2019, table 1) has squeeze-and-excitation in three of six resolutions."""
    labels = words(drawn("mobilenet_v2", "mobilenet_v3_large"))
    # Eight of its blocks have one; the first of each resolution, with a stride or another width, has no residual.
    assert {"3 in bneck3, bneck5, bneck6", "6 → 5 in bneck3, bneck5, bneck6"} <= set(labels)
    assert labels.count("global avg pool") == 3  # of both gates, and of the head
    assert labels.count("ReLU6 → ReLU or hard swish") == 8


def test_equal_networks_have_a_picture_too() -> None:
    assert {"resnet18", "11.7M", "1.81G", "="} <= set(words(drawn("resnet18", "resnet18")))


def test_the_looks_differ_in_grey_or_in_outline_and_sign() -> None:
    looks = (SAME, CHANGED, ADDED, REMOVED)
    for one, other in combinations(looks, 2):
        assert abs(lightness(one.fill) - lightness(other.fill)) > 8 or one.style != other.style
        assert one.name[0] != other.name[0]
    assert abs(lightness(BEFORE.fill) - lightness(AFTER.fill)) > 30


def test_a_residual_is_drawn_where_there_is_one() -> None:
    """Table 1 of Tan and Le (2019): of the 16 blocks of EfficientNet-B0 the first of each of the 7 stages has none."""
    picture = drawn("efficientnet_b0", "efficientnet_b4")
    labels = words(picture)
    assert {"1 in features.1", "6 in features.2 … features.7", "9 → 23 in features.2 … features.6"} <= set(labels)
    assert not any(" or 1×1 conv" in text for text in labels)
    assert labels.count("+") == 1


def test_a_depthwise_convolution_corresponds_to_a_depthwise_one() -> None:
    """Figure 4 of Sandler et al. (2018): MobileNet's block is the inverted one without the 1×1 expansion before it."""
    change = next(c for c in distinct(diff(*(archdsl.find(n).graph for n in ("mobilenet_v2", "mobilenetv1_100"))))[1:])
    pairs = [(op.before.word, op.after.word) for op in change.example.ops if op.before and op.after]
    assert ("dwconv", "dwconv") in pairs
    assert not {("dwconv", "conv"), ("conv", "dwconv")} & set(pairs)
    (gone,) = (op.before for op in change.example.ops if op.after is None and op.before and op.before.word == "conv")
    assert gone.path.endswith(".conv.0.0")


def test_what_moved_has_left_a_place() -> None:
    """Figure 3 of Liu et al. (2022): from (b) to (c) the depthwise layer moves up."""
    difference = diff(archdsl.find("roadmap_inverted").graph, archdsl.find("roadmap_moved_up").graph)
    rows = rows_of(distinct(difference, whole=True)[0], 116, 100)
    moved = [(row.status, row.number) for row in rows if row.tag == "spatial"]
    assert [status for status, _ in moved] == ["changed", "removed"]
    assert [row.lines[-1].text for row in rows if row.tag == "spatial"] == ["moved here", "moved"]


def test_a_branch_is_entered_at_its_first_layer_and_left_at_its_last() -> None:
    """Figure 3 of Hu et al. (2017): global pooling is first, the sigmoid last."""
    picture = Picture(drawn("resnet50", "seresnet50").svg)
    gates = [box for box in picture.boxes if box.id.endswith((".se.gap1", ".se.sigmoid1"))]
    assert len(gates) == 4  # of the form with a projection, and of the other
    for box in gates:
        x, end = (box.left, -1) if box.id.endswith("gap1") else (box.right, 0)
        ends = [line.points[end] for line in picture.lines]
        assert any(abs(px - x) < 6 and box.top < py < box.bottom for px, py in ends), box


@pytest.mark.parametrize("columns", [1, 2])
def test_a_sequence_says_every_setting_and_cost_in_either_width(columns: Literal[1, 2]) -> None:
    picture = Picture(roadmap(columns).svg)
    text = " ".join(box.text for box in picture.texts)
    assert len([box for box in picture.boxes if box.kind == "bar"]) == len(ROADMAP_TOP1)
    for step in amendments(archdsl.open("convnext_roadmap"))[1:]:
        assert all(setting.strip() in text for setting in step.note.split(", ")), step.note
    assert "more changes" not in text
