"""`archdsl sweep`: the grid, its costs, and what it refuses."""

from __future__ import annotations

import csv
import io
from itertools import pairwise

import pytest

import archdsl
from archdsl.diagnostics.core import ArchError
from tests.cli.conftest import Run


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


def test_mobilenet_s_two_multipliers(arch: Run) -> None:
    """Millions of parameters (timm) and of multiply-adds (the authors' README)."""
    result = arch("sweep", "mobilenet_v2:mobilenetv2_100", "--set", "width=0.35,0.5,1.4", "--csv")
    assert result.code == 0
    head, *points = rows(result.out)
    assert head == ["width", "layers", "params", "macs", "activations"]
    assert [point[0] for point in points] == ["0.35", "0.5", "1.4"]
    assert [f"{int(point[2]) / 1e6:.2f}" for point in points] == ["1.68", "1.97", "6.11"]
    assert [f"{int(point[3]) / 1e6:.0f}" for point in points] == ["59", "97", "582"]


def test_every_combination_in_order(arch: Run) -> None:
    document = arch("sweep", "small.arch:small", "--set", "width=2,4", "--set", "classes=3,5", "--json").json
    assert [tuple(point["settings"].values()) for point in document["points"]] == [
        ("2", "3"), ("2", "5"), ("4", "3"), ("4", "5"),
    ]  # fmt: skip
    wide = document["points"][3]["variant"]
    expected = archdsl.open("small.arch")["small"].set({"classes": "5"}).graph
    assert (wide["params"], wide["macs"]) == (expected.params, expected.macs)


def test_a_scaling_rule(arch: Run) -> None:
    """The compound rule of Tan and Le (2019), section 3.3: MACs grow by about 2^phi; B0 is phi = 0."""
    below = rows(arch("sweep", "efficientnet_b0", "--set", "compound.phi=-1..1", "--csv").out)[1:]
    assert [row[0] for row in below] == ["-1", "0"]
    points = rows(arch("sweep", "efficientnet_b0", "--set", "compound.phi=0..4", "--csv").out)[1:]
    assert [point[0] for point in points] == ["0", "1", "2", "3"]
    macs = [int(point[3]) for point in points]
    assert macs[0] == archdsl.find("efficientnet_b0").graph.macs
    assert all(1.6 < after / before < 2.7 for before, after in pairwise(macs))
    by_spec = archdsl.find("efficientnet_phi1").graph
    assert (int(points[1][2]), macs[1]) == (by_spec.params, by_spec.macs)


def test_lists_and_images(arch: Run) -> None:
    result = arch("sweep", "resnet50", "--set", "depths=[3, 4, 6, 3], [3, 4, 23, 3]", "--image", "224,448x224", "--csv")
    points = rows(result.out)[1:]
    assert [point[:2] for point in points] == [
        ["[3, 4, 6, 3]", "224"], ["[3, 4, 6, 3]", "448x224"], ["[3, 4, 23, 3]", "224"], ["[3, 4, 23, 3]", "448x224"],
    ]  # fmt: skip
    assert [int(point[4]) for point in points[::2]] == [archdsl.find(n).graph.macs for n in ("resnet50", "resnet101")]
    convolutions = int(points[0][4]) - 2048 * 1000
    assert int(points[1][4]) - 2048 * 1000 == 2 * convolutions


def test_the_table(arch: Run) -> None:
    lines = [
        " ".join(line.split()) for line in arch("sweep", "small.arch:small", "--set", "width=2,4").out.splitlines()
    ]
    assert lines[0] == "width layers params MACs activations"
    assert lines[2].startswith("2 7 ")


def test_what_the_spec_refuses_is_left_out_and_said(arch: Run) -> None:
    result = arch("sweep", "small.arch:small", "--set", "width=0,4", "--csv")
    assert result.code == 1
    assert [row[0] for row in rows(result.out)] == ["width", "4"]
    assert "E302" in result.err
    document = arch("sweep", "small.arch:small", "--set", "width=0,4", "--json").json
    assert len(document["points"]) == 1
    assert [d["code"] for d in document["diagnostics"]] == ["E302"]


def test_every_combination_that_is_left_out_is_named(arch: Run) -> None:
    """An error that several have is said once, and of each of them: none is dropped in silence."""
    axes = ("--set", "classes=3,5", "--set", "width=0,4")
    result = arch("sweep", "small.arch:small", *axes, "--csv")
    assert result.err.count("E302") == 1
    assert "left out: 2 combinations: classes = 3, width = 0; classes = 5, width = 0" in " ".join(result.err.split())
    document = arch("sweep", "small.arch:small", *axes, "--json").json
    left_out = ["classes = 3, width = 0", "classes = 5, width = 0"]
    assert [d["items"] for d in document["diagnostics"]] == [left_out]
    assert len(document["points"]) + len(left_out) == 4
    many = arch("sweep", "small.arch:small", "--set", "width=0", "--set", "classes=1..40").err
    assert "left out: 39 combinations: " in many
    assert "and 29 more" in many


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("small.arch:small", "nothing varies"),
        ("small.arch:small --set width=1,,2", "empty value"),
        ("small.arch:small --set width=5..5", "is empty"),
        ("small.arch:small --set width=9..4", "is empty"),
        ("small.arch:small --set width=1 --set width=2", "set twice"),
        ("small.arch:small --set a.b.c=2", "not NAME=VALUE"),
        ("small.arch:small --set width=0..20000", "more than 10,000"),
        ("small.arch:small --image 16,x", "not a size"),
        ("small.arch:small --set wdith=2,3", "E119"),
        ("efficientnet_b0 --set compound.psi=1", "E102"),
        ("efficientnet_b0 --set compund.phi=1", "did you mean `compound`"),
        ("small.arch:small --set width=2,3 --csv --json", "give one"),
    ],
)
def test_what_cannot_be_swept(arch: Run, args: str, said: str) -> None:
    result = arch("sweep", *args.split())
    assert result.code == 2
    assert said in result.err
    assert result.err.count("E119") <= 1


@pytest.mark.parametrize("text", ["2, alpha = 5", "2, alpha=5", "2) + compound(phi = 3", "1)"])
def test_a_knobs_value_is_one_expression(arch: Run, text: str) -> None:
    result = arch("show", "efficientnet_b0", "--set", f"compound.phi={text}")
    assert (result.code, result.out) == (2, "")
    assert "E002" in result.err
    assert "--set compound.phi:1:" in result.err
    with pytest.raises(ArchError):
        archdsl.find("efficientnet_b0").set({f"compound.phi = {text}, beta": "1"})


def test_a_knob_can_be_set_for_every_command(arch: Run) -> None:
    by_knob = arch("show", "efficientnet_b0", "--set", "compound.phi=1", "--json").json["variant"]
    assert by_knob["macs"] == archdsl.find("efficientnet_phi1").graph.macs
