"""`archdsl convert`: what it writes, says and refuses."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import archdsl
from archdsl.cli.documents.weights import ConvertDocument
from tests.cli.conftest import Run
from tests.cli.test_json import problems

CONVERT = ("convert", "own.pth", "--of", "squeezenet:squeezenet1_1", "--to")


@pytest.fixture
def own(arch: Run, tmp_path: Path) -> dict[str, torch.Tensor]:
    """The file own.pth of a variant that pytorchcv has by other names."""
    graph = archdsl.find("squeezenet1_1").graph
    state = {key: torch.zeros(weight.shape) for key, weight, _ in graph.state()}
    torch.save({"state_dict": state, "epoch": 1}, tmp_path / "own.pth")
    return state


def test_what_is_said_and_written(arch: Run, own: dict[str, torch.Tensor], tmp_path: Path) -> None:
    result = arch(*CONVERT, "pytorchcv", "-o", "there.safetensors")
    assert (result.code, result.out) == (0, "")
    assert result.err.splitlines() == [
        "note: own.pth: the weights are the `state_dict` of the file",
        f"own.pth: {len(own)} weights of squeezenet1_1 by the names of torchvision",
        f"there.safetensors: by the names of pytorchcv ({len(own)} have another name)",
    ]
    args = ("convert", "there.safetensors", "--of", "squeezenet1_1", "--to", "own", "-o", "back.pth", "--json")
    result = arch(*args)
    assert problems(result.json, ConvertDocument) == []
    assert (result.json["names"], result.json["to"], result.json["renamed"]) == ("pytorchcv", "own", len(own))
    back = torch.load(tmp_path / "back.pth", weights_only=True)
    assert {key: tensor.shape for key, tensor in back.items()} == {key: tensor.shape for key, tensor in own.items()}


def test_a_file_that_is_there_stays_unless_forced(arch: Run, own: dict[str, torch.Tensor], tmp_path: Path) -> None:
    (tmp_path / "there.pth").write_text("precious")
    result = arch(*CONVERT, "pytorchcv", "-o", "there.pth")
    assert (result.code, "--force" in result.err) == (2, True)
    assert (tmp_path / "there.pth").read_text() == "precious"
    assert arch(*CONVERT, "pytorchcv", "-o", "there.pth", "--force").code == 0
    assert len(torch.load(tmp_path / "there.pth", weights_only=True)) == len(own)


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        (("--to", "pytorchvc"), 2, "did you mean `pytorchcv`?"),
        (("--to", "x"), 2, "known are: own, torchvision, pytorchcv"),
        (("--to", "torchvision", "--from", "pytorchcv"), 1, "E501"),
        (("--to", "torchvision", "--set", "classes=7"), 1, "`--set classes=1000`"),
        (("--to", "torchvision", "-o", "w.onnx"), 2, "E517"),
        (("--to", "archdsl"), 2, "did you mean `own`?"),
        ((), 2, "--to"),
    ],
)
def test_how_it_ends(arch: Run, own: dict[str, torch.Tensor], args: tuple[str, ...], code: int, said: str) -> None:
    output = () if "-o" in args else ("-o", "w.pth")
    result = arch("convert", "own.pth", "--of", "squeezenet1_1", *output, *args)
    assert (result.code, said in result.err, result.out) == (code, True, ""), result


def test_published_weights_by_name(arch: Run, tmp_path: Path) -> None:
    from archdsl.weights import save_weights

    lines = 'checkpoint theirs for small { "head" = "fc" }\nweights own for small { v1: file = "v1.pth" }\n'
    with (tmp_path / "small.arch").open("a") as spec:
        spec.write(lines)
    model = archdsl.load("small.arch", "small")
    save_weights(archdsl.find("small.arch", "small"), model.state_dict(), tmp_path / "v1.pth")
    args = ("convert", "own/small.v1", "--of", "small.arch:small", "--to", "theirs", "-o", "w.pth")
    result = arch(*args)
    assert result.err.splitlines() == [
        "own/small.v1: 14 weights of small by the names of own",
        "w.pth: by the names of theirs (2 have another name)",
    ]
    result = arch(*args, "--force", "--from", "own")
    assert (result.code, "--from does nothing" in result.err) == (2, True)
