"""NASNet-A equals timm's, once timm's average pools leave the padding out as TensorFlow's do.

With `count_include_pad=False`, timm's AvgPool2dSame pads with zeros first, so that it does count them; the reference
here has those pools replaced. At 331 pixels timm's own outputs differ from Cadene's and pytorchcv's ports by 7 % for
this reason.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import archdsl
from tests.equality import checks, ours, reference

# In double precision: a mean over nine values is summed in another order.
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

    def test_published_macs(self, pair: checks.Pair) -> None:
        """Table 2 of the paper: 23.8 billion at 331 pixels."""
        theirs, mine = pair
        assert round(reference.macs(mine, 331) / 1e9, 1) == 23.8
        assert reference.macs(mine, 331) == reference.macs(theirs, 331)


@pytest.fixture(scope="class")
def pair() -> checks.Pair:
    return reference_model("meta"), ours.empty_model("nasnet", "nasnetalarge")


def narrow_pair() -> checks.Pair:
    theirs = reference.randomize(reference_model(features=NARROW))
    mine = archdsl.load("nasnet", "nasnetalarge", penultimate=NARROW)
    mine.load_state_dict(theirs.state_dict(), strict=True)
    return theirs, mine


def test_outputs() -> None:
    assert max(checks.differences_in_double(*narrow_pair()).values()) <= TOLERANCE


def test_training_step() -> None:
    checks.assert_close_training_step(*narrow_pair(), 64)
