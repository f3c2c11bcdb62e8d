"""NASNet-A: timm's at its own size; the authors' (nasnet_large) is timm's with its pools mended, at every size.

timm's AvgPool2dSame pads with zeros first, so that with `count_include_pad=False` it does count them: the one
difference of its network from the paper's, 7 % of the outputs' standard deviation at 331 pixels. nasnetalarge counts
them too, and equals timm's (test_references); nasnet_large does not, and equals timm's with those pools replaced.

pytorchcv pads both sides alike, but where it takes the size to be even, and there it pads as TensorFlow does. So it
equals TensorFlow where the sizes after the strides are odd, then even (the mobile network: 111, 56, 28, 14, 7 at 224
pixels), or odd, odd, even, odd (the large one: 165, 83, 42, 21, 11 at 331), which test_references shows.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

import archdsl
from tests import libraries
from tests.equality import held

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


def mended(**arguments: Any) -> nn.Module:
    model = libraries.reference_model("timm", "nasnetalarge", device="meta", drop_rate=0.5, **arguments)
    for path, module in list(model.named_modules()):
        if type(module).__name__ == "AvgPool2dSame":
            model.set_submodule(path, UnpaddedMean())
    return model


def test_structure() -> None:
    found = held.against_transcription(archdsl.find("nasnet_large"), mended(), numbers=False, tolerance=TOLERANCE)
    held.assert_equal(found, numbers=False)


def test_numbers() -> None:
    variant = held.variant("nasnet", "nasnet_large", penultimate=NARROW)
    found = held.against_transcription(variant, mended(num_features=NARROW), tolerance=TOLERANCE)
    held.assert_equal(found)


def test_timms_at_its_own_size() -> None:
    """Bit for bit, with fewer channels: an even size, an odd one and 331."""
    variant = held.variant("nasnet", "nasnetalarge", penultimate=NARROW)
    arguments = {"num_features": NARROW, "drop_rate": 0.5}
    found = held.against(variant, "timm", "nasnetalarge", arguments, sizes=(96, 97, 331))
    held.assert_equal(found)
    assert found.differences == {96: 0, 97: 0, 331: 0}
    assert found.training == 0


def test_counting_the_padding_is_what_tells_them_apart() -> None:
    variant = held.variant("nasnet", "nasnet_large", penultimate=NARROW)
    arguments = {"num_features": NARROW, "drop_rate": 0.5}
    found = held.against(variant, "timm", "nasnetalarge", arguments)
    assert found.verdict == "differs"
    assert all(difference > 0.05 for difference in found.differences.values())
