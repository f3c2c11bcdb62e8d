"""The recipe's learning rate (`graph.schedule`) as a scheduler of timm, which knows groups, their scales, and noise."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from archdsl.graph.recipe import Recipe
from archdsl.graph.schedule import learning_rate
from archdsl.training.libraries import import_timm

if TYPE_CHECKING:
    import torch


def scheduler(recipe: Recipe, optimizer: torch.optim.Optimizer, steps: int) -> Any:
    """A timm Scheduler over an optimizer, set to the beginning of a training with so many steps an epoch."""
    made = _scheduler_class()(recipe, optimizer, steps)
    made.step(0)
    made.step_update(0)
    return made


@cache
def _scheduler_class() -> type[Any]:
    import_timm()
    from timm.scheduler.scheduler import Scheduler

    class RecipeScheduler(Scheduler):
        """Stateless but for the optimizer: what it sets follows from the number of the epoch, or of the update."""

        def __init__(self, recipe: Recipe, optimizer: torch.optim.Optimizer, steps: int) -> None:
            noise: dict[str, Any] = {}
            self.recipe, self.steps = recipe, steps
            by_epoch = recipe.updates == "epoch"
            if recipe.lr_noise is not None:
                whole = recipe.epochs * (1 if by_epoch else steps)
                noise = {
                    "noise_range_t": (recipe.lr_noise.start * whole, recipe.lr_noise.end * whole),
                    "noise_pct": recipe.lr_noise.limit,
                    "noise_std": recipe.lr_noise.std,
                    "noise_seed": recipe.lr_noise.seed,
                }
            super().__init__(optimizer, "lr", t_in_epochs=by_epoch, **noise)

        def _get_lr(self, t: int) -> list[float]:
            epoch = t if self.t_in_epochs else t / self.steps
            return [learning_rate(self.recipe, epoch, peak) for peak in self.base_values]

    return RecipeScheduler
