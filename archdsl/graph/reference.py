"""Which model of which library a variant equals: what a `reference` item claims.

Data only: names and plain values. `semantics.references` reads them from the file, `archdsl verify` compares. Libraries
load weights, from files and over the network, by name (`hf-hub:owner/name`) and by argument (`checkpoint_path`). So a
name is plain, of a library's own constructors, and the arguments that are passed on are those listed here, which say
what a network is and never where something lies.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias, TypeGuard

from pydantic import BaseModel, ConfigDict, Field, field_validator

LIBRARIES = ("torchvision", "timm", "pytorchcv", "efficientnet_lite_pytorch")
"""The libraries that a reference may name."""

Plain: TypeAlias = bool | int | float | str | tuple["Plain", ...]
"""A value that can be passed to a library: nothing that is computed there, nothing that could be called."""

_PLAIN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


def is_plain(value: object) -> TypeGuard[Plain]:
    """Whether a value is a number, bool or text, or a list of such."""
    return all(map(is_plain, value)) if isinstance(value, tuple) else isinstance(value, bool | int | float | str)


def is_plain_name(name: str) -> bool:
    """Whether a library could call a constructor so: no address, no path, no tag of pretrained weights."""
    return _PLAIN_NAME.fullmatch(name) is not None


@dataclass(frozen=True)
class Kind:
    """What an argument takes, in words, and whether a value is that."""

    expected: str
    takes: Callable[[Plain], bool]


def _whole(least: int, most: int) -> Callable[[Plain], bool]:
    return lambda value: type(value) is int and least <= value <= most


def _listed(takes: Callable[[Plain], bool]) -> Callable[[Plain], bool]:
    return lambda value: isinstance(value, tuple) and 0 < len(value) <= 16 and all(map(takes, value))


_FLAG = Kind("true or false", lambda value: type(value) is bool)
_RATE = Kind("a number from 0 to 1", lambda value: type(value) in (int, float) and 0 <= value <= 1)  # type: ignore[operator]
_FACTOR = Kind("a number above 0, at most 100", lambda value: type(value) in (int, float) and 0 < value <= 100)  # type: ignore[operator]
_COUNT = Kind("a whole number from 1 to 1,000,000", _whole(1, 10**6))
_DEPTHS = Kind("a list of up to 16 whole numbers from 1 to 1,000", _listed(_whole(1, 1000)))
_WIDTHS = Kind("a list of up to 16 whole numbers from 1 to 1,000,000", _listed(_whole(1, 10**6)))

ARGUMENTS: Mapping[str, Mapping[str, Kind]] = {
    "torchvision": {
        "aux_logits": _FLAG, "dropout": _RATE, "drop_rate": _RATE, "num_classes": _COUNT,
        "stochastic_depth_prob": _RATE, "width_mult": _FACTOR,
    },
    "timm": {
        "depths": _DEPTHS, "dims": _WIDTHS, "drop_path_rate": _RATE, "drop_rate": _RATE, "in_chans": _COUNT,
        "num_classes": _COUNT, "num_features": _COUNT,
    },
    "pytorchcv": {"dropout_rate": _RATE, "in_channels": _COUNT, "num_classes": _COUNT},
    "efficientnet_lite_pytorch": {
        "batch_norm_epsilon": _RATE, "batch_norm_momentum": _RATE, "drop_connect_rate": _RATE, "dropout_rate": _RATE,
        "in_channels": _COUNT, "num_classes": _COUNT,
    },
}  # fmt: skip
"""For each library the arguments of its constructors that a reference may give. None is a file or an address."""

assert tuple(ARGUMENTS) == LIBRARIES


SIZES = (96, 97)
"""Sides of the images that networks are compared with: an even and an odd one, which padding tells apart."""


class Comparison(BaseModel):
    """How a variant is compared with its reference.

    `tolerance`: the greatest difference of the outputs, in units of their standard deviation; 0 is bit for bit. Above
    0 both networks are run in double precision. `sizes`: the sides of the square images, an even and an odd one by
    default. `everywhere` false: equal at these sizes and the variant's own alone. `checkpoint`: the map of the spec to
    the library's names; by default the one that fits. `differs`: what of the structure is not equal; that it is not is
    tested too. Of `keys`: the library's files do not load. All but sizes and maps need a reason.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.0
    sizes: tuple[int, ...] = SIZES
    everywhere: bool = True
    checkpoint: str | None = None
    differs: tuple[Literal["keys", "settings", "macs", "operations", "drops"], ...] = ()

    @field_validator("sizes", mode="before")
    @classmethod
    def _sides(cls, value: object) -> object:
        sides = value if isinstance(value, tuple) else ()
        if not 0 < len(sides) <= 8 or not all(type(side) is int and 0 < side <= 2048 for side in sides):
            raise ValueError("it must be a list of up to 8 sides of images, in pixels, up to 2,048: [96, 97]")
        return value


@dataclass(frozen=True)
class Reference:
    """`library`'s model `model`, built with `arguments`. `reason` says why a comparison is not for equality."""

    library: str
    model: str
    arguments: Mapping[str, Plain]
    comparison: Comparison
    reason: str = ""

    @property
    def refuses(self) -> bool:
        """Whether the files of the library's model are said not to load."""
        return "keys" in self.comparison.differs

    @property
    def name(self) -> str:
        """`timm resnet50`"""
        return f"{self.library} {self.model}"

    @property
    def refusal(self) -> str:
        """Why nothing of this is passed to the library; empty if it is a plain name with arguments that are listed."""
        if not is_plain_name(self.model):
            return f"{self.model!r} is no plain name of a model"
        listed = ARGUMENTS[self.library]
        for name, value in self.arguments.items():
            if name not in listed:
                return f"the argument {name} is not passed on"
            if not listed[name].takes(value):
                return f"the argument {name} must be {listed[name].expected}"
        return ""
