"""NASNet-A equals pytorchcv's, at sizes where that pads as TensorFlow does, and timm's with its pools mended.

pytorchcv pads both sides alike, but where it takes the size to be even, and there it pads as TensorFlow does. So it
equals TensorFlow where the sizes after the strides are odd, then even (the mobile network: 111, 56, 28, 14, 7 at 224
pixels), or odd, odd, even, odd (the large one: 165, 83, 42, 21, 11 at 331).
timm's AvgPool2dSame pads with zeros first, so that with `count_include_pad=False` it does count them; the reference
here has those pools replaced. At 331 pixels timm's own outputs differ from the other ports' by 7 % for this reason.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import archdsl
from tests.equality import checks, mapped, ours, reference

# In double precision: a mean over nine values is summed in another order; so is a convolution on a padded image that is
# cropped afterwards.
TOLERANCE = 1e-10
# The same cells with few channels: 16 instead of 168 in the first ones.
NARROW = 16 * 24


class UnpaddedMean(nn.Module):
    """The mean over those of each 3×3 window's values that are inside the image; stride 2, SAME padding."""

    def forward(self, x: Tensor) -> Tensor:
        totals = [max((size - 1) // 2 * 2 + 3 - size, 0) for size in x.shape[2:]]
        rows, columns = ((total // 2, total - total // 2) for total in totals)
        padded = nn.functional.pad(torch.stack([x, torch.ones_like(x)]), (*columns, *rows))
        windows = padded.unfold(3, 3, 2).unfold(4, 3, 2).sum(dim=(-2, -1))
        return windows[0] / windows[1]


def reference_model(device: str = "cpu", features: int = 4032) -> nn.Module:
    model = reference.reference_model("timm", "nasnetalarge", device=device, num_features=features, drop_rate=0.5)
    for path, module in list(model.named_modules()):
        if type(module).__name__ == "AvgPool2dSame":
            parent, _, name = path.rpartition(".")
            setattr(model.get_submodule(parent), name, UnpaddedMean())
    return model


class TestStructure(checks.Structure):
    # timm writes SAME padding at stride 1 as a number, ours computes it: test_outputs compares.
    EXCEPT = frozenset({"padding"})

    @pytest.fixture(scope="class")
    @classmethod
    def pair(cls) -> checks.Pair:
        return reference_model("meta"), ours.empty_model("nasnet", "nasnetalarge")

    def test_published_macs(self, pair: checks.Pair) -> None:
        """Table 2 of the paper: 23.8 billion at 331 pixels."""
        theirs, mine = pair
        assert round(reference.macs(mine, 331) / 1e9, 1) == 23.8
        assert reference.macs(mine, 331) == reference.macs(theirs, 331)


def narrow_pair() -> checks.Pair:
    theirs = reference.randomize(reference_model(features=NARROW))
    mine = archdsl.load("nasnet", "nasnetalarge", penultimate=NARROW)
    mine.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, mine


def test_outputs() -> None:
    assert max(checks.differences_in_double(*narrow_pair()).values()) <= TOLERANCE


def test_training_step() -> None:
    checks.assert_close_training_step(*narrow_pair(), 64)


# The sizes in pixels at which pytorchcv's networks are TensorFlow's: an odd and an even one.
PYTORCHCV = {"nasnet_4a1056": ("nasnet_4a1056", (63, 64)), "nasnetalarge": ("nasnet_6a4032", (75, 76))}


def ported(variant: str, device: str = "cpu") -> nn.Module:
    """pytorchcv's network under our names."""
    theirs = reference.reference_model("pytorchcv", PYTORCHCV[variant][0], device=device)
    return mapped.Renamed(mapped.any_size(theirs, "features.final_pool"), "nasnet", variant)


class TestPorted(checks.Structure):
    SIZE = 63
    # What is TensorFlow's padding here is a number there: the outputs show that it is the same.
    EXCEPT = frozenset({"padding"})

    @pytest.fixture(scope="class", params=PYTORCHCV)
    @classmethod
    def pair(cls, request: pytest.FixtureRequest) -> checks.Pair:
        variant: str = request.param
        return ported(variant, "meta"), ours.empty_model("nasnet", variant)

    def test_macs(self, pair: checks.Pair) -> None:
        """Those of the paper; pytorchcv's pad and crop compute more than they keep."""
        theirs, mine = pair
        assert reference.macs(mine, self.SIZE) < reference.macs(theirs, self.SIZE)


def test_published_macs_of_the_mobile_network() -> None:
    """Table 2 of the paper: 564 million at 224 pixels."""
    assert round(reference.macs(ours.empty_model("nasnet", "nasnet_4a1056"), 224) / 1e6) == 564


def test_outputs_of_the_mobile_network() -> None:
    theirs = reference.randomize(ported("nasnet_4a1056"), size=64)
    mine = ours.with_state_of(theirs, "nasnet", "nasnet_4a1056")
    assert max(checks.differences_in_double(theirs, mine, PYTORCHCV["nasnet_4a1056"][1]).values()) <= TOLERANCE


@pytest.mark.slow
def test_outputs_of_the_large_network() -> None:
    theirs = reference.randomize(ported("nasnetalarge"), size=76)
    mine = ours.with_state_of(theirs, "nasnet", "nasnetalarge")
    assert max(checks.differences_in_double(theirs, mine, PYTORCHCV["nasnetalarge"][1]).values()) <= TOLERANCE


def test_training_step_of_the_mobile_network() -> None:
    theirs = reference.randomize(ported("nasnet_4a1056"), size=64)
    mine = ours.with_state_of(theirs, "nasnet", "nasnet_4a1056", copy=True)
    checks.assert_close_training_step(theirs, mine, 64)
