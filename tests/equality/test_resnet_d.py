"""ResNet-D, -C and -T, and the sizes of ResNet and ResNeXt that only timm has, equal timm's, bit for bit."""

from __future__ import annotations

import pytest
import torch

import archdsl
from tests.equality import checks, ours, reference

FAMILIES = {
    "resnet_d": "resnet18d resnet34d resnet26d resnet50d resnet101d resnet152d resnet200d resnext50d_32x4d resnet50c "
    "resnet101c resnet152c resnet10t resnet14t resnet26t resnet50t",
    "resnet": "resnet26 resnext101_32x4d resnext101_32x16d resnext101_32x32d",
}
FAMILY = {variant: family for family, variants in FAMILIES.items() for variant in variants.split()}
# One for each way through the specs, with fewer blocks: the others only repeat them.
ONE_EACH = ["resnet18d", "resnet50d", "resnext50d_32x4d", "resnet50c", "resnet26t", "resnet26"]
SHORT = [2, 2, 1, 1]


class TestStructure(checks.Structure):
    @pytest.fixture(scope="class", params=FAMILY)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        return reference.reference_model("timm", variant, device="meta"), ours.empty_model(FAMILY[variant], variant)


@pytest.mark.parametrize("variant", ONE_EACH)
def test_operations(variant: str) -> None:
    theirs = reference.reference_model("timm", variant, device="meta")
    checks.assert_same_operations((theirs, ours.empty_model(FAMILY[variant], variant)))


def test_stochastic_depth() -> None:
    """What A1 and A2 of ResNet strikes back change in the network."""
    theirs = reference.reference_model("timm", "resnet50d", device="meta", drop_path_rate=0.05)
    expected = reference.drop_rates(theirs, 65)
    assert len(expected) == 15
    mine = ours.empty_model("resnet_d", "resnet50d", drop_path_rate=0.05)
    assert reference.drop_rates(mine, 65) == pytest.approx(expected, abs=1e-12)


def short_pair(variant: str) -> checks.Pair:
    theirs = reference.randomize(reference.reference_model("timm", variant, layers=SHORT))
    mine = ours.empty_model(FAMILY[variant], variant, depths=SHORT)
    mine.load_state_dict({key: value.clone() for key, value in theirs.state_dict().items()}, strict=True, assign=True)
    return theirs, mine


@pytest.mark.parametrize("variant", ONE_EACH)
def test_outputs(variant: str) -> None:
    assert checks.output_differences(*short_pair(variant)) == {96: 0.0, 97: 0.0}


def test_training_step() -> None:
    checks.assert_same_training_step(*short_pair("resnet18d"))


@pytest.mark.parametrize(("variant", "last"), [("resnet18d", "bn2"), ("resnet26t", "bn3"), ("resnet26", "bn3")])
def test_a_new_network_begins_without_its_blocks(variant: str, last: str) -> None:
    """timm's `zero_init_last`."""
    mine = archdsl.load(FAMILY[variant], variant)
    for path, module in mine.named_modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            expected = 0.0 if path.startswith("layer") and path.endswith(last) else 1.0
            assert torch.all(module.weight == expected), path
