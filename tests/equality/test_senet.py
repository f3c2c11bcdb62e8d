"""SE-ResNet, SE-ResNeXt and SENet-154 equal timm's, bit for bit."""

from __future__ import annotations

import pytest
from torch import nn

from tests.equality import checks, ours, reference

VARIANTS = (
    "seresnet18 seresnet34 seresnet50 seresnet101 seresnet152 "
    "seresnext50_32x4d seresnext101_32x4d seresnext101_32x8d seresnext101_64x4d senet154"
).split()
SHORT = [2, 2, 1, 1]  # blocks of the stages: with and without projection, with and without stride


class TestStructure(checks.Structure):
    @pytest.fixture(scope="class", params=VARIANTS)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        return reference.reference_model("timm", variant, device="meta"), ours.empty_model("senet", variant)


def randomized(variant: str) -> nn.Module:
    """timm's network with fewer blocks: the large ones only repeat them."""
    return reference.randomize(reference.reference_model("timm", variant, layers=SHORT))


def short(theirs: nn.Module, variant: str, *, copy: bool = False) -> nn.Module:
    tensors = {key: value.clone() if copy else value for key, value in theirs.state_dict().items()}
    mine = ours.empty_model("senet", variant, depths=SHORT)
    mine.load_state_dict(tensors, strict=True, assign=True)
    return mine


@pytest.mark.parametrize("variant", ["seresnet18", "seresnext50_32x4d", "senet154"])
def test_operations(variant: str) -> None:
    theirs = reference.reference_model("timm", variant, device="meta")
    checks.assert_same_operations((theirs, ours.empty_model("senet", variant)))


@pytest.mark.parametrize("variant", ["seresnet18", "seresnext50_32x4d", "senet154"])
def test_outputs(variant: str) -> None:
    theirs = randomized(variant)
    assert checks.output_differences(theirs, short(theirs, variant)) == {96: 0.0, 97: 0.0}


def test_training_step() -> None:
    theirs = randomized("seresnet18")
    checks.assert_same_training_step(theirs, short(theirs, "seresnet18", copy=True))
