"""A recipe over its epochs: learning rate, size of the images and regularization. Takes a `Recipe`, gives SVG."""

from __future__ import annotations

from math import ceil

from archdsl.backends.diagram.chart import Curve, CurvePanel, chart
from archdsl.graph.recipe import Recipe
from archdsl.graph.recipe_parts import Milestones, Step
from archdsl.graph.schedule import learning_rate

_POINTS = 2_000
"""At most so many of the learning rate, which are more than a page can show."""
_LEAST = 8
"""Points of an epoch where every step has a learning rate of its own: a warmup is a line."""

_NEAR = 1e-6
"""Of an epoch: so far before and behind a corner the rates are those that it is reached and left with."""


def recipe_chart(recipe: Recipe, title: str) -> str:
    """The picture. Noise on the learning rate is not in it: it is drawn when the training is."""
    panels = [CurvePanel("learning rate" + (", without its noise" if recipe.lr_noise else ""), [_rate(recipe)])]
    if recipe.progressive is not None:
        columns = sorted(recipe.progressive.columns, key=lambda column: column != "size")
        panels += [CurvePanel(_TITLES.get(name, name), [_stages(recipe, name)]) for name in columns]
    return chart(title, panels)


_TITLES = {"size": "side of the images, pixels", "magnitude": "magnitude of RandAugment"}


def _rate(recipe: Recipe) -> Curve:
    by_step = recipe.updates == "step"
    each = max(1, min(_LEAST, _POINTS // recipe.epochs)) if by_step else 1
    every = max(1, recipe.epochs // _POINTS)
    epochs = [number / each for number in range(0, recipe.epochs * each, every)]
    points = [(epoch, learning_rate(recipe, epoch)) for epoch in epochs]
    if by_step:
        corners = [corner for corner in _corners(recipe) if corner < recipe.epochs]
        points += [(at, learning_rate(recipe, at + _NEAR)) for at in corners]
        # At a corner stands what is reached, then what is left with.
        before = [(at, learning_rate(recipe, max(0.0, at - _NEAR))) for at in (*corners, float(recipe.epochs))]
        points = sorted([*before, *points], key=lambda point: point[0])
    else:
        points.append((float(recipe.epochs), points[-1][1]))
    return Curve("learning rate", points, steps=not by_step)


def _corners(recipe: Recipe) -> list[float]:
    """Where a learning rate that changes with every step bends or falls, in epochs."""
    warmup, schedule = recipe.warmup, recipe.schedule
    found = {float(warmup.epochs)} if warmup is not None else set()
    begin = warmup.epochs if warmup is not None and warmup.mode == "prefix" else 0.0
    if isinstance(schedule, Milestones):
        found |= {begin + at for at in schedule.at}
    elif isinstance(schedule, Step) and recipe.epochs / schedule.every < _POINTS:
        found |= {begin + number * schedule.every for number in range(1, ceil(recipe.epochs / schedule.every))}
    return sorted(found)


def _stages(recipe: Recipe, name: str) -> Curve:
    points = [(float(stage.first), float(stage.values[name])) for stage in recipe.stages]
    return Curve(name, [*points, (float(recipe.epochs), points[-1][1])], steps=True)
