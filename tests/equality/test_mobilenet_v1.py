"""MobileNet equals timm's (ReLU6) and, through the spec's map, pytorchcv's (ReLU) at every width, bit for bit."""

from __future__ import annotations

import pytest
from torch import nn

from tests.equality import checks, mapped, ours, reference

TIMM = "mobilenetv1_100 mobilenetv1_125 mobilenetv1_100h".split()
PYTORCHCV = "mobilenet_w1 mobilenet_w3d4 mobilenet_wd2 mobilenet_wd4".split()


def reference_model(variant: str, device: str = "cpu") -> nn.Module:
    """timm's model, or pytorchcv's under our names and at any size."""
    if variant in TIMM:
        return reference.reference_model("timm", variant, device=device)
    theirs = reference.reference_model("pytorchcv", variant, device=device)
    return mapped.Renamed(mapped.any_size(theirs, "features.final_pool"), "mobilenet_v1", variant)


class TestStructure(checks.Structure):
    @pytest.fixture(scope="class", params=[*TIMM, *PYTORCHCV])
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        return reference_model(variant, device="meta"), ours.empty_model("mobilenet_v1", variant)


@pytest.mark.parametrize("variant", ["mobilenetv1_100h", "mobilenet_wd4"])
def test_operations(variant: str) -> None:
    theirs = reference_model(variant, device="meta")
    checks.assert_same_operations((theirs, ours.empty_model("mobilenet_v1", variant)))


@pytest.mark.parametrize("size", [192, 160, 128])
def test_resolution(size: int) -> None:
    """The resolution multiplier changes the cost and nothing else."""
    theirs = reference_model("mobilenet_w1", device="meta")
    mine = ours.empty_model("mobilenet_v1", f"mobilenet_w1_{size}")
    assert reference.state(mine) == reference.state(theirs)
    assert reference.macs(mine, size) == reference.macs(theirs, size)


@pytest.mark.parametrize("variant", ["mobilenetv1_100", "mobilenetv1_100h", "mobilenet_wd2"])
def test_outputs(variant: str) -> None:
    theirs = reference.randomize(reference_model(variant))
    mine = ours.with_state_of(theirs, "mobilenet_v1", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


def test_training_step() -> None:
    theirs = reference.randomize(reference_model("mobilenet_wd4"))
    mine = ours.with_state_of(theirs, "mobilenet_v1", "mobilenet_wd4", copy=True)
    checks.assert_same_training_step(theirs, mine)
