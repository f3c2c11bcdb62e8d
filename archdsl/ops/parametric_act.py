"""Activations with parameters of torch's names, and those that look at several values: gates and softmax."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field, model_validator

from archdsl.ops.problems import inexact_split, refused, wrong_layout
from archdsl.ops.spec import (
    INPUT,
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
    argument,
    contradiction,
    saves_input,
    saves_output,
)
from archdsl.symbolic import IN_CHANNELS, Const

_IMAGE = (Shape(6, 5, 4),)
_HWC = (Shape(6, 5, 4, "hwc"),)
_FLAT = (Shape(6, layout="flat"),)
_INVERTED = Saved((0,), inverts=True)
_EVERY = (Example({}, _IMAGE), Example({}, _HWC), Example({}, _FLAT))


class EluParams(OpParams):
    """What negative values come near to is -`alpha`."""

    alpha: float = Field(1.0, allow_inf_nan=False)


class CeluParams(OpParams):
    """As `elu`, with a continuous derivative."""

    alpha: float = Field(1.0, gt=0, allow_inf_nan=False)


class SoftplusParams(OpParams):
    """Where `beta` * x is above `threshold` the result is x."""

    beta: float = Field(1.0, gt=0, allow_inf_nan=False)
    threshold: float = Field(20.0, allow_inf_nan=False)


class HardtanhParams(OpParams):
    """Values are clipped to `min_val` and `max_val`."""

    min_val: float = Field(-1.0, allow_inf_nan=False)
    max_val: float = Field(1.0, allow_inf_nan=False)

    @model_validator(mode="after")
    def _in_order(self) -> HardtanhParams:
        if self.min_val > self.max_val:
            words = f"min_val, {self.min_val:g}, must not be greater than max_val, {self.max_val:g}"
            raise contradiction("max_val", words)
        return self


class ShrinkParams(OpParams):
    """Values between -`lambd` and `lambd` become zero."""

    lambd: float = Field(0.5, ge=0, allow_inf_nan=False)


class ThresholdParams(OpParams):
    """What is not above `threshold` becomes `value`."""

    threshold: float = Field(allow_inf_nan=False)
    value: float = Field(allow_inf_nan=False)


class RreluParams(OpParams):
    """In training each negative value gets a slope between the two; in evaluation their mean."""

    lower: float = Field(1 / 8, allow_inf_nan=False)
    upper: float = Field(1 / 3, allow_inf_nan=False)

    @model_validator(mode="after")
    def _in_order(self) -> RreluParams:
        if self.lower > self.upper:
            raise contradiction("upper", f"lower, {self.lower:g}, must not be greater than upper, {self.upper:g}")
        return self


class SoftmaxParams(OpParams):
    """Over the channels; `over = "positions"`: over the positions of each channel. With `branches` the channels are so
    many equal parts, one behind the other, and each position of a part is compared with the same of the other parts, as
    in selective kernels.
    """

    over: Literal["channels", "positions"] = "channels"
    branches: int | None = Field(None, ge=2)


def _parametric(
    name: str,
    params: type[OpParams],
    torch_names: tuple[str, str],
    label: str,
    summary: str,
    *examples: Mapping[str, Any],
    inplace: bool = False,
    overwritable: bool = False,
    kept: Saved = INPUT,
    copies: int = 0,
) -> OpSpec:
    """An activation with torch's parameters, of which a call writes what is not the default.

    `kept` is what autograd keeps, and `copies` more tensors of the input's size.
    """
    defaults = {key: info.default for key, info in params.model_fields.items() if not info.is_required()}
    module, function = torch_names

    def lowering(given: Any, inputs: tuple[Shape, ...]) -> Lowering:
        kwargs = {key: argument(key) for key in params.model_fields}
        shown = {k: expr for k, expr in kwargs.items() if k not in defaults or getattr(given, k) != defaults[k]}
        options = "".join(f", {key}={{{key}}}" for key in shown)
        call = Call(f"{function}({{x}}{options})", shown, "inplace=True" if inplace else "") if function else None
        return Lowering(Module(module, kwargs=kwargs, defaults=defaults, inplace=inplace and bool(function)), call)

    return OpSpec(
        name=name,
        params=params,
        summary=summary,
        role="act",
        shape=lambda given, inputs: inputs,
        lowering=lowering,
        label=lambda given, inputs: label,
        saves=lambda given, inputs, outputs: (
            replace(kept, made=(Made(inputs[0].elements),) * copies) if copies else kept
        ),
        overwritable=overwritable,
        examples=tuple(Example(arguments, _IMAGE) for arguments in examples),
    )


# --- over several channels -------------------------------------------------------------------


def _dim(x: Shape) -> int:
    return -1 if x.layout == "hwc" else 1


def _glu_shape(params: NoParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    return inexact_split(x.channels, 2, None) if x.channels % 2 else (x.with_channels(x.channels // 2),)


def _glu_lowering(params: NoParams, inputs: tuple[Shape, ...]) -> Lowering:
    dim = Const(_dim(inputs[0]))
    return Lowering(Module("nn.GLU", (dim,)), Call("F.glu({x}, {dim})", {"dim": dim}))


GLU = OpSpec(
    name="glu",
    params=NoParams,
    summary="the first half of the channels, times the sigmoid of the second",
    role="act",
    shape=_glu_shape,
    lowering=_glu_lowering,
    label=lambda params, inputs: "GLU",
    channels=IN_CHANNELS // 2,
    overwritable=True,
    saves=saves_input,
    examples=_EVERY,
)


def _softmax_shape(params: SoftmaxParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    (x,) = inputs
    if params.over == "positions":
        if params.branches is not None:
            return refused("softmax is over positions or over branches, not both", "branches")
        return inputs if x.layout != "flat" else wrong_layout("softmax over positions", x, "C×H×W or H×W×C")
    if params.branches is not None and x.channels % params.branches:
        return inexact_split(x.channels, params.branches, "branches")
    return inputs


def _softmax_lowering(params: SoftmaxParams, inputs: tuple[Shape, ...]) -> Lowering:
    last = inputs[0].layout == "hwc"
    if params.branches is not None:
        apart, over, together = (-1, -2, -2) if last else (1, 1, 1)
        parts = f"torch.unflatten({{x}}, {apart}, ({{branches}}, -1))"
        text = f"torch.flatten(F.softmax({parts}, dim={over}), {together}, {together + 1})"
        return Lowering(call=Call(text, {"branches": argument("branches")}))
    if params.over == "positions":
        return Lowering(Module("PositionSoftmax", (), {"channels_last": Const(last)}, {"channels_last": False}))
    dim = Const(_dim(inputs[0]))
    return Lowering(Module("nn.Softmax", kwargs={"dim": dim}), Call("F.softmax({x}, dim={dim})", {"dim": dim}))


def _softmax_label(params: SoftmaxParams, inputs: tuple[Shape, ...]) -> str:
    if params.branches is not None:
        return f"softmax over {params.branches} branches"
    return "softmax over positions" if params.over == "positions" else "softmax"


SOFTMAX = OpSpec(
    name="softmax",
    params=SoftmaxParams,
    summary="exp(x), normalised",
    role="act",
    shape=_softmax_shape,
    lowering=_softmax_lowering,
    label=_softmax_label,
    saves=saves_output,
    examples=(
        *_EVERY,
        Example({"branches": 3}, _IMAGE),
        Example({"branches": 2}, _HWC),
        Example({"branches": 2}, _FLAT),
        Example({"over": "positions"}, _IMAGE),
        Example({"over": "positions"}, _HWC),
    ),
)


def _log_softmax_lowering(params: NoParams, inputs: tuple[Shape, ...]) -> Lowering:
    dim = Const(_dim(inputs[0]))
    return Lowering(Module("nn.LogSoftmax", (dim,)), Call("F.log_softmax({x}, {dim})", {"dim": dim}))


LOG_SOFTMAX = OpSpec(
    name="log_softmax",
    params=NoParams,
    summary="the logarithm of `softmax` over the channels",
    role="act",
    shape=lambda params, inputs: inputs,
    lowering=_log_softmax_lowering,
    label=lambda params, inputs: "log softmax",
    saves=saves_output,
    examples=_EVERY,
)

PARAMETRIC_ACTIVATIONS = (
    _parametric(
        "elu", EluParams, ("nn.ELU", "F.elu"), "ELU", "x above 0, alpha * (exp(x) - 1) below", {}, {"alpha": 0.5},
        inplace=True, kept=_INVERTED,
    ),
    _parametric(
        "celu", CeluParams, ("nn.CELU", "F.celu"), "CELU", "x above 0, alpha * (exp(x / alpha) - 1) below",
        {}, {"alpha": 0.5}, inplace=True, kept=_INVERTED,
    ),
    _parametric(
        "softplus", SoftplusParams, ("nn.Softplus", "F.softplus"), "softplus", "log(1 + exp(beta * x)) / beta",
        {}, {"beta": 2.0, "threshold": 1.0}, overwritable=True,
    ),
    _parametric(
        "hardtanh", HardtanhParams, ("nn.Hardtanh", "F.hardtanh"), "hard tanh", "x, clipped",
        {}, {"min_val": 0.0, "max_val": 0.5}, inplace=True,
    ),
    _parametric(
        "hardshrink", ShrinkParams, ("nn.Hardshrink", "F.hardshrink"), "hard shrink", "x, or 0 where it is small",
        {}, {"lambd": 0.2}, overwritable=True,
    ),
    _parametric(
        "softshrink", ShrinkParams, ("nn.Softshrink", "F.softshrink"), "soft shrink", "x, lambd nearer to 0",
        {}, {"lambd": 0.2}, overwritable=True,
    ),
    _parametric(
        "threshold", ThresholdParams, ("nn.Threshold", "F.threshold"), "threshold",
        "x, or a constant where it is small",
        {"threshold": 0.1, "value": 0.5}, inplace=True,
    ),
    _parametric(
        "rrelu", RreluParams, ("nn.RReLU", ""), "randomized ReLU", "leaky ReLU of random slopes in training", {},
        {"lower": 0.1, "upper": 0.2}, copies=1,
    ),
    GLU,
    SOFTMAX,
    LOG_SOFTMAX,
)  # fmt: skip
