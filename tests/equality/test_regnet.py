"""RegNet X and Y equal torchvision's and, through the map for its names, timm's, bit for bit.

Widths and depths come from the quantized linear rule on both sides.

Expected values are torchvision's own: its models, and the parameter counts and GMACs that its weights declare.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

import pytest
import torch
from torch import nn

from tests.equality import checks, mapped, ours, reference

X = "regnet_x_400mf regnet_x_800mf regnet_x_1_6gf regnet_x_3_2gf regnet_x_8gf regnet_x_16gf regnet_x_32gf"
Y = (
    "regnet_y_400mf regnet_y_800mf regnet_y_1_6gf regnet_y_3_2gf regnet_y_8gf regnet_y_16gf regnet_y_32gf "
    "regnet_y_128gf"
)
VARIANTS = [*X.split(), *Y.split()]
TIMM = (
    "regnetx_002 regnetx_004 regnetx_006 regnetx_040 regnetx_064 regnetx_120 regnety_002 regnety_006 regnety_008 "
    "regnety_040 regnety_064 regnety_080 regnety_120 regnety_640 regnety_2560"
).split()
SMALL = "regnet_x_400mf regnet_x_1_6gf regnet_y_400mf".split()


@pytest.fixture(scope="module", autouse=True)
def rule_on_the_cpu() -> Iterator[None]:
    """torchvision computes the widths with tensors, which the meta device cannot read back: do it on the CPU."""
    reference.import_torchvision()
    from torchvision.models.regnet import BlockParams

    original = BlockParams.from_init_params

    @functools.wraps(original)
    def on_the_cpu(*args: object, **kwargs: object) -> object:
        with torch.device("cpu"):
            return original(*args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BlockParams, "from_init_params", on_the_cpu)
        yield


def randomized(variant: str) -> nn.Module:
    return reference.randomize(reference.reference_model("torchvision", variant))


@pytest.fixture(scope="class", params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="class")
def pair(variant: str) -> checks.Pair:
    return reference.reference_model("torchvision", variant, device="meta"), ours.empty_model("regnet", variant)


class TestStructure(checks.Structure):
    def test_published_counts(self, pair: checks.Pair, variant: str) -> None:
        _, mine = pair
        weights = "IMAGENET1K_SWAG_LINEAR_V1" if variant == "regnet_y_128gf" else "IMAGENET1K_V1"
        checks.assert_declared_by_torchvision(mine, variant, weights)


@pytest.mark.parametrize("variant", SMALL)
def test_outputs(variant: str) -> None:
    theirs = randomized(variant)
    mine = ours.with_state_of(theirs, "regnet", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


@pytest.mark.parametrize("variant", SMALL, indirect=True)
def test_operations(pair: checks.Pair) -> None:
    checks.assert_same_operations(pair)


def test_training_step() -> None:
    theirs = randomized("regnet_y_400mf")
    checks.assert_same_training_step(theirs, ours.with_state_of(theirs, "regnet", "regnet_y_400mf", copy=True))


def timm_model(variant: str, device: str = "cpu") -> nn.Module:
    return mapped.Renamed(reference.reference_model("timm", variant, device=device), "regnet_timm", variant)


class TestTimm(checks.Structure):
    @pytest.fixture(scope="class", params=TIMM)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        return timm_model(variant, "meta"), ours.empty_model("regnet_timm", variant)


@pytest.mark.parametrize("variant", ["regnetx_004", "regnety_008"])
def test_outputs_of_timm(variant: str) -> None:
    theirs = reference.randomize(timm_model(variant))
    mine = ours.with_state_of(theirs, "regnet_timm", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


def test_timms_names_of_a_network_of_torchvision() -> None:
    """timm's RegNetX-800MF, which is torchvision's under other names."""
    theirs = mapped.Renamed(reference.reference_model("timm", "regnetx_008", device="meta"), "regnet", "regnet_x_800mf")
    assert reference.state(theirs) == reference.state(ours.empty_model("regnet", "regnet_x_800mf"))
