"""What a training will be, before anything is trained: epochs, steps, images, work, memory, and what differs from the
recipe. Takes a variant, a recipe, pictures and what was asked for; gives a `Plan`. Without torch.

Nothing is adapted in silence: whatever is not as the recipe says is in `Plan.differences`, with the reason. Raises
ArchError E647 to E650 and E656 for what cannot be trained so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import ValidationError

from archdsl.diagnostics.core import ArchError
from archdsl.graph.recipe import ProgressiveStage, Recipe
from archdsl.graph.recipe_parts import RandAugment
from archdsl.graph.recipe_rules import problems
from archdsl.published import chosen
from archdsl.quiet import import_torch
from archdsl.training.datasets import Data
from archdsl.training.folders import PictureFolder
from archdsl.training.pieces import Pieces
from archdsl.training.recipes import recipe_of
from archdsl.training.step_memory import step_memory
from archdsl.variant import Variant

FORWARD_AND_BACKWARD = 3
"""Multiply-accumulates of a training step, in those of a forward pass: the gradients of weights and of inputs are two
more products of the same size."""

ROUND = 256
"""timm's repeated augmentation takes a whole number of so many pictures an epoch."""


@dataclass(frozen=True)
class TrainingOptions:
    """What was asked for in addition to variant, recipe and pictures; None: as the recipe says, or as it comes.

    `batch` are the images of a step over all `devices`, `micro_batch` those that go through the network at once, on
    each. `amp` is the type of activations (`off`: that of the weights), `weights` what is begun with: a file, or the
    name of published ones.
    """

    batch: int | None = None
    epochs: int | None = None
    image: int | None = None
    micro_batch: int | None = None
    devices: int = 1
    seed: int = 0
    amp: str = "off"
    recompute: bool = False
    weights: str | None = None


@dataclass(frozen=True)
class PlanStage:
    """Epochs that are alike: a stage of progressive learning, or all of them. MACs are of training alone, `memory` are
    bytes of a step on one device."""

    stage: ProgressiveStage
    size: int
    images: int
    macs: int
    memory: int


@dataclass(frozen=True)
class Plan:
    """A training, as it will be. `recipe` is the one that it follows, with what was asked for in its place."""

    given: Variant
    written: Recipe
    recipe: Recipe
    data: Data
    wishes: TrainingOptions
    micro_batch: int
    differences: tuple[str, ...]

    @cached_property
    def pieces(self) -> Pieces:
        return Pieces(self.given, self.recipe)

    @property
    def batch(self) -> int:
        return self.wishes.batch or self.recipe.batch

    @property
    def accumulate(self) -> int:
        """How many micro-batches a step adds up on each device."""
        return self.batch // self.wishes.devices // self.micro_batch

    @property
    def lr(self) -> float:
        return self.recipe.scaled_lr(self.batch)

    @property
    def steps(self) -> int:
        """Of an epoch; what is left over of the pictures has its turn in another epoch."""
        return epoch_length(len(self.data.train), self.recipe.repeats) // self.batch

    @cached_property
    def parts(self) -> tuple[PlanStage, ...]:
        found = []
        for stage in self.recipe.stages:
            if stage.epochs:
                graph = self.pieces.variant_at(stage.first).graph
                images = stage.epochs * self.steps * self.batch
                half, recompute = self.wishes.amp != "off", self.wishes.recompute
                memory = step_memory(graph, self.recipe, self.micro_batch, half=half, recompute=recompute)
                macs = FORWARD_AND_BACKWARD * graph.macs * images
                found.append(PlanStage(stage, graph.input_shape.height, images, macs, memory))
        return tuple(found)

    @property
    def images(self) -> int:
        return sum(part.images for part in self.parts)

    @property
    def macs(self) -> int:
        return sum(part.macs for part in self.parts)

    @cached_property
    def test_macs(self) -> int:
        """Multiply-accumulates of testing after every epoch."""
        if self.data.test is None:
            return 0
        once = self.pieces.tested.graph.macs * len(self.data.test)
        return once * self.recipe.epochs * (2 if self.recipe.ema is not None else 1)

    @property
    def memory(self) -> int:
        """The most bytes of a step on one device."""
        return max(part.memory for part in self.parts)


