"""Finding the recipe that is meant."""

from __future__ import annotations

from collections.abc import Mapping

from archdsl import arguments
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.suggest import closest
from archdsl.graph.recipe import Recipe
from archdsl.variant import Variant


def recipes_for(variant: Variant) -> Mapping[str, Recipe]:
    """The recipes of a variant's file that are for it, by name; raises ArchError where one is wrong."""
    names = set(variant.configured.lineage)
    return {name: recipe for name, recipe in variant.file.recipes.items() if fits(recipe, names)}


def fits(recipe: Recipe, names: set[str]) -> bool:
    """Whether a recipe is for any of these: a variant, what it amends, its model."""
    return not recipe.targets or not names.isdisjoint(recipe.targets)


def recipe_of(variant: Variant, recipe: Recipe | str) -> Recipe:
    """The recipe itself, or the one of this name that is for the variant; raises ArchError E647."""
    if isinstance(recipe, Recipe):
        return recipe
    name = arguments.text("recipe", recipe)
    known = recipes_for(variant)
    if name not in known:
        bag = Bag()
        other = variant.file.recipes.get(name)
        facts = {
            "others": ", ".join(other.targets) if other is not None else None,
            "suggestion": closest(name, known),
            "known": ", ".join(known) or None,
        }
        bag.report("E647", None, facts=facts, name=name, variant=variant.name)
        raise ArchError(bag)
    return known[name]
