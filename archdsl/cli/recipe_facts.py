"""Recipes as `--json` prints them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from archdsl.graph.recipe import SETTINGS
from archdsl.graph.recipe_parts import Part

if TYPE_CHECKING:
    from archdsl.cli.schema.training import RecipeJson
    from archdsl.graph.recipe import Recipe


def recipe_json(recipe: Recipe) -> RecipeJson:
    """Everything that a recipe says, defaults too."""
    return {
        "name": recipe.name,
        "source": recipe.source,
        "amends": recipe.amends,
        "for": list(recipe.targets),
        "settings": {name: _plain(getattr(recipe, name)) for name in SETTINGS},
        "parameters": {name: _plain(value) for name, value in recipe.parameters.items()},
        "stages": [
            {"first": stage.first, "end": stage.end, "values": dict(stage.values)}
            for stage in (recipe.stages if recipe.progressive is not None else ())
        ],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Part):
        return {"name": value.word, "arguments": {n: _plain(getattr(value, n)) for n in type(value).model_fields}}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return float(value) if isinstance(value, Decimal) else value
