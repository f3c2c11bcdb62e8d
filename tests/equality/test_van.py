"""VAN equals a network written here from the paper, with the key names of the authors' code.

No library has VAN. The reference below is written from the paper (arXiv:2202.09741, figures 2 and 3) and from the facts
of the authors' code that the paper leaves open (norms, biases, the inner skip, key names; see specs/van.arch); the
counts of parameters are those of the authors' README, to the digits that it prints.
"""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor, nn

import archdsl
from tests.equality import held

# dims, depths, stochastic depth, millions of parameters in the README (none for B5 and B6; B4: mmpretrain).
SETTINGS: dict[str, tuple[list[int], list[int], float, float | None]] = {
    "van_b0": ([32, 64, 160, 256], [3, 3, 5, 2], 0.1, 4.1),
    "van_b1": ([64, 128, 320, 512], [2, 2, 4, 2], 0.1, 13.9),
    "van_b2": ([64, 128, 320, 512], [3, 3, 12, 3], 0.1, 26.6),
    "van_b3": ([64, 128, 320, 512], [3, 5, 27, 3], 0.2, 44.8),
    "van_b4": ([64, 128, 320, 512], [3, 6, 40, 3], 0.2, 60.3),
    "van_b5": ([96, 192, 480, 768], [3, 3, 24, 3], 0.2, None),
    "van_b6": ([96, 192, 384, 768], [6, 6, 90, 6], 0.2, None),
}
# In double precision: the authors average tokens, ours a feature map, the same numbers summed in another order.
TOLERANCE = 1e-10


def depthwise(channels: int, kernel: int, dilation: int = 1) -> nn.Conv2d:
    padding = dilation * (kernel - 1) // 2
    return nn.Conv2d(channels, channels, kernel, padding=padding, dilation=dilation, groups=channels)


