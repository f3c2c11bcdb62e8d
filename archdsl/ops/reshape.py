"""Ops that only move values: layout, order of channels, parts and borders."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from archdsl.ops.dilation import wider_border
from archdsl.ops.geometry import border_too_wide
from archdsl.ops.problems import inexact_split, out_of_range, refused, wrong_layout
from archdsl.ops.spec import (
    EVERYTHING,
    INPUT,
    NOTHING,
    Call,
    Example,
    Lowering,
    Module,
    NoParams,
    OpParams,
    OpSpec,
    Problem,
    Reach,
    Saved,
    Shape,
    argument,
    copies,
    lift,
)
from archdsl.symbolic import IN_CHANNELS, Expr, Tuple

_IMAGE = (Shape(6, 5, 8),)
_HWC = (Shape(6, 5, 8, "hwc"),)
_FLAT = (Shape(6, layout="flat"),)
_SIDES = ("left", "right", "top", "bottom")
_BORDERS = {"reflect": "nn.ReflectionPad2d", "replicate": "nn.ReplicationPad2d", "circular": "nn.CircularPad2d"}


class ShuffleParams(OpParams):
    """Number of groups that are interleaved."""

    groups: int = Field(ge=1)


class SplitParams(OpParams):
    """Number of equal parts."""

    parts: int = Field(ge=2)


class SliceParams(OpParams):
    """Channels `start` up to and without `stop`, counted from 0."""

    start: int = Field(ge=0)
    stop: int = Field(ge=1)


class PadParams(OpParams):
    """Columns and rows to add on each side: of a constant `value`, of the image mirrored without its edge ("reflect"),
    of its edge ("replicate"), or of its other end ("circular").
    """

    left: int = Field(ge=0)
    right: int = Field(ge=0)
    top: int = Field(ge=0)
    bottom: int = Field(ge=0)
    value: float = Field(0.0, allow_inf_nan=False)
    mode: Literal["constant", "reflect", "replicate", "circular"] = "constant"


class CropParams(OpParams):
    """Columns and rows to take away on each side."""

    left: int = Field(ge=0)
    right: int = Field(ge=0)
    top: int = Field(ge=0)
    bottom: int = Field(ge=0)


class SubsampleParams(OpParams):
    """Keep every `stride`-th row and column."""

    stride: int = Field(ge=1)


class PermuteParams(OpParams):
    """The layout to change to."""

    layout: Literal["nhwc", "nchw"]


def _channel_dim(x: Shape) -> int:
    return -1 if x.layout == "hwc" else 1


FLATTEN = OpSpec(
    name="flatten",
    params=NoParams,
    summary="all values in one row, in torch's order",
    role="reshape",
    shape=lambda params, inputs: (Shape(inputs[0].elements, layout="flat"),),
    lowering=lambda params, inputs: Lowering(Module("nn.Flatten", (lift(1),)), Call("torch.flatten({x}, 1)")),
    label=lambda params, inputs: "flatten",
    reach=lambda params, inputs: EVERYTHING,
    channels=None,
    view=True,
    examples=(Example({}, _IMAGE), Example({}, (Shape(6, 1, 1),)), Example({}, _HWC), Example({}, _FLAT)),
)


def _shuffle_shape(params: ShuffleParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if x.layout != "chw":
        return wrong_layout("channel_shuffle", x)
    if x.channels % params.groups:
        return inexact_split(x.channels, params.groups, "groups")
    return inputs


CHANNEL_SHUFFLE = OpSpec(
    name="channel_shuffle",
    params=ShuffleParams,
    summary="interleaves groups of channels (ShuffleNet)",
    role="reshape",
    shape=_shuffle_shape,
    lowering=lambda params, inputs: Lowering(
        Module("nn.ChannelShuffle", (argument("groups"),)),
        Call("torch.channel_shuffle({x}, {groups})", {"groups": argument("groups")}),
    ),
    label=lambda params, inputs: f"shuffle, {params.groups} groups",
    shares=copies,
    view=True,
    examples=(Example({"groups": 2}, _IMAGE), Example({"groups": 3}, _IMAGE), Example({"groups": 1}, _IMAGE)),
)


def _split_shape(params: SplitParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if x.channels % params.parts:
        return inexact_split(x.channels, params.parts, "parts")
    return (x.with_channels(x.channels // params.parts),) * params.parts


SPLIT = OpSpec(
    name="split",
    params=SplitParams,
    summary="equal parts of the channels, in order",
    role="reshape",
    shape=_split_shape,
    lowering=lambda params, inputs: Lowering(
        call=Call(f"torch.chunk({{x}}, {{parts}}, {_channel_dim(inputs[0])})", {"parts": argument("parts")})
    ),
    label=lambda params, inputs: f"split, {params.parts}",
    channels=IN_CHANNELS // argument("parts"),
    view=True,
    examples=(Example({"parts": 2}, _IMAGE), Example({"parts": 3}, _HWC), Example({"parts": 6}, _FLAT)),
)


def _slice_shape(params: SliceParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if params.stop > x.channels:
        return out_of_range(params.start, params.stop, x.channels, "channels", "stop")
    if params.start >= params.stop:
        return refused(f"the range {params.start}..{params.stop} is empty", "start")
    return (x.with_channels(params.stop - params.start),)


def _slice_lowering(params: SliceParams, inputs: tuple[Shape, ...]) -> Lowering:
    before = "..., " if inputs[0].layout == "hwc" else ":, "
    start = "{start}" if params.start else ""
    values = {"stop": argument("stop")}
    if start:
        values["start"] = argument("start")
    module = Module("Slice", (argument("start"), argument("stop")), {"dim": lift(_channel_dim(inputs[0]))}, {"dim": 1})
    return Lowering(module, Call(f"{{x}}[{before}{start}:{{stop}}]", values))


SLICE = OpSpec(
    name="slice",
    params=SliceParams,
    summary="a range of the channels",
    role="reshape",
    shape=_slice_shape,
    lowering=_slice_lowering,
    label=lambda params, inputs: f"channels {params.start}:{params.stop}",
    channels=argument("stop") - argument("start"),
    view=True,
    examples=(
        Example({"start": 2, "stop": 6}, _IMAGE),
        Example({"start": 0, "stop": 3}, _HWC),
        Example({"start": 1, "stop": 2}, _FLAT),
    ),
)


def _pad_shape(params: PadParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if x.layout != "chw":
        return wrong_layout("pad", x)
    if params.mode != "constant":
        if params.value:
            return refused(f'a border that is "{params.mode}" has no value', "value", "leave it out")
        problem = border_too_wide(params.mode, x, [getattr(params, side) for side in _SIDES], _SIDES)
        if problem is not None:
            return problem
    return (x.resized(x.height + params.top + params.bottom, x.width + params.left + params.right),)


def _pad_lowering(params: PadParams, inputs: tuple[Shape, ...]) -> Lowering:
    sides = Tuple(tuple(argument(side) for side in _SIDES))
    if params.mode != "constant":
        call = Call("F.pad({x}, {sides}, mode={mode})", {"sides": sides, "mode": argument("mode")})
        return Lowering(Module(_BORDERS[params.mode], (sides,)), call)
    if not params.value:
        return Lowering(Module("nn.ZeroPad2d", (sides,)), Call("F.pad({x}, {sides})", {"sides": sides}))
    value = argument("value")
    call = Call("F.pad({x}, {sides}, value={value})", {"sides": sides, "value": value})
    return Lowering(Module("nn.ConstantPad2d", (sides, value)), call)


def _pad_saves(params: PadParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return INPUT if params.mode in ("reflect", "replicate") else NOTHING


PAD = OpSpec(
    name="pad",
    params=PadParams,
    summary="a border",
    role="reshape",
    shape=_pad_shape,
    lowering=_pad_lowering,
    label=lambda params, inputs: f"pad, {params.left} {params.right} {params.top} {params.bottom}",
    dilate=wider_border,
    overwritable=True,
    saves=_pad_saves,
    examples=(
        Example({"left": 1, "right": 2, "top": 0, "bottom": 3}, _IMAGE),
        Example({"left": 0, "right": 1, "top": 0, "bottom": 1, "value": -1.5}, _IMAGE),
        Example({"left": 0, "right": 0, "top": 0, "bottom": 0}, _IMAGE),
        Example({"left": 1, "right": 2, "top": 0, "bottom": 3, "mode": "reflect"}, _IMAGE),
        Example({"left": 1, "right": 2, "top": 0, "bottom": 3, "mode": "replicate"}, _IMAGE),
        Example({"left": 1, "right": 2, "top": 0, "bottom": 3, "mode": "circular"}, _IMAGE),
    ),
)


def _crop_shape(params: CropParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if x.layout != "chw":
        return wrong_layout("crop", x)
    width, height = x.width - params.left - params.right, x.height - params.top - params.bottom
    if width < 1 or height < 1:
        axis = "columns" if width < 1 else "rows"
        return refused(f"the crop leaves no {axis} of {x}", "left" if width < 1 else "top")
    return (x.resized(height, width),)


def _crop_lowering(params: CropParams, inputs: tuple[Shape, ...]) -> Lowering:
    values: dict[str, Expr] = {}
    ranges = []
    for first, last in (("top", "bottom"), ("left", "right")):
        if getattr(params, first):
            values[first] = argument(first)
        if getattr(params, last):
            values[last] = 0 - argument(last)
        ranges.append(":".join(f"{{{side}}}" if side in values else "" for side in (first, last)))
    return Lowering(Module("Crop", tuple(map(argument, _SIDES))), Call(f"{{x}}[:, :, {', '.join(ranges)}]", values))


CROP = OpSpec(
    name="crop",
    params=CropParams,
    summary="takes rows and columns away at the border",
    role="reshape",
    shape=_crop_shape,
    lowering=_crop_lowering,
    label=lambda params, inputs: f"crop, {params.left} {params.right} {params.top} {params.bottom}",
    dilate=wider_border,
    view=True,
    examples=(
        Example({"left": 1, "right": 0, "top": 1, "bottom": 0}, _IMAGE),
        Example({"left": 0, "right": 2, "top": 1, "bottom": 3}, _IMAGE),
        Example({"left": 0, "right": 0, "top": 0, "bottom": 0}, _IMAGE),
    ),
)


def _subsample_shape(params: SubsampleParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if x.layout != "chw":
        return wrong_layout("subsample", x)
    return (x.resized(-(-x.height // params.stride), -(-x.width // params.stride)),)


SUBSAMPLE = OpSpec(
    name="subsample",
    params=SubsampleParams,
    summary="every n-th row and column, from the first (NASNet's factorized reduction)",
    role="reshape",
    shape=_subsample_shape,
    lowering=lambda params, inputs: Lowering(
        Module("Subsample", (argument("stride"),)),
        Call("{x}[:, :, ::{stride}, ::{stride}]", {"stride": argument("stride")}),
    ),
    label=lambda params, inputs: f"subsample, /{params.stride}",
    reach=lambda params, inputs: Reach(step=(params.stride, params.stride)),
    dilate=lambda params, holes: {"stride": 1},
    view=True,
    examples=(Example({"stride": 2}, _IMAGE), Example({"stride": 3}, _IMAGE), Example({"stride": 1}, _IMAGE)),
)


def _permute_shape(params: PermuteParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if params.layout == "nhwc":
        return (Shape(x.channels, x.height, x.width, "hwc"),) if x.layout == "chw" else wrong_layout("permute", x)
    if x.layout != "hwc":
        return wrong_layout("permute", x, "H×W×C")
    return (Shape(x.channels, x.height, x.width),)


def _permute_lowering(params: PermuteParams, inputs: tuple[Shape, ...]) -> Lowering:
    order = (0, 2, 3, 1) if params.layout == "nhwc" else (0, 3, 1, 2)
    return Lowering(Module("Permute", tuple(map(lift, order))), Call(f"torch.permute({{x}}, {order})"))


PERMUTE = OpSpec(
    name="permute",
    params=PermuteParams,
    summary="changes the layout, to channels last or back",
    role="reshape",
    shape=_permute_shape,
    lowering=_permute_lowering,
    label=lambda params, inputs: f"to {params.layout.upper()}",
    view=True,
    examples=(Example({"layout": "nhwc"}, _IMAGE), Example({"layout": "nchw"}, _HWC)),
)


RESHAPES = (FLATTEN, CHANNEL_SHUFFLE, SPLIT, SLICE, PAD, CROP, SUBSAMPLE, PERMUTE)
