"""ResNet, ResNeXt, Wide ResNet, DenseNet, ConvNeXt and EfficientNet equal torchvision's, bit for bit.

Expected values are torchvision's own: its models, and the parameter counts and GMACs that its weights declare.
"""

from __future__ import annotations

import gc

import pytest
import torch
from torch import nn

import archdsl
from tests.equality import ours, reference

FAMILIES = {
    "resnet": "resnet18 resnet34 resnet50 resnet101 resnet152 resnext50_32x4d resnext101_32x8d resnext101_64x4d "
    "wide_resnet50_2 wide_resnet101_2",
    "densenet": "densenet121 densenet161 densenet169 densenet201",
    "convnext": "convnext_tiny convnext_small convnext_base convnext_large",
    "efficientnet": "efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_b5 "
    "efficientnet_b6 efficientnet_b7",
}
FAMILY = {variant: family for family, variants in FAMILIES.items() for variant in variants.split()}
ONE_EACH = ("resnet18", "resnet50", "densenet121", "convnext_tiny", "efficientnet_b0")
EVEN, ODD = 96, 97  # padding and rounding errors can vanish at either

Pair = tuple[nn.Module, nn.Module]


@pytest.fixture(scope="class", params=FAMILY)
def variant(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture(scope="class")
def pair(variant: str) -> Pair:
    """torchvision's model and ours, without memory."""
    theirs = reference.reference_model("torchvision", variant, device="meta")
    return theirs, ours.empty_model(FAMILY[variant], variant)


class TestStructure:
    """On the meta device: no arithmetic, so that every variant is cheap to compare."""

    def test_state_dict(self, pair: Pair) -> None:
        theirs, mine = pair
        assert reference.state(mine) == reference.state(theirs)

    def test_published_counts(self, pair: Pair, variant: str) -> None:
        """torchvision's weights declare the number of parameters and the GMACs (3 decimals) at their crop size."""
        _, mine = pair
        weights = reference.import_torchvision().models.get_model_weights(variant).IMAGENET1K_V1
        assert sum(p.numel() for p in mine.parameters()) == weights.meta["num_params"]
        (crop,) = weights.transforms().crop_size
        assert round(reference.macs(mine, crop) / 1e9, 3) == weights.meta["_ops"]

    @pytest.mark.parametrize("size", [EVEN, ODD])
    def test_macs(self, pair: Pair, size: int) -> None:
        theirs, mine = pair
        assert reference.macs(mine, size) == reference.macs(theirs, size)

    def test_settings(self, pair: Pair) -> None:
        theirs, mine = pair
        assert reference.settings(mine) == reference.settings(theirs)

    @pytest.mark.parametrize("size", [EVEN, ODD])
    def test_operations(self, pair: Pair, size: int) -> None:
        theirs, mine = (reference.operations(model, size) for model in pair)
        # torchvision's DenseNet concatenates everything so far at each layer, ours what came in and what is new: the
        # same values from another number of operands. Their equality is test_outputs' matter.
        for seen in (theirs, mine):
            for operation in [o for o in seen if o[0] == "cat"]:
                del seen[operation]
        assert mine == theirs

    def test_drop_rates(self, pair: Pair) -> None:
        theirs, mine = pair
        assert reference.drop_rates(mine, ODD) == pytest.approx(reference.drop_rates(theirs, ODD), abs=1e-12)


@pytest.mark.parametrize(
    ("family", "variants"),
    [
        ("resnet", 10), ("densenet", 4), ("convnext", 4), ("efficientnet", 8), ("efficientnet_v2", 3), ("googlenet", 1),
        ("mobilenet_v2", 1), ("mobilenet_v3", 2), ("regnet", 14), ("shufflenet_v2", 4), ("squeezenet", 2),
    ],
)  # fmt: skip
def test_published_accuracies(family: str, variants: int) -> None:
    """Those that the specs record are torchvision's, of its first weights."""
    models = reference.import_torchvision().models
    file = archdsl.open(family)
    recorded = {name: file[name].published for name in file if name in models.list_models() and file[name].published}
    assert len(recorded) == variants
    for name, published in recorded.items():
        weights = models.get_model_weights(name).IMAGENET1K_V1
        assert float(published["top1"]) == weights.meta["_metrics"]["ImageNet-1K"]["acc@1"]


def test_outputs(variant: str) -> None:
    theirs = reference.randomize(reference.reference_model("torchvision", variant), size=EVEN)
    mine = ours.with_state_of(theirs, FAMILY[variant], variant)
    differences = {size: reference.compare(theirs, mine, size) for size in (EVEN, ODD)}
    del theirs, mine
    gc.collect()
    assert differences == {EVEN: 0.0, ODD: 0.0}


@pytest.mark.parametrize("variant", ONE_EACH, indirect=True)
def test_training_step(variant: str) -> None:
    """The same gradients and the same batch statistics, bit for bit."""
    theirs = reference.randomize(reference.reference_model("torchvision", variant), size=EVEN)
    mine = ours.with_state_of(theirs, FAMILY[variant], variant, copy=True)
    expected, actual = reference.train_step(theirs, EVEN), reference.train_step(mine, EVEN)
    assert actual.keys() == expected.keys()
    assert [key for key in expected if not torch.equal(actual[key], expected[key])] == []
