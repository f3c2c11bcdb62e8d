"""A recipe over its epochs: learning rate, size of the images and regularization. Takes a `Recipe`, gives SVG."""

from __future__ import annotations

from archdsl.backends.diagram.chart import Line, Panel, chart
from archdsl.graph.recipe import Recipe
from archdsl.graph.schedule import learning_rate

_POINTS = 2_000
"""At most so many of the learning rate, which are more than a page can show."""
_LEAST = 8
"""Points of an epoch where every step has a learning rate of its own: a warmup is a line."""


def recipe_chart(recipe: Recipe, title: str) -> str:
    """The picture. Noise on the learning rate is not in it: it is drawn when the training is."""
    panels = [Panel("learning rate" + (", without its noise" if recipe.lr_noise else ""), [_rate(recipe)])]
    if recipe.progressive is not None:
        columns = sorted(recipe.progressive.columns, key=lambda column: column != "size")
        panels += [Panel(_TITLES.get(name, name), [_stages(recipe, name)]) for name in columns]
    return chart(title, panels)


_TITLES = {"size": "side of the images, pixels", "magnitude": "magnitude of RandAugment"}


def _rate(recipe: Recipe) -> Line:
    by_step = recipe.updates == "step"
    each = max(1, min(_LEAST, _POINTS // recipe.epochs)) if by_step else 1
    every = max(1, recipe.epochs // _POINTS)
    epochs = [number / each for number in range(0, recipe.epochs * each, every)]
    points = [(epoch, learning_rate(recipe, epoch)) for epoch in epochs]
    if not by_step:
        points.append((float(recipe.epochs), points[-1][1]))
    return Line("learning rate", points, steps=not by_step)


def _stages(recipe: Recipe, name: str) -> Line:
    points = [(float(stage.first), float(stage.values[name])) for stage in recipe.stages]
    return Line(name, [*points, (float(recipe.epochs), points[-1][1])], steps=True)
