"""MobileNetV3 equals torchvision's and, with timm's names, timm's: TensorFlow's padding, minimalistic, other widths."""

from __future__ import annotations

import pytest
from torch import nn

from tests.equality import checks, ours, reference

TORCHVISION = [("mobilenet_v3_large", 1.0), ("mobilenet_v3_large", 0.75), ("mobilenet_v3_small", 1.0)]
TIMM = "mobilenetv3_large_075 mobilenetv3_large_100 mobilenetv3_small_050 mobilenetv3_small_075 mobilenetv3_small_100"
TENSORFLOW = (
    "tf_mobilenetv3_large_075 tf_mobilenetv3_large_100 tf_mobilenetv3_large_minimal_100 "
    "tf_mobilenetv3_small_075 tf_mobilenetv3_small_100 tf_mobilenetv3_small_minimal_100"
)


class TestTorchvision(checks.Structure):
    """With torchvision's `width_mult`."""

    @pytest.fixture(scope="class", params=TORCHVISION)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant, width = request.param
        theirs = reference.reference_model("torchvision", variant, device="meta", width_mult=width)
        return theirs, ours.empty_model("mobilenet_v3", variant, width=width)


class TestTimm(checks.Structure):
    @pytest.fixture(scope="class", params=TIMM.split())
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        theirs = reference.reference_model("timm", variant, device="meta")
        return theirs, ours.empty_model("mobilenet_v3", variant)


class TestTensorFlow(checks.Structure):
    # timm computes the padding beforehand where the stride is 1, ours always as TensorFlow does.
    EXCEPT = frozenset({"padding"})

    @pytest.fixture(scope="class", params=TENSORFLOW.split())
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        theirs = reference.reference_model("timm", variant, device="meta")
        return theirs, ours.empty_model("mobilenet_v3", variant)


@pytest.mark.parametrize("variant", ["mobilenet_v3_large", "mobilenet_v3_small"])
def test_published_counts(variant: str) -> None:
    checks.assert_declared_by_torchvision(ours.empty_model("mobilenet_v3", variant), variant)


@pytest.mark.parametrize(
    ("library", "variant", "sizes"),
    [
        ("torchvision", "mobilenet_v3_large", (96, 97)),
        ("torchvision", "mobilenet_v3_small", (96, 97)),
        ("timm", "mobilenetv3_small_050", (96, 97)),
        # Where the padding is the same on both sides timm pads before the convolution, ours in it: at odd sizes.
        ("timm", "tf_mobilenetv3_large_100", (96, 128)),
        ("timm", "tf_mobilenetv3_small_minimal_100", (96, 128)),
    ],
)
def test_operations(library: str, variant: str, sizes: tuple[int, int]) -> None:
    theirs = reference.reference_model(library, variant, device="meta")
    checks.assert_same_operations((theirs, ours.empty_model("mobilenet_v3", variant)), sizes)


def randomized(library: str, variant: str) -> nn.Module:
    return reference.randomize(reference.reference_model(library, variant))


@pytest.mark.parametrize(
    ("library", "variant"),
    [
        ("torchvision", "mobilenet_v3_large"),
        ("timm", "mobilenetv3_small_050"),
        ("timm", "tf_mobilenetv3_small_075"),
        ("timm", "tf_mobilenetv3_small_minimal_100"),
    ],
)
def test_outputs(library: str, variant: str) -> None:
    theirs = randomized(library, variant)
    mine = ours.with_state_of(theirs, "mobilenet_v3", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


def test_training_step() -> None:
    theirs = randomized("torchvision", "mobilenet_v3_small")
    mine = ours.with_state_of(theirs, "mobilenet_v3", "mobilenet_v3_small", copy=True)
    checks.assert_same_training_step(theirs, mine)
