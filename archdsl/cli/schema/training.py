"""How networks are trained: `recipe`, `train`."""

from __future__ import annotations

from typing import TypedDict

from archdsl.cli.schema.common import Document


class PartJson(TypedDict):
    """What a recipe writes as a call: an optimizer, a schedule, an augmentation."""

    name: str
    arguments: dict[str, bool | int | float | str | list[int | float] | None]


class RecipeStageJson(TypedDict):
    """A stage of progressive learning: epochs from `first` up to `end`, counted from 0."""

    first: int
    end: int
    values: dict[str, int | float]


RecipeJson = TypedDict(
    "RecipeJson",
    {
        "name": str,
        "source": str,
        "amends": str | None,
        "for": list[str],
        "settings": dict[str, PartJson | bool | int | float | str | list[str] | list[int | float] | None],
        "parameters": dict[str, bool | int | float | str | list[int | float]],
        "stages": list[RecipeStageJson],
    },
)
"""A recipe, with what is as by default; `parameters` are those of the model."""


class SettingJson(TypedDict):
    """A setting of two recipes, as a spec writes it; empty where one does not mention it."""

    setting: str
    before: str
    after: str


class ExportedJson(TypedDict):
    """A recipe for another trainer. `missing`: in words, what the trainer cannot say."""

    trainer: str
    settings: dict[str, bool | int | float | str | list[int | float] | dict[str, int | float]]
    missing: list[str]
    text: str


class RecipeDocument(Document):
    """`archdsl recipe --json`: the recipes of a file, the one that is shown, or the two that are compared."""

    file: str
    recipes: list[RecipeJson]
    differences: list[SettingJson] | None
    exported: ExportedJson | None
    path: str | None


class TrainingPlanJson(TypedDict):
    """What a training will be. `macs` are those of all its steps, `test_macs` those of testing after every epoch;
    `memory` are bytes, about, of a step on one device; `differences` are from the recipe, in words."""

    variant: str
    recipe: str
    classes: list[str]
    train_pictures: int
    test_pictures: int
    epochs: int
    batch: int
    micro_batch: int
    devices: int
    steps: int
    images: int
    macs: int
    test_macs: int
    memory: int
    lr: float
    differences: list[str]


class TrainingRunJson(TypedDict):
    """What was trained: `best` is the top-1 accuracy in percent of the best weights, null where none is tested."""

    folder: str
    epochs: int
    steps: int
    best: float | None
    files: list[str]


class TrainDocument(Document):
    """`run` is null with `--plan`."""

    plan: TrainingPlanJson
    run: TrainingRunJson | None
