"""Running a network that may not run: takes it and images; what it raises becomes words with the size of the images."""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn


class Meaningless(Exception):
    """A comparison that would say nothing, or cannot be made; says why."""


class CannotRun(Meaningless):
    """A network that does not run on images of a size; says whose, and what it raised."""


def ran(model: nn.Module, images: Tensor, whose: str) -> Any:
    """What a network returns for a batch of images; raises CannotRun in place of whatever it raises."""
    try:
        return model(images)
    except Exception as error:  # asserts, shapes that do not fit, windows larger than the image
        height, width = images.shape[-2:]
        what = " ".join(str(error).split())
        shown = what if len(what) <= 200 else f"{what[:199]}…"
        raised = f"{type(error).__name__}: {shown}" if shown else type(error).__name__
        raise CannotRun(f"{whose} does not run on {height}×{width} images ({raised})") from error
