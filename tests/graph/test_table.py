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
    assert names(made) == ["conv1", "body", "fc"]
    assert {row.kind for row in made.rows} == {"part"}
    assert [row.params for row in made.rows] == [9 * 3 * 4 + 4, 9 * 4 * 4 + 4, 4 * 2 + 2]


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
