"""Other resolutions: resizing, and blocks of pixels moved into channels and back."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field, PlainValidator
from pydantic_core import PydanticCustomError

from archdsl.ops.geometry import Pair, StrideOrKernel, grid_reach, pair
from archdsl.ops.problems import inexact_split, refused, times, wrong_layout
from archdsl.ops.spec import (
    INPUT,
    NOTHING,
    Call,
    Example,
    Lowering,
    Module,
    OpParams,
    OpSpec,
    Problem,
    Reach,
    Saved,
    Shape,
    argument,
    copies,
)
from archdsl.symbolic import IN_CHANNELS, Expr

_IMAGE = (Shape(8, 6, 4),)
_MEANING = "must be a number or a list of two, for rows and columns"
_LARGEST = 1_000_000

Factor: TypeAlias = float | tuple[float, float]


def _checked_factor(value: Any) -> Any:
    numbers = value if isinstance(value, (tuple, list)) and len(value) == 2 else (value,)
    if value is None:
        return None
    if not all(type(number) in (int, float) and math.isfinite(number) for number in numbers):
        raise PydanticCustomError("size_type", "{meaning}", {"meaning": _MEANING})
    if min(numbers) <= 0:
        raise PydanticCustomError("greater_than", "must be greater than {gt}", {"gt": 0})
    return tuple(value) if isinstance(value, list) else value


ScaleFactor: TypeAlias = Annotated[
    Factor | None, PlainValidator(_checked_factor, json_schema_input_type=float | tuple[float, float] | None)
]
"""How many times as many rows and columns; one number for both, or two."""


class ResizeParams(OpParams):
    """To a `size`, or by a `scale_factor` (rounded down), or, with neither, to the height and width of a second tensor:
    `(x, y) -> resize`. `align_corners` is of "bilinear" and "bicubic"; with `antialias` they look at all that a pixel
    of a smaller image covers. All is as in torch's `interpolate`.
    """

    size: StrideOrKernel = None
    scale_factor: ScaleFactor = None
    mode: Literal["nearest", "nearest-exact", "bilinear", "bicubic", "area"] = "nearest"
    align_corners: bool | None = None
    antialias: bool = False


class PixelShuffleParams(OpParams):
    """Factor of height and width."""

    upscale_factor: int = Field(ge=1)


class PixelUnshuffleParams(OpParams):
    """Divisor of height and width."""

    downscale_factor: int = Field(ge=1)


# --- resize ----------------------------------------------------------------------------------


def _factors(params: ResizeParams) -> tuple[float, float] | None:
    factor = params.scale_factor
    return factor if factor is None or isinstance(factor, tuple) else (factor, factor)


def _target(params: ResizeParams, inputs: tuple[Shape, ...]) -> Pair | Problem:
    factors, x = _factors(params), inputs[0]
    if (params.size is not None) + (factors is not None) + (len(inputs) > 1) != 1:
        if len(inputs) > 1:
            name = "size" if params.size is not None else "scale_factor"
            return refused(f"`resize` of two tensors takes the size of the second, and no `{name}`", name)
        if factors is None:
            hint = "write resize(scale_factor = 2), resize(size = [14, 14]), or (x, like) -> resize"
            return refused("`resize` needs a size, a factor, or a second tensor that has the size", hint=hint)
        return refused("`resize` takes a size or a factor, not both", "scale_factor")
    if params.size is not None:
        return pair(params.size)
    if factors is None:
        return inputs[1].height, inputs[1].width
    height, width = (math.floor(float(n) * float(f)) for n, f in zip((x.height, x.width), factors, strict=True))
    if min(height, width) < 1:
        return refused(f"by this factor nothing is left of {times((x.height, x.width))}", "scale_factor")
    if max(height, width) > _LARGEST:
        return refused(f"an image of {times((height, width))} is too large", "scale_factor")
    return height, width


def _resize_shape(params: ResizeParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    for x in inputs:
        if x.layout != "chw":
            return wrong_layout("resize", x)
    smooth = params.mode in ("bilinear", "bicubic")
    for name, given in (("align_corners", params.align_corners is not None), ("antialias", params.antialias)):
        if given and not smooth:
            return refused(f'`{name}` is for "bilinear" and "bicubic", not for "{params.mode}"', name, "leave it out")
    if params.antialias and params.align_corners:
        return refused("torch has no antialiasing with aligned corners", "antialias")
    target = _target(params, inputs)
    return target if isinstance(target, Problem) else (inputs[0].resized(*target),)


def _resize_lowering(params: ResizeParams, inputs: tuple[Shape, ...]) -> Lowering:
    kwargs: dict[str, Expr] = {}
    if params.size is not None:
        kwargs["size"] = argument("size")
    if params.scale_factor is not None:
        kwargs["scale_factor"] = argument("scale_factor")
    if params.mode != "nearest":
        kwargs["mode"] = argument("mode")
    if params.align_corners is not None:
        kwargs["align_corners"] = argument("align_corners")
    # nn.Upsample knows neither antialiasing nor a list of factors
    alone = len(inputs) == 1 and not params.antialias and not isinstance(params.scale_factor, tuple)
    module = Module("nn.Upsample", (), dict(kwargs)) if alone else None
    if params.antialias:
        kwargs["antialias"] = argument("antialias")
    like = ", {1}.shape[2:]" if len(inputs) > 1 else ""
    options = "".join(f", {name}={{{name}}}" for name in kwargs)
    return Lowering(module, Call(f"F.interpolate({{0}}{like}{options})", kwargs))


_TAPS = {"nearest": 1, "nearest-exact": 1, "bilinear": 2, "bicubic": 4}


def _resize_reach(params: ResizeParams, inputs: tuple[Shape, ...]) -> Reach:
    target, x, factors = _target(params, inputs), inputs[0], _factors(params)
    assert not isinstance(target, Problem)
    if params.mode == "area":
        return grid_reach(x, target)
    rows, columns = (
        _axis(params, n, m, factors and factors[i])
        for i, (n, m) in enumerate(zip((x.height, x.width), target, strict=True))
    )
    return Reach((rows[0], columns[0]), (rows[1], columns[1]))


def _axis(params: ResizeParams, size: int, target: int, factor: float | None) -> tuple[int, Fraction]:
    """How many positions of the input a position of the output is made of, and how far its neighbour's are."""
    if size == target and factor in (None, 1):
        return 1, Fraction(1)
    if params.align_corners:
        step = Fraction(size - 1, max(target - 1, 1))
    else:
        step = 1 / Fraction(factor).limit_denominator(1000) if factor else Fraction(size, target)
    taps = _TAPS[params.mode]
    return (math.ceil(taps * step) if params.antialias and step > 1 else taps), step


