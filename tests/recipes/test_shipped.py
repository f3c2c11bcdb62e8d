"""The shipped recipes against what is published: flags of timm's and torchvision's trainers, tables, authors' code."""

from __future__ import annotations

from functools import cache
from math import cos, pi
from typing import Any

import pytest
import torch

import archdsl
from archdsl import library
from archdsl.api import open_source
from archdsl.graph.recipe import Recipe
from archdsl.graph.recipe_parts import Lamb, RandAugment, RmsPropTf, TrivialAugment
from archdsl.graph.schedule import by_epoch, by_step
from tests.libraries import declare_operators, reference_model


@cache
def opened(family: str) -> archdsl.ArchFile:
    """A shipped file, its names alone checked: the rest is for other tests."""
    source, _ = library.locate(f"{family}.arch", lambda said: None)
    return open_source(source)


def shipped(family: str, name: str) -> Recipe:
    return opened(family).recipes[name]


def every() -> list[tuple[str, str]]:
    """Family and name of each, in the file where it stands."""
    return [
        (path.stem, name)
        for path in library.shipped()
        for name, item in opened(path.stem).program.root.recipes.items()
        if item.file is opened(path.stem).program.root
    ]


def timm_rates(lr: float, steps: int | None = None, **flags: Any) -> list[float]:
    """What timm's scheduler gives from flags as `train.py` passes them on: for each epoch, or each step."""
    declare_operators()
    from timm.scheduler import create_scheduler_v2

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler, epochs = create_scheduler_v2(
        optimizer, step_on_epochs=steps is None, updates_per_epoch=steps or 0, **flags
    )
    found = []
    for t in range(epochs * (steps or 1)):
        scheduler.step(t) if steps is None else scheduler.step_update(t)
        found.append(float(optimizer.param_groups[0]["lr"]))
    return found


# `--sched cosine --epochs … --warmup-epochs 5 --warmup-lr 1e-6 --min-lr 1e-6 --lr …`
STRIKES_BACK = {"a1": (600, 5e-3), "a2": (300, 5e-3), "a3": (100, 8e-3)}


@pytest.mark.parametrize("name", STRIKES_BACK)
def test_learning_rate_of_strikes_back_is_timms_from_the_published_flags(name: str) -> None:
    epochs, lr = STRIKES_BACK[name]
    theirs = timm_rates(lr, sched="cosine", num_epochs=epochs, warmup_epochs=5, warmup_lr=1e-6, min_lr=1e-6)
    assert by_epoch(shipped("resnet", name)) == pytest.approx(theirs, rel=1e-12)


def test_strikes_back_is_its_table() -> None:
    a1, a2, a3 = (shipped("resnet", name) for name in STRIKES_BACK)
    for recipe in (a1, a2, a3):
        assert recipe.optimizer == Lamb()
        assert (recipe.batch, recipe.cutmix, recipe.interpolation, recipe.test_crop) == (2048, 1, "bicubic", 0.95)
        assert recipe.no_decay == ("bias", "norm")
        assert (recipe.erasing, recipe.ema, recipe.color_jitter, recipe.test_size) == (0, None, 0, 224)
    assert [recipe.weight_decay for recipe in (a1, a2, a3)] == [0.01, 0.02, 0.02]
    assert [recipe.smoothing for recipe in (a1, a2, a3)] == [0.1, 0, 0]
    assert [recipe.mixup for recipe in (a1, a2, a3)] == [0.2, 0.1, 0.1]
    assert [recipe.repeats for recipe in (a1, a2, a3)] == [3, 3, 1]
    assert [recipe.size for recipe in (a1, a2, a3)] == [224, 224, 160]
    assert [recipe.parameters.get("drop_path_rate", 0) for recipe in (a1, a2, a3)] == [0.05, 0.05, 0]
    assert [str(recipe.top1) for recipe in (a1, a2, a3)] == ["80.4", "79.8", "78.1"]
    for recipe, magnitude in ((a1, 7), (a2, 7), (a3, 6)):
        assert recipe.augment == RandAugment(magnitude=magnitude, std=0.5, increasing=True)


