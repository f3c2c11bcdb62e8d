"""Several inputs to one: sums, products and concatenation; and scaling by a constant."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from archdsl.ops.problems import cannot_concatenate, cannot_multiply, unequal_sum
from archdsl.ops.spec import Call, Example, Module, NoParams, OpParams, OpSpec, Problem, Recipe, Shape, argument

_IMAGE = Shape(6, 5, 4)
_HWC = Shape(6, 5, 4, "hwc")
_FLAT = Shape(6, layout="flat")


class ScaleParams(OpParams):
    """The constant."""

    value: float = Field(allow_inf_nan=False)


def _add_shape(params: Any, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    first = inputs[0]
    for index, other in enumerate(inputs):
        if other != first:
            return unequal_sum(first, other, index)
    return (first,)


ADD = OpSpec(
    name="add",
    params=NoParams,
    summary="the sum of tensors of equal shape",
    role="merge",
    shape=_add_shape,
    recipe=lambda params, inputs: Recipe(call=Call(" + ".join(f"{{{i}}}" for i in range(len(inputs))))),
    label=lambda params, inputs: "+",
    inputs=(2, None),
    overwritable=True,
    examples=(Example({}, (_IMAGE,) * 2), Example({}, (_HWC,) * 3), Example({}, (_FLAT,) * 2)),
)


def _is_gate(gate: Shape, image: Shape) -> bool:
    """One value per channel of an image: C×1×1 over C×H×W."""
    one = gate.height == gate.width == 1
    return one and gate.channels == image.channels and gate.layout == image.layout != "flat"


def _mul_shape(params: Any, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    left, right = inputs
    if left == right or _is_gate(right, left):
        return (left,)
    return (right,) if _is_gate(left, right) else cannot_multiply(left, right)


MUL = OpSpec(
    name="mul",
    params=NoParams,
    summary="the product of two tensors; a C×1×1 gate multiplies every position",
    role="merge",
    shape=_mul_shape,
    recipe=lambda params, inputs: Recipe(call=Call("{0} * {1}")),
    label=lambda params, inputs: "×",
    inputs=(2, 2),
    overwritable=True,
    examples=(
        Example({}, (_IMAGE, _IMAGE)),
        Example({}, (_IMAGE, Shape(6, 1, 1))),
        Example({}, (Shape(6, 1, 1), _IMAGE)),
        Example({}, (_HWC, Shape(6, 1, 1, "hwc"))),
        Example({}, (_FLAT, _FLAT)),
    ),
)


def _concat_shape(params: Any, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    first, channels = inputs[0], 0
    for index, other in enumerate(inputs):
        if other.height != first.height or other.width != first.width or other.layout != first.layout:
            return cannot_concatenate(first, other, index)
        channels += other.channels
    return (first.with_channels(channels),)


CONCAT = OpSpec(
    name="concat",
    params=NoParams,
    summary="all channels of the inputs, in order",
    role="merge",
    shape=_concat_shape,
    recipe=lambda params, inputs: Recipe(call=Call(f"torch.cat([{{xs}}], {-1 if inputs[0].layout == 'hwc' else 1})")),
    label=lambda params, inputs: "concat",
    channels="sum",
    inputs=(1, None),
    overwritable=True,
    examples=(
        Example({}, (_IMAGE, Shape(3, 5, 4), _IMAGE)),
        Example({}, (_IMAGE,)),
        Example({}, (_HWC, Shape(3, 5, 4, "hwc"))),
        Example({}, (_FLAT, Shape(3, layout="flat"))),
    ),
)

SCALE = OpSpec(
    name="scale",
    params=ScaleParams,
    summary="multiplies by a constant",
    role="merge",
    shape=lambda params, inputs: inputs,
    recipe=lambda params, inputs: Recipe(
        Module("Scale", (argument("value"),)), Call("torch.mul({x}, {value})", {"value": argument("value")})
    ),
    label=lambda params, inputs: f"× {params.value:g}",
    overwritable=True,
    examples=(Example({"value": 0.17}, (_IMAGE,)), Example({"value": 2}, (_FLAT,))),
)

MERGES = (ADD, MUL, CONCAT, SCALE)
