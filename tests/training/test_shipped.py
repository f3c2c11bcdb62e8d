"""Every shipped recipe can be planned, and gives its pieces, for a network that it is for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PIL import Image

import archdsl
from archdsl.graph.recipe import Recipe
from archdsl.training import Pieces
from archdsl.training.datasets import Data
from archdsl.training.folders import PictureFolder
from archdsl.training.plan import TrainingOptions, make_plan
from tests.shipped import opened
from tests.training.test_pieces import draw

FAMILIES = ("resnet", "convnext", "convnext_roadmap", "efficientnet", "efficientnet_v2", "mobilenet_v3", "regnet")


def shipped() -> Iterator[tuple[str, str]]:
    """Each recipe of a family with the first of the variants that it is for."""
    for family in FAMILIES:
        file = opened(family)
        seen = set()
        for name, variant in file.items():
            for recipe in variant.recipes:
                if recipe not in seen:
                    seen.add(recipe)
                    yield f"{family}:{name}", recipe


CASES = list(shipped())
IMAGENET = PictureFolder(
    "train", tuple(f"n{i}" for i in range(1000)), tuple((f"{i}.JPEG", i % 1000, 0) for i in range(1_281_167))
)


def test_there_are_the_published_ones() -> None:
    assert len(CASES) > 20


@pytest.mark.parametrize(("spec", "name"), CASES)
def test_a_plan_and_its_pieces(spec: str, name: str) -> None:
    variant = archdsl.find(spec)
    classes = variant.graph.output_shape.channels
    data = Data("data", IMAGENET, None)
    if classes != 1000:
        data = Data("data", PictureFolder("train", tuple(map(str, range(classes))), IMAGENET.files), None)
    plan = make_plan(variant, name, data, TrainingOptions())
    recipe: Recipe = plan.recipe
    assert plan.steps == {1: 1_281_167, 3: 1_281_024, 4: 1_281_024}[recipe.repeats] // recipe.batch
    assert all(line.split(":")[0] in ("lighting", "weights", "classes") for line in plan.differences)
    assert plan.macs > 1e15
    pieces = Pieces(variant, name)
    model = pieces.variant.empty()
    pieces.set_up(model)
    optimizer = pieces.optimizer(model)
    pieces.schedule(optimizer, plan.steps)
    assert sum(len(group["params"]) for group in optimizer.param_groups) == len(list(model.parameters()))
    for stage in recipe.stages:
        pieces.loss(epoch=stage.first)
        pieces.mixup(classes, epoch=stage.first)
        side = recipe.at(stage.first).size
        assert draw(pieces.transforms(train=True, epoch=stage.first), 1).shape == (1, 3, side, side)
    image = pieces.transforms(train=False)(Image.new("RGB", (500, 375)))
    side = recipe.test_size or recipe.size
    assert image.shape == (3, side, side)
