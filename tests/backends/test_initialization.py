"""Weights after construction follow the spec's `init`: compared with the libraries' models, and rule by rule."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

from archdsl import api
from archdsl.backends.module import build_module
from archdsl.source import Source
from tests import libraries
from tests.backends import sources

VARIANTS = {
    "resnet18": ("resnet", "torchvision"),
    "densenet121": ("densenet", "torchvision"),
    "convnext_tiny": ("convnext", "torchvision"),
    "efficientnet_b0": ("efficientnet", "torchvision"),
    "mobilenet_v2": ("mobilenet_v2", "torchvision"),
    "mobilenet_v3_small": ("mobilenet_v3", "torchvision"),
    "regnet_y_400mf": ("regnet", "torchvision"),
    "resnet18d": ("resnet_d", "timm"),
    "resnet26t": ("resnet_d", "timm"),
    "resnet26": ("resnet", "timm"),
    "resnetv2_50x1_bit": ("resnet_v2", "timm"),
    "convnextv2_atto": ("convnext_v2", "timm"),
    "convnext_atto": ("convnext_v2", "timm"),
    "densenet40_k12_bc_cifar10": ("densenet_cifar", "pytorchcv"),
    "preresnet18": ("preresnet", "pytorchcv"),
}
LEAST = 2000
"""Values below which a standard deviation says little."""


def kurtosis(values: Tensor) -> float:
    """3 of a normal distribution, 1.8 of a uniform one."""
    centred = values - values.mean()
    return (centred.pow(4).mean() / centred.pow(2).mean().pow(2)).item()


def initialized(library: str, name: str) -> nn.Module:
    """The library's network as its constructor leaves it."""
    model: nn.Module
    torchvision = libraries.import_torchvision()
    if library == "torchvision":
        model = torchvision.models.get_model(name, weights=None)
    elif library == "timm":
        import timm

        model = timm.create_model(name, pretrained=False)
    else:
        from pytorchcv.model_provider import get_model

        model = get_model(name, pretrained=False)
    return model


@pytest.mark.parametrize("variant", VARIANTS)
def test_like_the_library(variant: str) -> None:
    """Constants are equal; of a sample of n values the std varies by about 1 / sqrt(2 n), here 6 of these at most."""
    family, library = VARIANTS[variant]
    torch.manual_seed(0)
    theirs = initialized(library, variant).state_dict()
    found = sources.shipped(family, variant)
    torch.manual_seed(1)
    mine = build_module(found.graph, found.source).state_dict()
    assert mine.keys() == theirs.keys()
    compared = 0
    for key, expected in theirs.items():
        actual, size = mine[key], expected.numel()
        if not expected.is_floating_point():
            continue
        if (expected == expected.flatten()[0]).all():
            assert torch.equal(actual, expected), key
        elif size >= LEAST:
            tolerance = 6 * math.sqrt((kurtosis(expected) - 1) / (4 * size)) * math.sqrt(2)
            assert (actual.std() / expected.std()).item() == pytest.approx(1, abs=tolerance), key
            assert abs(actual.mean().item()) < 6 * actual.std().item() / math.sqrt(size), key
            assert kurtosis(actual) == pytest.approx(kurtosis(expected), abs=60 / math.sqrt(size)), key
            compared += 1
    assert compared > 10


def built(body: str, rules: str) -> nn.Module:
    text = f"model M {{\n  x = image(3, 4, 4)\n  {body}\n}}\nvariant m = M()\ninit M {{\n{rules}\n}}\n"
    variant = api.open_source(Source("m.arch", text))["m"]
    torch.manual_seed(0)
    return build_module(variant.graph, variant.source)


BODY = "x -> a: conv(64, 3) -> b: bn -> c: dwconv(3) -> d: conv(64, 1, groups = 4) -> g: layer_scale -> gap -> flatten -> e: linear(64)"


def test_the_last_rule_wins() -> None:
    model = built(BODY, "conv: zeros\n conv.bias: constant(2)\n dwconv: ones\n conv: constant(3)\n linear: zeros")
    assert {key: value.unique().tolist() for key, value in model.named_parameters() if key != "e.bias"} == {
        "a.weight": [3], "a.bias": [2], "b.weight": [1], "b.bias": [0], "c.weight": [3], "c.bias": [2],
        "d.weight": [3], "d.bias": [2], "g": [pytest.approx(1e-6)], "e.weight": [0],
    }  # fmt: skip


