"""Generated modules through torch's own compilers: no graph break, no shape that is read as data, equal results.

One network for each kind of structure a `forward` can have: plain chains, dense concatenation, `if`s kept as attributes,
channels split and shuffled, cells of several inputs, padding worked out from the input, several outputs, stochastic depth.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

import archdsl

NETWORKS = {
    "resnet18": 64,
    "densenet_cifar:densenet40_k12_cifar10": 32,
    "convnext_tiny": 64,
    "efficientnet_lite0": 65,
    "tf_mobilenetv3_small_100": 65,
    "shufflenet_v2_x0_5": 64,
    "shufflenet_g2_w1": 64,
    "nasnet_4a1056": 97,
    "googlenet_aux": 64,
    "van_b0": 64,
    "regnet_y_400mf": 64,
}


def built(name: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    return archdsl.load(name, **options).eval()


def tensors(output: Any) -> list[torch.Tensor]:
    return [output] if isinstance(output, torch.Tensor) else [t for t in output if t is not None]


@pytest.mark.parametrize("name", NETWORKS)
def test_exports(name: str) -> None:
    short = {"repeats": 1} if name == "nasnet_4a1056" else {}
    model, x = built(name, **short), torch.randn(2, 3, NETWORKS[name], NETWORKS[name])
    exported = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)).module()
    x = torch.cat([x, x[:1]])
    with torch.no_grad():
        for ours, theirs in zip(tensors(model(x)), tensors(exported(x)), strict=True):
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize("name", ["resnet18", "tf_mobilenetv3_small_100"])
def test_compiles_without_a_break(name: str) -> None:
    torch.compiler.reset()
    model, x = built(name), torch.randn(2, 3, NETWORKS[name], NETWORKS[name])
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    with torch.no_grad():
        assert torch.equal(compiled(x), model(x))


def test_compiles_in_training() -> None:
    """Stochastic depth and batch statistics, which evaluation leaves out."""
    torch.compiler.reset()
    model = built("convnext_tiny", depths=[1, 1, 2, 1]).train()
    compiled = torch.compile(model, backend="eager", fullgraph=True)
    compiled(torch.randn(2, 3, 64, 64)).sum().backward()
    assert all(parameter.grad is not None for parameter in model.parameters())
