"""The paper's complex bypass, which no library has, is the simple one of pytorchcv and 1×1 convolutions."""

from __future__ import annotations

import torch

import archdsl
from archdsl.verify import traits
from archdsl.verify.numbers import output_difference
from archdsl.verify.randomize import randomize
from archdsl.weights.loading import import_keys
from tests import libraries


@torch.no_grad()
def test_complex_bypass() -> None:
    """Without its 1×1 bypasses it is the simple one: section 6 adds them where the number of channels changes."""
    simple = randomize(libraries.reference_model("pytorchcv", "squeezeresnet_v1_0"))
    mine = archdsl.find("squeezenet1_0_complex_bypass").empty().to_empty(device="cpu")
    added = {key: shape for key, shape in traits.shapes(mine).items() if ".bypass." in key}
    widths = {3: (96, 128), 5: (128, 256), 8: (256, 384), 10: (384, 512)}  # Fire2, 4, 6, 8
    expected = {f"features.{i}.bypass.weight": (out, channels, 1, 1) for i, (channels, out) in widths.items()}
    assert added == expected | {f"features.{i}.bypass.bias": (out,) for i, (_, out) in widths.items()}
    zeros = {key: torch.zeros(shape) for key, shape in added.items()}
    shared = import_keys(archdsl.find("squeezeresnet_v1_0"), simple.state_dict())
    mine.load_state_dict(shared | zeros, strict=True)
    assert [output_difference(simple, mine, size) for size in (96, 97)] == [0.0, 0.0]
