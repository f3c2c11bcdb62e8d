"""The fully connected layer."""

from __future__ import annotations

from pydantic import Field

from archdsl.ops.spec import INPUT, Example, Lowering, Made, Module, OpParams, OpSpec, Saved, Shape, Weight, argument
from archdsl.symbolic import IN_CHANNELS


class LinearParams(OpParams):
    """`out` values from each vector of channels."""

    out: int = Field(ge=1)
    bias: bool = True


def _weights(params: LinearParams, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
    weight = Weight("weight", (params.out, inputs[0].channels))
    return (weight, Weight("bias", (params.out,))) if params.bias else (weight,)


def _lowering(params: LinearParams, inputs: tuple[Shape, ...]) -> Lowering:
    target = "Linear2d" if inputs[0].layout == "chw" else "nn.Linear"
    return Lowering(Module(target, (IN_CHANNELS, argument("out")), {"bias": argument("bias")}, {"bias": True}))


def _saves(params: LinearParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    """A feature map is copied into a new layout, its channels last."""
    (x,) = inputs
    moved = x.layout == "chw" and x.height * x.width > 1
    return Saved(made=(Made(x.elements),)) if moved else INPUT


LINEAR = OpSpec(
    name="linear",
    params=LinearParams,
    summary="matrix product over the channels, at every position of a feature map",
    role="linear",
    shape=lambda params, inputs: (inputs[0].with_channels(params.out),),
    lowering=_lowering,
    label=lambda params, inputs: f"linear, {params.out}",
    weights=_weights,
    macs=lambda params, inputs, outputs: inputs[0].elements * params.out,
    channels=argument("out"),
    overwritable=True,
    saves=_saves,
    examples=(
        Example({"out": 10}, (Shape(12, layout="flat"),)),
        Example({"out": 10, "bias": False}, (Shape(12, layout="flat"),)),
        Example({"out": 10}, (Shape(12, 5, 4, "hwc"),)),
        Example({"out": 10, "bias": False}, (Shape(12, 5, 4, "hwc"),)),
        Example({"out": 10}, (Shape(12, 5, 4),)),
        Example({"out": 10}, (Shape(12, 1, 1),)),
    ),
)

LINEAR_OPS = (LINEAR,)
