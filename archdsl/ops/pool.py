"""Pooling: windows, fixed output sizes and the global average."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from archdsl.ops.dilation import dilated_avgpool, dilated_blur, dilated_maxpool
from archdsl.ops.geometry import (
    TF_SAME,
    Padding,
    StrideOrKernel,
    Window,
    border_too_wide,
    grid_reach,
    padded_saves,
    padding_expr,
    padding_too_wide,
    pair,
    slide,
    window_label,
    window_reach,
)
from archdsl.ops.problems import refused, times, wrong_layout
from archdsl.ops.spec import (
    EVERYTHING,
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
    Reach,
    Saved,
    Shape,
    argument,
)
from archdsl.symbolic import Const, Expr

_IMAGE = (Shape(4, 9, 12),)
_HWC = (Shape(4, 9, 12, "hwc"),)


class MaxPoolParams(OpParams):
    """`stride` None is the kernel's size; `padding` None keeps the size at stride 1."""

    kernel: Window
    stride: StrideOrKernel = None
    padding: Padding = None
    dilation: Window = 1
    ceil_mode: bool = False


class AvgPoolParams(OpParams):
    """As `maxpool`; padding is counted unless `count_include_pad` is false, with "tf_same" only if it is true."""

    kernel: Window
    stride: StrideOrKernel = None
    padding: Padding = None
    ceil_mode: bool = False
    count_include_pad: bool | None = None


class BlurPoolParams(OpParams):
    """A binomial filter over each channel. `padding` None keeps the size at stride 1, the greater half last where the
    kernel is even (Zhang's code); a number is for all sides. Beyond the image is what `pad` puts there. In timm's
    BlurPool2d the padding is (stride + kernel - 2) // 2: the same where the kernel is odd and the stride 2.
    """

    kernel: int = Field(3, ge=2, le=25)
    stride: int = Field(2, ge=1)
    padding: int | None = Field(None, ge=0)
    padding_mode: Literal["reflect", "replicate", "constant", "circular"] = "reflect"


class AdaptivePoolParams(OpParams):
    """Height and width of the output."""

    size: Window


def _shape(op: str, params: Any, x: Shape, dilation: Any = 1) -> tuple[Shape, ...] | Problem:
    problem = padding_too_wide(params.kernel, params.padding, dilation)
    if problem is None and params.ceil_mode and params.padding == TF_SAME:
        problem = refused("`ceil_mode` has no meaning with TensorFlow's padding", "ceil_mode", "leave ceil_mode out")
    if problem is not None:
        return problem
    stride = params.kernel if params.stride is None else params.stride
    size = slide(op, x, params.kernel, stride, params.padding, dilation, params.ceil_mode)
    return size if isinstance(size, Problem) else (x.resized(*size),)


def _reach(params: Any, inputs: tuple[Shape, ...]) -> Reach:
    stride = params.kernel if params.stride is None else params.stride
    return window_reach(params.kernel, stride, getattr(params, "dilation", 1))


def _lowering(params: Any, module: str, call: str, options: dict[str, tuple[Any, Any]]) -> Lowering:
    """A pool as a module or a call; `options` maps keywords after the padding to (value, torch's default)."""
    kwargs: dict[str, Expr] = {} if params.stride is None else {"stride": argument("stride")}
    if params.padding == TF_SAME:
        defaults = {"dilation": 1, "count_include_pad": False}
        kwargs |= {name: argument(name) for name in defaults if options.get(name, (None, None))[0] is not None}
        return Lowering(Module(module.removeprefix("nn.") + "Same", (argument("kernel"),), kwargs, defaults))
    kwargs["padding"] = padding_expr(
        params.kernel, params.padding, getattr(params, "dilation", 1), "dilation" in options
    )
    defaults = {"padding": 0} | {name: default for name, (_, default) in options.items()}
    kwargs |= {name: argument(name) for name, (value, _) in options.items() if value is not None}
    return Lowering(
        Module(module, (argument("kernel"),), kwargs, defaults), Call(*_call(params, call, kwargs, options))
    )


def _call(
    params: Any, function: str, kwargs: dict[str, Expr], options: dict[str, tuple[Any, Any]]
) -> tuple[str, dict[str, Expr]]:
    """Template and values of the call; what has torch's default is left out."""
    silent = {name for name, (value, default) in options.items() if value == default}
    if params.padding in (0, (0, 0)) or (params.padding is None and pair(params.kernel) == (1, 1)):
        silent.add("padding")
    shown = [name for name in kwargs if name not in silent]
    text = "".join(f", {name}={{{name}}}" for name in shown)
    return f"{function}({{x}}, {{kernel}}{text})", {"kernel": argument("kernel")} | {n: kwargs[n] for n in shown}


def _label(name: str) -> Any:
    return lambda params, inputs: window_label(
        name, params.kernel, stride=params.kernel if params.stride is None else params.stride
    )


