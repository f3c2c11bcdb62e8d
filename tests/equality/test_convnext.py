"""The isotropic ConvNeXts equal a network written here, bit for bit.

No library has them: the reference below is written from section 3.3 and appendix A.1 of the paper (arXiv:2201.03545),
with the key names of the authors' code.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archdsl
from archdsl.weights import export_keys, import_keys
from tests.equality import held
from tests.libraries import reference_model

# depth, dim, stochastic depth, layer scale; the README's millions of parameters and billions of MACs.
ISOTROPIC: dict[str, tuple[int, int, float, bool, int, float]] = {
    "convnext_isotropic_small": (18, 384, 0.1, False, 22, 4.3),
    "convnext_isotropic_base": (18, 768, 0.2, False, 87, 16.9),
    "convnext_isotropic_large": (36, 1024, 0.5, True, 306, 59.7),
}


class Block(nn.Module):
    """Figure 4, right."""

    def __init__(self, dim: int, rate: float, scaled: bool) -> None:
        super().__init__()
        if scaled:
            self.gamma = nn.Parameter(torch.empty(dim))
        self.dwconv = nn.Conv2d(dim, dim, 7, padding=3, groups=dim)
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        self.pwconv1, self.pwconv2 = nn.Linear(dim, 4 * dim), nn.Linear(4 * dim, dim)
        self.drop_path = held.StochasticDepth(rate)

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


def isotropic(variant: str, **small: int) -> nn.Module:
    depth, dim, rate, scaled, *_ = ISOTROPIC[variant]
    with torch.device("meta"):
        return Isotropic(small.get("depth", depth), small.get("dim", dim), rate, scaled)


@pytest.mark.parametrize("variant", ISOTROPIC)
def test_structure(variant: str) -> None:
    found = held.against_transcription(archdsl.find(variant), isotropic(variant), numbers=False)
    held.assert_equal(found, numbers=False)


@pytest.mark.parametrize("variant", ISOTROPIC)
def test_numbers(variant: str) -> None:
    """Of fewer blocks and channels."""
    small: dict[str, Any] = {"depth": 5, "dim": 48}
    mine = held.variant("convnext", variant, **small)
    held.assert_equal(held.against_transcription(mine, isotropic(variant, **small)))


@pytest.mark.parametrize("variant", ISOTROPIC)
def test_published_figures(variant: str) -> None:
    graph = archdsl.find(variant).graph
    *_, params, macs = ISOTROPIC[variant]
    assert round(graph.params / 1e6) == params
    assert round(graph.macs / 1e9, 1) == macs


@pytest.mark.parametrize("name", ["convnext_tiny", "convnext_xlarge", "convnextv2_atto", "convnextv2_tiny"])
def test_the_authors_files_are_what_timm_takes_them_for(name: str) -> None:
    """timm's own filter makes of a file by the authors' names what we write by timm's: keys, shapes and values."""
    reference = reference_model("timm", name, device="meta")
    from timm.models.convnext import checkpoint_filter_fn

    variant = archdsl.find(name)
    numbers = count()
    own = {key: torch.full((*weight.shape,), float(next(numbers))) for key, weight, _ in variant.graph.state()}
    authors = export_keys(variant, own, "authors")
    assert {"downsample_layers.0.0.weight", "stages.0.0.dwconv.weight", "norm.weight", "head.bias"} <= authors.keys()
    if "v2" in name:
        assert authors["stages.1.0.grn.gamma"].shape[:3] == (1, 1, 1)
    theirs, expected = checkpoint_filter_fn(authors, reference), export_keys(variant, own, "timm")
    assert {key: value.shape for key, value in theirs.items()} == {
        key: value.shape for key, value in reference.state_dict().items()
    }
    assert theirs.keys() == expected.keys()
    assert all(torch.equal(theirs[key], value) for key, value in expected.items())
    back = import_keys(variant, authors)
    assert all(torch.equal(back[key], value) for key, value in own.items())
