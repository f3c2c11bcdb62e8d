"""SE-ResNet, SE-ResNeXt and SENet-154 equal timm's, and with the authors' structure its legacy ones, bit for bit.

pytorchcv's networks are the legacy ones but for a pool with padding, which is set here.
"""

from __future__ import annotations

import pytest
from torch import nn

import archdsl
from tests.equality import checks, mapped, ours, reference

VARIANTS = (
    "seresnet18 seresnet34 seresnet50 seresnet101 seresnet152 "
    "seresnext50_32x4d seresnext101_32x4d seresnext101_32x8d seresnext101_64x4d senet154"
).split()
LEGACY = (
    "legacy_seresnet18 legacy_seresnet34 legacy_seresnet50 legacy_seresnet101 legacy_seresnet152 "
    "legacy_seresnext26_32x4d legacy_seresnext50_32x4d legacy_seresnext101_32x4d legacy_senet154"
).split()
PYTORCHCV = {
    "seresnet50": "legacy_seresnet50",
    "seresnet101": "legacy_seresnet101",
    "seresnet152": "legacy_seresnet152",
    "seresnext50_32x4d": "legacy_seresnext50_32x4d",
    "seresnext101_32x4d": "legacy_seresnext101_32x4d",
    "senet154": "legacy_senet154",
}
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


def legacy_model(variant: str, device: str = "cpu") -> nn.Module:
    return mapped.Renamed(reference.reference_model("timm", variant, device=device), "senet", variant)


class TestLegacy(checks.Structure):
    @pytest.fixture(scope="class", params=LEGACY)
    @classmethod
    def variant(cls, request: pytest.FixtureRequest) -> str:
        name: str = request.param
        return name

    @pytest.fixture(scope="class")
    @classmethod
    def pair(cls, variant: str) -> checks.Pair:
        return legacy_model(variant, "meta"), ours.empty_model("senet", variant)

    def test_drop_rates(self, pair: checks.Pair) -> None:
        """timm calls the classifier's dropout as a function; its rate is the constructor's default."""
        _, mine = pair
        assert reference.drop_rates(mine, self.SIZE) == [0.2]


# The basic block, a bottleneck with its stride on either convolution, and the deep stem.
@pytest.mark.parametrize("variant", ["legacy_seresnet18", "legacy_seresnet50", "legacy_seresnext26_32x4d"])
def test_outputs_of_legacy(variant: str) -> None:
    theirs = reference.randomize(legacy_model(variant))
    assert checks.output_differences(theirs, ours.with_state_of(theirs, "senet", variant)) == {96: 0.0, 97: 0.0}


@pytest.mark.parametrize("variant", ["legacy_seresnet18", "legacy_seresnet50", "legacy_senet154"])
def test_operations_of_legacy(variant: str) -> None:
    checks.assert_same_operations((legacy_model(variant, "meta"), ours.empty_model("senet", variant)))


def pytorchcv_model(name: str, device: str = "cpu") -> nn.Module:
    theirs = mapped.any_size(reference.reference_model("pytorchcv", name, device=device), "features.final_pool")
    return mapped.Renamed(theirs, "senet", PYTORCHCV[name])


def padded(name: str) -> nn.Module:
    rate = "0.2" if name == "senet154" else "0.0"
    settings = {"pool": "maxpool(3, stride = 2)", "dropout_rate": rate}
    return archdsl.find("senet", PYTORCHCV[name]).set(settings).empty()


class TestPytorchcv(checks.Structure):
    @pytest.fixture(scope="class", params=PYTORCHCV)
    @classmethod
    def name(cls, request: pytest.FixtureRequest) -> str:
        name: str = request.param
        return name

    @pytest.fixture(scope="class")
    @classmethod
    def pair(cls, name: str) -> checks.Pair:
        return pytorchcv_model(name, "meta"), padded(name)

    def test_operations(self, pair: checks.Pair) -> None:
        checks.assert_same_operations(pair)


def test_outputs_of_pytorchcv() -> None:
    theirs = reference.randomize(pytorchcv_model("seresnet50"))
    mine = padded("seresnet50")
    mine.load_state_dict(theirs.state_dict(), strict=True, assign=True)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}
