"""The pieces of a recipe against timm's from the published flags, and torch's."""

from __future__ import annotations

import copy
from typing import Any

import numpy
import pytest
import torch
from PIL import Image

import archdsl
from archdsl.api import open_source
from archdsl.graph import recipe_parts as parts
from archdsl.graph.recipe import Progressive
from archdsl.source import Source
from archdsl.training import Pieces
from tests.training.recipes import recipe

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
