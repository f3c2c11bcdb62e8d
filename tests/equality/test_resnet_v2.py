"""ResNet v2 equals pytorchcv's (preresnet…) and timm's (resnetv2_…, with Big Transfer's), bit for bit."""

from __future__ import annotations

import pytest
from torch import nn

import archdsl
from tests.equality import checks, ours, reference

PYTORCHCV = "preresnet18 preresnet34 preresnet50 preresnet50b preresnet110_cifar10 preresnet164bn_cifar10".split()
TIMM = "resnetv2_50 resnetv2_101 resnetv2_50x1_bit resnetv2_50x3_bit".split()
# The same blocks, more of them or wider: names and shapes tell all there is to compare.
DEEPER = (
    "preresnet101 preresnet152 preresnet200 preresnet101b preresnet152b preresnet200b preresnet1001_cifar10 "
    "preresnet1202_cifar10 resnetv2_152 resnetv2_101x1_bit resnetv2_101x3_bit resnetv2_152x2_bit resnetv2_152x4_bit"
).split()
# One for each way through the spec.
ONE_EACH = (
    "preresnet18 preresnet50 preresnet50b preresnet110_cifar10 preresnet164bn_cifar10 resnetv2_50 resnetv2_50x1_bit"
).split()
SMALL = ["preresnet18", "preresnet50", "resnetv2_50x1_bit"]


def family(variant: str) -> str:
    return "preresnet" if variant.startswith("preresnet") else "resnet_v2"


def reference_model(variant: str, device: str = "cpu") -> nn.Module:
    if variant.startswith("resnetv2"):
        return reference.reference_model("timm", variant, device=device)
    model = reference.reference_model("pytorchcv", variant, device=device)
    # Its average pool is of a fixed size, which is the whole map at the original image size only.
    features = model.get_submodule("features")
    features.final_pool = nn.AdaptiveAvgPool2d(1)
    return model


@pytest.fixture(scope="class", params=[*PYTORCHCV, *TIMM])
def variant(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="class")
def pair(variant: str) -> checks.Pair:
    return reference_model(variant, "meta"), ours.empty_model(family(variant), variant)


class TestStructure(checks.Structure):
    SIZE = 65


@pytest.mark.parametrize("variant", ONE_EACH, indirect=True)
def test_operations(pair: checks.Pair) -> None:
    checks.assert_same_operations(pair)


@pytest.mark.parametrize("variant", DEEPER)
def test_state_dict_of_the_deeper(variant: str) -> None:
    assert reference.state(ours.empty_model(family(variant), variant)) == reference.state(
        reference_model(variant, "meta")
    )


@pytest.mark.parametrize("variant", SMALL)
def test_outputs(variant: str) -> None:
    theirs = reference.randomize(reference_model(variant))
    mine = ours.with_state_of(theirs, family(variant), variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


def test_outputs_on_cifar() -> None:
    """pytorchcv's smallest one, of 20 layers, is ours with another number of layers."""
    theirs = reference.randomize(reference_model("preresnet20_cifar10"), size=32)
    mine = archdsl.load("preresnet", "preresnet110_cifar10", layers=20)
    mine.load_state_dict(theirs.state_dict(), strict=True)
    assert checks.output_differences(theirs, mine, (32, 33)) == {32: 0.0, 33: 0.0}


def test_training_step() -> None:
    theirs = reference.randomize(reference_model("preresnet18"), size=64)
    mine = ours.with_state_of(theirs, "preresnet", "preresnet18", copy=True)
    checks.assert_same_training_step(theirs, mine, 64)
