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
    # timm's squeeze-and-excitation averages over the dimensions (2, 3), ours over (-1, -2).
    IGNORED = frozenset({"mean"})

    @pytest.fixture(scope="class", params=TIMM.split())
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        theirs = reference.reference_model("timm", variant, device="meta")
        return theirs, ours.empty_model("mobilenet_v3", variant)


class TestTensorFlow(checks.Structure):
    # At an odd size TensorFlow's padding is symmetric: timm pads all the same, ours leaves it to the convolution.
    SIZES = (96, 128)
    IGNORED = frozenset({"mean"})

    @pytest.fixture(scope="class", params=TENSORFLOW.split())
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        theirs = reference.reference_model("timm", variant, device="meta")
        return theirs, ours.empty_model("mobilenet_v3", variant)

    def test_settings(self, pair: checks.Pair) -> None:
        """But for the padding, which timm computes beforehand where the stride is 1."""
        theirs, mine = (reference.settings(model) for model in pair)
        for settings in (*theirs.values(), *mine.values()):
            settings.pop("padding", None)
        assert mine == theirs


@pytest.mark.parametrize("variant", ["mobilenet_v3_large", "mobilenet_v3_small"])
def test_published_counts(variant: str) -> None:
    checks.assert_declared_by_torchvision(ours.empty_model("mobilenet_v3", variant), variant)


def randomized(library: str, variant: str) -> nn.Module:
    return reference.randomize(reference.reference_model(library, variant))


@pytest.mark.parametrize(
    ("library", "variant"),
    [
        ("torchvision", "mobilenet_v3_large"),
        ("timm", "mobilenetv3_small_050"),
        ("timm", "tf_mobilenetv3_large_075"),
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