def test_learning_rate_of_convnext_is_timms_and_the_authors() -> None:
    recipe = shipped("convnext", "imagenet1k")
    steps = 11
    ours = list(by_step(recipe, steps))
    flags = {"warmup_epochs": 20, "warmup_lr": 0.0, "min_lr": 1e-6, "warmup_prefix": True}
    assert ours == pytest.approx(timm_rates(4e-3, steps, sched="cosine", num_epochs=280, **flags), rel=1e-12)
    # utils.cosine_scheduler: numbers that are evenly spaced up to the top, then half a cosine over the other steps.
    warmup, rest = 20 * steps, 280 * steps
    theirs = [4e-3 * i / (warmup - 1) for i in range(warmup)]
    theirs += [1e-6 + 0.5 * (4e-3 - 1e-6) * (1 + cos(pi * i / rest)) for i in range(rest)]
    assert ours[warmup:] == pytest.approx(theirs[warmup:], rel=1e-12)
    assert ours[: warmup - 1] == pytest.approx(theirs[: warmup - 1], rel=1.1 / warmup)


def test_learning_rate_of_torchvisions_v2_is_torchs_from_the_published_flags() -> None:
    """`--lr 0.5 --lr-scheduler cosineannealinglr --lr-warmup-epochs 5 --lr-warmup-method linear --epochs 600`."""
    from torch.optim import lr_scheduler

    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    warmup = lr_scheduler.LinearLR(optimizer, start_factor=0.01, total_iters=5)
    cosine = lr_scheduler.CosineAnnealingLR(optimizer, T_max=595, eta_min=0.0)
    scheduler = lr_scheduler.SequentialLR(optimizer, [warmup, cosine], milestones=[5])
    theirs = []
    for _ in range(600):
        theirs.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    recipe = shipped("resnet", "v2")
    assert by_epoch(recipe) == pytest.approx(theirs, rel=1e-6, abs=1e-12)
    assert recipe.augment == TrivialAugment()
    # adjust = world size · batch · steps / epochs, alpha = min(1, (1 - decay) · adjust): train.py.
    assert recipe.ema_decay() == pytest.approx(1 - (1 - 0.99998) * 1024 * 32 / 600)


def test_learning_rate_of_the_step_recipes_is_timms_from_the_published_flags() -> None:
    """`--sched step --decay-epochs 2.4 --decay-rate .97 --warmup-lr 1e-6`, the warmup of train.py as it was."""
    flags = {"sched": "step", "decay_epochs": 2.4, "warmup_lr": 1e-6, "warmup_epochs": 3}
    b0 = timm_rates(0.048, num_epochs=450, decay_rate=0.97, **flags)
    assert by_epoch(shipped("efficientnet", "timm")) == pytest.approx(b0, rel=1e-12)
    large = timm_rates(0.064, num_epochs=600, decay_rate=0.973, **flags)
    assert by_epoch(shipped("mobilenet_v3", "timm")) == pytest.approx(large, rel=1e-12)


