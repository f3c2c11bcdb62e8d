"""What traces an op at one size may run it at another, of the other parity: jit, fx, export with free sizes, compile.

An op that chose a branch by the size of its image would keep the branch of the traced size, without a word.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.export import Dim

from archdsl.backends import torch_helpers as helpers
from archdsl.ops import Shape
from tests.ops.build import Case, as_tuple, cases, forms, randomise

_Way = Callable[[nn.Module, list[torch.Tensor]], Callable[..., Any]]


def _jit(module: nn.Module, inputs: list[torch.Tensor]) -> Callable[..., Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of torch's own checks of a batch's size; what counts are the values
        traced: Callable[..., Any] = torch.jit.trace(module, tuple(inputs), check_trace=False)
        return traced


def _fx(module: nn.Module, inputs: list[torch.Tensor]) -> Callable[..., Any]:
    class Tracer(torch.fx.Tracer):
        def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
            return type(m).__module__.startswith("torch.nn")

    return torch.fx.GraphModule(module, Tracer().trace(module))


def _export(module: nn.Module, inputs: list[torch.Tensor]) -> Callable[..., Any]:
    free = tuple({axis: Dim.DYNAMIC for axis in range(1, 4) if _spatial(x, axis)} for x in inputs)
    return torch.export.export(module, tuple(inputs), dynamic_shapes=free).module()


def _spatial(x: torch.Tensor, axis: int) -> bool:
    return x.ndim == 4 and x.shape[axis] > 6  # channels are at most 6 below, and a gate has one position


def _compile(module: nn.Module, inputs: list[torch.Tensor]) -> Callable[..., Any]:
    torch._dynamo.reset()
    compiled: Callable[..., Any] = torch.compile(module, fullgraph=True, dynamic=True, backend="eager")
    compiled(*inputs)
    return compiled


WAYS = {"jit": _jit, "fx": _fx, "export": _export, "compile": _compile}
SIZES = ((33, 34), (32, 33), (34, 32), (35, 37))


def assert_same_at_all_sizes(
    module: nn.Module, way: _Way, inputs_at: Callable[[int, int], list[torch.Tensor]], step: int = 1
) -> None:
    """Traced at the first of `SIZES` (times `step`), equal at all."""
    module.eval()
    with torch.no_grad():
        sizes = [(height * step, width * step) for height, width in SIZES]
        traced = way(module, inputs_at(*sizes[0]))
        for height, width in sizes:
            inputs = inputs_at(height, width)
            expected, got = as_tuple(module(*inputs)), as_tuple(traced(*inputs))
            assert all(torch.equal(a, b) for a, b in zip(expected, got, strict=True)), (height, width)


SAME: dict[str, Callable[[], nn.Module]] = {
    "conv": lambda: helpers.Conv2dSame(4, 6, 3, stride=2),
    "conv of even kernel": lambda: helpers.Conv2dSame(4, 6, (2, 4), stride=(2, 3)),
    "conv that skips": lambda: helpers.Conv2dSame(4, 6, 2, stride=4),
    "conv at stride 1": lambda: helpers.Conv2dSame(4, 6, 4),
    "dilated conv": lambda: helpers.Conv2dSame(4, 6, 3, stride=2, dilation=2),
    "depthwise conv": lambda: helpers.Conv2dSame(4, 4, 5, stride=2, groups=4),
    "max pool": lambda: helpers.MaxPool2dSame(3, stride=2),
    "max pool that skips": lambda: helpers.MaxPool2dSame(2, stride=(3, 4)),
    "average pool": lambda: helpers.AvgPool2dSame(3, stride=2),
    "average pool at stride 1": lambda: helpers.AvgPool2dSame((3, 2), stride=1),
    "average pool, zeros counted": lambda: helpers.AvgPool2dSame(3, stride=2, count_include_pad=True),
}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", SAME)
def test_tensorflows_padding(name: str, way: str) -> None:
    assert_same_at_all_sizes(SAME[name](), WAYS[way], lambda h, w: [torch.randn(2, 4, h, w)])


@pytest.mark.parametrize("way", ["jit", "fx"])
@pytest.mark.parametrize("case", list(cases()))
def test_every_op(case: Case, way: str) -> None:
    """Each form of each example: images grow, gates and vectors stay as they are."""

    def inputs_at(height: int, width: int) -> list[torch.Tensor]:
        grown = [s if s.height == s.width == 1 else _larger(s, height, width) for s in case.inputs]
        return [torch.randn(2, *shape.dims) for shape in grown]

    step = getattr(case.params, "downscale_factor", 1)  # which has to divide the size
    for module in forms(case).values():
        assert_same_at_all_sizes(randomise(module), WAYS[way], inputs_at, step)


def _larger(shape: Shape, height: int, width: int) -> Shape:
    return Shape(shape.channels, height, width, shape.layout)


@pytest.mark.parametrize("way", ["jit", "fx"])
def test_stochastic_depth_in_training(way: str) -> None:
    """Its samples are those of the batch that runs, not of the one that was traced."""
    module = helpers.DropPath(0.5).train()
    traced = WAYS[way](module, [torch.randn(2, 3, 5, 4)])
    x = torch.randn(64, 3, 5, 4)
    outputs = []
    for form in (module, traced):
        torch.manual_seed(3)
        outputs.append(form(x))
    assert torch.equal(*outputs)
    assert 0 < (outputs[0].flatten(1) == 0).all(1).sum() < 64
