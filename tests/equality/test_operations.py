"""What computes the same is recorded as the same, however it is written; what does not is not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from archdsl.verify import traits

Function = Callable[[Tensor], object]


class Written(nn.Module):
    """A network that is one function of an image of 3 channels."""

    def __init__(self, function: Function) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> object:
        return self.function(x)


def recorded(function: Function, size: int = 64) -> object:
    return traits.work(Written(function), size)[1]


def computed(function: Function) -> list[Tensor]:
    """Its results for an image of the CPU, in the order of their sums."""
    found = function(torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)))
    return sorted(found if isinstance(found, tuple | list) else [found], key=lambda tensor: float(tensor.sum()))


SAME: dict[str, tuple[Function, Function]] = {
    "split and chunk": (lambda x: x.split(32, 2), lambda x: x.chunk(2, 2)),
    "split and slices": (lambda x: x.split([20, 44], 3), lambda x: (x[..., :20], x[..., 20:])),
    "an unbounded and a counted end": (lambda x: x[:, 1:], lambda x: x[:, 1:3]),
    "a negative and a counted start": (lambda x: x[:, -1:], lambda x: x[:, 2:3]),
    "a negative axis": (lambda x: x.split(32, -1), lambda x: x.split(32, 3)),
    "all of it and nothing taken": (lambda x: x[:, 0:3, :, :64] * 2, lambda x: x * 2),
    "one channel by its number": (lambda x: x[:, 1].unsqueeze(1), lambda x: x[:, 1:2]),
    "a crop by less than no padding": (
        lambda x: F.pad(x, (-1, 1, -1, 1)),
        lambda x: F.pad(x, (0, 1, 0, 1))[..., 1:, 1:],
    ),
    "a pool's stride, left out and written": (lambda x: F.max_pool2d(x, 3), lambda x: F.max_pool2d(x, 3, 3)),
    "an average pool's too": (lambda x: F.avg_pool2d(x, 2), lambda x: F.avg_pool2d(x, (2, 2), (2, 2), 0)),
    "no padding, counted or not": (
        lambda x: F.avg_pool2d(x, 2),
        lambda x: F.avg_pool2d(x, 2, count_include_pad=False),
    ),
    "one number for both sides": (
        lambda x: F.max_pool2d(x, 3, 2, 1),
        lambda x: F.max_pool2d(x, (3, 3), (2, 2), (1, 1)),
    ),
    "a default left out": (lambda x: F.elu(x), lambda x: F.elu(x, 1.0)),
    "in place or not": (lambda x: torch.relu(x * 1), lambda x: (x * 1).relu_()),
    "a mean over the same axes": (lambda x: x.mean((2, 3), keepdim=True)[:, :, 0, 0], lambda x: x.mean((-1, -2))),
    "a softmax over the same axis": (lambda x: x.softmax(1), lambda x: x.softmax(-3)),
    "a sum the other way round": (lambda x: x + x.relu(), lambda x: x.relu() + x),
    "parts put together at once or one by one": (
        lambda x: torch.cat([x, x * 2], 1),
        lambda x: torch.cat([torch.cat([x], 1), x * 2], 1),
    ),
}


@pytest.mark.parametrize("what", SAME)
def test_the_same(what: str) -> None:
    one, other = SAME[what]
    for a, b in zip(computed(one), computed(other), strict=True):
        assert torch.equal(a.squeeze(), b.squeeze())
    if what not in ("a mean over the same axes",):  # [:, :, 0, 0] takes the only value there is, of 1×1
        assert recorded(one) == recorded(other)
    else:
        assert recorded(lambda x: x.mean((2, 3), keepdim=True)) == recorded(other)


OTHER: dict[str, tuple[Function, Function]] = {
    "the other half": (lambda x: x[..., :32], lambda x: x[..., 32:]),
    "parts of other sizes": (lambda x: x.split([20, 44], 3), lambda x: x.split([44, 20], 3)),
    "every second value": (lambda x: x[..., ::2], lambda x: x[..., :32]),
    "every second value from the next on": (lambda x: x[..., ::2], lambda x: x[..., 1::2]),
    "another axis": (lambda x: x[:, :, 1:], lambda x: x[..., 1:]),
    "a crop at the other end": (lambda x: F.pad(x, (-1, 0, 0, 0)), lambda x: F.pad(x, (0, -1, 0, 0))),
    "another stride": (lambda x: F.max_pool2d(x, 3), lambda x: F.max_pool2d(x, 3, 2)),
    "padding, counted or not": (
        lambda x: F.avg_pool2d(x, 3, 2, 1),
        lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    ),
    "another kind of pool": (lambda x: F.max_pool2d(x, 2), lambda x: F.avg_pool2d(x, 2)),
    "another default": (lambda x: F.elu(x), lambda x: F.elu(x, 0.5)),
    "a factor in a sum": (lambda x: x + x.relu(), lambda x: torch.add(x, x.relu(), alpha=2)),
    "GELU by tanh": (lambda x: F.gelu(x), lambda x: F.gelu(x, approximate="tanh")),
    "a softmax over another axis": (lambda x: x.softmax(1), lambda x: x.softmax(2)),
}


@pytest.mark.parametrize("what", OTHER)
def test_another(what: str) -> None:
    one, other = OTHER[what]
    assert recorded(one) != recorded(other)
