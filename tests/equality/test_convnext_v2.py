"""ConvNeXt V2, and the first ConvNeXt at its small sizes, equal timm's, bit for bit."""

from __future__ import annotations

import copy

import pytest
from torch import nn

from tests.equality import checks, ours, reference

VARIANTS = (
    "convnextv2_atto convnextv2_femto convnextv2_pico convnextv2_nano convnextv2_tiny convnextv2_small convnextv2_base "
    "convnextv2_large convnextv2_huge convnext_atto convnext_femto convnext_pico convnext_nano convnext_tiny_hnf"
).split()
# One for each way through the spec, with fewer blocks: the others only repeat them.
ONE_EACH = ["convnextv2_atto", "convnextv2_tiny", "convnext_atto", "convnext_tiny_hnf"]
SHORT = [1, 2, 3, 1]


class TestStructure(checks.Structure):
    @pytest.fixture(scope="class", params=VARIANTS)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        theirs = reference.reference_model("timm", variant, device="meta")
        return theirs, ours.empty_model("convnext_v2", variant)


@pytest.mark.parametrize("variant", ONE_EACH)
def test_operations(variant: str) -> None:
    theirs = reference.reference_model("timm", variant, device="meta")
    mine = ours.empty_model("convnext_v2", variant)
    # Factors are C×1×1 or 1×C×1×1, and the response norm's axis is -1 or 3: one and the same.
    checks.assert_same_operations((theirs, mine), ignored=("mul", "addcmul", "mean"))


def test_stochastic_depth() -> None:
    """timm computes the rates in single precision."""
    theirs = reference.reference_model("timm", "convnextv2_nano", device="meta", drop_path_rate=0.3)
    mine = ours.empty_model("convnext_v2", "convnextv2_nano", drop_path_rate=0.3)
    expected = reference.drop_rates(theirs, 65)
    assert len(expected) == 13
    assert reference.drop_rates(mine, 65) == pytest.approx(expected, abs=1e-7)


def short_pair(variant: str) -> checks.Pair:
    theirs = reference.randomize(reference.reference_model("timm", variant, depths=SHORT))
    mine = ours.empty_model("convnext_v2", variant, depths=SHORT)
    mine.load_state_dict({key: value.clone() for key, value in theirs.state_dict().items()}, strict=True, assign=True)
    return theirs, mine


@pytest.mark.parametrize("variant", ONE_EACH)
def test_outputs(variant: str) -> None:
    assert checks.output_differences(*short_pair(variant)) == {96: 0.0, 97: 0.0}


def test_training_step() -> None:
    checks.assert_same_training_step(*short_pair("convnextv2_atto"))


def test_the_comparison_sees_the_response_norm() -> None:
    """Left out in one block."""
    theirs, _ = short_pair("convnextv2_atto")
    without = copy.deepcopy(theirs)
    without.set_submodule("stages.2.blocks.1.mlp.grn", nn.Identity())
    assert reference.compare(theirs, without, 96) > 1e-3
