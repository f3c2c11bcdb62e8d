"""Convolutions: ordinary and grouped, depthwise, weight-standardized."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from archdsl.ops.dilation import dilated_conv
from archdsl.ops.geometry import (
    TF_SAME,
    FixedPadding,
    Padding,
    Window,
    padded_saves,
    padding_expr,
    pair,
    slide,
    window_label,
    window_reach,
)
from archdsl.ops.problems import groups_do_not_divide
from archdsl.ops.spec import (
    Example,
    Lowering,
    Made,
    Module,
    OpParams,
    OpSpec,
    Problem,
    Reach,
    Saved,
    Shape,
    Weight,
    argument,
)
from archdsl.symbolic import IN_CHANNELS, Expr

_DEFAULTS = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1, "bias": True}


class ConvParams(OpParams):
    """`out` channels; `padding` None keeps the size at stride 1."""

    out: int = Field(ge=1)
    kernel: Window
    stride: Window = 1
    padding: Padding = None
    dilation: Window = 1
    groups: int = Field(1, ge=1)
    bias: bool = True


class DepthwiseParams(OpParams):
    """Each channel gets `multiplier` filters of its own."""

    kernel: Window
    stride: Window = 1
    padding: Padding = None
    dilation: Window = 1
    multiplier: int = Field(1, ge=1)
    bias: bool = True


class StdConvParams(OpParams):
    """As `conv`; `eps` is added to the weight's variance."""

    out: int = Field(ge=1)
    kernel: Window
    stride: Window = 1
    padding: FixedPadding = None
    dilation: Window = 1
    groups: int = Field(1, ge=1)
    bias: bool = True
    eps: float = Field(1e-8, ge=0, allow_inf_nan=False)


def _filters(params: Any, x: Shape) -> tuple[int, int]:
    """Output channels and groups, of any of the three."""
    if isinstance(params, DepthwiseParams):
        return params.multiplier * x.channels, x.channels
    return params.out, params.groups


def _shape(op: str, params: Any, x: Shape) -> tuple[Shape, ...] | Problem:
    size = slide(op, x, params.kernel, params.stride, params.padding, params.dilation)
    if isinstance(size, Problem):
        return size
    out, groups = _filters(params, x)
    if x.channels % groups:
        return groups_do_not_divide(groups, x.channels)
    if out % groups:
        return groups_do_not_divide(groups, out)
    return (Shape(out, *size),)


