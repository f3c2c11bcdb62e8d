"""Recipes: how a network is trained. Data without torch, which `semantics.recipes` reads from `recipe` items.

A `Recipe` is whole: what an amendment leaves alone stands in it too. Learning rates of an epoch or a step are in
`graph.schedule`, the optimizers, schedules and augmentations that a recipe may name in `graph.recipe_parts`.
"""

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, field_validator

from archdsl.graph.recipe_parts import (
    Augmentation,
    Average,
    Clip,
    CrossEntropy,
    Ema,
    Loss,
    Noise,
    Optimizer,
    RandAugment,
    RecipePart,
    Schedule,
    Warmup,
)

LARGEST_SIDE = 2_048
"""Pixels of a side of an image that is trained with."""

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
Side = Annotated[int, Field(gt=0, le=LARGEST_SIDE)]
Alpha = Annotated[float, Field(ge=0, le=100)]
NoDecay = Literal["bias", "norm", "layer_scale"]
Scaling = Literal["linear", "sqrt", "none"]
Interpolation = Literal["nearest", "bilinear", "bicubic", "random"]

MODEL_RATES = ("dropout_rate", "drop_path_rate")
"""Parameters of models that a recipe may set without saying which models it is for."""

VARYING = ("size", "magnitude", "mixup", "cutmix", "erasing", "smoothing")
"""Settings that may change from stage to stage of progressive learning, beside parameters of the model."""


class ProgressiveStage(RecipePart):
    """A stage of progressive learning: the epochs from `first` up to, but not including, `end`, and what holds there.

    `values` are settings (`VARYING`) and parameters of the model by name; what is not in it is as in the recipe.
    """

    first: int
    end: int
    values: Mapping[str, float]

    @property
    def epochs(self) -> int:
        return self.end - self.first


