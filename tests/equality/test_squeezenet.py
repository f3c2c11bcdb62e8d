"""SqueezeNet equals torchvision's, with the simple bypass pytorchcv's, bit for bit.

No library has the paper's complex bypass; it is held against the simple one.
"""

from __future__ import annotations

import pytest
import torch
from torch import nn

from tests.equality import checks, mapped, ours, reference

TORCHVISION = ["squeezenet1_0", "squeezenet1_1"]
PYTORCHCV = ["squeezeresnet_v1_0", "squeezeresnet_v1_1"]
COMPLEX = "squeezenet1_0_complex_bypass"


def bypassed(variant: str, device: str = "cpu") -> nn.Module:
    """pytorchcv's model under our names, at any size."""
    theirs = mapped.any_size(reference.reference_model("pytorchcv", variant, device=device), "output.final_pool")
    return mapped.Renamed(theirs, "squeezenet", variant)


class TestStructure(checks.Structure):
    @pytest.fixture(scope="class", params=TORCHVISION)
    @classmethod
    def variant(cls, request: pytest.FixtureRequest) -> str:
        name: str = request.param
        return name

    @pytest.fixture(scope="class")
    @classmethod
    def pair(cls, variant: str) -> checks.Pair:
        theirs = reference.reference_model("torchvision", variant, device="meta")
        return theirs, ours.empty_model("squeezenet", variant)

    def test_published_counts(self, pair: checks.Pair, variant: str) -> None:
        checks.assert_declared_by_torchvision(pair[1], variant)


class TestBypassStructure(checks.Structure):
    @pytest.fixture(scope="class", params=PYTORCHCV)
    @classmethod
    def variant(cls, request: pytest.FixtureRequest) -> str:
        name: str = request.param
        return name

    @pytest.fixture(scope="class")
    @classmethod
    def pair(cls, variant: str) -> checks.Pair:
        return bypassed(variant, device="meta"), ours.empty_model("squeezenet", variant)


@pytest.mark.parametrize("variant", [*TORCHVISION, *PYTORCHCV])
def test_operations(variant: str) -> None:
    theirs = (
        bypassed(variant, device="meta")
        if variant in PYTORCHCV
        else reference.reference_model("torchvision", variant, device="meta")
    )
    checks.assert_same_operations((theirs, ours.empty_model("squeezenet", variant)))


@pytest.mark.parametrize("variant", TORCHVISION)
def test_outputs(variant: str) -> None:
    theirs = reference.randomize(reference.reference_model("torchvision", variant))
    mine = ours.with_state_of(theirs, "squeezenet", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


@pytest.mark.parametrize("variant", PYTORCHCV)
def test_bypass_outputs(variant: str) -> None:
    theirs = reference.randomize(bypassed(variant))
    mine = ours.with_state_of(theirs, "squeezenet", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


def test_training_step() -> None:
    theirs = reference.randomize(reference.reference_model("torchvision", "squeezenet1_1"))
    mine = ours.with_state_of(theirs, "squeezenet", "squeezenet1_1", copy=True)
    checks.assert_same_training_step(theirs, mine)


@torch.no_grad()
def test_complex_bypass() -> None:
    """Without its 1×1 bypasses it is the simple one: section 6 adds them where the number of channels changes."""
    simple = reference.randomize(bypassed("squeezeresnet_v1_0"))
    mine = ours.empty_model("squeezenet", COMPLEX).to_empty(device="cpu")
    added = {key: shape for key, shape in reference.state(mine).items() if ".bypass." in key}
    widths = {3: (96, 128), 5: (128, 256), 8: (256, 384), 10: (384, 512)}  # Fire2, 4, 6, 8
    expected = {f"features.{i}.bypass.weight": (out, channels, 1, 1) for i, (channels, out) in widths.items()}
    assert added == expected | {f"features.{i}.bypass.bias": (out,) for i, (_, out) in widths.items()}
    zeros = {key: torch.zeros(shape) for key, shape in added.items()}
    mine.load_state_dict(simple.state_dict() | zeros, strict=True)
    assert checks.output_differences(simple, mine) == {96: 0.0, 97: 0.0}
