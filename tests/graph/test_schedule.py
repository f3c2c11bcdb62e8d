"""Learning rates without torch, against timm's schedulers and torch's."""

from __future__ import annotations

from typing import Any

import pytest

from archdsl.graph.recipe import Progressive, Recipe
from archdsl.graph.recipe_parts import (
    Constant,
    Cosine,
    Exponential,
    Lamb,
    Milestones,
    RandAugment,
    Schedule,
    Sgd,
    Step,
    Warmup,
)
from archdsl.graph.schedule import by_epoch, by_step, learning_rate
from tests.libraries import declare_operators

RATE = 0.4


def recipe(schedule: Schedule, epochs: int = 40, warmup: Warmup | None = None, **others: Any) -> Recipe:
    settings: dict[str, Any] = {"optimizer": Sgd(), "lr": RATE, "lr_scaling": "linear", "batch": 256, "size": 224}
    return Recipe(name="r", epochs=epochs, schedule=schedule, warmup=warmup, **(settings | others))


def optimizer() -> Any:
    import torch

    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=RATE)


def timm_rates(steps: int | None, epochs: int, **flags: Any) -> list[float]:
    """The rate of each epoch, or of each step of epochs with so many."""
    declare_operators()
    from timm.scheduler import create_scheduler_v2

    group = optimizer()
    scheduler, total = create_scheduler_v2(
        group, num_epochs=epochs, step_on_epochs=steps is None, updates_per_epoch=steps or 0, **flags
    )
    found = []
    for t in range(total if steps is None else total * steps):
        scheduler.step(t) if steps is None else scheduler.step_update(t)
        found.append(group.param_groups[0]["lr"])
    return found


COSINE = {"sched": "cosine", "min_lr": 1e-6, "warmup_lr": 1e-6}
STEP = {"sched": "step", "decay_epochs": 2.4, "decay_rate": 0.97, "warmup_lr": 1e-6}
TIMM = [
    (Cosine(end=1e-6), Warmup(epochs=5, start=1e-6), COSINE),
    (Step(factor=0.97, every=2.4), Warmup(epochs=3, start=1e-6), STEP),
    # timm's milestones come an epoch early.
    (Milestones(at=(10, 30)), None, {"sched": "multistep", "decay_milestones": [11, 31], "decay_rate": 0.1}),
    (Constant(), Warmup(epochs=5), {"sched": "constant", "warmup_lr": 0.0}),
]


@pytest.mark.parametrize(("schedule", "warmup", "flags"), TIMM, ids=[type(s).__name__ for s, _, _ in TIMM])
@pytest.mark.parametrize("mode", ["replace", "prefix"])
def test_every_epoch_is_timms(schedule: Schedule, warmup: Warmup | None, flags: dict[str, Any], mode: Any) -> None:
    before = int(warmup.epochs) if warmup and mode == "prefix" else 0
    ours = by_epoch(recipe(schedule, warmup=warmup and warmup.model_copy(update={"mode": mode})))
    flags = flags | {"warmup_epochs": int(warmup.epochs) if warmup else 0, "warmup_prefix": mode == "prefix"}
    assert ours == pytest.approx(timm_rates(None, 40 - before, **flags), rel=1e-12)


@pytest.mark.parametrize("mode", ["replace", "prefix"])
@pytest.mark.parametrize("index", [0, 1])
def test_every_step_is_timms(index: int, mode: Any) -> None:
    schedule, warmup, flags = TIMM[index]
    assert warmup is not None
    before = int(warmup.epochs) if mode == "prefix" else 0
    found = recipe(schedule, warmup=warmup.model_copy(update={"mode": mode}), updates="step")
    flags = flags | {"warmup_epochs": int(warmup.epochs), "warmup_prefix": mode == "prefix"}
    assert list(by_step(found, 13)) == pytest.approx(timm_rates(13, 40 - before, **flags), rel=1e-12)


def test_torchvisions_warmup_and_cosine() -> None:
    from torch.optim import lr_scheduler

    group = optimizer()
    warmup = lr_scheduler.LinearLR(group, start_factor=0.01, total_iters=5)
    cosine = lr_scheduler.CosineAnnealingLR(group, T_max=35, eta_min=0.002)
    scheduler = lr_scheduler.SequentialLR(group, [warmup, cosine], milestones=[5])
    theirs = []
    for _ in range(40):
        theirs.append(group.param_groups[0]["lr"])
        group.step()
        scheduler.step()
    ours = by_epoch(recipe(Cosine(end=0.002), warmup=Warmup(epochs=5, factor=0.01, mode="prefix")))
    assert ours == pytest.approx(theirs, rel=1e-9)


@pytest.mark.parametrize("schedule", [Step(factor=0.973, every=2), Milestones(at=(10, 30)), Exponential(factor=0.9)])
def test_torchs_schedulers(schedule: Schedule) -> None:
    from torch.optim import lr_scheduler

    group = optimizer()
    scheduler: Any = {
        Step: lambda: lr_scheduler.StepLR(group, 2, 0.973),
        Milestones: lambda: lr_scheduler.MultiStepLR(group, [10, 30], 0.1),
        Exponential: lambda: lr_scheduler.ExponentialLR(group, 0.9),
    }[type(schedule)]()
    theirs = []
    for _ in range(40):
        theirs.append(group.param_groups[0]["lr"])
        group.step()
        scheduler.step()
    assert by_epoch(recipe(schedule)) == pytest.approx(theirs, rel=1e-9)


def test_pycls_multiplies_the_schedule_by_the_warmup() -> None:
    """`lr_policy.py`: the cosine's value times 0.1 · (1 - alpha) + alpha, alpha = epoch / 5."""
    from math import cos, pi

    found = recipe(Cosine(), epochs=100, warmup=Warmup(epochs=5, factor=0.1, mode="multiply"))
    for epoch in range(100):
        alpha = min(1.0, epoch / 5)
        expected = RATE * 0.5 * (1 + cos(pi * epoch / 100)) * (0.1 * (1 - alpha) + alpha)
        assert learning_rate(found, epoch) == pytest.approx(expected, rel=1e-12)


def test_another_batch_follows_the_named_rule() -> None:
    assert recipe(Cosine()).scaled_lr(1024) == pytest.approx(4 * RATE)
    assert recipe(Cosine(), lr_scaling="sqrt").scaled_lr(1024) == pytest.approx(2 * RATE)
    assert recipe(Cosine(), lr_scaling="none").scaled_lr(1024) == RATE


def test_ends_are_interpolated_as_algorithm_1_has_it() -> None:
    progressive = Progressive(
        columns=("size", "magnitude", "dropout_rate"), rows=((128, 5, 0.1), (300, 15, 0.3)), stages=4
    )
    found = recipe(Cosine(), 350, size=300, optimizer=Lamb(), augment=RandAugment(), progressive=progressive)
    for index, stage in enumerate(found.stages):
        at = found.at(stage.first)
        assert at.size == int(128 + (300 - 128) * index / 3)
        assert isinstance(at.augment, RandAugment)
        assert at.augment.magnitude == pytest.approx(5 + 10 * index / 3)
        assert at.parameters["dropout_rate"] == pytest.approx(0.1 + 0.2 * index / 3)
    assert [stage.first for stage in found.stages] == [0, 87, 175, 262]
    assert found.at(349) == found.at(262)
    assert found.at(261) != found.at(262)
