"""MobileNetV2 equals torchvision's at every width, and timm's with timm's names, bit for bit."""

from __future__ import annotations

import pytest
from torch import nn

from tests.equality import checks, ours, reference

WIDTHS = [0.25, 0.75, 1.0, 1.3]
TIMM = (
    "mobilenetv2_035 mobilenetv2_050 mobilenetv2_075 mobilenetv2_100 mobilenetv2_140 mobilenetv2_110d mobilenetv2_120d"
)


class TestWidths(checks.Structure):
    """torchvision's `width_mult`."""

    @pytest.fixture(scope="class", params=WIDTHS)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        width: float = request.param
        theirs = reference.reference_model("torchvision", "mobilenet_v2", device="meta", width_mult=width)
        return theirs, ours.empty_model("mobilenet_v2", "mobilenet_v2", width=width)


class TestTimm(checks.Structure):
    @pytest.fixture(scope="class", params=TIMM.split())
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        theirs = reference.reference_model("timm", variant, device="meta")
        return theirs, ours.empty_model("mobilenet_v2", variant)


def test_published_counts() -> None:
    checks.assert_declared_by_torchvision(ours.empty_model("mobilenet_v2", "mobilenet_v2"), "mobilenet_v2")


@pytest.mark.parametrize(("library", "variant"), [("torchvision", "mobilenet_v2"), ("timm", "mobilenetv2_110d")])
def test_operations(library: str, variant: str) -> None:
    theirs = reference.reference_model(library, variant, device="meta")
    checks.assert_same_operations((theirs, ours.empty_model("mobilenet_v2", variant)))


def randomized(library: str, variant: str) -> nn.Module:
    return reference.randomize(reference.reference_model(library, variant))


@pytest.mark.parametrize(
    ("library", "variant"),
    [("torchvision", "mobilenet_v2"), ("timm", "mobilenetv2_035"), ("timm", "mobilenetv2_110d")],
)
def test_outputs(library: str, variant: str) -> None:
    theirs = randomized(library, variant)
    mine = ours.with_state_of(theirs, "mobilenet_v2", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


def test_training_step() -> None:
    theirs = randomized("torchvision", "mobilenet_v2")
    checks.assert_same_training_step(theirs, ours.with_state_of(theirs, "mobilenet_v2", "mobilenet_v2", copy=True))