class Gating(nn.Module):
    """Large kernel attention, K = 21, d = 3."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.conv0 = depthwise(dim, 5)
        self.conv_spatial = depthwise(dim, 7, dilation=3)
        self.conv1 = nn.Conv2d(dim, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        gated: Tensor = x * self.conv1(self.conv_spatial(self.conv0(x)))
        return gated


class Attention(nn.Module):
    def __init__(self, dim: int) -> None:
        super().__init__()
        self.proj_1 = nn.Conv2d(dim, dim, 1)
        self.spatial_gating_unit = Gating(dim)
        self.proj_2 = nn.Conv2d(dim, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        attended = self.proj_2(self.spatial_gating_unit(nn.functional.gelu(self.proj_1(x))))
        return x + attended


class FeedForward(nn.Module):
    def __init__(self, dim: int, hidden: int) -> None:
        super().__init__()
        self.fc1 = nn.Conv2d(dim, hidden, 1)
        self.dwconv = nn.ModuleDict({"dwconv": depthwise(hidden, 3)})
        self.fc2 = nn.Conv2d(hidden, dim, 1)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.fc2(nn.functional.gelu(self.dwconv["dwconv"](self.fc1(x))))
        return out


class Block(nn.Module):
    def __init__(self, dim: int, hidden: int, rate: float) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.BatchNorm2d(dim), nn.BatchNorm2d(dim)
        self.attn, self.mlp = Attention(dim), FeedForward(dim, hidden)
        self.layer_scale_1 = nn.Parameter(torch.empty(dim))
        self.layer_scale_2 = nn.Parameter(torch.empty(dim))
        self.drop_path = held.StochasticDepth(rate)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.drop_path(self.layer_scale_1.view(-1, 1, 1) * self.attn(self.norm1(x)))
        return x + self.drop_path(self.layer_scale_2.view(-1, 1, 1) * self.mlp(self.norm2(x)))


class Embedding(nn.Module):
    def __init__(self, before: int, dim: int, kernel: int, stride: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(before, dim, kernel, stride, kernel // 2)
        self.norm = nn.BatchNorm2d(dim)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.norm(self.proj(x))
        return out


class VAN(nn.Module):
    def __init__(self, dims: list[int], depths: list[int], rate: float) -> None:
        super().__init__()
        blocks, last = 0, sum(depths) - 1
        for i, (dim, depth, ratio) in enumerate(zip(dims, depths, (8, 8, 4, 4), strict=True), 1):
            before = 3 if i == 1 else dims[i - 2]
            self.add_module(f"patch_embed{i}", Embedding(before, dim, *((7, 4) if i == 1 else (3, 2))))
            stage = [Block(dim, ratio * dim, rate * (blocks + j) / last) for j in range(depth)]
            self.add_module(f"block{i}", nn.Sequential(*stage))
            self.add_module(f"norm{i}", nn.LayerNorm(dim, eps=1e-6))
            blocks += depth
        self.head = nn.Linear(dims[-1], 1000)

    def forward(self, x: Tensor) -> Tensor:
        for i in range(1, 5):
            x = self.get_submodule(f"block{i}")(self.get_submodule(f"patch_embed{i}")(x))
            height, width = x.shape[2:]
            tokens = self.get_submodule(f"norm{i}")(x.flatten(2).transpose(1, 2))
            x = tokens.transpose(1, 2).unflatten(2, (height, width))
        logits: Tensor = self.head(tokens.mean(dim=1))
        return logits


def transcription(variant: str) -> nn.Module:
    dims, depths, rate, _ = SETTINGS[variant]
    with torch.device("meta"):
        return VAN(dims, depths, rate)


@pytest.mark.parametrize("variant", SETTINGS)
def test_equal(variant: str) -> None:
    """Numbers of the two that are small and take every branch."""
    numbers = variant in ("van_b0", "van_b1")
    result = held.against_transcription(
        archdsl.find(variant), transcription(variant), numbers=numbers, tolerance=TOLERANCE
    )
    held.assert_equal(result, numbers=numbers)


@pytest.mark.parametrize("variant", [name for name, settings in SETTINGS.items() if settings[3] is not None])
def test_published_counts(variant: str) -> None:
    assert round(archdsl.find(variant).graph.params / 1e6, 1) == SETTINGS[variant][3]


@pytest.mark.parametrize(
    ("kernel", "dilation"), [(7, 2), (10, 3), (14, 3), (21, 3), (28, 4), (35, 5), (36, 5), (23, 1)]
)
def test_decomposition(kernel: int, dilation: int) -> None:
    """Section 3.2: (2d - 1)×(2d - 1) and ⌈K/d⌉×⌈K/d⌉ with dilation d; the size is kept, with no middle too."""
    model = archdsl.load("van", "van_b0", device="meta", kernel=kernel, dilation=dilation)
    gate = model.get_submodule("block1.0.attn.spatial_gating_unit")
    near, far = gate.get_submodule("conv0"), gate.get_submodule("conv_spatial")
    assert isinstance(near, nn.Conv2d)
    assert isinstance(far, nn.Conv2d)
    side = math.ceil(kernel / dilation)
    assert (near.kernel_size, near.dilation) == ((2 * dilation - 1,) * 2, (1, 1))
    assert (far.kernel_size, far.dilation) == ((side, side), (dilation, dilation))
    assert gate(torch.empty(1, 32, 40, 40, device="meta")).shape == (1, 32, 40, 40)


@pytest.mark.parametrize("dilation", [1, 2, 3, 4, 5])
def test_every_kernel_decomposes(dilation: int) -> None:
    """Together the two see K×K or, where d does not divide K, the next larger that they can, and no less."""
    van = archdsl.open("van")["van_b0"].override({"dims": [8], "depths": [1], "ratios": [1]})
    for kernel in range(2 * dilation, 40):
        graph = van.override({"kernel": kernel, "dilation": dilation}).graph
        near, far = (
            next(node for node in graph.nodes if node.path == f"block1.0.attn.spatial_gating_unit.{name}")
            for name in ("conv0", "conv_spatial")
        )
        sides = [node.params.model_dump()["kernel"] for node in (near, far)]
        seen = sides[0] + dilation * (sides[1] - 1)
        assert kernel <= seen <= kernel + 2 * (dilation - 1)
        assert far.shape == near.shape == near.input_shapes[0]