def make_plan(variant: Variant, recipe: Recipe | str, data: Data, wishes: TrainingOptions) -> Plan:
    """The plan; with the number of classes that the pictures have."""
    written = recipe_of(variant, recipe)
    said: list[str] = []
    given, variant = variant, _with_classes(variant, data, said)
    changed = _changed(written, wishes, said)
    made = Plan(variant, written, changed, data, wishes, 0, ())
    micro = _micro_batch(made, said)
    said += [*_left_out(data), *_not_done(written)]
    if wishes.weights is not None:
        as_written = given.sibling(given.name) if given.name in given.file.variants else given
        said.append(_begun(as_written, made, wishes.weights))
    plan = Plan(variant, written, changed, data, wishes, micro, tuple(said))
    _check(plan)
    return plan


def epoch_length(pictures: int, repeats: int) -> int:
    """How many pictures an epoch takes, those that come again counted again."""
    return pictures // ROUND * ROUND if repeats > 1 and pictures >= ROUND else pictures


def _with_classes(variant: Variant, data: Data, said: list[str]) -> Variant:
    """The variant for as many classes as there are folders; raises E650 where that cannot be."""
    count, graph = len(data.train.classes), variant.graph
    if graph.input_shape.channels not in (1, 3):
        detail = (
            f"its image has {graph.input_shape.channels} channels, and pictures are read as grey or in three colours"
        )
        raise ArchError.of("E650", variant=variant.name, detail=detail)
    if graph.form != "tensor":
        raise ArchError.of(
            "E650", variant=variant.name, detail="it has several outputs, and a recipe is about one loss"
        )
    if graph.output_shape.dims == (count,):
        return variant
    if "classes" not in variant.parameters:
        detail = (
            f"the pictures have {count} classes, its output is {graph.output_shape}, and it has no parameter `classes`"
        )
        raise ArchError.of("E650", variant=variant.name, detail=detail)
    made = variant.override({"classes": count})
    if made.graph.output_shape.dims != (count,):
        raise ArchError.of(
            "E650", variant=variant.name, detail=f"its output is {made.graph.output_shape} for {count} classes"
        )
    said.append(f"classes: {count}, as the pictures have; the spec says {graph.output_shape}")
    return made


def _changed(recipe: Recipe, wishes: TrainingOptions, said: list[str]) -> Recipe:
    """The recipe with other epochs and another size, if these are asked for."""
    changed: dict[str, Any] = {}
    if wishes.epochs is not None and wishes.epochs != recipe.epochs:
        changed["epochs"] = wishes.epochs
        said.append(
            f"epochs: {wishes.epochs} as asked for, the recipe says {recipe.epochs}{_shortened(recipe, wishes.epochs)}"
        )
    if wishes.image is not None and wishes.image != recipe.size:
        changed |= _resized(recipe, wishes.image, said)
    if wishes.batch is not None and wishes.batch != recipe.batch:
        lr, rule = recipe.scaled_lr(wishes.batch), recipe.lr_scaling
        how = "its rule for another batch is none" if rule == "none" else f"by its rule, {rule}"
        said.append(
            f"batch: {wishes.batch} as asked for, the recipe says {recipe.batch}; "
            f"learning rate {lr:.6g}, not {recipe.lr:.6g} ({how})"
        )
    if not changed and wishes.batch in (None, recipe.batch):
        return recipe
    try:
        made = recipe.replaced(changed)
        # What it says of learning rates (a warmup's start, a cosine's end) is beside the one that is trained with.
        trained = made.replaced({"lr": made.scaled_lr(wishes.batch or made.batch)})
    except ValidationError as error:
        detail = str(error.errors()[0]["msg"]).removeprefix("Value error, ")
        raise ArchError.of("E656", name=recipe.name, detail=detail) from None
    for problem in problems(trained, ()):
        if problem.code == "E437":
            said.append(f"{problem.key}: {problem.facts['reason']}")
        elif problem.code != "E439":  # lengths of stages that do not add up are shared out in proportion
            raise ArchError.of("E656", name=recipe.name, detail=problem.facts["detail"])
    return made


def _shortened(recipe: Recipe, epochs: int) -> str:
    """What else follows from another number of epochs."""
    if recipe.warmup is not None and recipe.warmup.epochs >= epochs:
        detail = f"its warmup takes {recipe.warmup.epochs:g} epochs of {epochs}"
        raise ArchError.of("E656", name=recipe.name, detail=detail)
    return "; the stages of progressive learning are shorter in proportion" if recipe.progressive is not None else ""


def _resized(recipe: Recipe, size: int, said: list[str]) -> dict[str, Any]:
    """What another size of image changes: that of testing in proportion; raises E656 for a progressive recipe."""
    if recipe.progressive is not None:
        raise ArchError.of(
            "E656", name=recipe.name, detail="its sizes grow from stage to stage: there is no one size to replace"
        )
    changed: dict[str, Any] = {"size": size}
    text = f"image: {size} as asked for, the recipe says {recipe.size}"
    for name in ("test_size", "test_resize"):
        before = getattr(recipe, name)
        if before is not None:
            changed[name] = round(before * size / recipe.size)
            text += f"; {name} {changed[name]} instead of {before}, in proportion"
    said.append(text)
    return changed


