"""What a recipe names with arguments of its own: optimizers, schedules, warmup, losses, augmentation, averages.

Each class is written in a spec as a call of its `word`: `optimizer = sgd(momentum = 0.9)`. Defaults are those of torch,
and of timm for what torch has not.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_core import core_schema

Share = Annotated[float, Field(ge=0, le=1)]
Below1 = Annotated[float, Field(ge=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Magnitude = Annotated[float, Field(ge=0, le=100)]


class RecipePart(BaseModel):
    """Data of a recipe. `word` is how a spec writes it."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)
    word: ClassVar[str] = ""


class OneOf:
    """What a part of a recipe may be: it is checked to be one, and never made of anything else.

    pydantic would make a validator of each class of a union as soon as it needs one of them.
    """

    def __init__(self, *parts: type[RecipePart]) -> None:
        self.parts = parts

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        words = " or ".join(part.word for part in self.parts)
        return core_schema.is_instance_schema(self.parts, cls_repr=words)


# --- optimizers ----------------------------------------------------------------------------


class Sgd(RecipePart):
    word: ClassVar[str] = "sgd"
    momentum: Below1 = 0.0
    nesterov: bool = False


class _Adaptive(RecipePart):
    betas: tuple[Below1, Below1] = (0.9, 0.999)


class Adam(_Adaptive):
    """Weight decay is added to the gradient."""

    word: ClassVar[str] = "adam"
    eps: Positive = 1e-8


class AdamW(_Adaptive):
    """Weight decay is decoupled from the gradient."""

    word: ClassVar[str] = "adamw"
    eps: Positive = 1e-8


class Lamb(_Adaptive):
    """timm's: the gradient of the whole network is scaled to a norm of at most `max_grad_norm` first (0: never)."""

    word: ClassVar[str] = "lamb"
    eps: Positive = 1e-6
    max_grad_norm: Annotated[float, Field(ge=0)] = 1.0


class RmsProp(RecipePart):
    """torch's: eps is added to the root, the momentum is of the scaled gradient, without the learning rate."""

    word: ClassVar[str] = "rmsprop"
    alpha: Below1 = 0.99
    momentum: Below1 = 0.0
    eps: Positive = 1e-8


class RmsPropTf(RecipePart):
    """TensorFlow's (timm's `rmsproptf`): eps is under the root, averages begin at 1, momentum has the learning rate."""

    word: ClassVar[str] = "rmsprop_tf"
    alpha: Below1 = 0.9
    momentum: Below1 = 0.0
    eps: Positive = 1e-10


Optimizer: TypeAlias = Annotated[
    Sgd | Adam | AdamW | Lamb | RmsProp | RmsPropTf,
    OneOf(Sgd, Adam, AdamW, Lamb, RmsProp, RmsPropTf),
]

# --- learning rate -------------------------------------------------------------------------


class Cosine(RecipePart):
    """Half a cosine from the learning rate to `end`, which is absolute: it does not follow the batch."""

    word: ClassVar[str] = "cosine"
    end: Annotated[float, Field(ge=0)] = 0.0


class Step(RecipePart):
    """Times `factor` every so many epochs, which may be 2.4."""

    word: ClassVar[str] = "step"
    factor: Annotated[float, Field(gt=0, lt=1)]
    every: Positive


class Milestones(RecipePart):
    """Times `factor` at each of these epochs."""

    word: ClassVar[str] = "milestones"
    at: tuple[int, ...]
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1

    @field_validator("at")
    @classmethod
    def _rising(cls, value: tuple[int, ...]) -> tuple[int, ...]:
        if not value or value[0] < 1 or any(a >= b for a, b in pairwise(value)):
            raise ValueError("it must be epochs above 0 in rising order: [30, 60]")
        return value


class Exponential(RecipePart):
    """`factor` to the power of the epochs through `every`, smoothly."""

    word: ClassVar[str] = "exponential"
    factor: Annotated[float, Field(gt=0, lt=1)]
    every: Positive = 1.0


class Constant(RecipePart):
    word: ClassVar[str] = "constant"


Schedule: TypeAlias = Annotated[
    Cosine | Step | Milestones | Exponential | Constant,
    OneOf(Cosine, Step, Milestones, Exponential, Constant),
]


class Warmup(RecipePart):
    """The learning rate rises on a line from `start`, or from `factor` times the learning rate, through `epochs`.

    `mode` says how it goes with the schedule. "replace": the schedule runs from the first epoch, hidden beneath the
    line, and goes on from where it is (timm). "prefix": it begins after the warmup, and ends with the last epoch
    (torchvision, timm's --warmup-prefix). "multiply": the schedule is multiplied by a factor that rises to 1 (pycls).
    """

    word: ClassVar[str] = "linear"
    epochs: Positive
    start: Annotated[float, Field(ge=0)] | None = None
    factor: Below1 | None = None
    mode: Literal["replace", "prefix", "multiply"] = "replace"


