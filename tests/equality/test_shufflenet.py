"""ShuffleNet V2 equals torchvision's and ShuffleNet pytorchcv's, bit for bit."""

from __future__ import annotations

import pytest
from torch import nn

from tests.equality import checks, mapped, ours, reference

V2 = "shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x1_5 shufflenet_v2_x2_0".split()
V1 = (
    "shufflenet_g1_w1 shufflenet_g2_w1 shufflenet_g3_w1 shufflenet_g4_w1 shufflenet_g8_w1 shufflenet_g1_w3d4 "
    "shufflenet_g3_w3d4 shufflenet_g1_wd2 shufflenet_g3_wd2 shufflenet_g1_wd4 shufflenet_g3_wd4"
).split()


def first_version(variant: str, device: str = "cpu") -> nn.Module:
    """pytorchcv's model, at any size."""
    return mapped.any_size(reference.reference_model("pytorchcv", variant, device=device), "features.final_pool")


class TestV2(checks.Structure):
    @pytest.fixture(scope="class", params=V2)
    @classmethod
    def variant(cls, request: pytest.FixtureRequest) -> str:
        name: str = request.param
        return name

    @pytest.fixture(scope="class")
    @classmethod
    def pair(cls, variant: str) -> checks.Pair:
        theirs = reference.reference_model("torchvision", variant, device="meta")
        return theirs, ours.empty_model("shufflenet_v2", variant)

    def test_published_counts(self, pair: checks.Pair, variant: str) -> None:
        checks.assert_declared_by_torchvision(pair[1], variant)


class TestV1(checks.Structure):
    @pytest.fixture(scope="class", params=V1)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        return first_version(variant, device="meta"), ours.empty_model("shufflenet_v1", variant)


@pytest.mark.parametrize("variant", ["shufflenet_v2_x1_0", "shufflenet_g1_w1", "shufflenet_g3_w1"])
def test_operations(variant: str) -> None:
    if variant in V2:
        pair = (
            reference.reference_model("torchvision", variant, device="meta"),
            ours.empty_model("shufflenet_v2", variant),
        )
    else:
        pair = first_version(variant, device="meta"), ours.empty_model("shufflenet_v1", variant)
    # The references shuffle by a view and a transposition, which are not counted, ours by torch's operation;
    # torchvision flattens by its last mean.
    checks.assert_same_operations(pair, ignored=("channel_shuffle", "mean"))


@pytest.mark.parametrize("variant", ["shufflenet_v2_x1_0", "shufflenet_v2_x2_0"])
def test_outputs(variant: str) -> None:
    theirs = reference.randomize(reference.reference_model("torchvision", variant))
    mine = ours.with_state_of(theirs, "shufflenet_v2", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


@pytest.mark.parametrize("variant", ["shufflenet_g1_wd2", "shufflenet_g3_w3d4", "shufflenet_g8_w1"])
def test_outputs_of_the_first_version(variant: str) -> None:
    theirs = reference.randomize(first_version(variant))
    mine = ours.with_state_of(theirs, "shufflenet_v1", variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


@pytest.mark.parametrize("variant", ["shufflenet_v2_x0_5", "shufflenet_g3_wd2"])
def test_training_step(variant: str) -> None:
    family = "shufflenet_v2" if variant in V2 else "shufflenet_v1"
    theirs = reference.reference_model("torchvision", variant) if variant in V2 else first_version(variant)
    reference.randomize(theirs)
    checks.assert_same_training_step(theirs, ours.with_state_of(theirs, family, variant, copy=True))
