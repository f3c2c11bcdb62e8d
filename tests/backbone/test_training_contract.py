"""What timm's tools ask a model for: depth of layers, pictures, blocks computed again; held against its own models."""

from __future__ import annotations

import copy
import pickle
from collections import Counter
from pathlib import Path

import pytest
import torch
from torch import nn

import archdsl
from archdsl.graph.pretrained_cfg import crop_pct
from archdsl.weights.naming import naming
from tests.libraries import declare_operators

declare_operators()
import timm  # noqa: E402
from timm.data import create_transform, resolve_data_config  # noqa: E402
from timm.models import group_modules  # noqa: E402
from timm.optim import param_groups_layer_decay, param_groups_weight_decay  # noqa: E402

# The same network in both libraries; what timm groups by hand must follow from the graph.
SAME = {
    "resnet50": "resnet50",
    "convnext_tiny": "convnext_tiny",
    "efficientnet_b0": "efficientnet_b0",
    "densenet121": "densenet121",
    "regnet_y_400mf": "regnety_004",
    "convnextv2_atto": "convnextv2_atto",
    "mobilenetv2_100": "mobilenetv2_100",
}


def scales(model: nn.Module) -> Counter[tuple[int, float, float]]:
    """How many weights of which size get which share of the learning rate, and which decay."""
    groups = param_groups_layer_decay(model, weight_decay=0.05, no_weight_decay_list=model.no_weight_decay())
    return Counter((p.numel(), group["lr_scale"], group["weight_decay"]) for group in groups for p in group["params"])


def reference(name: str) -> nn.Module:
    with torch.device("meta"):
        model: nn.Module = timm.create_model(name)
    if not hasattr(model, "no_weight_decay"):
        model.no_weight_decay = set  # type: ignore[assignment]
    return model


@pytest.mark.parametrize("name", SAME)
def test_rates_decay_by_depth_as_timm_has_them(name: str) -> None:
    assert scales(archdsl.load(name, device="meta")) == scales(reference(SAME[name]))


def by_name(model: nn.Module) -> dict[str, float]:
    names = {id(parameter): key for key, parameter in model.named_parameters()}
    groups = param_groups_layer_decay(model, layer_decay=0.5)
    return {names[id(p)]: group["lr_scale"] for group in groups for p in group["params"]}


FAMILIES = (
    "convnext_tiny", "convnextv2_atto", "densenet121", "efficientnet_b0", "inception_resnet_v2", "inception_v3",
    "inception_v4", "mobilenetv1_100", "mobilenetv2_100", "mobilenetv3_large_100", "mobilenetv3_small_050",
    "nasnetalarge", "regnetx_002", "resnet18", "resnet18d", "resnetv2_50", "seresnet18", "tf_efficientnet_b0",
    "tf_efficientnetv2_s", "tf_mobilenetv3_large_minimal_100",
)  # fmt: skip
OTHER_DEPTHS = {
    "inception_v3": "Conv2d_", "inception_v4": "features.", "inception_resnet_v2": "conv2d_", "nasnetalarge": "",
    "resnetv2_50": "norm.",
}  # fmt: skip
"""Of which docs/python.md says so; the weights whose share is another begin with this."""


@pytest.mark.parametrize("name", FAMILIES)
def test_depths_are_timms(name: str) -> None:
    """One of every family that timm has, weight by weight."""
    variant = archdsl.find(name)
    ours, theirs = by_name(archdsl.load(name, device="meta")), by_name(reference(name))
    renamed = naming(variant, "timm").apply([key for key, _, _ in variant.graph.state()]).theirs
    found = {renamed[key]: scale for key, scale in ours.items()}
    assert found.keys() == theirs.keys()
    other = [key for key, scale in found.items() if scale != theirs[key]]
    assert bool(other) == (name in OTHER_DEPTHS)
    assert all(key.startswith(OTHER_DEPTHS.get(name, name)) for key in other)


@pytest.mark.parametrize("name", [*SAME, "squeezenet1_0", "van_b0", "shufflenet_v2_x1_0", "googlenet"])
def test_deeper_is_never_slower(name: str) -> None:
    """The rate grows from the image to the classes; the classifier has all of it, and coarse groups are fewer."""
    model = archdsl.load(name, device="meta")
    groups = param_groups_layer_decay(model)
    rates = {id(p): group["lr_scale"] for group in groups for p in group["params"]}
    ordered = [rates[id(p)] for key, p in model.named_parameters() if "aux" not in key]
    assert len(set(ordered)) > 6
    assert all(rates[id(p)] == 1 for p in model.get_classifier().parameters())
    assert ordered == sorted(ordered)
    fine, coarse = (group_modules(model, model.group_matcher(coarse)) for coarse in (False, True))
    assert 2 < len(coarse) < len(fine)


def test_a_network_without_blocks(tmp_path: Path) -> None:
    """Each convolution is a depth of its own, with its norm."""
    spec = tmp_path / "plain.arch"
    spec.write_text(
        "model Plain(classes = 10) = image(3, 32, 32)\n"
        "  -> features: [conv(8, 3), bn, relu, conv(8, 3), bn, relu, maxpool(3, stride = 2), conv(16, 3), bn, relu]\n"
        "  -> gap -> flatten -> fc: linear(classes)\n"
        "variant plain = Plain()\n"
    )
    model = archdsl.load(spec)
    groups = param_groups_layer_decay(model, layer_decay=0.5)
    rates = {id(p): group["lr_scale"] for group in groups for p in group["params"]}
    found = {key: rates[id(p)] for key, p in model.named_parameters() if key.endswith(".weight")}
    assert list(found.values()) == [0.125, 0.125, 0.25, 0.25, 0.5, 0.5, 1.0]
    with pytest.raises(ValueError, match="plain has no blocks"):
        model.set_grad_checkpointing()
    model.set_grad_checkpointing(False)