def test_rules_by_path_and_by_op_in_order() -> None:
    rules = '"a": constant(5)\n conv: constant(1)\n "d": constant(7)\n "*.bias": constant(9)\n dwconv: constant(4)\n layer_scale: constant(8)'
    values = {key: value.unique().tolist() for key, value in built(BODY, rules).named_parameters()}
    assert values["a.weight"] == [1]
    assert values["c.weight"] == [4]
    assert values["d.weight"] == [7]
    assert values["g"] == [8]
    assert all(values[f"{layer}.bias"] == [9] for layer in "abcde")


def test_depthwise_apart_from_the_others() -> None:
    """`dwconv` is told by its groups where all other convolutions have none, else by name."""
    plain = "x -> a: conv(64, 3) -> c: dwconv(3) -> gap -> flatten -> linear(2)"
    for body, others in ((plain, {}), (BODY, {"d.weight": [1]})):
        values = dict(built(body, "conv: constant(1)\n dwconv: constant(2)").named_parameters())
        assert values["a.weight"].unique().tolist() == [1]
        assert values["c.weight"].unique().tolist() == [2]
        assert {key: values[key].unique().tolist() for key in values if key == "d.weight"} == others


def test_helpers_that_refine_a_class_of_torch() -> None:
    body = 'x -> a: conv(8, 3, padding = "tf_same") -> s: std_conv(8, 1) -> n: layernorm -> l: linear(8) -> gap -> flatten -> m: linear(2)'
    rules = "conv: constant(1)\n std_conv: constant(2)\n layernorm: constant(3)\n linear: constant(4)"
    values = dict(built(body, rules).named_parameters())
    wanted = {"a": 1, "s": 2, "n": 3, "l": 4, "m": 4}
    assert {name: values[f"{name}.weight"].unique().tolist() for name in wanted} == {n: [v] for n, v in wanted.items()}


def test_transposed_convolutions_channel_convolutions_and_learned_slopes() -> None:
    """Each by its own name or by its role; a class of torch that only a helper of the network refines is named."""
    body = "x -> t: conv_transpose(8, 3) -> p: prelu -> i: instancenorm(affine = true) -> gap -> c: channel_conv(3) -> flatten"
    rules = "conv: constant(1)\n conv_transpose: constant(2)\n act: constant(3)\n norm.bias: constant(4)"
    values = dict(built(body, rules).named_parameters())
    wanted = {"t.weight": 2, "p.weight": 3, "i.weight": 1, "i.bias": 4, "c.weight": 1}
    assert {name: values[name].unique().tolist() for name in wanted} == {name: [v] for name, v in wanted.items()}


@pytest.mark.parametrize(
    ("rule", "std"),
    [
        ("kaiming_normal", math.sqrt(2 / (64 * 9))),
        ('kaiming_normal(mode = "fan_out")', math.sqrt(2 / (256 * 9))),
        ('kaiming_normal(nonlinearity = "linear")', math.sqrt(1 / (64 * 9))),
        ("kaiming_uniform", math.sqrt(2 / (64 * 9))),
        ("xavier_normal", math.sqrt(2 / (320 * 9))),
        ("xavier_uniform(gain = 2.0)", 2 * math.sqrt(2 / (320 * 9))),
        ("normal(std = 0.3)", 0.3),
        ("trunc_normal(std = 0.02)", 0.02),
        ("uniform(low = -1.0, high = 3.0)", 4 / math.sqrt(12)),
        ("uniform_fan_in", math.sqrt(1 / (64 * 9) / 3)),
        ("uniform_fan_out", math.sqrt(1 / (256 * 9) / 3)),
    ],
)
def test_spread(rule: str, std: float) -> None:
    """Formulas of He et al. 2015 and Glorot and Bengio 2010; 147,456 values."""
    model = built("x -> conv(64, 1) -> a: conv(256, 3) -> gap -> flatten -> linear(2)", f"conv: {rule}")
    assert model.get_parameter("a.weight").std().item() == pytest.approx(std, rel=0.015)


def test_no_rules_keep_what_torch_does() -> None:
    torch.manual_seed(0)
    expected = nn.Conv2d(3, 64, 3, padding=1).weight
    model = built("x -> a: conv(64, 3) -> gap -> flatten -> linear(2)", "linear: zeros")
    assert torch.equal(model.get_parameter("a.weight"), expected)


def test_a_pattern_of_the_spec_is_printed_as_one() -> None:
    source = sources.shipped("resnet_d", "resnet200d").source
    assert 'if fnmatchcase(name, "layer*.bn3.weight"):' in source
    assert "name in {" not in source


def test_a_constant_that_a_later_rule_replaces_is_not_printed() -> None:
    source = sources.shipped("senet", "legacy_senet154").source
    assert source.count('"layer*.bn3.weight"') == 1
    assert "zeros_" not in source