def _micro_batch(plan: Plan, said: list[str]) -> int:
    """How many images go through the network at a time; raises E649."""
    devices, batch = plan.wishes.devices, plan.batch
    each = batch // devices
    if batch % devices:
        raise ArchError.of("E649", detail=f"a batch of {batch} cannot be shared out among {devices} processes")
    asked = plan.wishes.micro_batch
    micro = min(each, asked or each)
    if each % micro:
        near = max(size for size in range(1, micro + 1) if each % size == 0)
        detail = (
            f"{each} images a step on each device are not a whole number of micro-batches of {micro}: {near} would do"
        )
        raise ArchError.of("E649", detail=detail)
    if micro < each:
        said.append(
            f"micro-batch: {micro}, as asked for; {each // micro} of them make a step. Batch norm and mixing see "
            f"{micro} images at a time"
        )
    return micro


def _left_out(data: Data) -> list[str]:
    """Files among the pictures that are not taken for some."""
    said = []
    for what, pictures in (("pictures", data.train), ("test pictures", data.test)):
        left = pictures.left if isinstance(pictures, PictureFolder) else {}
        if left:
            counts = ", ".join(f"{count:,} {ending or 'without an ending'}" for ending, count in left.items())
            said.append(f"{what}: other files are left out ({counts})")
    return said


def _not_done(recipe: Recipe) -> list[str]:
    """What this engine has no part for, and what it leaves to the user."""
    said = []
    if recipe.lighting:
        said.append(f"lighting: left out ({recipe.lighting}), as neither timm nor torchvision has it")
    if recipe.after is not None:
        said.append(f"weights: the recipe goes on from those of `{recipe.after}`, which `--weights` gives")
    return said


def _begun(as_written: Variant, plan: Plan, weights: str) -> str:
    """What is begun with, and whether the classifier is new; raises ArchError where that cannot be loaded. A published
    file is not fetched for it."""
    variant = plan.pieces.variant_at(0)
    entry = chosen(as_written, weights)
    if entry is None:
        import_torch()
        from archdsl.weights.loading import reinitialized

        anew = bool(reinitialized(variant, weights, plan.pieces.heads))
    else:
        entry.check()
        anew = plan.given.classes != entry.classes
    return f"weights: begun with {weights}{', with a new classifier' if anew else ''}, not with the spec's `init`"


def _check(plan: Plan) -> None:
    recipe, pictures = plan.recipe, len(plan.data.train)
    if plan.steps < 1:
        length = epoch_length(pictures, recipe.repeats)
        detail = f"a batch of {plan.batch:,} is more than the {length:,} pictures of an epoch"
        raise ArchError.of("E649", detail=detail)
    for stage in recipe.stages:
        at = recipe.at(stage.first)
        if (at.mixup or at.cutmix) and plan.micro_batch % 2:
            raise ArchError.of(
                "E649", detail=f"mixup and CutMix mix pairs, and {plan.micro_batch} images at a time is odd"
            )
        if isinstance(at.augment, RandAugment) and at.augment.magnitude is None:
            raise ArchError.of("E656", name=recipe.name, detail="its RandAugment has no magnitude")
    whole = _weights(plan.pieces.variant_at(0))
    for stage in recipe.stages[1:]:
        if _weights(plan.pieces.variant_at(stage.first)) != whole:
            detail = f"its parameters of epoch {stage.first + 1} make a network with other weights"
            raise ArchError.of("E656", name=recipe.name, detail=detail)
    if plan.data.test is not None and _weights(plan.pieces.tested) != whole:
        detail = f"images of its test, {recipe.test_size or recipe.size} pixels, make a network with other weights"
        raise ArchError.of("E656", name=recipe.name, detail=detail)
    plan.given.preprocess  # noqa: B018  it raises where the spec says nothing


def _weights(variant: Variant) -> Mapping[str, tuple[int, ...]]:
    return {key: weight.shape for key, weight, _ in variant.graph.state()}


def macs_text(count: float) -> str:
    """`4.1e15` as `4.1 P`."""
    if count < 1000:
        return f"{count:.0f}"
    power = min(6, int(math.log10(count) // 3))
    return f"{count / 1000**power:.3g} {' kMGTPE'[power].strip()}"
