"""The learning rate over a training: takes a `Recipe`, gives a number for an epoch or a step. Without torch.

The numbers are those of timm's schedulers and torch's, but for timm's noise, which torch draws (`Noise`).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from math import cos, floor, pi

from archdsl.graph.recipe import Recipe
from archdsl.graph.recipe_parts import Constant, Cosine, Exponential, Milestones, Step, Warmup


def learning_rate(recipe: Recipe, epoch: float, peak: float | None = None) -> float:
    """The learning rate in force at a point of the training, counted in epochs; noise is not in it.

    `peak`: another learning rate than the recipe's, as for another batch. Where the recipe changes it at the beginning
    of an epoch, it is that of the epoch's beginning.
    """
    lr = recipe.lr if peak is None else peak
    t = float(floor(epoch)) if recipe.updates == "epoch" else epoch
    warmup = recipe.warmup
    if warmup is None:
        return _scheduled(recipe, t, recipe.epochs, lr)
    if warmup.mode == "multiply":
        factor = _line(warmup, t, lr) / lr if t < warmup.epochs else 1.0
        return factor * _scheduled(recipe, t, recipe.epochs, lr)
    if t < warmup.epochs:
        return _line(warmup, t, lr)
    if warmup.mode == "prefix":
        return _scheduled(recipe, t - warmup.epochs, recipe.epochs - warmup.epochs, lr)
    return _scheduled(recipe, t, recipe.epochs, lr)


def by_epoch(recipe: Recipe, peak: float | None = None) -> list[float]:
    """The learning rate at the beginning of each epoch."""
    return [learning_rate(recipe, epoch, peak) for epoch in range(recipe.epochs)]


def by_step(recipe: Recipe, steps: int, peak: float | None = None) -> Iterator[float]:
    """The learning rate of every step of a training with so many steps an epoch."""
    return (learning_rate(recipe, step / steps, peak) for step in range(recipe.epochs * steps))


def _line(warmup: Warmup, t: float, lr: float) -> float:
    """On the line that rises to the learning rate."""
    start = lr * warmup.factor if warmup.factor is not None else warmup.start or 0.0
    return start + (lr - start) * t / warmup.epochs


def _scheduled(recipe: Recipe, t: float, epochs: float, lr: float) -> float:
    """What the schedule says `t` epochs after its beginning, of all the `epochs` that it has."""
    match recipe.schedule:
        case Cosine(end=end):
            return end if t >= epochs else end + 0.5 * (lr - end) * (1 + cos(pi * t / epochs))
        case Step(factor=factor, every=every):
            return lr * factor ** floor(t / every + 1e-9)
        case Milestones(at=at, factor=factor):
            return lr * factor ** bisect_right(at, t)
        case Exponential(factor=factor, every=every):
            return lr * float(factor ** (t / every))
        case Constant():
            return lr
