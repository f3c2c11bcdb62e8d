"""Which model of which library a variant equals: what a `reference` item claims.

Data only: names and plain values. `semantics.references` reads them from the file, `archdsl verify` compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator

LIBRARIES = ("torchvision", "timm", "pytorchcv", "efficientnet_lite_pytorch")
"""The libraries that a reference may name."""

Plain: TypeAlias = bool | int | float | str | tuple["Plain", ...]
"""A value that can be passed to a library: nothing that is computed there, nothing that could be called."""


class Comparison(BaseModel):
    """How a variant is compared with its reference.

    `tolerance`: the greatest difference of the outputs, in units of their standard deviation; 0 is bit for bit. Above
    0 both networks are run in double precision. `sizes`: the sides of the square images, an even and an odd one by
    default. `checkpoint`: the map of the spec to the library's names; by default the one that fits.
    `differs`: what of the structure is not equal, for the reason given; that it is not equal is tested too.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.0
    sizes: tuple[int, ...] = (96, 97)
    checkpoint: str | None = None
    differs: tuple[Literal["settings", "macs", "operations", "drops"], ...] = ()

    @field_validator("sizes", mode="before")
    @classmethod
    def _sides(cls, value: object) -> object:
        sides = value if isinstance(value, tuple) else ()
        if not sides or not all(type(side) is int and side > 0 for side in sides):
            raise ValueError("it must be a list of the sides of images, in pixels: [96, 97]")
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
    def name(self) -> str:
        """`timm resnet50`"""
        return f"{self.library} {self.model}"
