"""Generated modules through torch's own compilers: no graph break, no shape that is read as data, equal results.

One network for each kind of structure a `forward` can have: plain chains, dense concatenation, `if`s kept as attributes,
channels split and shuffled, cells of several inputs, padding worked out from the input, several outputs, stochastic depth.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archdsl

NETWORKS = {
    "resnet18": 64,
    "densenet_cifar:densenet40_k12_cifar10": 32,
    "convnext_tiny": 64,
    "tf_efficientnet_lite0": 65,
    "tf_mobilenetv3_small_100": 65,
    "shufflenet_v2_x0_5": 64,
    "shufflenet_g2_w1": 64,
    "nasnet_mobile": 97,
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
    short = {"repeats": 1} if name == "nasnet_mobile" else {}
    model, x = built(name, **short), torch.randn(2, 3, NETWORKS[name], NETWORKS[name])
    exported = torch.export.export(model, (x,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)).module()
    x = torch.cat([x, x[:1]])
    with torch.no_grad():
        for ours, theirs in zip(tensors(model(x)), tensors(exported(x)), strict=True):
            assert torch.equal(ours, theirs)


def other_sizes(model: nn.Module, traced: Any, *sizes: tuple[int, int]) -> None:
    """The module and what traced it give the same at these sizes."""
    with torch.no_grad():
        for height, width in sizes:
            x = torch.randn(2, 3, height, width)
            assert torch.equal(model(x), traced(x)), (height, width)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(("name", "traced_at"), [("tf_efficientnet_b1", 240), ("tf_mobilenetv3_small_100", 65)])
def test_a_trace_holds_at_sizes_of_another_parity(name: str, traced_at: int) -> None:
    """Were a branch chosen by the size of an image, another class would come out at 224 than at 240."""
    model = built(name)
    traced = torch.jit.trace(model, torch.randn(1, 3, traced_at, traced_at))
    other_sizes(model, traced, (224, 224) if traced_at == 240 else (64, 65), (97, 66))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_trace_of_one_convolution_holds_at_the_other_parity(tmp_path: Path) -> None:
    text = 'model M = image(3, 33, 33) -> c: conv(8, 3, stride = 2, padding = "tf_same") -> relu -> gap -> flatten'
    spec = tmp_path / "m.arch"
    spec.write_text(text)
    model = archdsl.load(spec).eval()
    other_sizes(model, torch.jit.trace(model, torch.randn(1, 3, 33, 33)), (32, 32), (32, 33), (34, 31))


@pytest.mark.slow
def test_exports_with_free_height_and_width() -> None:
    model, free = built("tf_mobilenetv3_small_100"), torch.export.Dim.DYNAMIC
    x = torch.randn(2, 3, 65, 66)
    exported = torch.export.export(model, (x,), dynamic_shapes=({0: free, 2: free, 3: free},)).module()
    other_sizes(model, exported, (65, 66), (64, 65), (96, 71))


@pytest.mark.parametrize("name", ["tf_mobilenetv3_small_100", "inception_v3"])
def test_symbolic_traces(name: str) -> None:
    model = built(name)
    other_sizes(model, torch.fx.symbolic_trace(model), (97, 98), (96, 97))


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
