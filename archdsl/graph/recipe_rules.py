"""What a recipe says that cannot hold, or does nothing: takes a `Recipe` and the settings that were written, gives
`RecipeProblem`s, each with the setting that it is about.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.suggest import closest
from archdsl.graph.recipe import SETTINGS, Recipe
from archdsl.graph.recipe_parts import Bce, Cosine, Milestones, RandAugment, Sgd, Step

FOREIGN = {
    "aa": "augment", "auto_augment": "augment", "aug_repeats": "repeats", "ra_reps": "repeats", "batch_size": "batch",
    "bce_loss": "loss", "clip_grad": "clip", "clip_grad_norm": "clip", "crop_pct": "test_crop", "criterion": "loss",
    "cutmix_alpha": "cutmix", "mixup_alpha": "mixup", "drop": "dropout_rate", "drop_rate": "dropout_rate",
    "dropout": "dropout_rate", "drop_connect": "drop_path_rate", "drop_path": "drop_path_rate",
    "stochastic_depth": "drop_path_rate", "stochastic_depth_prob": "drop_path_rate", "hflip": "flip",
    "image_size": "size", "img_size": "size", "input_size": "size", "resolution": "size", "train_crop_size": "size",
    "train_size": "size", "label_smoothing": "smoothing", "learning_rate": "lr", "lr_scheduler": "schedule",
    "sched": "schedule", "scheduler": "schedule", "model_ema": "ema", "model_ema_decay": "ema", "opt": "optimizer",
    "optim": "optimizer", "mixup_prob": "mix_probability", "mixup_switch_prob": "mix_switch",
    "norm_weight_decay": "no_decay", "random_erase": "erasing", "recount": "erasing", "remode": "erasing_fill",
    "reprob": "erasing", "ratio": "crop_ratio", "scale": "crop_scale", "train_interpolation": "interpolation",
    "val_crop_size": "test_size", "val_resize_size": "test_resize", "warmup_epochs": "warmup", "warmup_lr": "warmup",
    "wd": "weight_decay", "num_epochs": "epochs", "min_lr": "schedule", "decay_epochs": "schedule",
    "decay_rate": "schedule", "momentum": "optimizer", "betas": "optimizer", "opt_eps": "optimizer",
}  # fmt: skip
"""What other trainers call settings -> what a recipe calls them."""


@dataclass(frozen=True)
class RecipeProblem:
    """`key` is the setting that is wrong, `other` the one that it disagrees with, `row` a row of `progressive`."""

    code: str
    key: str
    facts: dict[str, Any]
    other: str | None = None
    row: int | None = None


def _clash(key: str, detail: str, hint: str, other: str | None = None, row: int | None = None) -> RecipeProblem:
    return RecipeProblem("E436", key, {"detail": detail, "hint": hint}, other, row)


def _idle(key: str, reason: str, hint: str, other: str | None = None) -> RecipeProblem:
    return RecipeProblem("E437", key, {"key": key, "reason": reason, "hint": hint}, other)


def problems(recipe: Recipe, given: Collection[str]) -> list[RecipeProblem]:
    """Everything that is wrong; `given` are the settings, and parameters of the model, that the spec writes."""
    staged = list(_stages(recipe, given)) or list(_values(recipe))
    found = [*staged, *_rate(recipe, given), *_loss(recipe, given), *_mixes(recipe, given)]
    return [*found, *_averages(recipe, given), *_rest(recipe, given)]


def checked(recipe: Recipe, changed: Mapping[str, Any]) -> Recipe:
    """The recipe with other settings; raises ArchError E656 where it cannot have them. What only does nothing, and
    stages that are shared out among other epochs, are no errors."""
    bag = Bag()
    for name in changed.keys() - type(recipe).model_fields.keys():
        near = closest(name, SETTINGS)
        detail = f"there is no setting `{name}`" + (f", did you mean `{near}`?" if near else "")
        bag.report("E656", None, name=recipe.name, detail=detail)
    bag.raise_errors()
    try:
        made = recipe.replaced(changed)
    except ValidationError as error:
        for fault in error.errors(include_url=False):
            where = ".".join(map(str, fault["loc"]))
            words = str(fault["msg"]).removeprefix("Value error, ").replace("Input should be", "it must be")
            bag.report("E656", None, name=recipe.name, detail=f"{where}: {words}" if where else words)
        raise ArchError(bag) from None
    for problem in problems(made, ()):
        if problem.code not in ("E437", "E439"):
            bag.report("E656", None, name=recipe.name, detail=problem.facts["detail"])
    bag.raise_errors()
    return made


def _most(recipe: Recipe, key: str) -> float:
    """The greatest value of a setting in any stage."""
    stages = [stage.values[key] for stage in recipe.stages if key in stage.values]
    value: float = getattr(recipe, key)
    return max(stages, default=value)


# --- progressive learning --------------------------------------------------------------------


def _stages(recipe: Recipe, given: Collection[str]) -> Iterator[RecipeProblem]:
    progressive = recipe.progressive
    if progressive is None:
        if isinstance(recipe.augment, RandAugment) and recipe.augment.magnitude is None:
            hint = "give it: randaugment(9); or let it grow: progressive(size, magnitude)"
            yield _clash("augment", "RandAugment without a magnitude", hint)
        return
    for column in progressive.columns:
        if column in given:
            detail = f"`{column}` is given once for all and for each stage"
            yield _clash(column, detail, "leave out one of them (`none` takes back what is amended)", "progressive")
    if "magnitude" in progressive.columns:
        if not isinstance(recipe.augment, RandAugment):
            detail, hint = (
                "the stages have a magnitude, and there is no RandAugment",
                "augment = randaugment(layers = 2)",
            )
            yield _clash("progressive", detail, hint, "augment")
        elif recipe.augment.magnitude is not None:
            detail = "the magnitude of RandAugment is given once for all and for each stage"
            yield _clash("augment", detail, "leave out one of them", "progressive")
    elif isinstance(recipe.augment, RandAugment) and recipe.augment.magnitude is None:
        yield _clash("augment", "RandAugment without a magnitude", "give it, or a column `magnitude`", "progressive")
    if progressive.count > recipe.epochs:
        detail = f"{progressive.count} stages in {recipe.epochs} epochs"
        yield _clash("progressive", detail, "a stage has at least one epoch", "epochs")
    elif progressive.lengths is not None and sum(progressive.lengths) != recipe.epochs:
        facts = {"given": sum(progressive.lengths), "epochs": recipe.epochs}
        yield RecipeProblem("E439", "progressive", facts, "epochs")


def _values(recipe: Recipe) -> Iterator[RecipeProblem]:
    """Values of stages that the settings do not take."""
    for index, stage in enumerate(recipe.stages):
        try:
            recipe.at(stage.first)
        except ValidationError as error:
            detail = error.errors(include_url=False)[0]
            name = ".".join(map(str, detail["loc"])) or "this"
            words = str(detail["msg"]).replace("Input should be", "it must be")
            ends = recipe.progressive is not None and recipe.progressive.stages is not None
            row = (1 if index else 0) if ends else index
            yield _clash("progressive", f"stage {index + 1}: {name}: {words}", "correct the row", row=row)
            return


# --- learning rate ---------------------------------------------------------------------------


def _rate(recipe: Recipe, given: Collection[str]) -> Iterator[RecipeProblem]:
    warmup, schedule = recipe.warmup, recipe.schedule
    if warmup is not None:
        if warmup.epochs >= recipe.epochs:
            length = "as long as" if warmup.epochs == recipe.epochs else "longer than"
            detail = f"the warmup ({warmup.epochs:g} epochs) is {length} the training ({recipe.epochs})"
            yield _clash("warmup", detail, "warm up for a part of the epochs", "epochs")
        if warmup.start is not None and warmup.factor is not None:
            detail = "`start` and `factor` both say where the warmup begins"
            yield _clash("warmup", detail, "give the learning rate itself (start), or the part of it (factor)")
        elif warmup.start is not None and warmup.start > recipe.lr:
            detail = f"the warmup begins at {warmup.start:g}, above the learning rate ({recipe.lr:g})"
            yield _clash("warmup", detail, "a warmup rises: start below the learning rate", "lr")
    before = warmup.epochs if warmup is not None and warmup.mode == "prefix" else 0
    match schedule:
        case Cosine(end=end) if end >= recipe.lr:
            detail = f"the cosine ends at {end:g}, not below the learning rate ({recipe.lr:g})"
            yield _clash(
                "schedule", detail, "give an end below the learning rate; for none, `schedule = constant`", "lr"
            )
        case Step(every=every) if every + before >= recipe.epochs:
            yield _idle(
                "schedule", "the first step is after the last epoch", "step more often than the epochs", "epochs"
            )
        case Milestones(at=at) if at[-1] + before >= recipe.epochs:
            reason = f"the milestone at {at[-1]} is after the last epoch"
            yield _idle("schedule", reason, "give milestones before the end", "epochs")
    noise = recipe.lr_noise
    if noise is not None and noise.start >= noise.end:
        detail = f"the noise begins at {noise.start:g} of the epochs and ends at {noise.end:g}"
        yield _clash("lr_noise", detail, "give parts of the training in order: normal(0.42, 0.9)")
    if isinstance(recipe.optimizer, Sgd) and recipe.optimizer.nesterov and not recipe.optimizer.momentum:
        yield _clash("optimizer", "Nesterov's momentum without a momentum", "sgd(momentum = 0.9, nesterov = true)")
    if recipe.no_decay and not recipe.weight_decay:
        yield _idle("no_decay", "no weight decays", "give a weight_decay, or leave it out")


# --- loss and mixes --------------------------------------------------------------------------


def _loss(recipe: Recipe, given: Collection[str]) -> Iterator[RecipeProblem]:
    loss, smoothing = recipe.loss, _most(recipe, "smoothing")
    if not isinstance(loss, Bce) or loss.threshold is None:
        return
    mixed = bool(_most(recipe, "mixup") or _most(recipe, "cutmix"))
    if loss.threshold == 0 and smoothing:
        detail = "with smoothing every target is above 0, so that every class would be one"
        yield _clash("loss", detail, "raise the threshold, or leave smoothing out", "smoothing")
    elif loss.threshold >= 1 - smoothing > 0 and smoothing:
        detail = f"with smoothing {smoothing:g} no target is above the threshold {loss.threshold:g}"
        yield _clash("loss", detail, "lower the threshold, or leave smoothing out", "smoothing")
    elif not mixed and not smoothing:
        hint = "leave it out: without mixup, CutMix or smoothing targets are 0 or 1"
        yield _idle("loss", "its threshold changes no target", hint)


def _mixes(recipe: Recipe, given: Collection[str]) -> Iterator[RecipeProblem]:
    mixup, cutmix = _most(recipe, "mixup"), _most(recipe, "cutmix")
    if "mix_switch" in given and not (mixup and cutmix):
        missing = "CutMix" if mixup else "mixup" if cutmix else "mixup or CutMix"
        hint = "give both alphas, `mixup` and `cutmix`, or leave it out"
        yield _idle("mix_switch", f"there is no {missing} to switch to", hint, "mixup" if mixup else "cutmix")
    for key in ("mix_probability", "mix_mode"):
        if key in given and not (mixup or cutmix):
            yield _idle(key, "there is neither mixup nor CutMix", "give `mixup` or `cutmix`, or leave it out")
    if not _most(recipe, "erasing"):
        for key in ("erasing_fill", "erasing_count"):
            if key in given:
                yield _idle(key, "nothing is erased", "give `erasing`, its probability, or leave it out", "erasing")


# --- averages, test and the rest -------------------------------------------------------------


def _averages(recipe: Recipe, given: Collection[str]) -> Iterator[RecipeProblem]:
    if recipe.ema is not None and recipe.ema.start == "copy" and recipe.warmup is None:
        yield _idle("ema", '`start = "copy"` is about the warmup, and there is none', "leave `start` out", "warmup")
    if recipe.average is not None and recipe.average.count > recipe.epochs:
        detail = f"the mean of {recipe.average.count} checkpoints in {recipe.epochs} epochs"
        yield _clash("average", detail, "there is one checkpoint an epoch", "epochs")


def _rest(recipe: Recipe, given: Collection[str]) -> Iterator[RecipeProblem]:
    if recipe.test_resize is not None and recipe.test_crop is not None:
        detail = "`test_resize` and `test_crop` both say how large the picture is before the crop"
        yield _clash("test_crop", detail, "give one of them", "test_resize")
    side = recipe.test_size or max(int(_most(recipe, "size")), recipe.size)
    if recipe.test_resize is not None and recipe.test_resize < side:
        detail = f"the picture ({recipe.test_resize}) is smaller than the crop ({side})"
        yield _clash("test_resize", detail, "resize to at least the side of the crop", "test_size")
    if recipe.top1_from and recipe.top1 is None:
        yield _idle("top1_from", "there is no top1", "give `top1`, or leave it out")
    if recipe.after == recipe.name:
        yield _clash("after", "a recipe cannot begin where it ends itself", "name another recipe")
