"""Domains of a design space: what a dimension may be, in order, and how it is drawn. All of them are finite.

The distributions are those of pycls (`sweep/random.py`): closed intervals in steps, each value with its share of the
(logarithmic) interval.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Protocol

COSTS: Mapping[str, str] = {
    "macs": "multiply-adds for one image",
    "params": "trainable parameters",
    "activations": "elements of all outputs, of which a view adds none",
    "layers": "convolutions and linear layers",
}
"""Columns of the stage table."""

FIGURES: Mapping[str, str] = {
    "weights": "bytes of the state_dict",
    "memory": "the most bytes that are alive at once in inference",
    "training": "the most bytes that are alive at once in a training step",
    "intensity": "multiply-adds for each byte that a forward pass moves",
}
"""Of `graph.costs.Costs`: of so many images, in numbers of a kind; where nothing is said, of one image in float32."""

SECONDS = "seconds"
"""The roofline time of a forward pass, which is of a device: only where one is named."""

ASKED: Mapping[str, str] = {**COSTS, **FIGURES, SECONDS: "of a forward pass by the roofline of a device"}
"""What a `require` of a space may ask for, and a search may minimize."""


class Domain(Protocol):
    """The values of a dimension, by their places from 0."""

    @property
    def size(self) -> int: ...

    @property
    def ordered(self) -> bool:
        """Whether the places are an order of the values: numbers, not kinds of blocks."""
        ...

    def text(self, index: int) -> str:
        """The value at a place, as a spec writes it."""
        ...

    def number(self, index: int) -> int | float | None:
        """The value at a place, if it is a number of a range."""
        ...

    def draw(self, rng: random.Random) -> int: ...


@dataclass(frozen=True)
class Choices:
    """Some values as a spec writes them, each as likely as any other."""

    texts: Sequence[str]
    ordered: bool = False

    @property
    def size(self) -> int:
        return len(self.texts)

    def text(self, index: int) -> str:
        return self.texts[index]

    def number(self, index: int) -> None:
        return None

    def draw(self, rng: random.Random) -> int:
        return rng.randrange(len(self.texts))


@dataclass(frozen=True)
class Whole:
    """`start..stop`, half-open, each as likely as any other."""

    start: int
    stop: int
    ordered: bool = True

    @property
    def size(self) -> int:
        return self.stop - self.start

    def text(self, index: int) -> str:
        return str(self.start + index)

    def number(self, index: int) -> int:
        return self.start + index

    def draw(self, rng: random.Random) -> int:
        return rng.randrange(self.size)


@dataclass(frozen=True)
class Steps:
    """From `low` to `high`, both included, in steps; both are multiples of the step."""

    low: Decimal
    high: Decimal
    step: Decimal
    whole: bool
    """Whether the values are ints."""
    logarithmic: bool = False
    ordered: bool = True

    @cached_property
    def size(self) -> int:
        return int((self.high - self.low) / self.step) + 1

    def text(self, index: int) -> str:
        return repr(self.number(index))

    def number(self, index: int) -> int | float:
        value = self.low + index * self.step
        return int(value) if self.whole else float(value)

    def draw(self, rng: random.Random) -> int:
        if not self.logarithmic:
            return rng.randrange(self.size)
        least, most, step, first = self._logarithms
        value = math.exp(least + (most - least) * (1 - rng.random()))  # above the least, up to `high`
        return min(max(math.ceil(value / step - 1e-9) - first, 0), self.size - 1)

    @cached_property
    def _logarithms(self) -> tuple[float, float, float, int]:
        """Of what lies below the first value and of the last; the step, and the first value in steps."""
        low, high, step = float(self.low), float(self.high), float(self.step)
        return math.log(low - min(step, low / 2)), math.log(high), step, int(self.low / self.step)


DISTRIBUTIONS = {"uniform": False, "log_uniform": True}
"""What `Steps` are called in a spec, and whether they are logarithmic."""


@dataclass(frozen=True)
class Axis:
    """One number or choice of a space: a dimension, or one member of a dimension that is a list."""

    dimension: str
    place: int | None
    """Which member, counted from 0; None: the dimension is no list."""
    domain: Domain

    @property
    def name(self) -> str:
        return self.dimension if self.place is None else f"{self.dimension}[{self.place}]"


def texts_of(axes: Sequence[Axis], indexes: Sequence[int]) -> dict[str, str]:
    """The dimensions as a spec writes them, from the place on each axis."""
    parts: dict[str, list[str]] = {}
    lists = {axis.dimension for axis in axes if axis.place is not None}
    for axis, index in zip(axes, indexes, strict=True):
        parts.setdefault(axis.dimension, []).append(axis.domain.text(index))
    return {name: f"[{', '.join(found)}]" if name in lists else found[0] for name, found in parts.items()}


def numbers_of(axes: Sequence[Axis], indexes: Sequence[int]) -> dict[str, Any]:
    """Those dimensions that are numbers of ranges, or lists of such, from the place on each axis."""
    parts: dict[str, list[Any]] = {}
    lists = {axis.dimension for axis in axes if axis.place is not None}
    for axis, index in zip(axes, indexes, strict=True):
        parts.setdefault(axis.dimension, []).append(axis.domain.number(index))
    return {n: tuple(found) if n in lists else found[0] for n, found in parts.items() if None not in found}


def written(value: Any) -> str | None:
    """A plain value as a spec writes it; None for what is none: a layer, a record."""
    match value:
        case bool():
            return "true" if value else "false"
        case int() | float():
            return repr(value) if math.isfinite(value) else None
        case str():
            return None if any(c in value for c in '"\\\n') else f'"{value}"'
        case tuple() | range():
            members = [written(item) for item in value]
            return None if None in members else f"[{', '.join(m for m in members if m is not None)}]"
    return None
