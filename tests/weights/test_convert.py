"""`variant.convert`: a file under another library's names, and back. No number changes, nothing is half written."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from torch import Tensor

from archdsl import ArchError, Variant
from archdsl.weights import read_weights
from archdsl.weights.naming import namings
from tests.weights.specs import file

SPEC = """
model Net(classes: int = 5, aux: bool = false) {
  x = image(3, 8, 8) -> stem: [conv(4, 3, bias = false), bn] -> scale: layer_scale(1e-6)
  if aux { output aux_logits = x -> gap -> flatten -> aux.fc: linear(classes) }
  x -> gap -> flatten -> fc: linear(classes)
}
variant net = Net()
variant whole = Net(aux = true)

checkpoint timm for Net {
  "conv"            = "stem.0"
  "norm"            = "stem.1"
  "gamma" [C]       = "scale" [C, 1, 1]
  "head.fc"         = "fc"
  "aux"             = none
}
checkpoint authors for Net { "classifier" = "fc" }
reference torchvision for net
reference timm for net
reference pytorchcv for net {
  "its network has another activation."
  differs = ["keys"]
}
reference efficientnet_lite_pytorch for net { checkpoint = "authors" }
"""
TIMM = ["conv.weight", "norm.weight", "norm.bias", "norm.running_mean", "norm.running_var", "norm.num_batches_tracked",
        "gamma", "head.fc.weight", "head.fc.bias"]  # fmt: skip


def net(name: str = "net") -> Variant:
    return file(SPEC)[name]


def state(variant: Variant, dtype: torch.dtype = torch.float32) -> dict[str, Tensor]:
    torch.manual_seed(0)
    return {
        key: torch.tensor(7) if key.endswith("num_batches_tracked") else torch.randn(weight.shape).to(dtype)
        for key, weight, _ in variant.graph.state()
    }


def same(path: Path, expected: dict[str, Tensor]) -> bool:
    """Whether a file has these keys, shapes, dtypes and values."""
    found = read_weights(path).tensors
    return found.keys() == expected.keys() and all(
        (found[key].dtype, found[key].shape) == (value.dtype, value.shape) and torch.equal(found[key], value)
        for key, value in expected.items()
    )


def codes(raised: pytest.ExceptionInfo[ArchError]) -> list[str]:
    return [diagnostic.code for diagnostic in raised.value.diagnostics]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize(("there", "back"), [(".pth", ".safetensors"), (".safetensors", ".bin"), (".pt", ".pth")])
def test_there_and_back_is_the_same(tmp_path: Path, there: str, back: str, dtype: torch.dtype) -> None:
    own = state(net(), dtype)
    torch.save(own, tmp_path / "own.pth")
    done = net().convert(tmp_path / "own.pth", "timm", tmp_path / f"timm{there}")
    assert (done.names, done.to, done.tensors, done.renamed, done.reshaped) == ("torchvision", "timm", 9, 9, 1)
    written = read_weights(tmp_path / f"timm{there}").tensors
    assert sorted(written) == sorted(TIMM)
    assert written["gamma"].shape == (4,)
    done = net().convert(tmp_path / f"timm{there}", "torchvision", tmp_path / f"back{back}")
    assert (done.names, done.to) == ("timm", "torchvision")
    assert same(tmp_path / f"back{back}", own)


@pytest.mark.parametrize("to", ["own", "torchvision"])
def test_a_library_with_our_keys_is_a_target_as_we_are(tmp_path: Path, to: str) -> None:
    own = state(net())
    authors = {key.replace("fc.", "classifier."): tensor for key, tensor in own.items()}
    torch.save(authors, tmp_path / "a.pth")
    done = net().convert(tmp_path / "a.pth", to, tmp_path / "b.pth", "authors")
    assert (done.names, done.renamed) == ("authors", 2)
    assert same(tmp_path / "b.pth", own)


def test_whose_names_there_are() -> None:
    """Of each library that has the network, and of each map; a library by the map that its reference names."""
    found = {name: keymap.name for name, keymap in namings(net()).items()}
    assert found == {
        "own": "", "torchvision": "", "timm": "timm", "efficientnet_lite_pytorch": "authors", "authors": "authors"
    }  # fmt: skip
    assert list(namings(net().override({"classes": 7}))) == list(found)
    assert list(namings(net("whole"))) == ["own", "timm", "authors"]


def test_the_header_says_what_was_converted(tmp_path: Path) -> None:
    torch.save(state(net()), tmp_path / "own.pth")
    net().convert(tmp_path / "own.pth", "timm", tmp_path / "w.safetensors")
    with safe_open(tmp_path / "w.safetensors", "pt") as opened:
        assert opened.metadata() == {
            "format": "pt",
            "variant": "net",
            "names": "timm",
            "converted_from": "own.pth",
            "names_before": "torchvision",
        }


def test_what_has_no_counterpart_is_said(tmp_path: Path) -> None:
    torch.save(state(net("whole")), tmp_path / "whole.pth")
    net("whole").convert(tmp_path / "whole.pth", "timm", tmp_path / "timm.pth")
    done = net().convert(tmp_path / "timm.pth", "own", tmp_path / "own.pth")
    assert done.left_out == ("aux.fc.weight", "aux.fc.bias")
    assert set(read_weights(tmp_path / "own.pth").tensors) == set(state(net()))


def test_counts_that_the_file_lacks_are_lacking(tmp_path: Path) -> None:
    own = {key: tensor for key, tensor in state(net()).items() if not key.endswith("num_batches_tracked")}
    torch.save(own, tmp_path / "own.pth")
    done = net().convert(tmp_path / "own.pth", "timm", tmp_path / "w.pth")
    assert done.tensors == 8
    net().convert(tmp_path / "w.pth", "own", tmp_path / "back.pth")
    assert same(tmp_path / "back.pth", own)


def test_what_training_puts_around_is_said(tmp_path: Path) -> None:
    own = state(net())
    torch.save(
        {"model": own, "model_ema": {key: tensor + 1 for key, tensor in own.items()}, "epoch": 3}, tmp_path / "t"
    )
    with pytest.raises(ArchError) as raised:
        net().convert(tmp_path / "t", "timm", tmp_path / "w.pth")
    assert codes(raised) == ["E511"]
    net().convert(tmp_path / "t", "own", tmp_path / "w.pth", weights_set="ema")
    assert torch.equal(read_weights(tmp_path / "w.pth").tensors["fc.bias"], own["fc.bias"] + 1)
    torch.save({"state_dict": {f"module.{key}": tensor for key, tensor in own.items()}}, tmp_path / "t")
    done = net().convert(tmp_path / "t", "own", tmp_path / "w.pth")
    assert [note.partition(" of the file")[0] for note in done.notes] == [
        "the weights are the `state_dict`", "every key"
    ]  # fmt: skip
    assert same(tmp_path / "w.pth", own)


def test_other_classes_are_asked_for(tmp_path: Path) -> None:
    other = net().override({"classes": 21})
    torch.save(state(other), tmp_path / "own.pth")
    with pytest.raises(ArchError) as raised:
        net().convert(tmp_path / "own.pth", "timm", tmp_path / "w.pth")
    assert codes(raised) == ["E503", "E503"]
    assert "`--set classes=21`" in raised.value.diagnostics[0].notes[0]
    assert not (tmp_path / "w.pth").exists()
    other.convert(tmp_path / "own.pth", "timm", tmp_path / "w.pth")
    assert read_weights(tmp_path / "w.pth").tensors["head.fc.bias"].shape == (21,)


@pytest.mark.parametrize(
    ("to", "output", "code"),
    [
        ("tim", "w.pth", "E505"),
        ("pytorchcv", "w.pth", "E516"),
        ("timm", "w.h5", "E517"),
        ("timm", "w", "E517"),
        ("timm", "no/w.pth", "E607"),
    ],
)
def test_what_cannot_be(tmp_path: Path, to: str, output: str, code: str) -> None:
    torch.save(state(net()), tmp_path / "own.pth")
    with pytest.raises(ArchError) as raised:
        net().convert(tmp_path / "own.pth", to, tmp_path / output)
    assert codes(raised) == [code]
    assert [path.name for path in tmp_path.iterdir()] == ["own.pth"]


def test_a_refusal_says_why(tmp_path: Path) -> None:
    torch.save(state(net()), tmp_path / "own.pth")
    for given in ({"to": "pytorchcv"}, {"to": "timm", "checkpoint": "pytorchcv"}):
        with pytest.raises(ArchError) as raised:
            net().convert(tmp_path / "own.pth", output=tmp_path / "w.pth", **given)
        assert raised.value.diagnostics[0].help == "its network has another activation."


@pytest.mark.parametrize("what", ["a key is missing", "a key too many", "a shape", "whole numbers", "eight bits"])
def test_a_file_that_does_not_fit_is_not_converted(tmp_path: Path, what: str) -> None:
    own = state(net())
    match what:
        case "a key is missing":
            del own["scale"]
        case "a key too many":
            own["other"] = torch.zeros(2)
        case "a shape":
            own["scale"] = torch.zeros(4)
        case "whole numbers":
            own["fc.bias"] = own["fc.bias"].int()
        case "eight bits":
            own["fc.bias"] = own["fc.bias"].to(torch.float8_e4m3fn)
    torch.save(own, tmp_path / "own.pth")
    with pytest.raises(ArchError):
        net().convert(tmp_path / "own.pth", "timm", tmp_path / "w.pth")
    assert not (tmp_path / "w.pth").exists()


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_tensors_that_share_memory_are_written_apart(tmp_path: Path, suffix: str) -> None:
    """A part of a larger tensor would bring all of it along; safetensors refuses two in one place."""
    own = state(net())
    flat = torch.randn(100_000)
    own["fc.bias"], own["stem.1.bias"], own["stem.1.weight"] = flat[:5], flat[8:12], flat[8:12]
    torch.save(own, tmp_path / "own.pth")
    net().convert(tmp_path / "own.pth", "own", tmp_path / f"w{suffix}")
    assert same(tmp_path / f"w{suffix}", own)
    assert (tmp_path / f"w{suffix}").stat().st_size < 20_000


def test_a_file_may_replace_itself(tmp_path: Path) -> None:
    own = state(net())
    torch.save(own, tmp_path / "w.pth")
    net().convert(tmp_path / "w.pth", "timm", tmp_path / "w.pth")
    net().convert(tmp_path / "w.pth", "own", tmp_path / "w.pth")
    assert same(tmp_path / "w.pth", own)


def test_feature_maps_have_the_files_of_their_network(tmp_path: Path) -> None:
    from archdsl import find

    variant = find("squeezenet1_1")
    own = {key: torch.zeros(weight.shape) for key, weight, _ in variant.graph.state()}
    torch.save(own, tmp_path / "own.pth")
    done = variant.features().convert(tmp_path / "own.pth", "pytorchcv", tmp_path / "w.pth")
    assert done.tensors == len(own)
