"""Recipes for other trainers: each setting is an argument of theirs, and what timm makes of it is what the recipe says.

`timm_train.json` and `torchvision_train.json` are the arguments of the two scripts, with their types and where they are
from.
"""

from __future__ import annotations

import argparse
import json
import shlex
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml
from torch import nn

from archdsl.backends.trainers import Exported, for_timm, for_torchvision
from archdsl.graph.recipe import Recipe
from archdsl.graph.recipe_parts import RandAugment, RmsPropTf, Sgd
from archdsl.graph.schedule import by_epoch, by_step
from tests.libraries import declare_operators
from tests.recipes.test_shipped import every, shipped

HERE = Path(__file__).parent
TYPES: dict[str, Any] = {"int": int, "float": float, "str": str, "str.lower": str}


def arguments(trainer: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((HERE / f"{trainer}_train.json").read_text())["arguments"]
    return found


def parser(trainer: str) -> argparse.ArgumentParser:
    """The script's parser, as far as names and types go."""
    made = argparse.ArgumentParser()
    for name, type_ in arguments(trainer).items():
        flag = f"--{name.replace('_', '-')}"
        if type_ == "flag":
            made.add_argument(flag, action="store_true", dest=name)
        elif type_ == "mapping":
            made.add_argument(flag, dest=name, default={})
        else:
            several = type_.startswith("list of ")
            plain = TYPES[type_.removeprefix("list of ")]
            made.add_argument(flag, type=plain, dest=name, nargs="+" if several else None)
    return made


def fits(value: object, type_: str) -> bool:
    if type_ == "flag":
        return value is True
    if type_ == "mapping":
        return isinstance(value, dict)
    if type_.startswith("list of "):
        return isinstance(value, list) and all(fits(item, type_.removeprefix("list of ")) for item in value)
    if type_ == "float":
        return type(value) in (int, float)
    return type(value) is TYPES[type_]


@pytest.mark.parametrize(("family", "name"), every())
def test_every_setting_is_an_argument_of_the_trainer_with_its_type(family: str, name: str) -> None:
    recipe = shipped(family, name)
    for out in (for_timm(recipe, "resnet50", 8), for_torchvision(recipe, "resnet50", 8)):
        known = arguments(out.trainer)
        wrong = {key: value for key, value in out.settings.items() if not fits(value, known.get(key, "int"))}
        assert not wrong
        assert out.settings.keys() <= known.keys()
    assert yaml.safe_load(for_timm(recipe, "resnet50").yaml()) == for_timm(recipe, "resnet50").settings


def test_the_check_bites() -> None:
    assert not fits("0.1", "float")
    assert not fits(1.0, "int")
    assert "lr_gamma" not in arguments("timm")


def timm_namespace(out: Exported) -> argparse.Namespace:
    """As `train.py --config FILE` reads it: the file gives the parser's defaults."""
    made = parser("timm")
    made.set_defaults(**json.loads((HERE / "timm_train.json").read_text())["defaults"])
    made.set_defaults(**yaml.safe_load(out.yaml()))
    return made.parse_args([])


def optimizer_of(recipe: Recipe, lr: float) -> tuple[Any, argparse.Namespace]:
    declare_operators()
    from timm.optim import create_optimizer_v2, optimizer_kwargs

    given = timm_namespace(for_timm(recipe, "resnet50"))
    given.lr = lr
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 2))
    return create_optimizer_v2(model, **optimizer_kwargs(cfg=given), **given.opt_kwargs), given


SCHEDULES = [
    (family, name)
    for family, name in every()
    if not any(word in " ".join(for_timm(shipped(family, name)).missing) for word in ("warmup that", "milestones"))
]


@pytest.mark.parametrize(("family", "name"), SCHEDULES)
def test_timms_scheduler_gives_the_recipes_learning_rates(family: str, name: str) -> None:
    declare_operators()
    from timm.scheduler import create_scheduler_v2
    from timm.scheduler.scheduler_factory import scheduler_kwargs

    recipe = shipped(family, name)
    optimizer, given = optimizer_of(recipe, recipe.lr)
    given.lr_noise = None  # drawn when the training is
    # 2.4 epochs are 12 steps: where they are no whole number, timm is a step late for what floats round off.
    steps = 5 if recipe.updates == "step" else 0
    kwargs = {key: value for key, value in scheduler_kwargs(given).items() if value is not None}
    scheduler, epochs = create_scheduler_v2(optimizer, **kwargs, updates_per_epoch=steps)
    assert epochs == recipe.epochs
    theirs = []
    for t in range(epochs * (steps or 1)):
        scheduler.step_update(t) if steps else scheduler.step(t)
        theirs.append(float(optimizer.param_groups[0]["lr"]))
    ours = list(by_step(recipe, steps)) if steps else by_epoch(recipe)
    assert ours == pytest.approx(theirs, rel=1e-9)


