"""What an op is: one `OpSpec` holds everything the compiler knows about it.

No pass and no backend names an op: a new op is one definition in one file of this package.
Nothing here imports torch; a lowering only says, as data, which torch module or function to use. Shapes, weights and
lowerings are values: never changed once made (and not `frozen`, see `archdsl.source.Span`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticCustomError

from archdsl.symbolic import IN_CHANNELS, Expr, Symbol, lift

Layout = Literal["chw", "hwc", "flat"]
Role = Literal["input", "conv", "linear", "norm", "act", "pool", "merge", "reshape", "regularizer", "gate"]

LAYERS: frozenset[Role] = frozenset({"conv", "linear"})
"""What papers count as the layers of a network."""
LEADING: frozenset[Role] = LAYERS | {"pool", "merge"}
"""What stands for itself in pictures; all else goes with one of these, mostly the one that it follows."""
FOLLOWING: frozenset[Role] = frozenset({"norm", "act", "regularizer"})
"""What goes with the layer that it follows."""
PASSING: frozenset[Role] = frozenset({"reshape", "regularizer"})
"""What computes nothing: it moves values, or drops some in training."""


@dataclass(slots=True, unsafe_hash=True)
class Shape:
    """The shape of one sample of a tensor: C×H×W, H×W×C (`layout="hwc"`), or C values (`flat`).

    The batch dimension is never written. A flat tensor has height and width 1.
    """

    channels: int
    height: int = 1
    width: int = 1
    layout: Layout = "chw"

    @property
    def elements(self) -> int:
        return self.channels * self.height * self.width

    @property
    def dims(self) -> tuple[int, ...]:
        """The sizes in the order in which torch sees them, without the batch."""
        if self.layout == "flat":
            return (self.channels,)
        if self.layout == "hwc":
            return (self.height, self.width, self.channels)
        return (self.channels, self.height, self.width)

    def resized(self, height: int, width: int) -> Shape:
        return Shape(self.channels, height, width, self.layout)

    def with_channels(self, channels: int) -> Shape:
        return Shape(channels, self.height, self.width, self.layout)

    def __str__(self) -> str:
        return "×".join(map(str, self.dims))


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a shape rule refuses its inputs. The evaluator adds the places.

    `code` is a diagnostic code; `facts` fill its message; `argument` names the parameter at fault,
    so that the caret points at it; `help` says what to write instead.
    """

    code: str
    facts: Mapping[str, object] = field(default_factory=dict)
    argument: str | None = None
    help: str | None = None


def contradiction(key: str, words: str) -> PydanticCustomError:
    """The error of values that do not go together, of which that of `key` is to be looked at."""
    return PydanticCustomError("contradiction", "{words}", {"key": key, "words": words})


