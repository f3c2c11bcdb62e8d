"""The transposed convolution, which makes an image larger."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, TypeAlias

from pydantic import Field, PlainValidator

from archdsl.ops.geometry import FixedPadding, Size, Window, checked_size, padding_expr, pair, window_label
from archdsl.ops.problems import groups_do_not_divide, needs_padding, refused, times, wrong_layout
from archdsl.ops.spec import (
    Example,
    Lowering,
    Module,
    OpParams,
    OpSpec,
    Problem,
    Reach,
    Shape,
    Weight,
    argument,
    saves_input,
)
from archdsl.symbolic import IN_CHANNELS

OutputPadding: TypeAlias = Annotated[Size, PlainValidator(checked_size(0), json_schema_input_type=Size)]


class TransposedParams(OpParams):
    """`out` channels; `padding` None keeps the size at stride 1; it is taken off the output's border."""

    out: int = Field(ge=1)
    kernel: Window
    stride: Window = 1
    padding: FixedPadding = None
    output_padding: OutputPadding = 0
    groups: int = Field(1, ge=1)
    bias: bool = True
    dilation: Window = 1


def _size(params: TransposedParams, x: Shape) -> tuple[int, int] | Problem:
    kernel, stride, dilation, more = map(pair, (params.kernel, params.stride, params.dilation, params.output_padding))
    reach = tuple(d * (k - 1) for k, d in zip(kernel, dilation, strict=True))
    if params.padding is None and any(r % 2 for r in reach):
        return needs_padding(params.kernel, "padding = 0, another number or [rows, columns]")
    if any(m >= max(s, d) for m, s, d in zip(more, stride, dilation, strict=True)):
        detail = (
            f"output_padding {times(more)} is not smaller than stride {times(stride)} or dilation {times(dilation)}"
        )
        return refused(detail, "output_padding", "it only says which of several sizes of the output is meant")
    before = pair(params.padding) if params.padding is not None else (reach[0] // 2, reach[1] // 2)
    rows, columns = ((size - 1) * stride[i] + reach[i] + more[i] + 1 for i, size in enumerate((x.height, x.width)))
    height, width = rows - 2 * before[0], columns - 2 * before[1]
    if height < 1 or width < 1:
        detail = f"padding {times(before)} takes away all of an output of {times((rows, columns))}"
        return refused(detail, "padding", "padding is taken off on both sides here: use less")
    return height, width


def _shape(params: TransposedParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if x.layout != "chw":
        return wrong_layout("conv_transpose", x)
    size = _size(params, x)
    if isinstance(size, Problem):
        return size
    for channels in (x.channels, params.out):
        if channels % params.groups:
            return groups_do_not_divide(params.groups, channels)
    return (Shape(params.out, *size),)


def _weights(params: TransposedParams, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
    weight = Weight("weight", (inputs[0].channels, params.out // params.groups, *pair(params.kernel)))
    return (weight, Weight("bias", (params.out,))) if params.bias else (weight,)


def _macs(params: TransposedParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int:
    """Every value of the input meets a whole kernel for each output channel of its group."""
    return inputs[0].elements * (params.out // params.groups) * math.prod(pair(params.kernel))


def _reach(params: TransposedParams, inputs: tuple[Shape, ...]) -> Reach:
    """An output position meets every (stride / gcd(stride, dilation))-th tap of the kernel."""
    rows, columns = (
        ((k - 1) // (s // math.gcd(s, d)) * (d // math.gcd(s, d)) + 1, Fraction(1, s))
        for k, s, d in zip(pair(params.kernel), pair(params.stride), pair(params.dilation), strict=True)
    )
    return Reach((rows[0], columns[0]), (rows[1], columns[1]))


_NAMES = ("stride", "output_padding", "groups", "bias", "dilation")


def _lowering(params: TransposedParams, inputs: tuple[Shape, ...]) -> Lowering:
    kwargs = {
        "stride": argument("stride"),
        "padding": padding_expr(params.kernel, params.padding, params.dilation),
        **{name: argument(name) for name in _NAMES[1:]},
    }
    defaults = {"stride": 1, "padding": 0, "output_padding": 0, "groups": 1, "bias": True, "dilation": 1}
    return Lowering(Module("nn.ConvTranspose2d", (IN_CHANNELS, argument("out"), argument("kernel")), kwargs, defaults))


def _is_depthwise(params: TransposedParams, inputs: tuple[Shape, ...]) -> bool:
    return params.groups == inputs[0].channels > 1


def _word(params: TransposedParams, inputs: tuple[Shape, ...]) -> str:
    return "transposed_dwconv" if _is_depthwise(params, inputs) else "conv_transpose"


def _label(params: TransposedParams, inputs: tuple[Shape, ...]) -> str:
    """`2×2 transposed conv, 64, ×2`; of a depthwise one the channels only where they change."""
    depthwise = _is_depthwise(params, inputs)
    groups = (f"{params.groups} groups",) if params.groups > 1 and not depthwise else ()
    out = () if depthwise and params.out == inputs[0].channels else (params.out,)
    up = (
        () if params.stride == 1 else (f"×{params.stride if isinstance(params.stride, int) else times(params.stride)}",)
    )
    name = "transposed dwconv" if depthwise else "transposed conv"
    return window_label(name, params.kernel, *out, *groups, *up, dilation=params.dilation)


_IMAGE = (Shape(8, 5, 6),)

CONV_TRANSPOSE = OpSpec(
    name="conv_transpose",
    params=TransposedParams,
    summary="transposed convolution (deconvolution): the gradient of a convolution, which makes an image larger",
    role="conv",
    shape=_shape,
    lowering=_lowering,
    label=_label,
    word=_word,
    weights=_weights,
    macs=_macs,
    channels=argument("out"),
    reach=_reach,
    overwritable=True,
    saves=saves_input,
    examples=(
        Example({"out": 6, "kernel": 2, "stride": 2, "padding": 0}, _IMAGE),
        Example({"out": 6, "kernel": 4, "stride": 2, "padding": 1, "bias": False}, _IMAGE),
        Example({"out": 6, "kernel": 3, "stride": 2, "output_padding": 1}, _IMAGE),
        Example({"out": 6, "kernel": 3}, _IMAGE),
        Example({"out": 12, "kernel": (3, 5), "stride": (2, 3), "groups": 4, "output_padding": (1, 2)}, _IMAGE),
        Example({"out": 6, "kernel": 3, "stride": 2, "dilation": 3, "output_padding": 2}, _IMAGE),
        Example({"out": 6, "kernel": 4, "stride": 4, "padding": (0, 1), "dilation": 2}, _IMAGE),
    ),
)
