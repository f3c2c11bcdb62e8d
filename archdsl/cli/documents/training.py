"""How networks are trained: `recipe`, `train`."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, TypeAlias

from pydantic import Field

from archdsl.cli.documents.base import Document, Shape, Text
from archdsl.graph.recipe import SETTINGS

if TYPE_CHECKING:
    from archdsl.graph.recipe import Recipe
    from archdsl.graph.recipe_parts import RecipePart
    from archdsl.graph.recipe_words import SettingLine
    from archdsl.training.plan import Plan

Plain: TypeAlias = bool | int | float | Text | list[int | float]


class PartJson(Shape):
    """What a recipe writes as a call: an optimizer, a schedule, an augmentation."""

    name: str
    arguments: dict[str, Plain | None]

    @classmethod
    def differs(cls, part: RecipePart) -> dict[str, Any]:
        return {"name": part.word, "arguments": dict(part)}


class RecipeStageJson(Shape):
    """A stage of progressive learning."""

    first: int
    """Its epochs, from this one up to, but not including, `end`, counted from 0."""
    end: int
    values: dict[Text, int | float]


class RecipeJson(Shape):
    """A recipe, with what is as by default."""

    name: Text
    source: Text
    amends: Text | None
    targets: list[Text] = Field(alias="for")
    """The variants and models that it is for; empty: any."""
    settings: dict[str, PartJson | Plain | list[Text] | None]
    parameters: dict[Text, Plain]
    """Those of the model."""
    stages: list[RecipeStageJson]

    @classmethod
    def differs(cls, recipe: Recipe) -> dict[str, Any]:
        settings = {name: _plain(getattr(recipe, name)) for name in SETTINGS}
        stages = recipe.stages if recipe.progressive is not None else ()
        return {"settings": settings, "stages": stages}


class SettingJson(Shape):
    """A setting in which two recipes differ, as a spec writes it; empty where one does not mention it."""

    setting: str
    before: Text
    after: Text

    @classmethod
    def differs(cls, line: SettingLine) -> dict[str, Any]:
        return {"before": line.text}


class ExportedJson(Shape):
    """A recipe for another trainer."""

    trainer: str
    settings: dict[str, Plain | dict[str, int | float]]
    missing: list[Text]
    """In words, what the trainer cannot say."""
    text: Text


class RecipeDocument(Document):
    """The recipes of a file, the one that is shown, or the two that are compared."""

    command: ClassVar[str] = "recipe"
    file: Text
    recipes: list[RecipeJson]
    differences: list[SettingJson] | None
    """With `--diff`."""
    exported: ExportedJson | None
    """With `--as`."""
    path: Text | None
    """Of what was written."""


class TrainingPlanJson(Shape):
    """What a training will be."""

    variant: Text
    recipe: Text
    classes: list[Text]
    train_pictures: int
    test_pictures: int
    epochs: int
    batch: int
    micro_batch: int
    devices: int
    steps: int
    images: int
    macs: int
    """Of all steps."""
    test_macs: int
    """Of testing after every epoch."""
    memory: int
    """Bytes, about, of a step on one device."""
    lr: float
    differences: list[Text]
    """From the recipe, in words."""

    @classmethod
    def differs(cls, plan: Plan) -> dict[str, Any]:
        recipe, test = plan.recipe, plan.data.test
        return {
            "variant": plan.given.name,
            "recipe": recipe.name,
            "classes": plan.data.train.classes,
            "train_pictures": len(plan.data.train),
            "test_pictures": 0 if test is None else len(test),
            "epochs": recipe.epochs,
            "devices": plan.wishes.devices,
            "steps": plan.steps * recipe.epochs,
        }


class TrainingRunJson(Shape):
    """What was trained."""

    folder: Text
    epochs: int
    steps: int
    best: float | None
    """The top-1 accuracy of the best weights in percent; null where none is tested."""
    files: list[Text]


class TrainDocument(Document):
    """A training."""

    command: ClassVar[str] = "train"
    plan: TrainingPlanJson
    run: TrainingRunJson | None
    """Null with `--plan`."""


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return float(value) if isinstance(value, Decimal) else value
