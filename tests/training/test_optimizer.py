"""Optimizer, groups of weights, schedule and clipping are those of timm and torch, from the published flags."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import torch

import archdsl
from archdsl.graph import recipe_parts as parts
from archdsl.training import Pieces
from tests.training.recipes import recipe


def scales(groups: list[dict[str, Any]]) -> list[float]:
    return sorted(group["lr_scale"] for group in groups for _ in group["params"])


@pytest.mark.parametrize(
    ("part", "flags"),
    [
        (parts.Sgd(momentum=0.9, nesterov=True), {"opt": "sgd", "momentum": 0.9}),
        (parts.Sgd(momentum=0.9), {"opt": "momentum", "momentum": 0.9}),
        (parts.AdamW(), {"opt": "adamw"}),
        (parts.Adam(eps=1e-6), {"opt": "adam", "eps": 1e-6}),
        (parts.Lamb(), {"opt": "lamb"}),
        (parts.RmsProp(alpha=0.9, momentum=0.9, eps=0.0316), {"opt": "rmsprop", "momentum": 0.9, "eps": 0.0316}),
        (parts.RmsPropTf(momentum=0.9, eps=1e-3), {"opt": "rmsproptf", "momentum": 0.9, "eps": 1e-3}),
    ],
    ids=lambda value: value.word if isinstance(value, parts.RecipePart) else "",
)
def test_two_steps_are_those_of_timm_with_the_published_flags(part: Any, flags: dict[str, Any]) -> None:
    from timm.optim import create_optimizer_v2

    pieces = Pieces("resnet18", recipe(optimizer=part, lr=0.01))
    ours, theirs = archdsl.load("resnet18", device="cpu"), archdsl.load("resnet18", device="cpu")
    theirs.load_state_dict(ours.state_dict())
    made = [
        (ours, pieces.optimizer(ours)),
        (theirs, create_optimizer_v2(theirs, lr=0.01, weight_decay=0.02, **flags)),
    ]
    image = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for model, optimizer in made:
        for _ in range(2):
            optimizer.zero_grad()
            model(image).square().mean().backward()
            optimizer.step()
    for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters(), strict=True):
        assert torch.equal(a, b), name


@pytest.mark.parametrize("name", ["resnet50", "convnext_tiny", "efficientnet_v2_s", "mobilenet_v3_large"])
def test_what_decays_is_what_timm_lets_decay(name: str) -> None:
    from timm.optim import param_groups_weight_decay

    model = archdsl.load(name, device="meta")
    names = {id(parameter): key for key, parameter in model.named_parameters()}
    theirs = {names[id(p)]: g["weight_decay"] for g in param_groups_weight_decay(model, 0.02) for p in g["params"]}
    groups = Pieces(name, recipe()).parameter_groups(model)
    ours = {key: group["weight_decay"] for group in groups for key in group["names"]}
    if name == "convnext_tiny":  # torchvision's layer scale has three dimensions, timm's and the authors' one
        theirs |= {key: 0.0 for key in theirs if key.endswith("layer_scale")}
    assert ours == theirs


def test_each_kind_that_is_spared_by_itself() -> None:
    model = archdsl.load("convnext_tiny", device="meta")
    for kind, example in (
        ("bias", "features.1.0.block.0.bias"),
        ("norm", "features.1.0.block.2.bias"),
        ("layer_scale", "features.1.0.layer_scale"),
    ):
        groups = Pieces("convnext_tiny", recipe(no_decay=(kind,))).parameter_groups(model)
        spared = {name for group in groups if group["weight_decay"] == 0 for name in group["names"]}
        assert example in spared
        assert "classifier.2.weight" not in spared
        assert ("classifier.2.bias" in spared) == (kind == "bias")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("resnet50", "resnet50"),
        ("convnext_tiny", "convnext_tiny"),
        ("efficientnet_b0", "efficientnet_b0"),
        ("tf_efficientnetv2_s", "tf_efficientnetv2_s"),
        ("regnety_008", "regnety_008"),
    ],
)
def test_layer_decay_scales_each_weight_as_timm_scales_its_own(ours: str, theirs: str) -> None:
    import timm
    from timm.optim import param_groups_layer_decay

    model = timm.create_model(theirs)
    names = {id(parameter): key for key, parameter in model.named_parameters()}
    expected = {}
    for group in param_groups_layer_decay(model, layer_decay=0.7):
        expected |= {names[id(parameter)]: group["lr_scale"] for parameter in group["params"]}
    variant = archdsl.find(ours)
    groups = Pieces(variant, recipe(layer_decay=0.7)).parameter_groups(archdsl.load(ours, device="meta"))
    found = {name: group["lr_scale"] for group in groups for name in group["names"]}
    renamed = {key: key for key in found}
    if "timm" in variant.keymaps:
        renamed = variant.keymaps["timm"].apply(found).theirs
    assert {renamed[key]: scale for key, scale in found.items()} == expected


def test_parameters_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match="no parameter of resnet18"):
        Pieces("resnet18", recipe()).parameter_groups(torch.nn.Linear(2, 2))


def test_the_learning_rate_follows_the_batch_by_the_named_rule() -> None:
    model = archdsl.load("resnet18", device="meta")
    for rule, expected in (("linear", 5e-3 / 8), ("sqrt", 5e-3 / 8**0.5), ("none", 5e-3)):
        optimizer = Pieces("resnet18", recipe(lr_scaling=rule)).optimizer(model, batch=256)
        assert optimizer.param_groups[0]["lr"] == pytest.approx(expected)


def test_the_schedule_is_timms_with_layer_scales_and_noise() -> None:
    from timm.scheduler import create_scheduler_v2

    model = archdsl.load("resnet18", device="meta")
    noisy = recipe(layer_decay=0.5, lr_noise=parts.Noise(start=0.4, end=0.9), epochs=20)
    pieces = Pieces("resnet18", noisy)
    ours, theirs = pieces.optimizer(model), pieces.optimizer(model)
    mine = pieces.schedule(ours, 10)
    flags = {"warmup_epochs": 5, "warmup_lr": 1e-6, "min_lr": 1e-6, "noise": [0.4, 0.9]}
    reference, _ = create_scheduler_v2(theirs, sched="cosine", num_epochs=20, **flags)
    for epoch in range(20):
        mine.step(epoch)
        reference.step(epoch)
        found = [group["lr"] for group in ours.param_groups]
        assert found == pytest.approx([group["lr"] for group in theirs.param_groups])
    assert len(set(found)) == 10


def test_the_schedule_begins_with_the_warmup() -> None:
    pieces = Pieces("resnet18", recipe(updates="step"))
    optimizer = pieces.optimizer(archdsl.load("resnet18", device="meta"))
    schedule = pieces.schedule(optimizer, 100)
    assert optimizer.param_groups[0]["lr"] == 1e-6
    schedule.step_update(250)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-6 + (5e-3 - 1e-6) / 2)


def with_gradients(model: torch.nn.Module) -> list[torch.Tensor]:
    for parameter in model.parameters():
        parameter.grad = torch.full_like(parameter, 3.0)
    return [parameter.grad for parameter in model.parameters() if parameter.grad is not None]


def test_clipping_is_torchs() -> None:
    model = archdsl.load("squeezenet1_1")
    for part in (parts.ClipNorm(most=1.0), parts.ClipValue(most=0.5)):
        gradients = with_gradients(model)
        Pieces("squeezenet1_1", recipe(clip=part)).clip(model)
        if isinstance(part, parts.ClipNorm):
            assert torch.nn.utils.get_total_norm(gradients) == pytest.approx(1.0, abs=1e-4)
        else:
            assert all(bool((gradient == 0.5).all()) for gradient in gradients)


@pytest.mark.parametrize("name", ["resnet18", "mobilenet_v3_large"])
def test_adaptive_clipping_is_that_of_timms_trainer(name: str) -> None:
    """Which leaves the classifier as it is."""
    from timm.models import model_parameters
    from timm.utils import dispatch_clip_grad

    pieces = Pieces(name, recipe(clip=parts.ClipAdaptive(most=0.01)))
    ours = pieces.model(seed=0)
    theirs = copy.deepcopy(ours)
    found, expected = with_gradients(ours), with_gradients(theirs)
    pieces.clip(ours)
    dispatch_clip_grad(model_parameters(theirs, exclude_head=True), 0.01, mode="agc")
    assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert bool((found[0] < 3).all())
    assert bool((found[-1] == 3).all())