def _weights(params: Any, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
    out, groups = _filters(params, inputs[0])
    weight = Weight("weight", (out, inputs[0].channels // groups, *pair(params.kernel)))
    return (weight, Weight("bias", (out,))) if params.bias else (weight,)


def _reach(params: Any, inputs: tuple[Shape, ...]) -> Reach:
    return window_reach(params.kernel, params.stride, params.dilation)


def _macs(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> int:
    height, width = pair(params.kernel)
    return outputs[0].elements * (inputs[0].channels // _filters(params, inputs[0])[1]) * height * width


def _lowering(params: Any, out: Expr, groups: Expr, target: str = "nn.Conv2d", **more: Expr) -> Lowering:
    kwargs: dict[str, Expr] = {"stride": argument("stride")}
    if params.padding != TF_SAME:
        kwargs["padding"] = padding_expr(params.kernel, params.padding, params.dilation)
    elif pair(params.kernel) != (1, 1):  # SAME never pads a 1×1 kernel
        target = "Conv2dSame"
    kwargs |= {"dilation": argument("dilation"), "groups": groups, "bias": argument("bias"), **more}
    return Lowering(Module(target, (IN_CHANNELS, out, argument("kernel")), kwargs, _DEFAULTS))


def _saves(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return padded_saves(inputs[0], outputs[0], params.kernel, params.stride, params.padding, params.dilation)


def _std_saves(params: StdConvParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    """The standardized filters, and mean and deviation of each."""
    sizes = (params.out, params.out, _weights(params, inputs)[0].elements)
    return Saved((0,), made=tuple(Made(size, each=False) for size in sizes))


def _word(params: Any, inputs: tuple[Shape, ...]) -> str:
    """`dwconv` for every convolution with as many groups as channels, whichever op it was written with."""
    is_depthwise = isinstance(params, DepthwiseParams) or params.groups == inputs[0].channels > 1
    return ("std_" if isinstance(params, StdConvParams) else "") + ("dwconv" if is_depthwise else "conv")


def _label(params: Any, inputs: tuple[Shape, ...]) -> str:
    """`3×3 conv, 64, 2 groups, /2`; of a depthwise one the channels only where they change."""
    word, (out, groups) = _word(params, inputs), _filters(params, inputs[0])
    details: list[object] = [out]
    if word.endswith("dwconv"):
        details = [] if out == inputs[0].channels else [out]
    elif groups > 1:
        details.append(f"{groups} groups")
    name = word.replace("_", " ")
    return window_label(name, params.kernel, *details, stride=params.stride, dilation=params.dilation)


_IMAGE = (Shape(8, 9, 12),)

CONV = OpSpec(
    name="conv",
    params=ConvParams,
    summary="2-D convolution, grouped if asked",
    role="conv",
    shape=lambda params, inputs: _shape("conv", params, inputs[0]),
    lowering=lambda params, inputs: _lowering(params, argument("out"), argument("groups")),
    label=_label,
    word=_word,
    weights=_weights,
    macs=_macs,
    channels=argument("out"),
    reach=_reach,
    dilate=dilated_conv,
    overwritable=True,
    saves=_saves,
    examples=(
        Example({"out": 6, "kernel": 3}, _IMAGE),
        Example({"out": 6, "kernel": 7, "stride": 2, "bias": False}, _IMAGE),
        Example({"out": 6, "kernel": (1, 7)}, _IMAGE),
        Example({"out": 6, "kernel": (3, 1), "stride": (2, 1), "dilation": (2, 3)}, _IMAGE),
        Example({"out": 12, "kernel": 3, "stride": 2, "groups": 4}, _IMAGE),
        Example({"out": 6, "kernel": 1, "stride": 2, "padding": 0}, _IMAGE),
        Example({"out": 6, "kernel": 2, "stride": 2, "padding": 0}, _IMAGE),
        Example({"out": 6, "kernel": 2, "dilation": 2}, _IMAGE),
        Example({"out": 6, "kernel": 5, "padding": (0, 2)}, _IMAGE),
        Example({"out": 6, "kernel": 3, "stride": 2, "padding": TF_SAME}, _IMAGE),
        Example({"out": 6, "kernel": (2, 5), "stride": (3, 1), "padding": TF_SAME, "groups": 2}, _IMAGE),
        Example({"out": 6, "kernel": 3, "padding": TF_SAME, "dilation": 2, "bias": False}, _IMAGE),
        Example({"out": 6, "kernel": 1, "stride": 2, "padding": TF_SAME}, _IMAGE),
    ),
)

DWCONV = OpSpec(
    name="dwconv",
    params=DepthwiseParams,
    summary="depthwise convolution: every channel by itself",
    role="conv",
    shape=lambda params, inputs: _shape("dwconv", params, inputs[0]),
    lowering=lambda params, inputs: _lowering(params, argument("multiplier") * IN_CHANNELS, IN_CHANNELS),
    label=_label,
    word=_word,
    weights=_weights,
    macs=_macs,
    channels=argument("multiplier") * IN_CHANNELS,
    reach=_reach,
    dilate=dilated_conv,
    overwritable=True,
    saves=_saves,
    examples=(
        Example({"kernel": 3}, _IMAGE),
        Example({"kernel": 5, "stride": 2, "bias": False}, _IMAGE),
        Example({"kernel": 7, "dilation": 3}, (Shape(4, 20, 21),)),
        Example({"kernel": 3, "multiplier": 2}, _IMAGE),
        Example({"kernel": 3, "stride": 2, "padding": TF_SAME}, _IMAGE),
    ),
)

STD_CONV = OpSpec(
    name="std_conv",
    params=StdConvParams,
    summary="convolution whose filters are standardized (Qiao et al., 2019), as in BiT",
    role="conv",
    shape=lambda params, inputs: _shape("std_conv", params, inputs[0]),
    lowering=lambda params, inputs: _std_lowering(params),
    label=_label,
    word=_word,
    weights=_weights,
    macs=_macs,
    channels=argument("out"),
    reach=_reach,
    dilate=dilated_conv,
    overwritable=True,
    saves=_std_saves,
    examples=(
        Example({"out": 6, "kernel": 3, "bias": False}, _IMAGE),
        Example({"out": 6, "kernel": 1, "stride": 2, "eps": 1e-5}, _IMAGE),
        Example({"out": 4, "kernel": (1, 3), "groups": 2}, _IMAGE),
    ),
)


def _std_lowering(params: StdConvParams) -> Lowering:
    lowering = _lowering(params, argument("out"), argument("groups"), "StdConv2d", eps=argument("eps"))
    assert lowering.module
    module = lowering.module
    return Lowering(Module(module.target, module.args, module.kwargs, {**_DEFAULTS, "eps": 1e-8}))


CONVOLUTIONS = (CONV, DWCONV, STD_CONV)
