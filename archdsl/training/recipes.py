"""Finding the recipe that is meant."""

from __future__ import annotations

from archdsl import arguments
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.suggest import closest
from archdsl.graph.recipe import Recipe
from archdsl.variant import Variant


def recipe_of(variant: Variant, recipe: Recipe | str) -> Recipe:
    """The recipe itself, or the one of this name that is for the variant; raises ArchError E647."""
    if isinstance(recipe, Recipe):
        return recipe
    name = arguments.text("recipe", recipe)
    known = variant.recipes
    if name not in known:
        other = variant.file.recipes.get(name)
        facts = {
            "others": ", ".join(other.targets) if other is not None else None,
            "suggestion": closest(name, known),
            "known": ", ".join(known) or None,
        }
        raise ArchError.of("E647", facts=facts, name=name, variant=variant.name)
    return known[name]