class Progressive(RecipePart):
    """Stages in which the size of the image and regularization grow together (EfficientNetV2, section 4).

    Each row has a value for each of `columns`. Without `stages` each row is a stage; with it, the two rows are its
    ends, and stage i of M has `first + (last - first) · i / (M - 1)` (algorithm 1), a size rounded down to whole
    pixels. `lengths` are the epochs of each stage; without, stage i of M begins with epoch `epochs · i / M`, rounded
    down.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[float, ...], ...]
    stages: int | None = None
    lengths: tuple[int, ...] | None = None

    @property
    def count(self) -> int:
        return len(self.rows) if self.stages is None else self.stages

    def values(self, index: int) -> dict[str, float]:
        """What the columns say in a stage, counted from 0."""
        if self.stages is None:
            row = self.rows[index]
        else:
            start, end = self.rows
            part = index / (self.stages - 1)
            row = tuple(a + (b - a) * part for a, b in zip(start, end, strict=True))
            if index == self.stages - 1:
                row = end
        return {c: int(v + 1e-9) if c == "size" else v for c, v in zip(self.columns, row, strict=True)}

    def of(self, epochs: int) -> tuple[ProgressiveStage, ...]:
        """The stages of a training of so many epochs; lengths that are given are shared out in proportion."""
        if self.lengths is None:
            starts = [epochs * i // self.count for i in range(self.count + 1)]
        else:
            whole = sum(self.lengths)
            starts = [epochs * sum(self.lengths[:i]) // whole for i in range(self.count + 1)]
        return tuple(
            ProgressiveStage(first=first, end=end, values=self.values(i))
            for i, (first, end) in enumerate(pairwise(starts))
        )


class Recipe(RecipePart):
    """How a network is trained, with everything that is published of it.

    What is None or empty is not done. `batch` is the number of images of a step, over all devices, for which `lr` is
    stated; `lr_scaling` is the rule for another batch. Of epochs and warmup, 1 is one pass over the training images.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    name: str
    source: str = ""
    """The docstring: where this is published."""
    amends: str | None = None
    """The recipe that this one amends, or is under another name."""
    targets: tuple[str, ...] = ()
    """The variants and models of its file that it is for; empty: for any."""

    epochs: Annotated[int, Field(ge=1, le=100_000)]
    batch: Annotated[int, Field(ge=1, le=1_000_000)]
    optimizer: Optimizer
    lr: Positive
    lr_scaling: Scaling
    weight_decay: Annotated[float, Field(ge=0, lt=1)] = 0.0
    no_decay: tuple[NoDecay, ...] = ()
    """Weights that do not decay: `bias` (of layers that are no norms), `norm` (all weights of norms), `layer_scale`."""
    layer_decay: Annotated[float, Field(gt=0, le=1)] = 1.0
    """Each layer's learning rate is that of the one behind it times this; 1: the same for all."""

    schedule: Schedule
    warmup: Warmup | None = None
    updates: Literal["epoch", "step"] = "epoch"
    """When the learning rate changes: at the beginning of each epoch, or at every step."""
    lr_noise: Noise | None = None

    loss: Loss = Field(default_factory=CrossEntropy)
    smoothing: Annotated[float, Field(ge=0, lt=1)] = 0.0

    augment: Augmentation | None = None
    mixup: Alpha = 0.0
    """The alpha of the beta distribution from which the share of the other picture is drawn; likewise `cutmix`."""
    cutmix: Alpha = 0.0
    mix_probability: Share = 1.0
    """Of a batch to be mixed at all."""
    mix_switch: Share = 0.5
    """Of a batch that is mixed to be so by CutMix, where there is mixup, too."""
    mix_mode: Literal["batch", "pair", "elem"] = "batch"
    """What has a share of its own: the batch, each pair of pictures that are mixed with each other, each picture."""
    erasing: Share = 0.0
    erasing_fill: Literal["noise", "colour", "zeros"] = "noise"
    """timm's modes `pixel`, `rand` and `const`."""
    erasing_count: Annotated[int, Field(ge=1, le=100)] = 1
    """At most so many rectangles of a picture."""
    repeats: Annotated[int, Field(ge=1, le=100)] = 1
    """How many times each picture is in an epoch's order, each time augmented again; the epoch is no longer for it."""
    crop_scale: tuple[Share, Share] = (0.08, 1.0)
    """Of a picture's area, what a random crop takes; (1, 1) with `crop_ratio` (1, 1) is a square crop."""
    crop_ratio: tuple[Positive, Positive] = (3 / 4, 4 / 3)
    flip: Share = 0.5
    color_jitter: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Brightness, contrast and saturation change by up to this share."""
    lighting: Annotated[float, Field(ge=0, le=1)] = 0.0
    """Standard deviation of AlexNet's noise along the principal components of colour."""
    interpolation: Interpolation = "bilinear"

    parameters: Mapping[str, Any] = Field(default_factory=dict)
    """What is set of the model's own parameters: `{"dropout_rate": 0.2, "drop_path_rate": 0.05}`."""
    bn_momentum: Annotated[float, Field(gt=0, le=1)] | None = None
    """Share of the new in the running statistics, as torch has it (TensorFlow's .99 is .01); None: the spec's."""
    head_scale: Positive | None = None
    """What the initial weights of the classifier are multiplied by."""
    after: str | None = None
    """The recipe by which the weights were trained that this one begins with."""

    ema: Ema | None = None
    average: Average | None = None
    clip: Clip | None = None

    data: Literal["imagenet1k", "imagenet22k"] | None = None
    size: Side
    """Side of the images that are trained with; of progressive learning, of its last stage."""
    test_size: Side | None = None
    """Side of the images that are tested with; None: `size`."""
    test_resize: Annotated[int, Field(gt=0, le=4 * LARGEST_SIDE)] | None = None
    """Shorter side before the central crop; or `test_crop`, the part of it that the crop keeps."""
    test_crop: Annotated[float, Field(gt=0, le=1)] | None = None
    test_squash: bool = False
    """Both sides become `test_resize`, whatever the picture's proportions."""
    test_interpolation: Literal["nearest", "bilinear", "bicubic"] | None = None

    progressive: Progressive | None = None

    top1: Decimal | None = None
    """The published accuracy in percent, digits as written."""
    top1_from: str = ""
    """Where that is published."""

    @field_validator("crop_scale", "crop_ratio")
    @classmethod
    def _ordered(cls, value: tuple[float, float]) -> tuple[float, float]:
        if value[0] > value[1] or value[0] <= 0:
            raise ValueError("it must be the least and the greatest, both above 0: [0.08, 1.0]")
        return value

    @cached_property
    def stages(self) -> tuple[ProgressiveStage, ...]:
        """The stages of progressive learning; without it, one."""
        if self.progressive is None:
            return (ProgressiveStage(first=0, end=self.epochs, values={}),)
        return self.progressive.of(self.epochs)

    def stage_of(self, epoch: float) -> ProgressiveStage:
        """The stage in which an epoch is, counted from 0; after the last epoch, the last."""
        return next((stage for stage in self.stages if epoch < stage.end), self.stages[-1])

    def at(self, epoch: float) -> "Recipe":
        """This recipe as it is in an epoch: the values of its stage are in their places, and there are no stages."""
        values = dict(self.stage_of(epoch).values)
        if not values:
            return self
        changed: dict[str, Any] = {"progressive": None}
        if "size" in values:
            changed["size"] = int(values.pop("size"))
        if "magnitude" in values and isinstance(self.augment, RandAugment):
            changed["augment"] = self.augment.model_copy(update={"magnitude": values.pop("magnitude")})
        changed |= {name: values.pop(name) for name in VARYING if name in values}
        changed["parameters"] = {**self.parameters, **values}
        return self.replaced(changed)

    def scaled_lr(self, batch: int) -> float:
        """The learning rate for steps of another number of images, by the rule that the recipe names."""
        if self.lr_scaling == "none" or batch == self.batch:
            return self.lr
        ratio = batch / self.batch
        return self.lr * (ratio if self.lr_scaling == "linear" else ratio**0.5)

    def ema_decay(self, batch: int | None = None, epochs: int | None = None) -> float | None:
        """The share of the average that an update keeps."""
        if self.ema is None:
            return None
        return self.ema.kept(batch or self.batch, epochs or self.epochs)

    def changed(self, **settings: Any) -> "Recipe":
        """This recipe with other settings (`epochs=5, batch=64`), checked again; the learning rate is left alone.

        Raises ArchError E656."""
        from archdsl.graph.recipe_rules import checked

        return checked(self, settings)

    def replaced(self, changed: Mapping[str, Any]) -> Self:
        """The same with other values, each by itself checked. Raises pydantic's ValidationError."""
        return type(self)(**{**{n: getattr(self, n) for n in type(self).model_fields}, **changed})


SETTINGS = tuple(
    name
    for name in Recipe.model_fields
    if name not in ("name", "source", "amends", "targets", "parameters", "progressive")
)
"""What a spec may set of a recipe by name."""
