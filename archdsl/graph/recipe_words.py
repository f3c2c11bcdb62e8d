"""Recipes in words: takes a `Recipe`, gives its settings as a spec writes them, or what differs between two.

What is as its default says is not mentioned.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, NamedTuple

from archdsl.graph.recipe import Progressive, ProgressiveStage, Recipe
from archdsl.graph.recipe_parts import RecipePart

GROUPS = {
    "training": ("epochs", "batch", "after"),
    "optimizer": ("optimizer", "weight_decay", "no_decay", "layer_decay", "clip"),
    "learning rate": ("lr", "lr_scaling", "schedule", "warmup", "updates", "lr_noise"),
    "loss": ("loss", "smoothing"),
    "pictures": (
        "data", "size", "crop_scale", "crop_ratio", "flip", "interpolation", "augment", "repeats", "color_jitter",
        "lighting", "erasing", "erasing_fill", "erasing_count", "mixup", "cutmix", "mix_probability", "mix_switch",
        "mix_mode",
    ),
    "network": ("parameters", "bn_momentum", "head_scale"),
    "averages": ("ema", "average"),
    "test": ("test_size", "test_resize", "test_crop", "test_squash", "test_interpolation"),
    "published": ("top1", "top1_from"),
}  # fmt: skip
"""The settings by what they are about, in the order in which they are read."""


class SettingLine(NamedTuple):
    """A setting of a recipe, in words; `after`: in the recipe that it is compared with."""

    group: str
    setting: str
    text: str
    after: str = ""


def settings(recipe: Recipe) -> list[SettingLine]:
    """Every setting that is not as by default."""
    return [SettingLine(group, name, text) for group, name, text in _texts(recipe) if text]


def differences(before: Recipe, after: Recipe) -> list[SettingLine]:
    """The settings in which two recipes differ, each as in both; empty where one does not mention it."""
    old = {name: (group, text) for group, name, text in _texts(before)}
    new = {name: (group, text) for group, name, text in _texts(after)}
    found = []
    for name in {**old, **new}:
        group, text = old.get(name, (new.get(name, ("", ""))[0], ""))
        other = new.get(name, ("", ""))[1]
        if text != other:
            found.append(SettingLine(group, name, text, other))
    order = list(GROUPS)
    return sorted(found, key=lambda line: order.index(line.group))


_CHIEF = ("epochs", "batch", "optimizer", "lr", "schedule")
"""Settings that every recipe has; of the others, a brief text names those that come and go."""


def brief(before: Recipe, after: Recipe) -> str:
    """`recipe original → enhanced: epochs 90 → 300, sgd → adamw; with augment, mixup; without …`; empty if equal."""
    found = differences(before, after)
    if not found:
        return ""
    chief = [
        f"{name} {old} → {new}"
        for name in ("epochs", "batch")
        if (old := getattr(before, name)) != (new := getattr(after, name))
    ]
    for name in ("optimizer", "schedule"):
        old, new = getattr(before, name).word, getattr(after, name).word
        chief += [f"{old} → {new}"] if old != new else []
    skipped = (*_CHIEF, "lr_scaling", "updates", "no_decay", "interpolation")
    rest = [line for line in found if line.group not in ("test", "published") and line.setting not in skipped]
    parts = [", ".join(chief)] if chief else []
    for word, names in (
        ("with", [line.setting for line in rest if not line.text]),
        ("without", [line.setting for line in rest if not line.after]),
        ("other", [line.setting for line in rest if line.text and line.after]),
    ):
        if names:
            parts.append(f"{word} {', '.join(names)}")
    return f"recipe {before.name} → {after.name}: {'; '.join(parts) or 'tested otherwise'}"


def _texts(recipe: Recipe) -> Iterator[tuple[str, str, str]]:
    for group, names in GROUPS.items():
        for name in names:
            if name == "parameters":
                yield from ((group, key, value_text(value)) for key, value in recipe.parameters.items())
            else:
                yield group, name, _setting(recipe, name)
        if group == "pictures":
            yield group, "progressive", _progressive(recipe.progressive)


def _setting(recipe: Recipe, name: str) -> str:
    value, field = getattr(recipe, name), type(recipe).model_fields[name]
    if value is None or value == field.get_default(call_default_factory=True):
        return ""
    return f"{value} %" if name == "top1" else value_text(value)


def _progressive(progressive: Progressive | None) -> str:
    if progressive is None:
        return ""
    names = ", ".join(progressive.columns)
    first, last = progressive.values(0), progressive.values(progressive.count - 1)
    ends = f"{_numbers(first)} to {_numbers(last)}"
    return f"{progressive.count} stages of {names}: {ends}"


def _numbers(values: dict[str, float]) -> str:
    return ", ".join(f"{value:.4g}" for value in values.values())


def value_text(value: Any) -> str:
    """A value as a spec writes it: `sgd(momentum = 0.9)`, `[0.08, 1]`, `"bicubic"` without its quotes."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, RecipePart):
        return part_text(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(map(value_text, value)) + "]"
    if isinstance(value, float):
        return f"{value:.10g}"
    return str(value) if isinstance(value, str | int | Decimal) else repr(value)


def part_text(part: RecipePart) -> str:
    """`cosine(end = 1e-06)`: what is not as by default."""
    given = []
    for name, field in type(part).model_fields.items():
        value = getattr(part, name)
        if value is not None and value != field.get_default(call_default_factory=True):
            given.append(value_text(value) if name == part.word else f"{name} = {value_text(value)}")
    return f"{part.word}({', '.join(given)})" if given else part.word


def stage_cells(stage: ProgressiveStage, columns: tuple[str, ...]) -> list[str]:
    """`88–175`, and what the columns say in a stage, as for a table."""
    epochs = f"{stage.first + 1}–{stage.end}"  # from one epoch to another, counted from 1
    return [epochs, *(f"{stage.values[name]:.4g}" for name in columns)]