def _resize_label(params: ResizeParams, inputs: tuple[Shape, ...]) -> str:
    factors = _factors(params)
    if params.size is not None:
        what = f"resize to {times(pair(params.size))}"
    elif factors is None:
        what = "resize alike"
    else:
        what = "resize, ×" + " ×".join(f"{float(f):.3g}" for f in dict.fromkeys(factors))
    return what if params.mode == "nearest" else f"{what}, {params.mode}"


def _resize_saves(params: ResizeParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return INPUT if params.mode == "area" else NOTHING


RESIZE = OpSpec(
    name="resize",
    params=ResizeParams,
    summary="an image of another height and width, by repetition or interpolation",
    role="reshape",
    shape=_resize_shape,
    lowering=_resize_lowering,
    label=_resize_label,
    reach=_resize_reach,
    inputs=(1, 2),
    valued=1,
    overwritable=True,
    saves=_resize_saves,
    examples=(
        Example({"scale_factor": 2}, _IMAGE),
        Example({"scale_factor": 3, "mode": "bilinear"}, _IMAGE),
        Example({"scale_factor": (2, 1.5), "mode": "bicubic", "align_corners": False}, _IMAGE),
        Example({"scale_factor": 0.5, "mode": "bilinear", "antialias": True}, (Shape(8, 12, 9),)),
        Example({"scale_factor": 0.5, "mode": "area"}, _IMAGE),
        Example({"scale_factor": 0.7, "mode": "nearest-exact"}, (Shape(8, 12, 9),)),
        Example({"size": 14, "mode": "bilinear", "align_corners": True}, _IMAGE),
        Example({"size": (9, 7), "mode": "nearest"}, _IMAGE),
        Example({"size": (3, 2), "mode": "bicubic", "antialias": True}, (Shape(8, 12, 9),)),
        Example({}, (Shape(8, 6, 4), Shape(3, 11, 8))),
        Example({"mode": "bilinear"}, (Shape(8, 6, 4), Shape(3, 12, 8))),
        Example({"mode": "area"}, (Shape(8, 6, 4), Shape(3, 3, 3))),
    ),
)


# --- pixels and channels ---------------------------------------------------------------------


def _shuffle_shape(params: PixelShuffleParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,), factor = inputs, params.upscale_factor
    if x.layout != "chw":
        return wrong_layout("pixel_shuffle", x)
    if x.channels % factor**2:
        return inexact_split(x.channels, factor**2, "upscale_factor")
    return (Shape(x.channels // factor**2, x.height * factor, x.width * factor),)


def _unshuffle_shape(params: PixelUnshuffleParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,), factor = inputs, params.downscale_factor
    if x.layout != "chw":
        return wrong_layout("pixel_unshuffle", x)
    if x.height % factor or x.width % factor:
        detail = f"{times((x.height, x.width))} does not divide into blocks of {times((factor, factor))} pixels"
        return refused(detail, "downscale_factor", "crop or pad the image first")
    return (Shape(x.channels * factor**2, x.height // factor, x.width // factor),)


_UP, _DOWN = argument("upscale_factor"), argument("downscale_factor")

PIXEL_SHUFFLE = OpSpec(
    name="pixel_shuffle",
    params=PixelShuffleParams,
    summary="each r² channels become a block of r×r pixels (ESPCN)",
    role="reshape",
    shape=_shuffle_shape,
    lowering=lambda params, inputs: Lowering(
        Module("nn.PixelShuffle", (_UP,)), Call("F.pixel_shuffle({x}, {factor})", {"factor": _UP})
    ),
    label=lambda params, inputs: f"pixel shuffle, ×{params.upscale_factor}",
    channels=IN_CHANNELS // (_UP * _UP),
    reach=lambda params, inputs: Reach(step=(Fraction(1, params.upscale_factor),) * 2),
    shares=copies,
    view=True,
    examples=(Example({"upscale_factor": 2}, _IMAGE), Example({"upscale_factor": 1}, _IMAGE)),
)

PIXEL_UNSHUFFLE = OpSpec(
    name="pixel_unshuffle",
    params=PixelUnshuffleParams,
    summary="each block of r×r pixels becomes r² channels: the inverse of `pixel_shuffle`",
    role="reshape",
    shape=_unshuffle_shape,
    lowering=lambda params, inputs: Lowering(
        Module("nn.PixelUnshuffle", (_DOWN,)), Call("F.pixel_unshuffle({x}, {factor})", {"factor": _DOWN})
    ),
    label=lambda params, inputs: f"pixel unshuffle, /{params.downscale_factor}",
    channels=IN_CHANNELS * (_DOWN * _DOWN),
    reach=lambda params, inputs: Reach((params.downscale_factor,) * 2, (params.downscale_factor,) * 2),
    shares=copies,
    view=True,
    examples=(Example({"downscale_factor": 2}, _IMAGE), Example({"downscale_factor": 1}, _IMAGE)),
)

RESAMPLING = (RESIZE, PIXEL_SHUFFLE, PIXEL_UNSHUFFLE)
