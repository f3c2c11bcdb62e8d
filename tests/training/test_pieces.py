"""The pieces of a recipe against timm's from the published flags, and torch's."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

import archdsl
from archdsl.api import open_source
from archdsl.graph import recipe_parts as parts
from archdsl.graph.recipe import Progressive, Recipe
from archdsl.source import Source
from archdsl.training import Pieces

A2: dict[str, Any] = {
    "epochs": 300,
    "batch": 2048,
    "optimizer": parts.Lamb(),
    "lr": 5e-3,
    "lr_scaling": "linear",
    "weight_decay": 0.02,
    "no_decay": ("bias", "norm", "layer_scale"),
    "schedule": parts.Cosine(end=1e-6),
    "warmup": parts.Warmup(epochs=5, start=1e-6),
    "loss": parts.Bce(),
    "augment": parts.RandAugment(magnitude=7.0, std=0.5, increasing=True),
    "mixup": 0.1,
    "cutmix": 1.0,
    "repeats": 3,
    "interpolation": "bicubic",
    "size": 224,
    "test_crop": 0.95,
    "top1": Decimal("79.8"),
}


def recipe(**changed: Any) -> Recipe:
    return Recipe(name="test", **(A2 | changed))


def scales(groups: list[dict[str, Any]]) -> list[float]:
    return sorted(group["lr_scale"] for group in groups for _ in group["params"])


# --- optimizer -----------------------------------------------------------------------------------


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


# --- loss, pictures, averages --------------------------------------------------------------------


@pytest.mark.parametrize("threshold", [None, 0.2])
@pytest.mark.parametrize("loss", ["bce", "cross_entropy"])
def test_the_loss_of_mixed_targets_is_timms(loss: str, threshold: float | None) -> None:
    from timm.data import Mixup
    from timm.loss import BinaryCrossEntropy, SoftTargetCrossEntropy

    part = parts.Bce(threshold=threshold) if loss == "bce" else parts.CrossEntropy()
    pieces = Pieces("resnet18", recipe(loss=part, smoothing=0.1))
    images, classes = torch.randn(4, 3, 8, 8), torch.tensor([0, 3, 7, 9])
    outputs = torch.randn(4, 10)
    numpy.random.seed(0)
    mixup = pieces.mixup(10)
    assert mixup is not None
    mixed, targets = mixup(images.clone(), classes)
    numpy.random.seed(0)
    reference = Mixup(mixup_alpha=0.1, cutmix_alpha=1.0, label_smoothing=0.1, num_classes=10)
    expected_mixed, expected_targets = reference(images.clone(), classes)
    assert torch.equal(mixed, expected_mixed)
    assert torch.equal(targets, expected_targets)
    theirs = BinaryCrossEntropy(target_threshold=threshold) if loss == "bce" else SoftTargetCrossEntropy()
    assert torch.equal(pieces.loss()(outputs, targets), theirs(outputs, targets))


def test_the_loss_without_mixing_smooths_as_torch_and_timm_do() -> None:
    from timm.loss import BinaryCrossEntropy, LabelSmoothingCrossEntropy

    outputs, classes = torch.randn(4, 10), torch.tensor([0, 3, 7, 9])
    plain = {"mixup": 0.0, "cutmix": 0.0, "smoothing": 0.1}
    pieces = Pieces("resnet18", recipe(**plain, loss=parts.CrossEntropy()))
    assert pieces.mixup(10) is None
    expected = LabelSmoothingCrossEntropy(0.1)(outputs, classes)
    assert torch.allclose(pieces.loss()(outputs, classes), expected)
    pieces = Pieces("resnet18", recipe(**plain, loss=parts.Bce(sum=True)))
    expected = BinaryCrossEntropy(smoothing=0.1, sum_classes=True)(outputs, classes)
    assert torch.equal(pieces.loss()(outputs, classes), expected)


def picture() -> Image.Image:
    values = numpy.random.default_rng(0).integers(0, 256, (96, 128, 3), dtype=numpy.uint8)
    return Image.fromarray(values)


def draw(transform: Any, count: int = 8) -> torch.Tensor:
    from archdsl.training.data import seed_everything

    seed_everything(3)
    return torch.stack([transform(picture()) for _ in range(count)])


def test_the_transform_of_training_is_timms_from_the_published_flags() -> None:
    from timm.data import create_transform

    ours = Pieces("resnet18", recipe(erasing=0.25)).transforms(train=True)
    flags = {"auto_augment": "rand-m7-mstd0.5-inc1", "interpolation": "bicubic", "re_prob": 0.25, "re_mode": "pixel"}
    reference = create_transform((3, 224, 224), is_training=True, **flags)
    assert torch.equal(draw(ours), draw(reference))


def test_other_augmentation_is_timms_and_torchvisions() -> None:
    from timm.data import create_transform
    from torchvision import transforms

    plain = {"interpolation": "bilinear", "augment": None}
    for policy in ("original",):  # in v0 timm fails with a new Pillow, where the picture is to be black
        ours = Pieces("resnet18", recipe(**plain | {"augment": parts.AutoAugment(policy=policy)}))
        reference = create_transform((3, 224, 224), is_training=True, auto_augment=policy, interpolation="bilinear")
        assert torch.equal(draw(ours.transforms(train=True)), draw(reference))
    v0 = Pieces("resnet18", recipe(**plain | {"augment": parts.AutoAugment(policy="v0")})).transforms(train=True)
    assert torch.stack([draw(v0) for _ in range(4)]).isfinite().all()
    jittered = Pieces("resnet18", recipe(**plain, color_jitter=0.4)).transforms(train=True)
    reference = create_transform((3, 224, 224), is_training=True, color_jitter=0.4, interpolation="bilinear")
    assert torch.equal(draw(jittered), draw(reference))
    for part, kind in (
        (parts.TrivialAugment(), transforms.TrivialAugmentWide),
        (parts.AutoAugment(policy="imagenet"), transforms.AutoAugment),
    ):
        found = Pieces("resnet18", recipe(**plain | {"augment": part})).transforms(train=True)
        kinds = [type(step) for step in found.transforms]
        assert kinds.index(kind) > kinds.index(transforms.RandomHorizontalFlip)
        assert draw(found).shape == (8, 3, 224, 224)


def test_magnitudes_above_10_and_between_whole_numbers_are_kept() -> None:
    strong = recipe(
        augment=parts.RandAugment(magnitude=None, std=0.0),
        progressive=Progressive(columns=("size", "magnitude"), rows=((96, 5.0), (160, 25.0)), stages=4),
    )
    pieces = Pieces("resnet18", strong)
    found = []
    for epoch in (0, 75, 150, 299):
        transform = pieces.transforms(train=True, epoch=epoch)
        augment = next(step for step in transform.transforms if type(step).__name__ == "RandAugment")
        found.append((augment.ops[0].magnitude, augment.ops[0].magnitude_max, draw(transform).shape[-1]))
    assert [size for _, _, size in found] == [96, 117, 138, 160]
    assert [magnitude for magnitude, _, _ in found] == pytest.approx([5, 5 + 20 / 3, 5 + 40 / 3, 25])
    assert found[-1][1] == 25


def test_grey_pictures_are_augmented_too(tmp_path: Any) -> None:
    text = """
        model Net = image(1, 32, 32) -> conv1: conv(4, 3) -> gap -> flatten -> fc: linear(10)
        preprocess Net { mean = [0.5], std = [0.5] }
    """
    (tmp_path / "net.arch").write_text(text)
    pieces = Pieces(
        str(tmp_path / "net.arch"),
        recipe(size=32, erasing=0.3, augment=parts.RandAugment(magnitude=15.0, layers=4, std=0.5)),
    )
    assert draw(pieces.transforms(train=True)).shape == (8, 1, 32, 32)


def test_tested_as_the_spec_says_at_its_own_size() -> None:
    """Not by way of the size of training, whose rounding is another: torchvision's ConvNeXt are trained at 176 and
    tested at 224, resized to 236, 230 and 232."""
    for name, resized in (("tiny", 236), ("small", 230), ("base", 232), ("large", 232)):
        variant = archdsl.find(f"convnext_{name}")
        transform = Pieces(variant, "torchvision").transforms(train=False)
        assert transform.resized == variant.transform.resized == (resized,)  # type: ignore[attr-defined]
    text = (
        "model M = image(3, 16, 16) -> gap -> flatten -> fc: linear(4)\nvariant m = M\npreprocess m { resize = 17 }\n"
    )
    variant = open_source(Source("m.arch", text))["m"]
    made = recipe(size=12, test_size=16, test_crop=None)
    assert Pieces(variant, made).transforms(train=False) == variant.transform
    larger = Pieces(variant, recipe(size=20, test_crop=None)).transforms(train=False)
    assert (larger.resized, larger.size) == ((21,), (20, 20))  # type: ignore[attr-defined]


def test_the_transform_of_testing_is_that_of_timm() -> None:
    from timm.data import create_transform

    ours = Pieces("resnet18", recipe(test_size=288, test_interpolation="bicubic")).transforms(train=False)
    reference = create_transform((3, 288, 288), interpolation="bicubic", crop_pct=0.95)
    assert (ours(picture()) - reference(picture())).abs().max() < 1e-5
    warped = Pieces("resnet18", recipe(test_crop=None, test_size=384, test_squash=True)).transforms(train=False)
    reference = create_transform((3, 384, 384), interpolation="bilinear", crop_pct=1.0, crop_mode="squash")
    assert (warped(picture()) - reference(picture())).abs().max() < 1e-5


def test_repeats_are_in_the_order_of_an_epoch() -> None:
    order = Pieces("resnet18", recipe()).sampler(300, epoch=0)
    assert len(order) == 256
    assert order[0] == order[1] == order[2] != order[3]
    plain = Pieces("resnet18", recipe(repeats=1)).sampler(300, epoch=0)
    assert sorted(plain) == list(range(300))
    assert plain != Pieces("resnet18", recipe(repeats=1)).sampler(300, epoch=1)
    assert plain != Pieces("resnet18", recipe(repeats=1)).sampler(300, epoch=0, seed=1)


def test_averages_begin_as_the_recipe_says() -> None:
    def averaged(part: parts.Ema, steps: int, epoch: float = 9.0) -> list[float]:
        model = torch.nn.Linear(1, 1, bias=False)
        torch.nn.init.zeros_(model.weight)
        average = Pieces("resnet18", recipe(ema=part)).ema(model)
        found = []
        for step in range(1, steps + 1):
            torch.nn.init.ones_(model.weight)
            average.update(model, step, epoch)
            found.append(round(float(average.module.weight.detach()), 6))
        return found

    assert averaged(parts.Ema(decay=0.9), 2) == [0.1, 0.19]
    assert averaged(parts.Ema(decay=0.9, every=2), 4) == [0, 0.1, 0.1, 0.19]
    assert averaged(parts.Ema(decay=0.9, start="copy"), 1, epoch=0.0) == [1]
    first = 1 - 2 / 11  # (1 + n) / (10 + n) at the first update
    assert averaged(parts.Ema(decay=0.9, start="ramp"), 1) == [round(first, 6)]
    assert Pieces("resnet18", recipe()).ema(torch.nn.Linear(1, 1)) is None


def test_the_model_is_as_the_recipe_sets_it() -> None:
    pieces = Pieces(
        "efficientnet_v2_s", recipe(parameters={"dropout_rate": 0.4}, bn_momentum=0.1, head_scale=0.001, size=64)
    )
    model = pieces.model(seed=1)
    assert {m.p for m in model.modules() if isinstance(m, torch.nn.Dropout)} == {0.4}
    assert {m.momentum for m in model.modules() if isinstance(m, torch.nn.BatchNorm2d)} == {0.1}
    other = Pieces("efficientnet_v2_s", recipe(parameters={"dropout_rate": 0.4}, size=64)).model(seed=1)
    assert torch.equal(model.classifier[1].weight, other.classifier[1].weight * 0.001)


def test_blocks_of_a_stage_are_computed_again_with_the_same_gradients() -> None:
    pieces = Pieces("resnet18", recipe(size=64))
    plain = pieces.model(seed=1)
    again = copy.deepcopy(plain)
    assert pieces.recompute(again, ["layer3"]) == ["layer3.0", "layer3.1"]
    assert len(pieces.recompute(again)) == 8
    image = torch.randn(2, 3, 64, 64)
    for model in (plain, again):
        model(image).square().mean().backward()
    for (name, a), (_, b) in zip(plain.named_parameters(), again.named_parameters(), strict=True):
        assert a.grad is not None, name
        assert torch.equal(a.grad, b.grad), name
    assert torch.equal(plain.bn1.running_mean, again.bn1.running_mean)
    with pytest.raises(archdsl.ArchError) as caught:
        pieces.recompute(again, ["layer9"])
    assert caught.value.diagnostics[0].code == "E122"


SPEC = """
model Net(classes = 10) = image(3, 32, 32) -> conv1: conv(4, 3) -> gap -> flatten -> fc: linear(classes)
variant net = Net()
variant other = Net(classes = 5)
preprocess Net { mean = [0.5, 0.5, 0.5], std = [0.5, 0.5, 0.5] }
recipe plain for Net {
  epochs = 2, batch = 4, optimizer = sgd, lr = 0.1, lr_scaling = "linear", schedule = constant, size = 32
}
recipe longer for other = plain with { epochs = 4 }
"""


def test_a_recipe_by_name(tmp_path: Any) -> None:
    path = tmp_path / "net.arch"
    path.write_text(SPEC)
    assert Pieces(f"{path}:net", "plain").recipe.epochs == 2
    assert Pieces(f"{path}:other", "longer").recipe.epochs == 4
    for name, hint in (("longer", "`longer` is for other"), ("plian", "did you mean `plain`?")):
        with pytest.raises(archdsl.ArchError) as caught:
            Pieces(f"{path}:net", name)
        found = caught.value.diagnostics[0]
        assert (found.code, found.help) == ("E647", hint)


def test_settings_and_epochs_that_cannot_be() -> None:
    """Of a recipe's settings an ArchError, of numbers that are none of the recipe's a ValueError."""
    pieces = Pieces("resnet18", recipe(epochs=4, warmup=parts.Warmup(epochs=1, start=1e-6)))
    for settings, said in (
        ({"lr": -1.0}, "lr: it must be greater than 0"),
        ({"epoch": 3}, "no setting `epoch`, did you mean `epochs`"),
        ({"epochs": 1, "warmup": parts.Warmup(epochs=2)}, "the warmup .2 epochs. is longer than the training .1."),
        ({"epochs": 1}, "the warmup .1 epochs. is as long as the training .1."),
    ):
        with pytest.raises(archdsl.ArchError, match=said) as caught:
            pieces.recipe.changed(**settings)
        assert [found.code for found in caught.value.diagnostics] == ["E656"]
    assert pieces.recipe.changed(epochs=3).epochs == 3
    for wrong in (-1, 4):
        for call in (
            lambda at: pieces.transforms(train=True, epoch=at),
            lambda at: pieces.mixup(1000, epoch=at),
            lambda at: pieces.loss(epoch=at),
            pieces.variant_at,
        ):
            with pytest.raises(ValueError, match="0 to 3"):
                call(wrong)
    with pytest.raises(ValueError, match="batch"):
        pieces.optimizer(pieces.model(), batch=0)
