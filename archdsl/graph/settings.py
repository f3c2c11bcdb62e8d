"""Settings that accompany a graph: how its weights are initialized and how pictures become its input.

They are data: `semantics.settings` reads them from `init` and `preprocess`, backends act on them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from archdsl.graph.glob import Effort, Glob
from archdsl.graph.ir import Graph, Node
from archdsl.ops.spec import OpParams, Weight, contradiction
from archdsl.source import Span

Nonlinearity = Literal["linear", "sigmoid", "tanh", "relu", "leaky_relu"]
Positive = Annotated[float, Field(gt=0)]


class Kaiming(OpParams):
    """He et al. 2015: std = gain / sqrt(fan). Both defaults are torch's; `leaky_relu` has slope 0, so relu's gain."""

    mode: Literal["fan_in", "fan_out"] = "fan_in"
    nonlinearity: Nonlinearity = "leaky_relu"


class Xavier(OpParams):
    """Glorot and Bengio 2010: std = gain * sqrt(2 / (fan_in + fan_out))."""

    gain: Positive = 1.0


class Normal(OpParams):
    std: Annotated[float, Field(ge=0)]
    mean: float = 0.0


class _Interval(OpParams):
    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.low >= self.high:
            raise contradiction("high", f"low ({self.low}) must be less than high ({self.high})")
        return self

    # Declared by the subclasses, whose order of fields is that of their positional arguments.
    if TYPE_CHECKING:
        low: float
        high: float


class TruncNormal(_Interval):
    """Values outside low..high (not multiples of std) are drawn again."""

    std: Positive
    mean: float = 0.0
    low: float = -2.0
    high: float = 2.0


class Uniform(_Interval):
    low: float
    high: float


class Constant(OpParams):
    value: float


class NoArguments(OpParams):
    """Of `zeros`, `ones`, and of `uniform_fan_in` and `uniform_fan_out`: U(-b, b) with b = 1 / sqrt(fan)."""


INITIALIZERS: Mapping[str, type[OpParams]] = {
    "kaiming_normal": Kaiming,
    "kaiming_uniform": Kaiming,
    "xavier_normal": Xavier,
    "xavier_uniform": Xavier,
    "normal": Normal,
    "trunc_normal": TruncNormal,
    "uniform": Uniform,
    "uniform_fan_in": NoArguments,
    "uniform_fan_out": NoArguments,
    "constant": Constant,
    "zeros": NoArguments,
    "ones": NoArguments,
}
"""The parameters of every initializer, with torch's meaning and defaults."""

NEEDS_FAN = frozenset(name for name in INITIALIZERS if name.startswith(("kaiming", "xavier", "uniform_fan")))
"""Initializers that are defined by fan-in or fan-out, so for weights of two or more dimensions only."""


@dataclass(frozen=True)
class InitRule:
    """One rule of `init`: which weights, by which initializer. The last rule that matches a weight wins.

    Unquoted, `pattern` is the name of an op or a role (`conv` is every convolution, `dwconv` the depthwise ones) and
    `weight` the weight meant (`weight` if none is written). Quoted, `pattern` is a path, `*` standing for any
    characters: of a whole state_dict key, or of a layer, whose `weight` is meant. `arguments` are those written.
    """

    pattern: str
    weight: str
    initializer: str
    arguments: Mapping[str, Any]
    span: Span
    quoted: bool = False


