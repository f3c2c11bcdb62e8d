"""Averages of weights: timm's moving average as a recipe says it begins, and the mean of several states."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from archdsl.graph.recipe import Recipe
from archdsl.training.libraries import import_timm

if TYPE_CHECKING:
    import torch
    from torch import nn


def moving_average(recipe: Recipe, model: nn.Module, batch: int) -> Any:
    """timm's ModelEmaV3 with the recipe's decay; `update(model, step, epoch)` after each step, counted from 1."""
    return _average_class()(recipe, model, batch)


@cache
def _average_class() -> type[Any]:
    import_timm()
    from timm.utils import ModelEmaV3

    class RecipeEma(ModelEmaV3):
        def __init__(self, recipe: Recipe, model: nn.Module, batch: int) -> None:
            assert recipe.ema is not None
            decay = recipe.ema_decay(batch)
            super().__init__(model, decay=decay)
            self.part = recipe.ema
            self.warmup = recipe.warmup.epochs if recipe.warmup is not None else 0.0
            self.updates = 0

        def update(self, model: nn.Module, step: int, epoch: float = float("inf")) -> None:
            """After step `step`, in an epoch counted from 0, whose fraction does not matter."""
            if step % self.part.every:
                return
            self.updates = step // self.part.every
            if self.part.start == "copy" and epoch < self.warmup:
                self.set(model)
                return
            super().update(model)

        def get_decay(self, step: int | None = None) -> float:
            if self.part.start == "ramp":
                return min(self.decay, (1 + self.updates) / (10 + self.updates))
            return float(self.decay)

    return RecipeEma


def mean(states: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of several states of one model, added up in float64; what is no fraction is that of the last."""
    import torch

    result: dict[str, torch.Tensor] = {}
    for name, last in states[-1].items():
        if last.is_floating_point():
            total = torch.stack([state[name].double() for state in states]).mean(0)
            result[name] = total.to(last.dtype)
        else:
            result[name] = last
    return result
