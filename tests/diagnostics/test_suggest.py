"""Suggestions: near misses are found, strangers are not offered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archdsl.diagnostics.suggest import closest

OPS = ["conv", "dwconv", "linear", "bn", "layernorm", "groupnorm", "maxpool", "avgpool", "gap", "relu", "relu6", "id"]
CONV = ["channels", "kernel", "stride", "padding", "dilation", "groups", "bias"]


@pytest.mark.parametrize(
    ("name", "candidates", "meant"),
    [
        ("ReLU", OPS, "relu"),
        ("max_pool", OPS, "maxpool"),
        ("layer_norm", OPS, "layernorm"),
        ("cnov", OPS, "conv"),
        ("lineer", OPS, "linear"),
        ("BatchNorm2d", OPS, "bn"),
        ("Identity", OPS, "id"),
        ("depthwise", OPS, "dwconv"),
        ("swish", OPS, None),  # not one of these
        ("strides", CONV, "stride"),
        ("kernel_size", CONV, "kernel"),
        ("group", CONV, "groups"),
        ("resent50", ["resnet18", "resnet50", "densenet121"], "resnet50"),
        ("convnext", ["resnet18", "convnext_tiny"], "convnext_tiny"),
        ("dropout_rage", ["dropout", "dropout_rate"], "dropout_rate"),  # a typo is nearer than a beginning
        ("resnet50_32x4", ["resnet50", "resnext50_32x4d"], "resnext50_32x4d"),
        ("bninceptiof", ["BNInception", "bninception"], "bninception"),
        ("attention", OPS, None),
        ("x", ["y"], None),
        ("in", OPS, None),
        ("conv", ["conv"], None),
        ("", OPS, None),
        ("conv", [], None),
        ("a" * 10_000, ["a" * 9_999, "a"], None),
    ],
)
def test_closest(name: str, candidates: list[str], meant: str | None) -> None:
    assert closest(name, candidates) == meant


@given(st.text(), st.lists(st.text()))
def test_the_answer_is_another_candidate(name: str, candidates: list[str]) -> None:
    answer = closest(name, iter(candidates))
    assert answer is None or (answer in candidates and answer != name)