class Noise(RecipePart):
    """timm's: from `start` to `end`, parts of all epochs, a normal number of deviation `std`, drawn again until it is
    within `limit`, times the learning rate is added to it. The numbers are torch's, of `seed` + epoch."""

    word: ClassVar[str] = "normal"
    start: Share
    end: Share = 1.0
    limit: Positive = 0.67
    std: Positive = 1.0
    seed: int = 42


# --- loss ----------------------------------------------------------------------------------


class CrossEntropy(RecipePart):
    word: ClassVar[str] = "cross_entropy"


class Bce(RecipePart):
    """Binary cross entropy of each class. Targets above `threshold` become 1, the others 0; `sum`: over classes, of
    which else the mean is taken, too."""

    word: ClassVar[str] = "bce"
    threshold: Annotated[float, Field(ge=0, lt=1)] | None = None
    sum: bool = False


Loss: TypeAlias = Annotated[CrossEntropy | Bce, OneOf(CrossEntropy, Bce)]

# --- augmentation --------------------------------------------------------------------------


class RandAugment(RecipePart):
    """`layers` operations of `magnitude` (10 is full strength), which varies by `std`; `increasing`: the set in which
    more is stronger, for every operation. `magnitude` None: progressive learning has it."""

    word: ClassVar[str] = "randaugment"
    magnitude: Magnitude | None = None
    layers: Annotated[int, Field(ge=1, le=20)] = 2
    std: Annotated[float, Field(ge=0, le=100)] = 0.0
    increasing: bool = False
    probability: Share = 0.5


class TrivialAugment(RecipePart):
    """One operation of a random strength, of the wide ranges."""

    word: ClassVar[str] = "trivialaugment_wide"


class AutoAugment(RecipePart):
    """`policy`: "original", the paper's; "v0", TensorFlow's; "imagenet", torchvision's."""

    word: ClassVar[str] = "autoaugment"
    policy: Literal["original", "v0", "imagenet"] = "original"


Augmentation: TypeAlias = Annotated[
    RandAugment | TrivialAugment | AutoAugment,
    OneOf(RandAugment, TrivialAugment, AutoAugment),
]

# --- averages and clipping -----------------------------------------------------------------


class Ema(RecipePart):
    """An exponential moving average of the weights, updated every so many steps.

    `start`: "plain", with the full decay from the first update; "ramp", with (1 + n) / (10 + n) while that is less
    (TensorFlow); "copy", weights are copied during the warmup (torchvision). `adjusted`: 1 - decay is for a batch and
    a step an epoch, and is multiplied by batch · every / epochs (torchvision, pycls).
    """

    word: ClassVar[str] = "decay"
    decay: Annotated[float, Field(gt=0, lt=1)]
    every: Annotated[int, Field(ge=1)] = 1
    start: Literal["plain", "ramp", "copy"] = "plain"
    adjusted: bool = False

    def kept(self, batch: int, epochs: int) -> float:
        """The share of the average that an update keeps."""
        if not self.adjusted:
            return self.decay
        return 1 - min(1.0, (1 - self.decay) * batch * self.every / epochs)


class Last(RecipePart):
    """The mean of the weights after each of the last epochs."""

    word: ClassVar[str] = "last"
    count: Annotated[int, Field(ge=2, le=100)]


class Improving(RecipePart):
    """The mean of the last checkpoints each of which was better than all before."""

    word: ClassVar[str] = "improving"
    count: Annotated[int, Field(ge=2, le=100)]


Average: TypeAlias = Annotated[Last | Improving, OneOf(Last, Improving)]


class ClipNorm(RecipePart):
    """The gradient is scaled to a norm of at most this."""

    word: ClassVar[str] = "norm"
    most: Positive


class ClipValue(RecipePart):
    word: ClassVar[str] = "value"
    most: Positive


class ClipAdaptive(RecipePart):
    """Adaptive gradient clipping, unit by unit, relative to the weights (Brock et al., 2021)."""

    word: ClassVar[str] = "adaptive"
    most: Positive


Clip: TypeAlias = Annotated[ClipNorm | ClipValue | ClipAdaptive, OneOf(ClipNorm, ClipValue, ClipAdaptive)]


PARTS: Mapping[str, Mapping[str, type[RecipePart]]] = {
    setting: {part.word: part for part in parts}
    for setting, parts in {
        "optimizer": (Sgd, Adam, AdamW, Lamb, RmsProp, RmsPropTf),
        "schedule": (Cosine, Step, Milestones, Exponential, Constant),
        "warmup": (Warmup,),
        "lr_noise": (Noise,),
        "loss": (CrossEntropy, Bce),
        "augment": (RandAugment, TrivialAugment, AutoAugment),
        "ema": (Ema,),
        "average": (Last, Improving),
        "clip": (ClipNorm, ClipValue, ClipAdaptive),
    }.items()
}
"""For each setting that is written as a call: what it may be, by the word that a spec writes."""
