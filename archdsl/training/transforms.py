"""From pictures to input, as a recipe says: timm's and torchvision's augmentation in training, `preprocess` in testing.

Both begin with the picture in 8 bits, grey or in three colours, as `archdsl predict` reads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archdsl.graph.recipe import Recipe
from archdsl.graph.recipe_parts import AutoAugment, RandAugment, TrivialAugment
from archdsl.graph.settings import Preprocess
from archdsl.training.libraries import import_timm
from archdsl.transform import Transform, in_mode
from archdsl.variant import Variant

if TYPE_CHECKING:
    from PIL import Image

_ERASING = {"noise": "pixel", "colour": "rand", "zeros": "const"}
_FULL = 10.0
"""timm's full strength of RandAugment, above which it cuts magnitudes off unless told otherwise."""


def training(variant: Variant, recipe: Recipe) -> Any:
    """The transform of training: crop, flip, augmentation, then numbers, normalized, and erasing. `recipe` is that of a
    stage (`Recipe.at`)."""
    import_timm()
    from timm.data import create_transform
    from torchvision import transforms

    settings = variant.preprocess
    shape = variant.graph.input_shape
    first, _, last = create_transform(
        (shape.channels, shape.height, shape.width),
        is_training=True,
        scale=recipe.crop_scale,
        ratio=recipe.crop_ratio,
        hflip=recipe.flip,
        color_jitter=None,
        interpolation=recipe.interpolation,
        mean=settings.mean,
        std=settings.std,
        re_prob=recipe.erasing,
        re_count=recipe.erasing_count,
        re_mode=_ERASING[recipe.erasing_fill],
        separate=True,
    )
    between = _augmentation(variant, recipe, settings)
    if recipe.color_jitter:
        between.append(transforms.ColorJitter(*(recipe.color_jitter,) * 3))
    return transforms.Compose(
        [_InMode("L" if shape.channels == 1 else "RGB"), *first.transforms, *between, *last.transforms]
    )


class _InMode:
    """The picture in 8 bits, grey or in three colours."""

    def __init__(self, mode: str) -> None:
        self.mode = mode

    def __call__(self, image: Image.Image) -> Image.Image:
        return in_mode(image, self.mode)

    def __repr__(self) -> str:
        return f"InMode({self.mode!r})"


def _augmentation(variant: Variant, recipe: Recipe, settings: Preprocess) -> list[Any]:
    """The named augmentation: timm's, with the arguments that timm gives it; torchvision's, where only it has it."""
    from timm.data.auto_augment import (
        RandAugment as TimmRandAugment,
    )
    from timm.data.auto_augment import (
        auto_augment_transform,
        rand_augment_choices,
        rand_augment_ops,
    )
    from timm.data.transforms import str_to_pil_interp
    from torchvision import transforms

    side = min(variant.graph.input_shape.height, variant.graph.input_shape.width)
    hints: dict[str, Any] = {
        "translate_const": int(side * 0.45),
        "img_mean": tuple(min(255, round(255 * value)) for value in settings.mean),
    }
    if recipe.interpolation != "random":
        hints["interpolation"] = str_to_pil_interp(recipe.interpolation)
    part = recipe.augment
    match part:
        case None:
            return []
        case RandAugment():
            magnitude = part.magnitude or 0.0
            if part.std:
                hints["magnitude_std"] = part.std
            if magnitude > _FULL:
                hints["magnitude_max"] = magnitude
            names = rand_augment_choices("", increasing=part.increasing)
            ops = rand_augment_ops(magnitude, part.probability, hints, names)
            return [TimmRandAugment([_with_black(op) for op in ops], part.layers)]
        case TrivialAugment():
            mode = transforms.InterpolationMode.BILINEAR if recipe.interpolation == "random" else recipe.interpolation
            return [transforms.TrivialAugmentWide(interpolation=transforms.InterpolationMode(mode))]
        case AutoAugment(policy="imagenet"):
            mode = transforms.InterpolationMode.BILINEAR if recipe.interpolation == "random" else recipe.interpolation
            return [transforms.AutoAugment(interpolation=transforms.InterpolationMode(mode))]
        case AutoAugment():
            made = auto_augment_transform(part.policy, hints)
            made.policy = [[_with_black(op) for op in ops] for ops in made.policy]
            return [made]


def _with_black(op: Any) -> Any:
    """An operation of timm's that leaves no bit of a picture where it is told so: black, as its authors have it. Newer
    versions of Pillow raise there, in the midst of a training."""
    from timm.data.auto_augment import posterize

    if op.aug_fn is posterize:
        op.aug_fn = _posterize
    return op


def _posterize(image: Image.Image, bits_to_keep: int, **others: Any) -> Image.Image:
    from timm.data.auto_augment import posterize

    if bits_to_keep < 1:
        return image.point(lambda value: 0)
    posterized: Image.Image = posterize(image, bits_to_keep, **others)
    return posterized


def testing(variant: Variant, recipe: Recipe) -> Transform:
    """The transform of testing, of the variant as it is given, not as it is trained: the spec's `preprocess`, but where
    the recipe says otherwise."""
    side = recipe.test_size or recipe.size
    return Transform(tested(variant, recipe), (side, side), variant.graph.input_shape.channels)


def tested(variant: Variant, recipe: Recipe) -> Preprocess:
    """The spec's `preprocess` with what the recipe says of testing in its place."""
    settings = variant.preprocess
    side = recipe.test_size or recipe.size
    # The part that the crop keeps is the spec's, as `resize` is of its own size.
    resize = settings.for_image(side, max(variant.graph.input_shape.height, variant.graph.input_shape.width)).resize
    changed: dict[str, Any] = {"size": settings.size and side, "resize": resize}
    if recipe.test_resize is not None:
        changed |= {"resize": recipe.test_resize, "crop": 1.0}
    elif recipe.test_crop is not None:
        changed |= {"resize": None, "crop": recipe.test_crop}
    if recipe.test_squash:
        changed |= {"squash": True, "resize": None, "crop": recipe.test_crop or 1.0}
    if recipe.test_interpolation is not None:
        changed["interpolation"] = recipe.test_interpolation
    return settings.model_copy(update=changed)