def test_every_recipe_that_timm_can_say_is_compared() -> None:
    left = {name for _, name in set(every()) - set(SCHEDULES)}
    assert left == {"pycls", "pycls_medium", "pycls_large"}  # a warmup that multiplies


def test_timm_makes_the_optimizers_that_recipes_name() -> None:
    from timm.optim import Lamb, RMSpropTF

    lamb, _ = optimizer_of(shipped("resnet", "a1"), 5e-3)
    assert isinstance(lamb, Lamb)
    assert lamb.defaults["max_grad_norm"] == 1
    assert sorted(group["weight_decay"] for group in lamb.param_groups) == [0, 0.01]
    tf, _ = optimizer_of(shipped("efficientnet_v2", "code_s"), 0.256)
    assert isinstance(tf, RMSpropTF)
    ours = shipped("efficientnet_v2", "code_s").optimizer
    assert ours == RmsPropTf(**{name: tf.defaults[name] for name in ("alpha", "momentum", "eps")})
    sgd, _ = optimizer_of(shipped("resnet", "original"), 0.1)
    assert isinstance(sgd, torch.optim.SGD)
    assert Sgd(momentum=sgd.defaults["momentum"], nesterov=sgd.defaults["nesterov"]) == Sgd(momentum=0.9)
    nesterov, _ = optimizer_of(shipped("regnet", "pycls"), 0.1)
    assert nesterov.defaults["nesterov"]
    torchs, _ = optimizer_of(shipped("mobilenet_v3", "torchvision"), 0.1)
    assert isinstance(torchs, torch.optim.RMSprop)
    assert (torchs.defaults["alpha"], torchs.defaults["eps"]) == (0.9, 0.0316)


def test_timm_scales_the_learning_rate_as_the_recipe_does() -> None:
    """train.py: lr_base · (batch · devices / lr_base_size), or its root."""
    for family, name in (("resnet", "a1"), ("resnet", "v2")):
        recipe = shipped(family, name)
        given = for_timm(recipe).settings
        ratio = 512 / given["lr_base_size"]  # type: ignore[operator]
        scaled = given["lr_base"] * (ratio**0.5 if given["lr_base_scale"] == "sqrt" else ratio)  # type: ignore[operator]
        assert recipe.scaled_lr(512) == pytest.approx(scaled)


@pytest.mark.parametrize(
    ("augment", "words"),
    [
        (RandAugment(magnitude=9, std=0.5, increasing=True), "rand-m9-n2-mstd0.5-inc1"),
        (RandAugment(magnitude=15, layers=3, probability=1.0), "rand-m15-n3-mmax15-p1"),
    ],
)
def test_timm_reads_randaugment_as_the_recipe_says(augment: RandAugment, words: str) -> None:
    declare_operators()
    from timm.data.auto_augment import rand_augment_transform

    out = for_timm(shipped("resnet", "a1").changed(augment=augment))
    assert out.settings["aa"] == words
    read: Any = rand_augment_transform(words, {})
    assert read.num_layers == augment.layers
    assert {op.magnitude for op in read.ops} == {augment.magnitude}
    assert {op.prob for op in read.ops} == {augment.probability}
    assert {op.magnitude_std for op in read.ops} == {augment.std}


def test_what_timm_cannot_say_is_said() -> None:
    missing = "\n".join(for_timm(shipped("efficientnet_v2", "paper_m")).missing)
    for words in ("magnitude that grows from 5 to 20", "dropout_rate that grows", "mixup that grows", "4 stages"):
        assert words in missing
    assert for_timm(shipped("resnet", "a1"), "resnet50", 8).missing == []
    assert "RegNet" not in missing
    pycls = for_timm(shipped("regnet", "pycls"), "regnetx_004").missing
    assert len(pycls) == 3  # the decay of norms and biases, the warmup, the noise along colours


def test_devices_share_the_batch() -> None:
    assert for_timm(shipped("resnet", "a1"), devices=8).settings["batch_size"] == 256
    assert "the batch of 2048: 6 devices share 2046" in for_timm(shipped("resnet", "a1"), devices=6).missing


