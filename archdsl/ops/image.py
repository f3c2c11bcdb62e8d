"""The input of a model: the only op without inputs."""

from __future__ import annotations

from pydantic import Field

from archdsl.ops.spec import Example, Lowering, OpParams, OpSpec, Shape
from archdsl.symbolic import Symbol


class ImageParams(OpParams):
    """`image(channels, height, width)`: sizes of one sample, in pixels."""

    channels: int = Field(ge=1)
    height: int = Field(ge=1)
    width: int = Field(ge=1)


def _shape(params: ImageParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...]:
    return (Shape(params.channels, params.height, params.width),)


def _lowering(params: ImageParams, inputs: tuple[Shape, ...]) -> Lowering:
    return Lowering()


IMAGE = OpSpec(
    name="image",
    params=ImageParams,
    summary="The input picture of a model.",
    role="input",
    shape=_shape,
    lowering=_lowering,
    label=lambda params, inputs: f"image {params.channels}×{params.height}×{params.width}",
    channels=Symbol("channels"),
    inputs=(0, 0),
    view=True,
    examples=(Example({"channels": 3, "height": 8, "width": 8}, ()),),
)
