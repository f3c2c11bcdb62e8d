"""Kernels that see an image, for images of other channels."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

_COLOURS = 3
"""Channels of an image whose kernels are repeated one by one: those after the third mean the first again."""


def for_channels(kernel: torch.Tensor, channels: int, dtype: torch.dtype) -> torch.Tensor:
    """A kernel (out, in, height, width) for images of other channels.

    For one channel it is summed over those of its image, as if these were equal. One of three channels, a colour
    picture's, is repeated for others and cut, and scaled so that what comes out stays as large, as timm's
    `adapt_input_conv` does it. Of one of any other number it is not known which channel means what: each new one gets
    the sum of all, divided by their number, so that an image whose channels are equal gives what it gave. What is
    float32 and stays so is computed as timm does it, bit for bit; the rest, and what is infinite in float32, comes in
    float64, to be rounded once.
    """
    import torch

    if kernel.dtype == dtype == torch.float32:
        result = _over_channels(kernel, channels)
        if result.isfinite().all():
            return result
    return _over_channels(kernel.double(), channels)


def _over_channels(kernel: torch.Tensor, channels: int) -> torch.Tensor:
    if channels == 1:
        return kernel.sum(dim=1, keepdim=True)
    if kernel.shape[1] == _COLOURS:
        return kernel.repeat(1, -(-channels // _COLOURS), 1, 1)[:, :channels] * (_COLOURS / channels)
    return (kernel.sum(dim=1, keepdim=True) / channels).repeat(1, channels, 1, 1)
