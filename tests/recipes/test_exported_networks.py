"""Recipes of one network for other trainers: what the libraries make of them is the spec's network and pictures."""

from __future__ import annotations

import shlex
from collections import Counter
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from PIL import Image

from archdsl.backends.trainers import for_torchvision
from archdsl.graph.recipe_parts import RandAugment
from archdsl.training import Pieces
from tests.libraries import declare_operators, import_torchvision
from tests.recipes.test_command import run
from tests.recipes.test_shipped import every, shipped

GRAY = """
model Gray(classes = 10) = image(1, 32, 32) -> conv(8, 3) -> bn -> relu -> gap -> flatten -> dropout(0.25)
  -> linear(classes)
variant gray18 = Gray()
preprocess Gray { mean = [0.5], std = [0.25], resize = 41, size = 32, interpolation = "bicubic" }
reference timm for gray18 = "resnet18" with (in_chans = 1, num_classes = 10, drop_path_rate = 0.1)
recipe plain for gray18 {
  epochs = 9, batch = 32, optimizer = adamw, lr = 0.1, lr_scaling = "none", schedule = constant, size = 32
}
"""


def written(spec: str | Path, name: str, trainer: str) -> str:
    return run(str(spec), name, "--as", trainer).stdout


def config(spec: str | Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(written(spec, name, "timm"))
    return found


def flags(spec: str | Path, name: str) -> dict[str, str]:
    text = written(spec, name, "torchvision")
    words = shlex.split(text[text.index("torchrun") :])
    return {word: after for word, after in pairwise(words) if word.startswith("--")}


def timm_model(given: dict[str, Any]) -> Any:
    """As train.py makes it."""
    declare_operators()
    import timm

    with torch.device("meta"):
        return timm.create_model(
            given["model"],
            in_chans=given["input_size"][0],
            num_classes=given.get("num_classes"),
            drop_rate=given.get("drop", 0.0),
            drop_path_rate=given.get("drop_path"),
            **given.get("model_kwargs", {}),
        )


def drops(model: Any) -> Counter[float]:
    """Chances above 0 of stochastic depth."""
    found = (getattr(m, "drop_prob", getattr(m, "p", 0)) for m in model.modules() if type(m).__name__ == "DropPath")
    return Counter(round(p, 6) for p in found if p)


@pytest.mark.parametrize(
    ("variant", "recipe", "rate"),
    [
        ("convnext_tiny", "imagenet1k", 0.1), ("convnext_small", "torchvision", 0.4),
        ("resnet50", "a1", 0.05), ("efficientnet_b0", "timm", 0.2),
    ],
)  # fmt: skip
def test_timm_makes_the_network_that_is_trained_here(variant: str, recipe: str, rate: float) -> None:
    given = config(variant, recipe)
    assert given["drop_path"] == rate
    ours = Pieces(variant, recipe).variant
    model = timm_model(given)
    assert drops(model) == drops(ours.empty())
    assert drops(model)
    heads = [module.p for module in ours.empty().modules() if isinstance(module, torch.nn.Dropout) and module.p]
    assert given.get("drop", 0.0) == (heads[0] if heads else 0)


def test_timm_makes_the_network_that_the_reference_says(tmp_path: Path) -> None:
    spec = tmp_path / "gray.arch"
    spec.write_text(GRAY)
    given = config(spec, "plain")
    expected = {
        "model": "resnet18", "input_size": [1, 32, 32], "num_classes": 10, "drop_path": 0.1, "drop": 0.25,
        "mean": [0.5], "std": [0.25],
    }  # fmt: skip
    assert {name: given[name] for name in expected} == expected
    model = timm_model(given)
    assert (model.conv1.in_channels, model.fc.out_features, model.drop_rate) == (1, 10, 0.25)
    said = written(spec, "plain", "torchvision")
    for words in ("images of 1 channels", "mean [0.5] and std [0.25]", "bicubic interpolation for the test"):
        assert words in said


@pytest.mark.parametrize(
    ("variant", "recipe"),
    [("convnext_tiny", "torchvision"), ("convnext_tiny", "imagenet1k"), ("resnet50", "a1"), ("gray", "plain")],
)
def test_pictures_are_tested_as_here(tmp_path: Path, variant: str, recipe: str) -> None:
    declare_operators()
    from timm.data import create_transform, resolve_data_config

    spec = tmp_path / "gray.arch"
    spec.write_text(GRAY)
    name = spec if variant == "gray" else variant
    pieces = Pieces(f"{spec}:gray18" if variant == "gray" else variant, recipe)
    ours: Any = pieces.transforms(train=False)
    side = pieces.recipe.test_size or pieces.recipe.size
    given = config(name, recipe)
    # validate.py at the side of the test, which is not train.py's where sizes differ
    data = resolve_data_config(
        {**given, "input_size": [given["input_size"][0], side, side]}, pretrained_cfg={"crop_pct": 0.5}
    )
    picture = Image.effect_noise((300, 260), 90).convert("L" if variant == "gray" else "RGB")
    assert torch.equal(create_transform(**data)(picture), ours(picture))

    theirs = flags(name, recipe)
    assert int(theirs["--val-crop-size"]) == side
    assert int(theirs["--val-resize-size"]) == ours.settings.resized(side)


@pytest.mark.parametrize("trainer", ["timm", "torchvision"])
def test_what_is_left_out_of_a_recipe_for_several_is_said(trainer: str) -> None:
    said = written("convnext", "imagenet1k", trainer)
    assert "the network: none is chosen; SPEC:VARIANT does, and its drop rates, classes and pictures" in said


def test_weights_of_one_dimension_decay_only_here() -> None:
    """timm's optimizers leave them out, whatever they are."""
    said = written("convnext_tiny", "torchvision", "timm")
    assert "weight decay of biases and layer scale: train.py decays nothing of one dimension" in said
    assert "layer scale" not in written("resnet50", "original", "timm")


MAGNITUDES = [(family, name) for family, name in every() if isinstance(shipped(family, name).augment, RandAugment)]


def test_torchvision_has_the_magnitudes_that_it_is_given() -> None:
    import_torchvision()
    from torchvision.transforms import RandAugment as Theirs

    picture = Image.new("RGB", (8, 8))
    given = {int(for_torchvision(shipped(*found)).settings["ra_magnitude"]) for found in MAGNITUDES}  # type: ignore[arg-type]
    assert max(given) == 30
    for magnitude in given:
        augment = Theirs(magnitude=magnitude)
        for _ in range(20):
            augment(picture)
