"""Normalisations, and the learned or constant scaling of channels."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from archdsl.ops.problems import groups_do_not_divide, refused, wrong_layout
from archdsl.ops.spec import (
    Call,
    Example,
    Lowering,
    Made,
    Module,
    OpParams,
    OpSpec,
    Parameter,
    Problem,
    Saved,
    Shape,
    Weight,
    argument,
    saves_input,
)
from archdsl.symbolic import IN_CHANNELS, Const

_FLAT = (Shape(12, layout="flat"),)
_HWC = (Shape(12, 5, 4, "hwc"),)
_IMAGE = (Shape(12, 5, 4),)


class BatchNormParams(OpParams):
    """`momentum` is torch's: the weight of the new batch (TensorFlow's decay is 1 - momentum)."""

    eps: float = Field(1e-5, ge=0, lt=1)
    momentum: float = Field(0.1, ge=0, le=1)
    affine: bool = True


class LayerNormParams(OpParams):
    """Over the channels of each position."""

    eps: float = Field(1e-5, ge=0, lt=1)


class GroupNormParams(OpParams):
    """Over `groups` groups of channels and all positions."""

    groups: int = Field(ge=1)
    eps: float = Field(1e-5, ge=0, lt=1)


class InstanceNormParams(OpParams):
    """Over the positions of each channel of each sample; as in torch, without weights unless `affine`."""

    eps: float = Field(1e-5, ge=0, lt=1)
    momentum: float = Field(0.1, ge=0, le=1)
    affine: bool = False
    track_running_stats: bool = False


class LocalResponseNormParams(OpParams):
    """Divides by (k + alpha * mean of squares over `size` neighbouring channels) ** beta."""

    size: int = Field(ge=1)
    alpha: float = Field(1e-4, allow_inf_nan=False)
    beta: float = Field(0.75, allow_inf_nan=False)
    k: float = Field(1.0, allow_inf_nan=False)


class GlobalResponseNormParams(OpParams):
    """Of ConvNeXt V2; `eps` is added to the mean norm."""

    eps: float = Field(1e-6, ge=0, lt=1)


def _no_bool(value: Any) -> Any:
    """`true` is equal to 1, but is not a rank."""
    if isinstance(value, bool):
        raise PydanticCustomError("literal_error", "Input should be 1 or 3")
    return value


class LayerScaleParams(OpParams):
    """`dims` is the rank of the stored weight: 3 is C×1×1 (torchvision), 1 is C (official code, timm)."""

    init: float = Field(1e-6, allow_inf_nan=False)
    dims: Annotated[Literal[1, 3], BeforeValidator(_no_bool)] = 3


class AffineParams(OpParams):
    """One constant factor and one constant term per channel."""

    scale: tuple[float, ...] = Field(strict=False)
    shift: tuple[float, ...] = Field(strict=False)


def _affine_pair(params: Any, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
    channels = (inputs[0].channels,)
    return (Weight("weight", channels), Weight("bias", channels))


def _bn_shape(params: Any, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    return wrong_layout("bn", inputs[0], "C×H×W or flat") if inputs[0].layout == "hwc" else inputs


def _bn_weights(params: BatchNormParams, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
    pair = _affine_pair(params, inputs) if params.affine else ()
    return pair + _running_statistics(inputs[0].channels)


def _running_statistics(channels: int) -> tuple[Weight, ...]:
    return (
        Weight("running_mean", (channels,), trainable=False),
        Weight("running_var", (channels,), trainable=False),
        Weight("num_batches_tracked", (), trainable=False),
    )


def _bn_lowering(params: BatchNormParams, inputs: tuple[Shape, ...]) -> Lowering:
    kwargs = {name: argument(name) for name in ("eps", "momentum", "affine")}
    target = "nn.BatchNorm1d" if inputs[0].layout == "flat" else "nn.BatchNorm2d"
    return Lowering(Module(target, (IN_CHANNELS,), kwargs, {"eps": 1e-5, "momentum": 0.1, "affine": True}))


def _bn_saves(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    """Mean and deviation of each channel of the batch."""
    return Saved((0,), made=(Made(inputs[0].channels, each=False, training=True),) * 2)


BN = OpSpec(
    name="bn",
    params=BatchNormParams,
    summary="batch normalisation",
    role="norm",
    shape=_bn_shape,
    lowering=_bn_lowering,
    label=lambda params, inputs: "BN",
    weights=_bn_weights,
    overwritable=True,
    saves=_bn_saves,
    examples=(
        Example({}, _IMAGE),
        Example({"eps": 1e-3, "momentum": 0.01}, _IMAGE),
        Example({"affine": False}, _IMAGE),
        Example({}, _FLAT),
    ),
)


def _layernorm_lowering(params: LayerNormParams, inputs: tuple[Shape, ...]) -> Lowering:
    target = "LayerNorm2d" if inputs[0].layout == "chw" else "nn.LayerNorm"
    return Lowering(Module(target, (IN_CHANNELS,), {"eps": argument("eps")}, {"eps": 1e-5}))


def _layernorm_saves(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return Saved((0,), made=(Made(inputs[0].height * inputs[0].width),) * 2)


LAYERNORM = OpSpec(
    name="layernorm",
    params=LayerNormParams,
    summary="layer normalisation over the channels of each position",
    role="norm",
    shape=lambda params, inputs: inputs,
    lowering=_layernorm_lowering,
    label=lambda params, inputs: "LN",
    weights=_affine_pair,
    overwritable=True,
    saves=_layernorm_saves,
    examples=(Example({}, _IMAGE), Example({"eps": 1e-6}, _HWC), Example({"eps": 1e-6}, _FLAT)),
)


def _groupnorm_shape(params: GroupNormParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if x.layout != "chw":
        return wrong_layout("groupnorm", x)
    return groups_do_not_divide(params.groups, x.channels) if x.channels % params.groups else inputs


def _groupnorm_saves(params: GroupNormParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return Saved((0,), made=(Made(params.groups),) * 2)


GROUPNORM = OpSpec(
    name="groupnorm",
    params=GroupNormParams,
    summary="group normalisation",
    role="norm",
    shape=_groupnorm_shape,
    lowering=lambda params, inputs: Lowering(
        Module("nn.GroupNorm", (argument("groups"), IN_CHANNELS), {"eps": argument("eps")}, {"eps": 1e-5})
    ),
    label=lambda params, inputs: f"GN, {params.groups}",
    weights=_affine_pair,
    overwritable=True,
    saves=_groupnorm_saves,
    examples=(Example({"groups": 4}, _IMAGE), Example({"groups": 1, "eps": 1e-6}, _IMAGE)),
)


def _instancenorm_shape(params: InstanceNormParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if x.layout != "chw":
        return wrong_layout("instancenorm", x)
    if (x.height, x.width) == (1, 1):
        return refused("`instancenorm` of one position for each channel is 0 everywhere: torch refuses it")
    return inputs


def _instancenorm_lowering(params: InstanceNormParams, inputs: tuple[Shape, ...]) -> Lowering:
    defaults = {"eps": 1e-5, "momentum": 0.1, "affine": False, "track_running_stats": False}
    return Lowering(Module("nn.InstanceNorm2d", (IN_CHANNELS,), {name: argument(name) for name in defaults}, defaults))


def _instancenorm_weights(params: InstanceNormParams, inputs: tuple[Shape, ...]) -> tuple[Weight, ...]:
    pair = _affine_pair(params, inputs) if params.affine else ()
    return pair + (_running_statistics(inputs[0].channels) if params.track_running_stats else ())


def _instancenorm_saves(params: InstanceNormParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    """Each sample is a batch of its own, for which torch repeats the weight and the running statistics."""
    return Saved((0,), made=(Made(inputs[0].channels),) * (2 + params.affine + 2 * params.track_running_stats))


INSTANCENORM = OpSpec(
    name="instancenorm",
    params=InstanceNormParams,
    summary="instance normalisation",
    role="norm",
    shape=_instancenorm_shape,
    lowering=_instancenorm_lowering,
    label=lambda params, inputs: "IN",
    weights=_instancenorm_weights,
    overwritable=True,
    saves=_instancenorm_saves,
    examples=(
        Example({}, _IMAGE),
        Example({"affine": True, "eps": 1e-3}, _IMAGE),
        Example({"affine": True, "track_running_stats": True, "momentum": 0.01}, _IMAGE),
        Example({"track_running_stats": True}, _IMAGE),
    ),
)


def _lrn_lowering(params: Any, inputs: tuple[Shape, ...]) -> Lowering:
    names = ("alpha", "beta", "k")
    kwargs = {name: argument(name) for name in names}
    defaults = {"alpha": 1e-4, "beta": 0.75, "k": 1.0}
    options = "".join(f", {name}={{{name}}}" for name in names if getattr(params, name) != defaults[name])
    return Lowering(
        Module("nn.LocalResponseNorm", (argument("size"),), kwargs, defaults),
        Call(f"F.local_response_norm({{x}}, {{size}}{options})", {"size": argument("size"), **kwargs}),
    )


def _lrn_saves(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    """The squares with channels of zeros around, their mean and its power."""
    (x,) = inputs
    padded = (x.channels + params.size // 2 + (params.size - 1) // 2) * x.height * x.width
    return Saved((0,), made=(Made(padded), Made(x.elements), Made(x.elements)))


LRN = OpSpec(
    name="lrn",
    params=LocalResponseNormParams,
    summary="local response normalisation across neighbouring channels",
    role="norm",
    shape=lambda params, inputs: inputs if inputs[0].layout == "chw" else wrong_layout("lrn", inputs[0]),
    lowering=_lrn_lowering,
    label=lambda params, inputs: f"LRN, {params.size}",
    overwritable=True,
    saves=_lrn_saves,
    examples=(Example({"size": 5}, _IMAGE), Example({"size": 4, "alpha": 1e-3, "beta": 0.5, "k": 2.0}, _IMAGE)),
)


def _grn_shape(params: Any, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    return wrong_layout("grn", inputs[0], "C×H×W or H×W×C") if inputs[0].layout == "flat" else inputs


def _grn_lowering(params: Any, inputs: tuple[Shape, ...]) -> Lowering:
    kwargs = {"eps": argument("eps"), "channels_last": Const(inputs[0].layout == "hwc")}
    defaults = {"eps": 1e-6, "channels_last": False}
    return Lowering(Module("GlobalResponseNorm", (IN_CHANNELS,), kwargs, defaults))


def _grn_saves(params: Any, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    """The norms, their mean, what becomes of them, and the product."""
    (x,) = inputs
    return Saved((0,), made=tuple(map(Made, (x.channels, 1, x.channels, x.elements))))


GRN = OpSpec(
    name="grn",
    params=GlobalResponseNormParams,
    summary="global response normalisation of ConvNeXt V2; zero weights, so at first the identity",
    role="norm",
    shape=_grn_shape,
    lowering=_grn_lowering,
    label=lambda params, inputs: "GRN",
    weights=_affine_pair,
    overwritable=True,
    saves=_grn_saves,
    examples=(Example({}, _IMAGE), Example({"eps": 1e-5}, _HWC)),
)


def _scale_shape(params: LayerScaleParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    if params.dims == 3 and inputs[0].layout != "chw":
        detail = f"a scale of shape C×1×1 does not fit a tensor of shape {inputs[0]}"
        return refused(detail, "dims", "write layer_scale(dims = 1): one value per channel in the last dimension")
    return inputs


def _scale_lowering(params: LayerScaleParams, inputs: tuple[Shape, ...]) -> Lowering:
    flat = params.dims == 1
    shape = (IN_CHANNELS,) if flat else (IN_CHANNELS, Const(1), Const(1))
    index = "[:, None, None]" if flat and inputs[0].layout == "chw" else ""
    return Lowering(parameter=Parameter(shape, argument("init"), f"{{weight}}{index} * {{x}}"))


LAYER_SCALE = OpSpec(
    name="layer_scale",
    params=LayerScaleParams,
    summary="a learned factor per channel; its label is the key of the weight",
    role="norm",
    shape=_scale_shape,
    lowering=_scale_lowering,
    label=lambda params, inputs: "layer scale",
    weights=lambda params, inputs: (Weight("", (inputs[0].channels,) + (1,) * (params.dims - 1)),),
    overwritable=True,
    saves=saves_input,
    examples=(
        Example({}, _IMAGE),
        Example({"init": 0.01, "dims": 1}, _IMAGE),
        Example({"init": 1.0, "dims": 1}, _HWC),
        Example({"dims": 1}, _FLAT),
    ),
)


def _affine_shape(params: AffineParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if x.layout != "chw":
        return wrong_layout("affine", x)
    for name, values in (("scale", params.scale), ("shift", params.shift)):
        if len(values) != x.channels:
            detail = f"`{name}` of `affine` has {len(values)} values for {x.channels} channels"
            return refused(detail, name, "give one value per channel")
    return inputs


AFFINE = OpSpec(
    name="affine",
    params=AffineParams,
    summary="constant x * scale + shift per channel, as Inception's transform_input",
    role="norm",
    shape=_affine_shape,
    lowering=lambda params, inputs: Lowering(Module("ChannelAffine", (argument("scale"), argument("shift")))),
    label=lambda params, inputs: "affine",
    overwritable=True,
    examples=(Example({"scale": (0.458, 0.448, 0.45), "shift": (-0.03, -0.088, -0.188)}, (Shape(3, 5, 4),)),),
)

NORMALISATIONS = (BN, LAYERNORM, GROUPNORM, INSTANCENORM, LRN, GRN, LAYER_SCALE, AFFINE)
