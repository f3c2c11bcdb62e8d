"""`archdsl plot`: what becomes a point, at which figures, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from archdsl.graph.devices import DEVICES
from tests.cli.conftest import Run


def test_published_accuracy_against_macs(arch: Run) -> None:
    """torchvision's page of ResNet-18: 69.758 %; of 50: 76.13 %."""
    document = arch("plot", "resnet", "-o", "-", "--json").json
    points = {point["name"]: point for point in document["points"]}
    assert (document["x"], document["y"]) == ("macs", "top1")
    assert points["resnet18"]["y"] == 69.758
    assert points["resnet50"]["y"] == 76.13
    assert points["resnet50"]["x"] == archdsl.find("resnet50").graph.macs
    assert document["text"].startswith("<svg")


def test_an_accuracy_stands_at_the_size_it_was_measured_at(arch: Run) -> None:
    points = arch("plot", "resnet18", "--weights", "-o", "-", "--json").json["points"]
    variant = archdsl.find("resnet18")
    by_file = {point["weights"]: point for point in points}
    assert by_file["timm/resnet18.a1_in1k"]["x"] == variant.for_image(size=288).graph.macs
    assert by_file["torchvision/resnet18.IMAGENET1K_V1"]["x"] == variant.graph.macs
    assert by_file["timm/resnet18.a1_in1k"]["y"] == 73.164


def test_along_a_knob(arch: Run) -> None:
    document = arch("plot", "small.arch:small", "--set", "width=2,4,8", "-o", "-", "--json").json
    assert [point["x"] for point in document["points"]] == [2, 4, 8]
    small = archdsl.open("small.arch")["small"]
    assert [point["y"] for point in document["points"]] == [small.set({"width": w}).graph.macs for w in ("2", "4", "8")]


def test_costs_and_a_device(arch: Run) -> None:
    options = ("--x", "seconds", "--y", "memory", "--device", "t4", "--batch", "8")
    points = arch("plot", "resnet18", *options, "-o", "-", "--json").json["points"]
    costs = archdsl.find("resnet18").costs(batch=8)
    assert [(point["x"], point["y"]) for point in points] == [(costs.seconds(DEVICES["t4"]), costs.memory)]


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf", "dot"])
def test_depth_in_every_format(arch: Run, suffix: str, tmp_path: Path) -> None:
    target = tmp_path / f"net.{suffix}"
    assert arch("plot", "small.arch:small", "--depth", "-o", str(target)).code == 0
    starts = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph"}
    assert target.read_bytes().startswith(starts[suffix])
    assert arch("plot", "small.arch:small", "--depth", "-o", str(target)).code == 0  # ours may be replaced


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["small.arch"], "error[E666]"),
        (["small.arch", "--y", "params", "--x", "params"], "both axes are params"),
        (["resnet18", "--y", "seconds"], "give --device"),
        (["resnet18", "--device", "t4"], "--device does nothing"),
        (["resnet18", "--depth", "--x", "params"], "--x does nothing with --depth"),
        (["resnet", "--depth"], "error[E603]"),
        (["resnet18", "--y", "params", "--weights"], "--weights does nothing"),
        (["small.arch:small", "--set", "width=2,4", "--y", "top1"], "no accuracy is published"),
        (["small.arch:small", "--set", "width=1..1200"], "error[E667]"),
        (["resnet18", "-o", "x.gif"], "no suffix that says the format"),
    ],
)
def test_refused(arch: Run, options: list[str], words: str) -> None:
    result = arch("plot", *options)
    assert result.code == 2
    assert words in " ".join(result.err.split())


def test_a_setting_that_is_no_text_is_refused(arch: Run) -> None:
    for command in ("plot", "sweep", "show"):
        result = arch(command, "small.arch:small", "--set", "width=\udcff")
        assert (result.code, result.out) == (2, "")
        assert "this is a string that is no Unicode text" in result.err
