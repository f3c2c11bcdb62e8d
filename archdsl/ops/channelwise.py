"""Across the channels, at every position by itself: a 1-D convolution, mean and maximum."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from archdsl.ops.problems import refused, wrong_layout
from archdsl.ops.spec import (
    INPUT,
    NOTHING,
    Call,
    Example,
    Lowering,
    Made,
    Module,
    NoParams,
    OpParams,
    OpSpec,
    Problem,
    Saved,
    Shape,
    Weight,
    argument,
)
from archdsl.symbolic import Const

_IMAGE = (Shape(6, 5, 4),)
_HWC = (Shape(6, 5, 4, "hwc"),)
_FLAT = (Shape(6, layout="flat"),)
_GATE = (Shape(12, 1, 1),)


class ChannelConvParams(OpParams):
    """An odd kernel. Beyond the first and the last channel are zeros, or, "circular", the other end."""

    kernel: int = Field(ge=1)
    bias: bool = True
    padding_mode: Literal["zeros", "circular"] = "zeros"


def _conv_shape(params: ChannelConvParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if x.layout == "hwc" or (x.height, x.width) != (1, 1):
        return wrong_layout("channel_conv", x, "one value for each channel, C×1×1 or flat")
    if params.kernel % 2 == 0:
        detail = f"a kernel of {params.kernel} channels has no middle one"
        return refused(detail, "kernel", f"take {params.kernel - 1} or {params.kernel + 1}")
    if params.padding_mode == "circular" and params.kernel // 2 > x.channels:
        return refused(f"{x.channels} channels do not reach around a kernel of {params.kernel}", "kernel")
    return inputs


def _conv_weights(params: ChannelConvParams, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
    weight = Weight("weight", (1, 1, params.kernel))
    return (weight, Weight("bias", (1,))) if params.bias else (weight,)


def _conv_lowering(params: ChannelConvParams, inputs: tuple[Shape, ...]) -> Lowering:
    kwargs = {
        "padding": argument("kernel") // 2,
        "bias": argument("bias"),
        "padding_mode": argument("padding_mode"),
    }
    args = (Const(1), Const(1), argument("kernel"))
    return Lowering(Module("ChannelConv", args, kwargs, {"padding": 0, "bias": True, "padding_mode": "zeros"}))


def _conv_saves(params: ChannelConvParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    around = params.padding_mode == "circular" and params.kernel > 1
    return Saved(made=(Made(inputs[0].channels + params.kernel - 1),)) if around else INPUT


CHANNEL_CONV = OpSpec(
    name="channel_conv",
    params=ChannelConvParams,
    summary="1-D convolution over the channels of a vector, as in efficient channel attention (ECA)",
    role="conv",
    shape=_conv_shape,
    lowering=_conv_lowering,
    label=lambda params, inputs: f"conv over {params.kernel} channels",
    weights=_conv_weights,
    macs=lambda params, inputs, outputs: inputs[0].channels * params.kernel,
    overwritable=True,
    saves=_conv_saves,
    examples=(
        Example({"kernel": 3, "bias": False}, _GATE),
        Example({"kernel": 5, "padding_mode": "circular"}, _GATE),
        Example({"kernel": 1}, _FLAT),
    ),
)


def _reduction(name: str, function: str, summary: str, label: str, overwritable: bool) -> OpSpec:
    kept = NOTHING if overwritable else Saved((0,), output=True)

    def lowering(params: NoParams, inputs: tuple[Shape, ...]) -> Lowering:
        dim = -1 if inputs[0].layout == "hwc" else 1
        return Lowering(call=Call(f"{function}({{x}}, {dim}, keepdim=True)"))

    return OpSpec(
        name=name,
        params=NoParams,
        summary=summary,
        role="pool",
        shape=lambda params, inputs: (inputs[0].with_channels(1),),
        lowering=lowering,
        label=lambda params, inputs: label,
        channels=Const(1),
        saves=lambda params, inputs, outputs: kept,
        overwritable=overwritable,
        examples=(Example({}, _IMAGE), Example({}, _HWC), Example({}, _FLAT)),
    )


CHANNELWISE = (
    CHANNEL_CONV,
    _reduction("channel_mean", "torch.mean", "the mean over the channels of each position", "mean over channels", True),
    _reduction("channel_max", "torch.amax", "the greatest channel of each position", "max over channels", False),
)
