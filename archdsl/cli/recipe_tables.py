"""Tables about recipes for readers; rich is imported by whoever calls this."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from archdsl.cli import console
from archdsl.cli.tables import plain_table
from archdsl.diagnostics.glyphs import shown
from archdsl.graph.recipe_words import SettingLine, settings, stage_cells, value_text

if TYPE_CHECKING:
    from rich.table import Table

    from archdsl.graph.recipe import Recipe


def title(recipe: Recipe) -> Text:
    """`a1 for resnet50, amends strikes_back_a1`"""
    told = f" for {', '.join(recipe.targets) or 'any network'}"
    told += f", from {recipe.amends}" if recipe.amends else ""
    return Text.assemble((shown(recipe.name), "bold cyan"), shown(f"{told}\n"), overflow="fold")


def recipe_table(recipes: Sequence[Recipe]) -> Table:
    """Several recipes, one a row."""
    made = plain_table(
        ("recipe", "left"),
        ("for", "left"),
        ("epochs", "right"),
        ("batch", "right"),
        ("optimizer", "left"),
        ("lr", "right"),
        ("size", "right"),
        ("top-1", "right"),
    )
    for recipe in recipes:
        targets = ", ".join(recipe.targets[:2]) + (f" and {len(recipe.targets) - 2} more" * (len(recipe.targets) > 2))
        first, last = recipe.at(0).size, recipe.at(recipe.epochs).size
        cells = [
            recipe.name,
            targets or "any",
            str(recipe.epochs),
            str(recipe.batch),
            recipe.optimizer.word,
            value_text(recipe.lr),
            str(last) if first == last else f"{first}–{last}",
            f"{recipe.top1} %" if recipe.top1 is not None else "",
        ]
        made.add_row(*map(console.text, cells))
    return made


def settings_table(recipe: Recipe) -> Table:
    """Every setting that is not as by default, by what it is about."""
    made = plain_table(("about", "left"), ("setting", "left"), ("value", "left"))
    group = ""
    for line in settings(recipe):
        made.add_row(*map(console.text, [line.group if line.group != group else "", line.setting, line.text]))
        group = line.group
    return made


def stages_table(recipe: Recipe) -> Table:
    """The stages of progressive learning."""
    assert recipe.progressive is not None
    columns = recipe.progressive.columns
    made = plain_table(("stage", "right"), ("epochs", "right"), *((name, "right") for name in columns))
    for number, stage in enumerate(recipe.stages, 1):
        made.add_row(*map(console.text, [str(number), *stage_cells(stage, columns)]))
    return made


def difference_table(before: Recipe, after: Recipe, changes: Sequence[SettingLine]) -> Table:
    """What differs between two recipes; a dash for what one of them does not mention."""
    names = [before.name, after.name] if before.name != after.name else [f"{before.name} (1)", f"{after.name} (2)"]
    made = plain_table(("about", "left"), ("setting", "left"), (names[0], "left"), (names[1], "left"))
    group = ""
    for line in changes:
        about = line.group if line.group != group else ""
        made.add_row(*map(console.text, [about, line.setting, line.text or "–", line.after or "–"]))
        group = line.group
    return made
