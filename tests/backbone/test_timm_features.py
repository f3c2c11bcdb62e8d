"""`features=True` gives what timm's `features_only=True` gives: reductions 2 to 32, channels, and the values."""

from __future__ import annotations

import functools

import pytest
import torch
from torch import nn

import archdsl
from archdsl.diagnostics.core import ArchError
from archdsl.graph.backbone import feature_info
from archdsl.graph.reference import Reference
from archdsl.variant import Variant
from archdsl.verify.libraries import built
from archdsl.verify.randomize import give_memory, randomize
from archdsl.weights.loading import import_keys
from tests import shipped
from tests.libraries import declare_operators

# What timm takes elsewhere, and where: docs/python.md says so. These are the paths of its maps here.
ELSEWHERE = {
    "inception_v4": ("features.2", "features.3", "inception_a", "inception_b", "inception_c"),
    "inception_resnet_v2": ("conv2d_2b", "conv2d_4a", "repeat", "repeat_1", "conv2d_7b"),
}
# Where timm's map has our channels and our size, but other values: with a norm or an activation more, or less.
OTHER_VALUES = {"densenet": {4}, "nasnet": {0, 2, 3, 4}}


@functools.cache
def references() -> dict[str, list[tuple[Variant, Reference]]]:
    """Variants that are held against timm, by family, the cheapest first."""
    declare_operators()
    found: dict[str, list[tuple[Variant, Reference]]] = {}
    for family, variant in shipped.variants():
        pairs = [(variant, reference) for reference in variant.references if reference.library == "timm"]
        found.setdefault(family, []).extend(pairs[:1])
    return {family: sorted(pairs, key=lambda pair: pair[0].graph.macs) for family, pairs in found.items() if pairs}


def arguments(reference: Reference) -> dict[str, object]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in reference.arguments.items()}


@pytest.mark.parametrize("family", references())
def test_reductions_and_channels(family: str) -> None:
    for variant, reference in references()[family]:
        theirs = built("timm", reference.model, {"features_only": True}).feature_info
        ours = feature_info(variant.graph, ELSEWHERE.get(variant.name, variant.features().names))
        assert (ours.reduction(), ours.channels()) == (theirs.reduction(), theirs.channels()), variant.name


@pytest.mark.parametrize("family", references())
def test_values(family: str) -> None:
    """Bit for bit, of the cheapest network of each family that has timm's weights."""
    variant, reference = next(pair for pair in references()[family] if not pair[1].refuses)
    names = built("timm", reference.model, {"features_only": True}).feature_info.module_name()
    theirs = give_memory(built("timm", reference.model, arguments(reference)))
    randomize(theirs, size=96)
    maps: dict[str, torch.Tensor] = {}

    def kept(name: str, module: nn.Module) -> None:
        # A clone: what follows may work in place.
        module.register_forward_hook(lambda _, __, output: maps.update({name: output.clone()}))

    for name in names:
        kept(name, theirs.get_submodule(name))
    chosen = variant.features(ELSEWHERE.get(variant.name))
    ours = chosen.empty().eval()
    known = ours.state_dict()
    found = import_keys(variant, theirs.state_dict(), None)
    ours.load_state_dict({key: value.clone() for key, value in found.items() if key in known}, assign=True)
    for size in (96, 97):
        x = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(size))
        with torch.inference_mode():
            theirs(x)
            expected, actual = [maps[name] for name in names], list(ours(x).values())
        other = {number for number, (a, b) in enumerate(zip(expected, actual, strict=True)) if not torch.equal(a, b)}
        assert other == OTHER_VALUES.get(family, set())


def test_stems() -> None:
    """Numbers count these maps too, and they are part of what a whole model says of its maps."""
    resnet = archdsl.find("resnet18")
    assert resnet.features().names == ("relu1", "layer1", "layer2", "layer3", "layer4")
    assert resnet.features([0, -1]).names == ("relu1", "layer4")
    model = archdsl.load("resnet18", device="meta")
    assert model.feature_info.reduction() == [2, 4, 8, 16, 32]
    maps = archdsl.load("resnet18", features=[0])(torch.zeros(1, 3, 33, 32))
    assert {name: tuple(value.shape) for name, value in maps.items()} == {"relu1": (1, 64, 17, 16)}
    assert archdsl.find("convnext_tiny").features().graph.output_names[0] == "features.1"  # it has none of stride 2


@pytest.mark.parametrize("name", ["resnet18", "tf_efficientnet_lite0", "mobilenetv3_small_100", "regnetx_002"])
def test_with_another_output_stride(name: str) -> None:
    """As many maps as without it, as timm's: the last have one size."""
    declare_operators()
    theirs = built("timm", name, {"features_only": True, "output_stride": 8}).feature_info
    dense = archdsl.find(name).with_output_stride(8)
    ours = archdsl.load(name, output_stride=8, features=True, device="meta").feature_info
    assert ours.reduction() == theirs.reduction() == [2, 4, 8, 8, 8]
    assert ours.channels() == theirs.channels()
    assert [dense.graph.shape(ref) for ref in dense.graph.outputs] == [dense.graph.output_shape]


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("name", ["mobilenetv3_small_100", "tf_mobilenetv3_large_minimal_100", "resnet26d"])
def test_values_with_another_output_stride(name: str, stride: int) -> None:
    """timm's MobileNetV3 takes an output stride as a network for feature maps alone."""
    declare_operators()
    theirs = give_memory(built("timm", name, {"features_only": True, "output_stride": stride}))
    randomize(theirs, size=96)
    ours = archdsl.find(name).with_output_stride(stride).features().empty().eval()
    state = theirs.state_dict()
    ours.load_state_dict({key: state[key].clone() for key in ours.state_dict()}, assign=True)
    for size in (96, 97):
        x = torch.randn(1, 3, size, size, generator=torch.Generator().manual_seed(size))
        with torch.inference_mode():
            expected, actual = theirs(x), list(ours(x).values())
        assert [torch.equal(a, b) for a, b in zip(expected, actual, strict=True)] == [True] * 5


def test_any_layer_or_block() -> None:
    """By its path, as `archdsl show --layers` prints it."""
    part = archdsl.find("resnet18").features(["layer2.0.bn1", "layer4.0", "conv1", "layer3"])
    assert part.names == ("conv1", "layer2.0.bn1", "layer3", "layer4.0")
    info = archdsl.load("resnet18", features=list(part.names), device="meta").feature_info
    assert (info.channels(), info.reduction()) == ([64, 128, 256, 512], [2, 8, 16, 32])
    for wrong in ("layer5", "fc", "image1", "", "layer1.7"):
        with pytest.raises(ArchError) as caught:
            archdsl.find("resnet18").features([wrong])
        assert caught.value.diagnostics[0].code == "E122"


def test_a_part_ends_before_blocks_it_does_not_need() -> None:
    """Of what follows the map, identities are left over that nothing computes."""
    part = archdsl.find("mobilenet_v3_small").features([0])
    assert part.names == ("features.0",)
    assert "InvertedResidual" not in part.source