def _maxpool_saves(params: MaxPoolParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    """Where each maximum was, too, as numbers of 8 bytes."""
    (x,), stride = inputs, params.kernel if params.stride is None else params.stride
    kept = padded_saves(x, outputs[0], params.kernel, stride, params.padding, params.dilation)
    if params.padding == TF_SAME and not kept.made:  # MaxPool2dSame makes the border in any case
        height, width = (
            size + d * (k - 1) if s == 1 else size
            for size, k, s, d in zip(
                (x.height, x.width), pair(params.kernel), pair(stride), pair(params.dilation), strict=True
            )
        )
        kept = Saved(made=(Made(x.channels * height * width),))
    return Saved(kept.inputs, made=(*kept.made, Made(outputs[0].elements, 8)))


def _avgpool_saves(params: AvgPoolParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    """With TensorFlow's padding how many pixels are under each window, too."""
    stride = params.kernel if params.stride is None else params.stride
    kept = padded_saves(inputs[0], outputs[0], params.kernel, stride, params.padding)
    if params.padding != TF_SAME or kept.inputs or params.count_include_pad:
        return kept
    return Saved(made=(*kept.made, Made(outputs[0].height * outputs[0].width, each=False)))


MAXPOOL = OpSpec(
    name="maxpool",
    params=MaxPoolParams,
    summary="the greatest value of each window",
    role="pool",
    shape=lambda params, inputs: _shape("maxpool", params, inputs[0], params.dilation),
    lowering=lambda params, inputs: _lowering(
        params,
        "nn.MaxPool2d",
        "F.max_pool2d",
        {"dilation": (params.dilation, 1), "ceil_mode": (params.ceil_mode, False)},
    ),
    label=_label("max pool"),
    reach=_reach,
    dilate=dilated_maxpool,
    overwritable=True,
    saves=_maxpool_saves,
    examples=(
        Example({"kernel": 3, "stride": 2}, _IMAGE),
        Example({"kernel": 2, "padding": 0}, _IMAGE),
        Example({"kernel": 3, "stride": 2, "padding": 0, "ceil_mode": True}, _IMAGE),
        Example({"kernel": (3, 1), "stride": (2, 1), "padding": (1, 0), "dilation": 2}, _IMAGE),
        Example({"kernel": 5, "stride": 1}, _IMAGE),
        Example({"kernel": 3, "stride": 2, "padding": TF_SAME}, _IMAGE),
        Example({"kernel": 2, "stride": 1, "padding": TF_SAME, "dilation": 2}, _IMAGE),
    ),
)

AVGPOOL = OpSpec(
    name="avgpool",
    params=AvgPoolParams,
    summary="the mean of each window",
    role="pool",
    shape=lambda params, inputs: _shape("avgpool", params, inputs[0]),
    lowering=lambda params, inputs: _lowering(
        params,
        "nn.AvgPool2d",
        "F.avg_pool2d",
        {"ceil_mode": (params.ceil_mode, False), "count_include_pad": (params.count_include_pad, True)},
    ),
    label=_label("avg pool"),
    reach=_reach,
    dilate=dilated_avgpool,
    overwritable=True,
    saves=_avgpool_saves,
    examples=(
        Example({"kernel": 2, "stride": 2, "padding": 0}, _IMAGE),
        Example({"kernel": 3, "stride": 1}, _IMAGE),
        Example({"kernel": 3, "stride": 2, "count_include_pad": False}, _IMAGE),
        Example({"kernel": 3, "stride": 2, "count_include_pad": True, "ceil_mode": True}, _IMAGE),
        Example({"kernel": (1, 3)}, _IMAGE),
        Example({"kernel": 3, "stride": 2, "padding": TF_SAME}, _IMAGE),
        Example({"kernel": 3, "stride": 1, "padding": TF_SAME}, _IMAGE),
        Example({"kernel": 2, "stride": 1, "padding": TF_SAME, "count_include_pad": False}, _IMAGE),
        Example({"kernel": 3, "stride": 2, "padding": TF_SAME, "count_include_pad": True}, _IMAGE),
        Example({"kernel": 3, "stride": 1, "padding": TF_SAME, "count_include_pad": True}, _IMAGE),
    ),
)


def _gap_shape(params: Any, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    if inputs[0].layout == "flat":
        return wrong_layout("gap", inputs[0], "C×H×W or H×W×C")
    return (inputs[0].resized(1, 1),)


def _gap_lowering(params: Any, inputs: tuple[Shape, ...]) -> Lowering:
    if inputs[0].layout == "hwc":
        return Lowering(call=Call("torch.mean({x}, (1, 2), keepdim=True)"))
    return Lowering(Module("nn.AdaptiveAvgPool2d", (Const(1),)), Call("F.adaptive_avg_pool2d({x}, 1)"))


GAP = OpSpec(
    name="gap",
    params=NoParams,
    summary="global average pool: the mean of each channel, as C×1×1",
    role="pool",
    shape=_gap_shape,
    lowering=_gap_lowering,
    label=lambda params, inputs: "global avg pool",
    reach=lambda params, inputs: EVERYTHING,
    overwritable=True,
    examples=(Example({}, _IMAGE), Example({}, (Shape(4, 1, 1),)), Example({}, _HWC)),
)


def _blur_sides(params: BlurPoolParams) -> tuple[int, int]:
    """Rows before and after, and columns."""
    if params.padding is not None:
        return params.padding, params.padding
    return (params.kernel - 1) // 2, params.kernel // 2


def _blur_shape(params: BlurPoolParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,), sides = inputs, _blur_sides(params)
    if x.layout != "chw":
        return wrong_layout("blurpool", x)
    problem = border_too_wide(params.padding_mode, x, sides * 2, ["padding"] * 4)
    if problem is not None:
        return problem
    padded = x.resized(x.height + sum(sides), x.width + sum(sides))
    size = slide("blurpool", padded, params.kernel, params.stride, 0)
    return size if isinstance(size, Problem) else (x.resized(*size),)


def _blur_lowering(params: BlurPoolParams, inputs: tuple[Shape, ...]) -> Lowering:
    kwargs = {name: argument(name) for name in ("stride", "padding_mode")}
    if params.padding is not None:
        kwargs["padding"] = argument("padding")
    return Lowering(Module("BlurPool2d", (argument("kernel"),), kwargs, {"stride": 2, "padding_mode": "reflect"}))


def _blur_saves(params: BlurPoolParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    """The image with its border, and the filter; the image itself where the border is made of it."""
    (x,), sides = inputs, sum(_blur_sides(params))
    border = Made(x.channels * (x.height + sides) * (x.width + sides))
    mirrored = params.padding_mode in ("reflect", "replicate")
    return Saved((0,) if mirrored else (), made=(border, Made(params.kernel**2, each=False)))


BLURPOOL = OpSpec(
    name="blurpool",
    params=BlurPoolParams,
    summary="anti-aliased subsampling (Zhang, 2019)",
    role="pool",
    shape=_blur_shape,
    lowering=_blur_lowering,
    label=lambda params, inputs: window_label("blur pool", (params.kernel,) * 2, stride=params.stride),
    macs=lambda params, inputs, outputs: outputs[0].elements * params.kernel**2,
    reach=lambda params, inputs: window_reach(params.kernel, params.stride),
    dilate=dilated_blur,
    overwritable=True,
    saves=_blur_saves,
    examples=(
        Example({}, _IMAGE),
        Example({"kernel": 5, "padding_mode": "constant"}, _IMAGE),
        Example({"kernel": 4}, _IMAGE),
        Example({"kernel": 4, "padding": 2, "padding_mode": "replicate"}, _IMAGE),
        Example({"kernel": 3, "stride": 1, "padding_mode": "circular"}, _IMAGE),
        Example({"kernel": 2, "stride": 3, "padding": 0}, _IMAGE),
    ),
)


def _adaptive(name: str, module: str, call: str, label: str, summary: str) -> OpSpec:
    def saves(params: AdaptivePoolParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
        if module == "nn.AdaptiveMaxPool2d":
            return Saved((0,), made=(Made(outputs[0].elements, 8),))
        return NOTHING if pair(params.size) == (1, 1) else INPUT

    def shape(params: AdaptivePoolParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
        (x,) = inputs
        return wrong_layout(name, x) if x.layout != "chw" else (x.resized(*pair(params.size)),)

    size = argument("size")
    return OpSpec(
        name=name,
        params=AdaptivePoolParams,
        summary=summary,
        role="pool",
        shape=shape,
        lowering=lambda params, inputs: Lowering(
            Module(module, (size,)), Call(f"{call}({{x}}, {{size}})", {"size": size})
        ),
        label=lambda params, inputs: f"{label} to {times(pair(params.size))}",
        reach=lambda params, inputs: EVERYTHING if params.size in (1, (1, 1)) else grid_reach(inputs[0], params.size),
        saves=saves,
        overwritable=True,
        examples=(
            Example({"size": 4}, _IMAGE),
            Example({"size": (2, 5)}, _IMAGE),
            Example({"size": 1}, _IMAGE),
            Example({"size": 7}, (Shape(4, 3, 3),)),
        ),
    )


POOLS = (
    MAXPOOL,
    AVGPOOL,
    GAP,
    BLURPOOL,
    _adaptive(
        "adaptive_avgpool", "nn.AdaptiveAvgPool2d", "F.adaptive_avg_pool2d", "avg pool", "means over a grid of windows"
    ),
    _adaptive(
        "adaptive_maxpool", "nn.AdaptiveMaxPool2d", "F.adaptive_max_pool2d", "max pool", "maxima over a grid of windows"
    ),
)
