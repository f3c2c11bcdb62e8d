"""GoogLeNet and Inception v3 equal torchvision's without auxiliary heads; v4 and Inception-ResNet v2 equal timm's;
BN-Inception and, through the spec's map, Inception-ResNet v1 equal pytorchcv's.

Expected values are the libraries' own: their models, and what torchvision's weights declare.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest
from torch import nn

from tests.equality import checks, mapped, ours, reference


class Reference(NamedTuple):
    family: str
    library: str
    options: dict[str, Any]


WITHOUT_HEADS = {"aux_logits": False, "init_weights": False}
# The paper keeps 80 % before the classifier; timm's default is no dropout.
DROPOUT = {"drop_rate": 0.2}
VARIANTS = {
    "googlenet": Reference("googlenet", "torchvision", WITHOUT_HEADS),
    "inception_v3": Reference("inception_v3", "torchvision", WITHOUT_HEADS),
    "inception_v4": Reference("inception_v4", "timm", DROPOUT),
    "inception_resnet_v2": Reference("inception_resnet", "timm", DROPOUT),
    "bninception": Reference("bn_inception", "pytorchcv", {}),
    "inceptionresnetv1": Reference("inception_resnet", "pytorchcv", {}),
}


def reference_model(variant: str, device: str = "cpu") -> nn.Module:
    family, library, options = VARIANTS[variant]
    theirs = reference.reference_model(library, variant, device=device, **options)
    if library != "pytorchcv":
        return theirs
    return mapped.Renamed(mapped.any_size(theirs, "features.final_pool"), family, variant)


@pytest.fixture(scope="class", params=VARIANTS)
def variant(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="class")
def pair(variant: str) -> checks.Pair:
    return reference_model(variant, "meta"), ours.empty_model(VARIANTS[variant].family, variant)


class TestStructure(checks.Structure):
    def test_operations(self, pair: checks.Pair) -> None:
        checks.assert_same_operations(pair)


def test_published_counts_of_googlenet() -> None:
    checks.assert_declared_by_torchvision(ours.empty_model("googlenet", "googlenet"), "googlenet")


def test_published_counts_of_inception_v3() -> None:
    """torchvision declares the parameters of the network with its auxiliary head, whose counts are added here."""
    mine = ours.empty_model("inception_v3", "inception_v3")
    with_head = reference.reference_model("torchvision", "inception_v3", device="meta", init_weights=False)
    head = sum(p.numel() for p in with_head.get_submodule("AuxLogits").parameters())
    declared = reference.import_torchvision().models.get_model_weights("inception_v3").IMAGENET1K_V1.meta
    assert sum(p.numel() for p in mine.parameters()) + head == declared["num_params"]
    assert round(reference.macs(mine, 299) / 1e9, 3) == declared["_ops"]


def test_outputs(variant: str) -> None:
    theirs = reference.randomize(reference_model(variant))
    mine = ours.with_state_of(theirs, VARIANTS[variant].family, variant)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


def test_training_step_of_googlenet() -> None:
    theirs = reference.randomize(reference_model("googlenet"))
    mine = ours.with_state_of(theirs, "googlenet", "googlenet", copy=True)
    checks.assert_same_training_step(theirs, mine)
