"""ConvNeXt-XL equals timm's, and the isotropic ConvNeXts a network written here, bit for bit.

The other sizes are held against torchvision's in test_torchvision. No library has the isotropic ones: the reference
below is written from section 3.3 and appendix A.1 of the paper (arXiv:2201.03545), with the key names of the authors'
code.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.weights.loading import import_keys
from tests.equality import checks, ours, reference
from tests.equality.mapped import Renamed

# Layer scale is a product with C×1×1, 1×C×1×1 or, channels last, C: one and the same.
SCALING = ("mul",)


class TestExtraLarge(checks.Structure):
    @pytest.fixture(scope="class")
    @classmethod
    def pair(cls) -> checks.Pair:
        theirs = reference.reference_model("timm", "convnext_xlarge", device="meta", drop_path_rate=0.2)
        return Renamed(theirs, "convnext", "convnext_xlarge"), ours.empty_model("convnext", "convnext_xlarge")

    def test_operations(self, pair: checks.Pair) -> None:
        checks.assert_same_operations(pair, ignored=SCALING)

    def test_drop_rates(self, pair: checks.Pair) -> None:
        """timm computes them in single precision."""
        theirs, mine = (reference.drop_rates(model, self.SIZE) for model in pair)
        assert mine == pytest.approx(theirs, abs=1e-7)


def test_outputs_of_extra_large() -> None:
    """Shallower and narrower: the same blocks."""
    short: dict[str, Any] = {"depths": [1, 2, 2, 1], "dims": [16, 32, 64, 128]}
    theirs = reference.randomize(reference.reference_model("timm", "convnext_xlarge", **short))
    variant = archdsl.find("convnext", "convnext_xlarge").override(short)
    mine = archdsl.load("convnext", "convnext_xlarge", **short)
    mine.load_state_dict(import_keys(variant, theirs.state_dict()), strict=True)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}


# --- isotropic -------------------------------------------------------------------------------

# depth, dim, stochastic depth, layer scale; the README's millions of parameters and billions of MACs.
ISOTROPIC: dict[str, tuple[int, int, float, bool, int, float]] = {
    "convnext_isotropic_small": (18, 384, 0.1, False, 22, 4.3),
    "convnext_isotropic_base": (18, 768, 0.2, False, 87, 16.9),
    "convnext_isotropic_large": (36, 1024, 0.5, True, 306, 59.7),
}


class StochasticDepth(nn.Module):
    """Only its rate is compared; the networks are run with rate 0."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.p = rate

    def forward(self, x: Tensor) -> Tensor:
        return x


class Block(nn.Module):
    """Figure 4, right."""

    def __init__(self, dim: int, rate: float, scaled: bool) -> None:
        super().__init__()
        if scaled:
            self.gamma = nn.Parameter(torch.empty(dim))
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.drop_path = StochasticDepth(rate)

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(self.dwconv(x).permute(0, 2, 3, 1))
        y = self.pwconv2(nn.functional.gelu(self.pwconv1(y)))
        if hasattr(self, "gamma"):
            y = self.gamma * y
        y = self.drop_path(y.permute(0, 3, 1, 2))
        return y + x


class Isotropic(nn.Module):
    def __init__(self, depth: int, dim: int, rate: float, scaled: bool) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, dim, 16, 16)
        self.blocks = nn.Sequential(*[Block(dim, rate * i / (depth - 1), scaled) for i in range(depth)])
        self.norm, self.head = nn.LayerNorm(dim, eps=1e-6), nn.Linear(dim, 1000)

    def forward(self, x: Tensor) -> Tensor:
        pooled = nn.functional.adaptive_avg_pool2d(self.blocks(self.stem(x)), 1).flatten(1)
        logits: Tensor = self.head(self.norm(pooled))
        return logits


def isotropic(variant: str, device: str = "cpu", depth: int | None = None) -> nn.Module:
    full, dim, rate, scaled, *_ = ISOTROPIC[variant]
    with torch.device(device):
        return Isotropic(depth or full, dim if depth is None else 48, rate, scaled).eval()


class TestIsotropic(checks.Structure):
    @pytest.fixture(scope="class", params=ISOTROPIC)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        return Renamed(isotropic(variant, "meta"), "convnext", variant), ours.empty_model("convnext", variant)

    def test_operations(self, pair: checks.Pair) -> None:
        checks.assert_same_operations(pair, ignored=SCALING)


@pytest.mark.parametrize("variant", ISOTROPIC)
def test_published_figures(variant: str) -> None:
    mine = ours.empty_model("convnext", variant)
    *_, params, macs = ISOTROPIC[variant]
    assert round(sum(p.numel() for p in mine.parameters()) / 1e6) == params
    assert round(reference.macs(mine, 224) / 1e9, 1) == macs


@pytest.mark.parametrize("variant", ISOTROPIC)
def test_outputs_of_isotropic(variant: str) -> None:
    theirs = reference.randomize(isotropic(variant, depth=5))
    small: dict[str, Any] = {"depth": 5, "dim": 48}
    mine = archdsl.load("convnext", variant, **small)
    keys = import_keys(archdsl.find("convnext", variant).override(small), theirs.state_dict())
    mine.load_state_dict(keys, strict=True)
    assert checks.output_differences(theirs, mine) == {96: 0.0, 97: 0.0}