# references/classification/README.md, of ResNet-50's second weights: 8 devices.
V2 = (
    "--batch-size 128 --lr 0.5 --lr-scheduler cosineannealinglr --lr-warmup-epochs 5 --lr-warmup-method linear "
    "--auto-augment ta_wide --epochs 600 --random-erase 0.1 --weight-decay 0.00002 --norm-weight-decay 0.0 "
    "--label-smoothing 0.1 --mixup-alpha 0.2 --cutmix-alpha 1.0 --train-crop-size 176 --model-ema "
    "--val-resize-size 232 --ra-sampler --ra-reps 4"
)


def test_torchvisions_recipe_is_its_published_command() -> None:
    out = for_torchvision(shipped("resnet", "v2"), "resnet50", 8)
    assert out.missing == []
    line = out.flags().replace("\\\n", " ").splitlines()[-1]
    ours = vars(parser("torchvision").parse_args(shlex.split(line)[2:]))
    published = vars(parser("torchvision").parse_args(shlex.split(V2)))
    assert {key: ours[key] for key, value in published.items() if value not in (None, False)} == {
        key: value for key, value in published.items() if value not in (None, False)
    }


def test_mobilenet_and_resnet_are_torchvisions_published_commands() -> None:
    """`--epochs 600 --opt rmsprop --batch-size 128 --lr 0.064 --wd 0.00001 --lr-step-size 2 --lr-gamma 0.973
    --auto-augment imagenet --random-erase 0.2`, and the script's defaults."""
    large = for_torchvision(shipped("mobilenet_v3", "torchvision"), devices=8).settings
    for key, value in {
        "epochs": 600, "opt": "rmsprop", "batch_size": 128, "lr": 0.064, "weight_decay": 1e-5, "lr_step_size": 2,
        "lr_gamma": pytest.approx(0.973), "auto_augment": "imagenet", "random_erase": 0.2,
    }.items():  # fmt: skip
        assert large[key] == value
    resnet = for_torchvision(shipped("resnet", "original"), "resnet50", 8)
    assert resnet.missing == []
    for key, value in {
        "epochs": 90, "batch_size": 32, "lr": 0.1, "momentum": 0.9, "weight_decay": 1e-4, "lr_step_size": 30,
        "lr_gamma": 0.1, "val_resize_size": 256, "val_crop_size": 224,
    }.items():  # fmt: skip
        assert resnet.settings[key] == value


def test_torchvisions_average_keeps_what_the_recipe_does() -> None:
    recipe = shipped("convnext", "imagenet1k")
    given = for_torchvision(recipe).settings
    adjust = given["batch_size"] * given["model_ema_steps"] / given["epochs"]  # type: ignore[operator]
    assert 1 - (1 - given["model_ema_decay"]) * adjust == pytest.approx(recipe.ema_decay())  # type: ignore[operator]


def test_what_torchvision_cannot_say_is_said() -> None:
    missing = "\n".join(for_torchvision(shipped("resnet", "a1")).missing)
    for words in (
        "optimizer lamb",
        "binary cross entropy",
        "RandAugment",
        "drop_path_rate",
        "takes the schedule's place",
    ):
        assert words in missing


def test_no_text_of_a_spec_leaves_its_comment() -> None:
    recipe = shipped("resnet", "a1").changed(parameters={"kind": "a\nmodel: mine\u2028x: 1\x1b[2J"})
    for text in (for_timm(recipe).yaml("t\nitle"), for_torchvision(recipe).flags("t\nitle")):
        assert [line for line in text.splitlines() if "mine" in line and not line.startswith("# ")] == []
        assert "\x1b" not in text
    assert "model" not in yaml.safe_load(for_timm(recipe).yaml("t\nitle"))


def test_a_text_stays_one_value() -> None:
    name = 'resnet50"\nopt: evil; touch /tmp/pwned #'
    recipe = shipped("resnet", "a1")
    assert yaml.safe_load(for_timm(recipe, name).yaml())["model"] == name
    flags = for_torchvision(recipe, name).flags()
    words = shlex.split(flags[flags.index("torchrun") :])
    assert words[words.index("--model") + 1] == name
    assert "touch" not in words


def test_a_test_that_only_the_network_knows_is_not_guessed_unsaid() -> None:
    """Sides of torchvision's ConvNeXts: 236, 230, 232 and 232 (ConvNeXt_Tiny_Weights and its siblings)."""
    recipe = shipped("convnext", "torchvision")
    assert "before the crop of the test" in "\n".join(for_torchvision(recipe).missing)
    assert "before the crop of the test" not in "\n".join(for_torchvision(recipe.changed(test_resize=236)).missing)