def test_layer_scale_is_not_decayed_whatever_its_shape() -> None:
    """torchvision's factors are C×1×1, timm's C: both are one number a channel."""
    model = archdsl.load("convnext_tiny", device="meta")
    left_out = model.no_weight_decay()
    assert len(left_out) == 18
    groups = param_groups_weight_decay(model, 0.05, no_weight_decay_list=left_out)
    decayed = {id(p) for group in groups if group["weight_decay"] for p in group["params"]}
    assert all((id(p) in decayed) == (p.ndim > 1 and key not in left_out) for key, p in model.named_parameters())


@pytest.mark.parametrize("name", ["resnet18", "convnext_tiny", "efficientnet_b0"])
def test_pictures_as_the_spec_says(name: str, pictures: dict[str, Path]) -> None:
    """timm's tools read the same preparation from a model as `predict` takes from the spec."""
    from PIL import Image

    variant = archdsl.find(name)
    model = archdsl.load(name, device="meta")
    config = resolve_data_config({}, model=model)
    settings = variant.pictures
    assert settings is not None
    side = settings.size or variant.graph.input_shape.height
    assert tuple(config["input_size"]) == (3, side, side)
    with Image.open(pictures["cat"]) as image:
        theirs = create_transform(**config, is_training=False)(image.convert("RGB"))
        ours = variant.transform(image)
    assert theirs.shape == ours.shape
    assert torch.allclose(theirs, ours, atol=2e-6)


def test_the_crop_survives_the_way_through_a_ratio() -> None:
    assert all(int(size / crop_pct(size, to)) == to for size in range(32, 520, 8) for to in range(size, size + 90))


def test_a_spec_that_says_nothing_of_pictures(tmp_path: Path) -> None:
    spec = tmp_path / "n.arch"
    body = "image(1, 8, 9) -> conv: conv(4, 1) -> gap -> flatten -> fc: linear(classes)"
    spec.write_text(f"model N(classes = 10) = {body}\nvariant n = N()\n")
    expected = {"architecture": "n", "num_classes": 10, "input_size": [1, 8, 9]}
    assert archdsl.load(spec).pretrained_cfg == {**expected, "first_conv": "conv", "classifier": "fc"}


def test_another_classifier_is_said() -> None:
    model = archdsl.load("resnet18")
    model.pretrained_cfg["num_classes"] = 5  # it is a copy
    assert model.num_classes == model.default_cfg["num_classes"] == 1000
    model.reset_classifier(3)
    assert model.num_classes == model.default_cfg["num_classes"] == model.get_classifier().out_features == 3
    model.reset_classifier(0)
    assert model.num_classes == 0
    assert isinstance(model.get_classifier(), nn.Identity)
    assert archdsl.load("resnet18", device="meta").num_classes == 1000
    for classes, pool in ((3, "max"), (3, "")):
        with pytest.raises(ValueError, match="global_pool cannot be"):
            model.reset_classifier(classes, pool)


@pytest.mark.parametrize("name", ["resnet18", "efficientnet_b0", "densenet121"])
def test_blocks_computed_again_change_nothing(name: str) -> None:
    """Gradients and running statistics, with dropout and stochastic depth: bit for bit."""
    torch.manual_seed(0)
    one = archdsl.load(name, classes=3)
    other = copy.deepcopy(one)
    other.set_grad_checkpointing()
    other = pickle.loads(pickle.dumps(copy.deepcopy(other)))
    assert any("forward" in vars(module) for module in other.modules())
    x = torch.randn(2, 3, 64, 64)
    for model in (one, other):
        torch.manual_seed(1)
        model(x).square().sum().backward()
    for (key, a), b in zip(one.named_parameters(), other.parameters(), strict=True):
        assert torch.equal(a.grad, b.grad), key
    for (key, a), b in zip(one.named_buffers(), other.buffers(), strict=True):
        assert torch.equal(a, b), key
    other.set_grad_checkpointing(False)
    assert not any("forward" in vars(module) for module in other.modules())


def test_blocks_computed_again_are_not_kept() -> None:
    """Less is saved for the backward pass."""
    model = archdsl.load("resnet18")
    saved = []
    for enable in (False, True):
        model.set_grad_checkpointing(enable)
        sizes: list[int] = []
        with torch.autograd.graph.saved_tensors_hooks(
            lambda t, sizes=sizes: (sizes.append(t.numel()), t)[1], lambda t: t
        ):
            model(torch.randn(2, 3, 64, 64))
        saved.append(sum(sizes))
    assert saved[1] < saved[0] / 2


def test_a_layer_keeps_its_name(tmp_path: Path) -> None:
    """A label that is a name of the contract stays a layer."""
    spec = tmp_path / "n.arch"
    spec.write_text(
        "model N(classes = 10) = image(3, 8, 8) -> num_classes: conv(4, 1) -> group_matcher: conv(4, 1)\n"
        "  -> gap -> flatten -> fc: linear(classes)\nvariant n = N()\n"
    )
    model = archdsl.load(spec)
    assert isinstance(model.num_classes, nn.Conv2d)
    assert isinstance(model.group_matcher, nn.Conv2d)
    assert model(torch.zeros(1, 3, 8, 8)).shape == (1, 10)
