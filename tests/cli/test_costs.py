"""`--costs`, `--batch`, `--dtype` and `--device` of `show` and `sweep`."""

from __future__ import annotations

import csv
import io

import pytest

import archdsl
from archdsl.cli.costing import size, time
from archdsl.graph.devices import DEVICES
from tests.cli.conftest import Run


def test_one_network(arch: Run) -> None:
    found = arch("show", "resnet18", "--batch", "8", "--device", "a100", "--json").json["variant"]["costs"]
    costs = archdsl.find("resnet18").costs(batch=8)
    assert found["memory"] == costs.memory
    assert found["training"] == costs.training
    assert found["seconds"] == costs.seconds(DEVICES["a100"])
    assert found["intensity"] == costs.macs / costs.moved
    text = arch("show", "resnet18", "--batch", "8", "--device", "a100").out
    for words in ("costs of 8 images, float32", "inference  ", "at bn1", "MACs per byte", "on a100"):
        assert words in text


def test_stages_and_layers_have_columns_whose_totals_are_the_networks(arch: Run) -> None:
    costs = archdsl.find("resnet18").costs(batch=8)
    for flags in ((), ("--layers",)):
        lines = arch("show", "resnet18", *flags, "--batch", "8", "--device", "a100").out.splitlines()
        head, total = (
            next(line.split() for line in lines if line.startswith(word)) for word in (("stage", "path"), "total")
        )
        assert head[-4:] == ["memory", "moved", "MACs/B", "a100"]
        expected = [
            size(costs.memory),
            size(costs.moved),
            f"{costs.intensity:.1f}",
            time(costs.seconds(DEVICES["a100"])),
        ]
        assert " ".join(total).endswith(" ".join(expected))


def test_stages_and_layers_have_costs_in_json_that_add_up_to_those_of_the_network(arch: Run) -> None:
    shown = arch("show", "resnet18", "--batch", "8", "--device", "a100", "--json").json
    whole = shown["variant"]["costs"]
    for parts in (shown["stages"], shown["layers"][1:]):
        for figure in ("weights", "moved"):
            assert sum(part["costs"][figure] for part in parts) == whole[figure]
        assert sum(part["costs"]["seconds"] for part in parts) == pytest.approx(whole["seconds"], rel=1e-12)
        assert max(part["costs"]["memory"] for part in parts) == whole["memory"]
    (conv1,) = (layer["costs"] for layer in shown["layers"] if layer["path"] == "conv1")
    assert conv1["weights"] == 64 * 3 * 7 * 7 * 4
    assert conv1["moved"] == conv1["weights"] + 8 * 4 * (3 * 224 * 224 + 64 * 112 * 112)
    assert conv1["intensity"] == 8 * 64 * 3 * 7 * 7 * 112 * 112 / conv1["moved"]


def test_without_an_option_nothing_is_said_of_memory(arch: Run) -> None:
    assert "costs of" not in arch("show", "resnet18").out
    shown = arch("show", "resnet18", "--json").json
    assert not any("costs" in part for part in (shown["variant"], *shown["stages"], *shown["layers"]))


def test_several_networks_and_points_of_a_grid_have_columns(arch: Run) -> None:
    head = next(line for line in arch("show", "small.arch", "--costs").out.splitlines() if "MACs/B" in line)
    assert head.split()[-4:] == ["weights", "memory", "training", "MACs/B"]
    result = arch("sweep", "small.arch:small", "--set", "width=2,4", "--dtype", "float16", "--device", "t4", "--csv")
    names, *rows = csv.reader(io.StringIO(result.out))
    assert names[-7:] == ["weights_bytes", "memory", "saved", "training", "moved", "intensity", "seconds"]
    wide = archdsl.open("small.arch")["small"].set({"width": "4"}).costs(dtype="float16")
    assert rows[1][-7:-2] == [str(n) for n in (wide.weights, wide.memory, wide.saved, wide.training, wide.moved)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--device", "a1000"], "is no device: a100, h100"),
        (["--device", "t4", "--dtype", "bfloat16"], "t4 has no peak for bfloat16, but for float32, float16"),
        (["--batch", "0"], "'--batch'"),
        (["--dtype", "int8"], "'--dtype'"),
    ],
)
def test_refused(arch: Run, options: list[str], words: str) -> None:
    result = arch("show", "resnet18", *options)
    assert result.code == 2
    assert words in " ".join(result.err.split())