class OpParams(BaseModel):
    """Base of every op's parameters: strict (no coercion), no unknown names, immutable.

    The order of the fields is the order of positional arguments in a spec.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class NoParams(OpParams):
    """For ops that take none."""


@dataclass(slots=True, unsafe_hash=True)
class Weight:
    """One tensor of an op's state: `name` is the last component of its state_dict key.

    An empty name: the label of the op is the key itself, a bare `nn.Parameter` of the enclosing block.
    """

    name: str
    shape: tuple[int, ...]
    trainable: bool = True

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


@cache
def argument(name: str) -> Symbol:
    """The op parameter `name` in a lowering: printed as the spec computed it."""
    return Symbol(name)


@dataclass(slots=True, unsafe_hash=True)
class Module:
    """Build `target(*args, **kwargs)` once and call it: an `nn.Module`.

    Expressions may use the op's own parameters (`argument("kernel")`) and `IN_CHANNELS`. Keyword
    arguments equal to `defaults` are not printed. `inplace` says that the module takes an
    `inplace` flag, set where the graph shows that nothing else needs the input.
    """

    target: str
    args: tuple[Expr, ...] = ()
    kwargs: Mapping[str, Expr] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    inplace: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Call:
    """Write `template` into `forward`: stateless, the same in training and evaluation.

    Fields: `{x}` the single input, `{0}`, `{1}` … inputs by position, `{xs}` all inputs, comma-separated,
    and any name of `values`, which stand only where any expression may stand without parentheses. `inplace`
    names the keyword text (`inplace=True`) to add as the last argument when overwriting is safe.
    """

    template: str
    values: Mapping[str, Expr] = field(default_factory=dict)
    inplace: str = ""


@dataclass(frozen=True, slots=True)
class Parameter:
    """Own one tensor directly: an `nn.Parameter` of `shape`, every value `init`, under the op's own label.

    `template` is what to write into `forward`; its fields are `{x}` and `{weight}`. `init` may be written as a
    whole number in a spec, so build `torch.ones(shape) * init`: `torch.full` would make integers of it.
    """

    shape: tuple[Expr, ...]
    init: Expr
    template: str


@dataclass(slots=True, unsafe_hash=True)
class Lowering:
    """How torch computes an op: as a module, as a call, either (the backend chooses), or over a parameter.

    An op with weights, or one that behaves differently in training, has a module only; one with several inputs or
    outputs a call only. Any other should have a module, so that an nn.Sequential can hold it: where a member of a
    sequence has a call only, the sequence becomes a class of its own, with the call in its `forward`. The lowering
    depends on the values of the op's parameters: two uses of one line of a spec may have different lowerings.
    """

    module: Module | None = None
    call: Call | None = None
    parameter: Parameter | None = None


@dataclass(frozen=True, slots=True)
class Example:
    """Arguments and input shapes on which the conformance test compares an op with torch."""

    arguments: Mapping[str, Any] = field(default_factory=dict)
    inputs: tuple[Shape, ...] = (Shape(8, 9, 9),)


@dataclass(frozen=True, slots=True)
class Reach:
    """What one position of an op's output sees of its input, in rows and columns.

    `extent` is the size of the window, holes included; `step` the distance in the input between neighbouring positions
    of the output, a fraction where the output is finer. `everything`: each position sees all positions of the input.
    Statistics over positions (group norm, GRN) are not counted, as in Araujo et al. (2019).
    """

    extent: tuple[int, int] = (1, 1)
    step: tuple[int | Fraction, int | Fraction] = (1, 1)
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Holes:
    """What an op has to do where strides before it have become 1, or its own are to.

    `spread` is the distance, rows and columns, of the positions that were neighbours before; `drop` says along which
    axes the op's own stride becomes 1.
    """

    spread: tuple[int, int]
    drop: tuple[bool, bool] = (False, False)


@dataclass(slots=True, unsafe_hash=True)
class Made:
    """Memory that an op takes for itself: elements of one sample, or of a batch of any size (`each` false).

    `itemsize` is the size of an element in bytes; None: that of the network's numbers. `training`: not in inference.
    """

    elements: int
    itemsize: int | None = None
    each: bool = True
    training: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Saved:
    """What autograd keeps of an op for the backward pass: inputs by position, the output, what the op made.

    The op's own weights, which are there anyway, are not said. Of an op that works in place the input is lost: where
    `inverts`, backward reads the output in its stead, else a copy of the input is kept.
    """

    inputs: tuple[int, ...] = ()
    output: bool = False
    made: tuple[Made, ...] = ()
    inverts: bool = False


NOTHING, INPUT, BOTH, OUTPUT = Saved(), Saved((0,)), Saved((0, 1)), Saved(output=True)

POINTWISE = Reach()
EVERYTHING = Reach(everything=True)

_NAMES: dict[type[OpParams], tuple[str, ...]] = {}


def _pointwise(params: Any, inputs: tuple[Shape, ...]) -> Reach:
    return POINTWISE


def _no_weights(params: Any, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
    return ()


def _no_macs(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int:
    return 0


def saves_nothing(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return NOTHING


def saves_input(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return INPUT


def saves_both(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return BOTH


def saves_output(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return OUTPUT


def _always(params: Any, inputs: tuple[Shape, ...], training: bool) -> bool:
    return True


def copies(params: Any, inputs: tuple[Shape, ...], training: bool) -> bool:
    """Of a view by its definition that torch has no strides for."""
    return False


@dataclass(frozen=True, slots=True)
class OpSpec:
    """Everything about one op.

    - `shape(params, inputs)` gives the output shapes, or a `Problem`.
    - `lowering(params, inputs)` says how torch computes it.
    - `label(params, inputs)` is what pictures and tables write, and `word(params, inputs)` the kind of layer alone,
      where that is not the op's name: `dwconv` for any convolution with as many groups as channels.
    - `weights(params, inputs)` lists its state; parameters are counted from it.
    - `macs(params, inputs, outputs)` counts multiply-accumulates of convolutions and matrix
      products for one sample, as torch's FlopCounterMode does (its flops are 2 × MACs).
    - `channels` says, as an expression over the op's parameters and `IN_CHANNELS`, how wide the output is;
      `"sum"` means the sum over the inputs. None: not expressible, the number itself is used.
    - `reach(params, inputs)` says what an output position sees of the input: the receptive field of the op alone.
    - `dilate(params, holes)` says which parameters become what so that a network whose strides are taken away computes
      the same at the positions that it had, or, as a text, why there are none. An op that is pointwise needs no such
      rule; one that is not, and has none, cannot stand where there are holes.
    - `inputs` is the least and greatest number of inputs (None: any number).
    - `valued` is how many of the inputs, the first ones, have values that count (None: all); the others have a size
      that is wanted.
    - `saves(params, inputs, outputs)` says what autograd keeps of it in training.
    - `shares(params, inputs, training)`, of a view: whether the output is the memory of the input here.
    - `view`: the output may share memory with the input. `overwritable`: the output is fresh memory that the
      op's own backward does not read, so a following op may work in place.
    """

    name: str
    params: type[OpParams]
    summary: str
    role: Role
    shape: Callable[[Any, tuple[Shape, ...]], tuple[Shape, ...] | Problem]
    lowering: Callable[[Any, tuple[Shape, ...]], Lowering]
    label: Callable[[Any, tuple[Shape, ...]], str]
    word: Callable[[Any, tuple[Shape, ...]], str] | None = None
    weights: Callable[[Any, tuple[Shape, ...]], tuple[Weight, ...]] = _no_weights
    macs: Callable[[Any, tuple[Shape, ...], tuple[Shape, ...]], int] = _no_macs
    channels: Expr | Literal["sum"] | None = IN_CHANNELS
    reach: Callable[[Any, tuple[Shape, ...]], Reach] = _pointwise
    dilate: Callable[[Any, Holes], Mapping[str, Any] | str] | None = None
    saves: Callable[[Any, tuple[Shape, ...], tuple[Shape, ...]], Saved] = saves_nothing
    shares: Callable[[Any, tuple[Shape, ...], bool], bool] = _always
    inputs: tuple[int, int | None] = (1, 1)
    valued: int | None = None
    view: bool = False
    overwritable: bool = False
    examples: tuple[Example, ...] = (Example(),)

    @property
    def combines(self) -> bool:
        """Whether it is called with what it combines, `concat(f, g)`: it takes several inputs and no parameters."""
        return self.inputs not in ((0, 0), (1, 1)) and not self.parameter_names

    @property
    def parameter_names(self) -> tuple[str, ...]:
        names = _NAMES.get(self.params)
        if names is None:
            names = _NAMES[self.params] = tuple(self.params.model_fields)
        return names


__all__ = [
    "BOTH", "EVERYTHING", "FOLLOWING", "INPUT", "LAYERS", "LEADING", "NOTHING", "OUTPUT", "PASSING", "POINTWISE",
    "Call", "Example", "Holes", "Layout", "Lowering", "Made", "Module", "NoParams", "OpParams", "OpSpec", "Parameter",
    "Problem", "Reach", "Role", "Saved", "Shape", "Weight", "argument", "copies", "lift", "saves_both", "saves_input",
    "saves_nothing", "saves_output",
]  # fmt: skip
