"""Several inputs to one: sums, differences, products, extremes and concatenation; and scaling by a constant."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import Field

from archdsl.ops.problems import cannot_concatenate, cannot_multiply, unequal_pair, unequal_sum
from archdsl.ops.spec import (
    Call,
    Example,
    Lowering,
    Module,
    NoParams,
    OpParams,
    OpSpec,
    Problem,
    Shape,
    argument,
    saves_both,
)

_IMAGE = Shape(6, 5, 4)
_HWC = Shape(6, 5, 4, "hwc")
_FLAT = Shape(6, layout="flat")


class ScaleParams(OpParams):
    """The constant."""

    value: float = Field(allow_inf_nan=False)


def _add_shape(params: Any, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    first = inputs[0]
    for other in inputs:
        if other != first:
            return unequal_sum(first, other)
    return (first,)


ADD = OpSpec(
    name="add",
    params=NoParams,
    summary="the sum of tensors of equal shape",
    role="merge",
    shape=_add_shape,
    lowering=lambda params, inputs: Lowering(call=Call(" + ".join(f"{{{i}}}" for i in range(len(inputs))))),
    label=lambda params, inputs: "+",
    inputs=(2, None),
    overwritable=True,
    examples=(Example({}, (_IMAGE,) * 2), Example({}, (_HWC,) * 3), Example({}, (_FLAT,) * 2)),
)


def _equal_shapes(verb: str) -> Callable[[Any, tuple[Shape, ...]], tuple[Shape, ...] | Problem]:
    def shape(params: Any, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
        left, right = inputs
        return (left,) if left == right else unequal_pair(verb, left, right)

    return shape


_PAIRS = (Example({}, (_IMAGE, _IMAGE)), Example({}, (_HWC, _HWC)), Example({}, (_FLAT, _FLAT)))

SUB = OpSpec(
    name="sub",
    params=NoParams,
    summary="the first tensor without the second, of equal shape",
    role="merge",
    shape=_equal_shapes("subtract"),
    lowering=lambda params, inputs: Lowering(call=Call("{0} - {1}")),
    label=lambda params, inputs: "−",
    inputs=(2, 2),
    overwritable=True,
    examples=_PAIRS,
)


def _extreme(name: str, label: str, summary: str) -> OpSpec:
    return OpSpec(
        name=name,
        params=NoParams,
        summary=summary,
        role="merge",
        shape=_equal_shapes("compare"),
        lowering=lambda params, inputs: Lowering(call=Call(f"torch.{name}({{0}}, {{1}})")),
        label=lambda params, inputs: label,
        saves=saves_both,
        inputs=(2, 2),
        overwritable=True,
        examples=_PAIRS,
    )


MAXIMUM = _extreme("maximum", "max", "the greater of two values at each place")
MINIMUM = _extreme("minimum", "min", "the smaller of two values at each place")


def _is_gate(gate: Shape, image: Shape) -> bool:
    """One value per channel of an image, C×1×1, or one per position, 1×H×W."""
    if gate.layout != image.layout or gate.layout == "flat":
        return False
    channels = gate.height == gate.width == 1 and gate.channels == image.channels
    return channels or (gate.channels == 1 and (gate.height, gate.width) == (image.height, image.width))


def _mul_shape(params: Any, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    left, right = inputs
    if left == right or _is_gate(right, left):
        return (left,)
    return (right,) if _is_gate(left, right) else cannot_multiply(left, right)


MUL = OpSpec(
    name="mul",
    params=NoParams,
    summary="the product of two tensors; a C×1×1 gate multiplies every position, a 1×H×W gate every channel",
    role="merge",
    shape=_mul_shape,
    lowering=lambda params, inputs: Lowering(call=Call("{0} * {1}")),
    label=lambda params, inputs: "×",
    inputs=(2, 2),
    overwritable=True,
    saves=saves_both,
    examples=(
        Example({}, (_IMAGE, _IMAGE)),
        Example({}, (_IMAGE, Shape(6, 1, 1))),
        Example({}, (Shape(6, 1, 1), _IMAGE)),
        Example({}, (_HWC, Shape(6, 1, 1, "hwc"))),
        Example({}, (_IMAGE, Shape(1, 5, 4))),
        Example({}, (Shape(1, 5, 4, "hwc"), _HWC)),
        Example({}, (_FLAT, _FLAT)),
    ),
)


def _concat_shape(params: Any, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    first, channels = inputs[0], 0
    for other in inputs:
        if other.height != first.height or other.width != first.width or other.layout != first.layout:
            return cannot_concatenate(first, other)
        channels += other.channels
    return (first.with_channels(channels),)


CONCAT = OpSpec(
    name="concat",
    params=NoParams,
    summary="all channels of the inputs, in order",
    role="merge",
    shape=_concat_shape,
    lowering=lambda params, inputs: Lowering(
        call=Call(f"torch.cat([{{xs}}], {-1 if inputs[0].layout == 'hwc' else 1})")
    ),
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
    lowering=lambda params, inputs: Lowering(
        Module("Scale", (argument("value"),)), Call("torch.mul({x}, {value})", {"value": argument("value")})
    ),
    label=lambda params, inputs: f"× {params.value:g}",
    overwritable=True,
    examples=(Example({"value": 0.17}, (_IMAGE,)), Example({"value": 2}, (_FLAT,))),
)

MERGES = (ADD, SUB, MUL, MAXIMUM, MINIMUM, CONCAT, SCALE)
