"""The stage table: which rows there are, and what each counts."""

from __future__ import annotations

from textwrap import dedent

import pytest

import archdsl
from archdsl.api import open_source
from archdsl.graph.table import StageTable
from archdsl.source import Source


def table(text: str) -> StageTable:
    (variant,) = open_source(Source("test.arch", dedent(text).strip() + "\n")).values()
    return variant.table


def names(made: StageTable) -> list[str]:
    return [row.name for row in made.rows]


def test_transitions_are_one_row_each() -> None:
    made = archdsl.open("densenet")["densenet121"].table
    blocks = [f"features.denseblock{i}" for i in (1, 2, 3, 4)]
    transitions = [f"features.transition{i}" for i in (1, 2, 3)]
    between = [name for pair in zip(blocks, transitions, strict=False) for name in pair]
    assert names(made) == ["stem", *between, blocks[-1], "head"]
    transition = made.rows[2]
    # DenseNet, table 1: 1×1 convolution to half of 256 channels, 2×2 average pool to 28×28.
    assert str(transition.output) == "128×28×28"
    assert transition.params == 2 * 256 + 256 * 128
    assert transition.macs == 256 * 128 * 56 * 56
    assert made.rows[1].repeats == [(6, "DenseLayer")]


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "convnext_tiny", "efficientnet_b0"])
def test_totals_are_the_graph_s(name: str) -> None:
    variant = archdsl.find(name)
    assert (variant.table.params, variant.table.macs) == (variant.graph.params, variant.graph.macs)


def test_resnet_has_the_stages_of_the_paper() -> None:
    """Table 1 of He et al. (2015): output sizes and repeats of the 50-layer network."""
    rows = archdsl.find("resnet50").table.rows
    assert [(r.kind, r.output.height, r.repeats) for r in rows] == [
        ("stem", 56, []),
        ("stage", 56, [(3, "Bottleneck")]),
        ("stage", 28, [(4, "Bottleneck")]),
        ("stage", 14, [(6, "Bottleneck")]),
        ("stage", 7, [(3, "Bottleneck")]),
        ("head", 1, []),
    ]


def test_unlabelled_layers_between_stages_are_named_by_their_ends() -> None:
    made = table(
        """
        model Net = image(3, 8, 8) -> stage a: [conv(4, 3)] -> maxpool(3, stride = 2) -> relu -> stage b: [conv(4, 3)]
        variant net = Net()
        """
    )
    assert names(made) == ["a", "maxpool1 … relu1", "b"]


def test_a_model_without_stages_is_shown_by_its_parts() -> None:
    made = table(
        """
        model Net = image(3, 8, 8) -> conv(4, 3) -> relu -> body: [conv(4, 3), relu] -> gap -> flatten -> fc: linear(2)
        variant net = Net()
        """
    )
    assert names(made) == ["conv1", "body", "gap1", "fc"]
    assert {row.kind for row in made.rows} == {"part"}
    assert [row.params for row in made.rows] == [9 * 3 * 4 + 4, 9 * 4 * 4 + 4, 0, 4 * 2 + 2]


def test_the_output_of_a_part_is_that_of_what_its_name_says() -> None:
    """Upsampling of ESPCN (Shi et al., 2016): the convolution gives 4·r² channels, the shuffle r times the size."""
    made = table(
        """
        model Net = image(3, 8, 8) -> conv: conv(16, 3) -> relu -> pixel_shuffle(2) -> relu -> up: conv(8, 3, 2)
          -> resize(scale_factor = 4) -> flatten -> fc: linear(2)
        variant net = Net()
        """
    )
    assert [(row.name, str(row.output)) for row in made.rows] == [
        ("conv", "16×8×8"),
        ("pixel_shuffle1", "4×16×16"),
        ("up", "8×8×8"),
        ("resize1", "8×32×32"),
        ("flatten1", "8192"),
        ("fc", "2"),
    ]


def test_parallel_stages_are_one_row_each() -> None:
    made = table(
        """
        model Net {
          x = image(3, 8, 8)
          a = x -> stage left: [conv(4, 3), relu]
          b = x -> stage right: [conv(4, 3), relu]
          a + b -> gap -> flatten -> fc: linear(2)
        }
        variant net = Net()
        """
    )
    assert names(made) == ["left", "right", "head"]


def test_a_stage_around_stages_has_what_is_in_none_of_them() -> None:
    made = table(
        """
        block B = id + conv(8, 3)
        model Net = image(8, 8, 8) -> stage outer: [stage a: [2 of B], gap, stage b: [B, conv(8, 1)]]
          -> flatten -> linear(2)
        variant net = Net()
        """
    )
    assert [(row.name, row.kind, row.repeats, row.layers) for row in made.rows] == [
        ("outer.a", "stage", [(2, "B")], 2),
        ("outer", "stage", [], 0),
        ("outer.b", "stage", [(1, "B"), (1, "conv")], 2),
        ("head", "head", [], 1),
    ]


PAPERS = {
    # MobileNetV2, table 2: channels, repetitions, and the output's size.
    "mobilenet_v2:mobilenet_v2": [
        ("bottleneck1", 16, 112, 1), ("bottleneck2", 24, 56, 2), ("bottleneck3", 32, 28, 3), ("bottleneck4", 64, 14, 4),
        ("bottleneck5", 96, 14, 3), ("bottleneck6", 160, 7, 3), ("bottleneck7", 320, 7, 1),
    ],
    # MobileNetV3, table 1: bottlenecks of equal width and size.
    "mobilenet_v3_large": [
        ("bneck1", 16, 112, 1), ("bneck2", 24, 56, 2), ("bneck3", 40, 28, 3), ("bneck4", 80, 14, 4),
        ("bneck5", 112, 14, 2), ("bneck6", 160, 7, 3),
    ],
    # SqueezeNet, table 1: Fire modules between the pools; torchvision's sizes, which follow from no padding.
    "squeezenet1_0": [("stage1", 256, 54, 3), ("stage2", 512, 27, 4), ("stage3", 512, 13, 1)],
    # GoogLeNet, table 1.
    "googlenet": [("inception3", 480, 28, 2), ("inception4", 832, 14, 5), ("inception5", 1024, 7, 2)],
    # Inception v3, table 1 and figure 10: modules of a grid, with the one that makes it.
    "inception_v3": [("Mixed_5", 288, 35, 3), ("Mixed_6", 768, 17, 5), ("Mixed_7", 2048, 8, 3)],
    # Inception v4, figure 9, with the reductions.
    "inception_v4": [("inception_a", 384, 35, 4), ("inception_b", 1024, 17, 8), ("inception_c", 1536, 8, 4)],
    # NASNet-A 6 @ 4032: six normal cells a resolution, and the reductions.
    "nasnetalarge": [("stage1", 1008, 42, 6), ("stage2", 2016, 21, 7), ("stage3", 4032, 11, 7)],
}  # fmt: skip


@pytest.mark.parametrize("name", PAPERS)
def test_families_without_levels_have_the_stages_of_the_paper(name: str) -> None:
    """Channels, height and number of blocks of every stage but the stem."""
    rows = [row for row in archdsl.find(name).table.rows if row.kind == "stage" and row.name != "stem"]
    found = [(r.name, r.output.channels, r.output.height, sum(count for count, _ in r.repeats)) for r in rows]
    assert found == PAPERS[name]
