"""The order of the keys of a state_dict: that of execution, but for two rules of torch that docs/language.md states."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

import archdsl
from archdsl import api
from archdsl.source import Source
from tests.libraries import declare_operators


def _ordered(keys: Iterable[str]) -> list[str]:
    """Keys in the order of execution as the page says they come: level by level, bare parameters first."""
    levels: dict[str, list[str]] = {}
    bare: list[str] = []
    for key in keys:
        level, dot, rest = key.partition(".")
        if dot:
            levels.setdefault(level, []).append(rest)
        else:
            bare.append(key)
    return bare + [f"{level}.{rest}" for level, inside in levels.items() for rest in _ordered(inside)]


MIXED = """
block Scaled(width: int) = a.0: conv(width, 3) -> s: layer_scale(1e-2) -> b: bn -> a.1: conv(width, 3) -> relu
model Net {
  x = image(3, 8, 8) -> features.0: conv(4, 3) -> last: layer_scale(1e-6) -> neck: Scaled(4)
  x -> features.1: Scaled(8) -> first: conv(4, 1) -> gap -> flatten -> features.2: linear(2)
}
"""


def _keys(variant: archdsl.Variant) -> tuple[list[str], list[str]]:
    return [key for key, _, _ in variant.graph.state()], list(variant.empty().state_dict())


def test_levels_stand_together_and_bare_parameters_first() -> None:
    executed, keys = _keys(api.open_source(Source("net.arch", MIXED))["Net"])
    assert [key for key in keys if "." not in key] == keys[:1] == ["last"]
    assert next(key for key in keys if key.startswith("neck.")) == "neck.s"
    assert executed != keys == _ordered(executed)


@pytest.mark.parametrize(
    "name", ["convnext_tiny", "convnextv2_atto", "van_b0", "resnet18", "googlenet", "densenet121", "mobilenet_v3_small"]
)
def test_shipped_networks(name: str) -> None:
    executed, keys = _keys(archdsl.find(name))
    assert keys == _ordered(executed)
    assert (keys == executed) == ("layer_scale" not in " ".join(keys))


def test_published_checkpoints_have_it_so() -> None:
    """timm's keys of ConvNeXt, in timm's order."""
    import torch

    declare_operators()
    import timm

    with torch.device("meta"):
        theirs = list(timm.create_model("convnext_atto").state_dict())
    block = [key for key in theirs if key.startswith("stages.0.blocks.0.")]
    assert block[0].endswith(".gamma")
    assert theirs == _ordered(theirs)
