"""A small network of one's own, in two files, for models in folders."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn

import archdsl

PARTS = """\
block Unit(width: int, drop: float = 0.0) {
  "Two convolutions and a way around them."
  (conv1: conv(width, 3) -> bn1: bn -> relu -> conv2: conv(width, 3) -> bn2: bn -> drop_path(drop)) + id
}
"""

SPEC = """\
"A network for these tests."
use "parts/units.arch" (Unit)

model Small(width: int = 8, act: layer = relu, classes: int = 5) =
  image(3, 32, 32) -> stem: [conv(width, 3, stride = 2), bn, act]
    -> stage layer1: [Unit(width), Unit(width, 0.1)]
    -> down: conv(2 * width, 3, stride = 2) -> stage layer2: [Unit(2 * width)]
    -> gap -> flatten -> dropout(0.2) -> fc: linear(classes)

variants Small(width) {
  small: 8
  wide:  12
}
preprocess Small { size = 32, mean = [0.5, 0.5, 0.4], std = [0.2, 0.2, 0.3] }
"""


def write_spec(folder: Path) -> Path:
    (folder / "parts").mkdir(parents=True)
    (folder / "parts" / "units.arch").write_text(PARTS)
    (folder / "mine.arch").write_text(SPEC)
    return folder / "mine.arch"


def trained(spec: Path, variant: str = "small", **options: Any) -> nn.Module:
    """A model whose every number is something."""
    model = archdsl.load(spec, variant, **options)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for tensor in model.state_dict().values():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.1)
    return model.eval()