def test_learning_rate_of_efficientnet_v2_is_the_authors() -> None:
    """utils.WarmupLearningRateSchedule: a line from 0, then × .97 every 2.4 epochs, in steps (a staircase)."""
    steps = 307
    ours = list(by_step(shipped("efficientnet_v2", "code_s"), steps))
    for step in range(0, 350 * steps, 97):
        expected = 0.256 * 0.97 ** (step // (2.4 * steps)) if step >= 5 * steps else 0.256 * step / (5 * steps)
        assert ours[step] == pytest.approx(expected, rel=1e-9)


# main.py of google/automl: sizes `int(128 + (last - 128) · (stage + 1) / 4)`, the rest `linspace(…, 4)`.
CODE = {
    "s": (300, 10, 0, 0.2, [171, 214, 257, 300]),
    "m": (384, 15, 0.2, 0.3, [192, 256, 320, 384]),
    "l": (384, 20, 0.5, 0.4, [192, 256, 320, 384]),
}
# Table 6 of the paper: from 128 to the last, RandAugment from 5, mixup from 0, dropout from .1.
PAPER = {"s": (300, 15, 0, 0.3), "m": (380, 20, 0.2, 0.4), "l": (380, 25, 0.5, 0.5)}


@pytest.mark.parametrize("name", CODE)
def test_stages_of_efficientnet_v2_are_those_of_its_code(name: str) -> None:
    last, magnitude, mix, dropout, sizes = CODE[name]
    recipe = shipped("efficientnet_v2", f"code_{name}")
    assert [stage.first for stage in recipe.stages] == [int(350 * stage / 4) for stage in range(4)]
    for index, stage in enumerate(recipe.stages):
        at = recipe.at(stage.first)
        assert at.size == int(128 + (last - 128) * (index + 1) / 4) == sizes[index]
        assert isinstance(at.augment, RandAugment)
        assert at.augment.magnitude == pytest.approx(torch.linspace(5, magnitude, 4)[index].item())
        assert (at.mixup, at.cutmix) == (pytest.approx(mix * index / 3), pytest.approx(mix * index / 3))
        assert at.parameters == {"dropout_rate": dropout, "drop_path_rate": 0.2}
    assert recipe.bn_momentum == 0.1


@pytest.mark.parametrize("name", PAPER)
def test_stages_of_efficientnet_v2_are_those_of_its_paper(name: str) -> None:
    last, magnitude, mixup, dropout = PAPER[name]
    recipe = shipped("efficientnet_v2", f"paper_{name}")
    assert len(recipe.stages) == 4
    for index, stage in enumerate(recipe.stages):
        at = recipe.at(stage.first)
        assert at.size == int(128 + (last - 128) * index / 3)
        assert isinstance(at.augment, RandAugment)
        assert at.augment.magnitude == pytest.approx(5 + (magnitude - 5) * index / 3)
        assert at.mixup == pytest.approx(mixup * index / 3)
        assert at.cutmix == 0
        assert at.parameters["dropout_rate"] == pytest.approx(0.1 + (dropout - 0.1) * index / 3)
    assert recipe.bn_momentum == pytest.approx(0.01)


def test_efficientnet_v2_is_what_its_paper_and_its_code_agree_on() -> None:
    for name in ("paper_s", "code_s"):
        recipe = shipped("efficientnet_v2", name)
        assert recipe.optimizer == RmsPropTf(alpha=0.9, momentum=0.9, eps=1e-3)
        assert (recipe.epochs, recipe.batch, recipe.weight_decay, recipe.smoothing) == (350, 4096, 1e-5, 0.1)
        assert recipe.scaled_lr(256) == pytest.approx(0.016)
        assert recipe.no_decay == ("bias", "norm")
        assert recipe.ema_decay() == 0.9999


def test_regnet_is_pycls() -> None:
    """`get_epoch_lr`: the cosine's value, times what rises from .1 to 1 in 5 epochs."""
    for name, lr, batch in (("pycls", 0.8, 1024), ("pycls_medium", 0.4, 512), ("pycls_large", 0.2, 256)):
        recipe = shipped("regnet", name)
        assert recipe.batch == batch
        for epoch, rate in enumerate(by_epoch(recipe)):
            alpha = min(1, epoch / 5)
            expected = 0.5 * (1 + cos(pi * epoch / 100)) * lr * (0.1 * (1 - alpha) + alpha)
            assert rate == pytest.approx(expected, rel=1e-12)


DROPS = [
    ("resnet", "resnet50", "resnet50", {"drop_path_rate": 0.05}),
    ("resnet", "resnet18", "resnet18", {"drop_path_rate": 0.05}),
    ("mobilenet_v3", "mobilenetv3_large_100", "mobilenetv3_large_100", {"drop_path_rate": 0.2}),
]


@pytest.mark.parametrize(("family", "variant", "theirs", "parameters"), DROPS, ids=[drop[1] for drop in DROPS])
def test_what_recipes_drop_is_what_timm_drops(
    family: str, variant: str, theirs: str, parameters: dict[str, Any]
) -> None:
    def rates(model: torch.nn.Module) -> dict[str, float]:
        modules = {name: module for name, module in model.named_modules() if type(module).__name__ == "DropPath"}
        found = {name: getattr(module, "drop_prob", getattr(module, "p", 0.0)) for name, module in modules.items()}
        return {name.rpartition(".")[0]: rate for name, rate in found.items() if rate}  # by the block

    ours = rates(archdsl.load(family, variant, device="meta", **parameters))
    model = reference_model("timm", theirs, device="meta", **parameters)
    expected = rates(model)
    # timm's last block has a module for it, and no branch that could be dropped.
    idle = {name for name in expected if not getattr(model.get_submodule(name), "has_skip", True)}
    assert ours
    assert ours == pytest.approx({name: rate for name, rate in expected.items() if name in ours or name not in idle})


def test_every_recipe_has_a_source_and_sets_what_its_networks_have() -> None:
    assert len(every()) >= 30
    made = 0
    for family, name in every():
        file = opened(family)
        recipe = file.recipes[name]
        assert recipe.source, name
        if recipe.targets and recipe.parameters:
            models = [variant for variant in file.values() if recipe.targets[0] in variant.configured.lineage]
            assert models[0].override(recipe.parameters).graph
            made += 1
    assert made >= 15