class InitRules:
    """Rules, found by what they may be about: an op or role and a weight's name, a path, a pattern of paths.

    Running statistics are never initialized by a rule.
    """

    def __init__(self, rules: Iterable[InitRule], effort: Effort | None = None) -> None:
        self.effort = effort or Effort()
        self._named: dict[tuple[str, str], tuple[int, InitRule]] = {}
        self._paths: dict[str, tuple[int, InitRule]] = {}
        patterns: dict[str, tuple[int, InitRule]] = {}
        for number, rule in enumerate(rules):
            if not rule.quoted:
                self._named[rule.pattern, rule.weight] = number, rule
            elif "*" in rule.pattern:
                patterns[rule.pattern] = number, rule
            else:
                self._paths[rule.pattern] = number, rule
        latest_first = sorted(patterns.values(), key=lambda item: -item[0])
        self._patterns = [(number, rule, Glob(rule.pattern)) for number, rule in latest_first]

    def about(self, node: Node, weight: Weight) -> Iterator[tuple[int, InitRule]]:
        """Every rule about a weight, each with its place among the rules; the latest of equal ones only."""
        if not weight.trainable:
            return
        # A bare parameter (layer_scale) has no name of its own: the op's name means it.
        words = [(node.op.name, weight.name)] + ([(node.op.name, "weight")] if not weight.name else [])
        if node.op.role != node.op.name:
            words.append((node.op.role, weight.name))
        for word in words:
            if word in self._named:
                yield self._named[word]
        if not self._paths and not self._patterns:
            return
        paths = {node.weight_path(weight)} | ({node.path} if weight.name in ("weight", "") else set())
        for path in paths:
            if path in self._paths:
                yield self._paths[path]
        for number, rule, glob in self._patterns:
            self.effort.spend(len(paths), rule.span, "the patterns of `init`")
            if any(glob.matches(path) for path in paths):
                yield number, rule

    def latest(self, node: Node, weight: Weight) -> InitRule | None:
        """The rule that counts: the last one about a weight."""
        return max(self.about(node, weight), key=lambda item: item[0], default=(0, None))[1]


def assign_initializers(rules: Iterable[InitRule], graph: Graph) -> dict[str, InitRule]:
    """The rule for each state_dict key that one is about, in order of execution; the last that matches wins.

    Raises ArchError E514.
    """
    known = InitRules(rules)
    assigned = ((key, known.latest(node, weight)) for key, weight, node in graph.state())
    return {key: rule for key, rule in assigned if rule is not None}


LARGEST_SIDE = 10_000
"""Pixels of `size` and `resize`."""

SMALLEST_CROP = 0.01


class Preprocess(BaseModel):
    """From a picture to the model's input: shorter side to `resize`, central crop of `size`, then (x - mean) / std.

    With `squash` both sides become `resize`, whatever the picture's proportions, so that the crop sees all of it.

    Pixels are numbers from 0 to 1 before mean and std. `size` None: the size of the model's image. `resize` None:
    `size / crop`, rounded down, where `crop` is the part of the resized picture that the crop keeps.
    `labels` names the list of classes (`imagenet1k`).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    size: Annotated[int, Field(gt=0, le=LARGEST_SIDE)] | None = None
    resize: Annotated[int, Field(gt=0, le=LARGEST_SIDE)] | None = None
    crop: Annotated[float, Field(ge=SMALLEST_CROP, le=1)] = 1.0
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[Positive, ...] = (1.0, 1.0, 1.0)
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "box"] = "bilinear"
    squash: bool = False
    labels: str | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if len(self.mean) != len(self.std):
            shorter = "mean" if len(self.mean) < len(self.std) else "std"
            raise contradiction(shorter, f"mean has {len(self.mean)} values, std {len(self.std)}")
        if self.resize is not None and "crop" in self.model_fields_set:
            raise contradiction("crop", "resize and crop both say how large the picture is before the crop: give one")
        return self

    def problem(self, image: int) -> str | None:
        """What is wrong with the sizes for a model whose image has this longer side: nothing is padded unasked."""
        size = image if self.size is None else self.size
        resized = self.resized(size)
        if resized < size:
            return f"resize ({resized:,}) must be at least the side of the crop ({size:,})"
        if resized > LARGEST_SIDE:
            return f"the picture before the crop has a shorter side of {resized:,}, more than {LARGEST_SIDE:,}"
        return None

    def for_image(self, image: int, written: int) -> Preprocess:
        """The same for a model whose image was chosen, with this longer side, `written` being that of the spec: the
        crop keeps its share of `resize`."""
        resize = None if self.resize is None else self.resize * image // (self.size or written)
        return self.model_copy(update={"size": None, "resize": resize})

    def resized(self, size: int) -> int:
        """Length of the shorter side before the central crop of `size`."""
        return self.resize if self.resize is not None else int(size / self.crop)
