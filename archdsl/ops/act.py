"""Activation functions: elementwise; those with parameters of their own are in `parametric_act`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from archdsl.ops.parametric_act import PARAMETRIC_ACTIVATIONS
from archdsl.ops.problems import wrong_layout
from archdsl.ops.spec import (
    INPUT,
    NOTHING,
    OUTPUT,
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
    saves_input,
)
from archdsl.symbolic import IN_CHANNELS, Expr

_IMAGE = (Shape(6, 5, 4),)
_INVERTED = Saved((0,), inverts=True)
_EXAMPLES = (Example({}, _IMAGE), Example({}, (Shape(6, 5, 4, "hwc"),)), Example({}, (Shape(6, layout="flat"),)))


def _activation(
    name: str,
    module: str,
    call: str,
    label: str,
    summary: str,
    *,
    inplace: bool = False,
    overwritable: bool = False,
    kept: Saved = INPUT,
    copies: int = 0,
) -> OpSpec:
    """An activation without parameters; `overwritable` where its backward keeps the input, not the output.

    `kept` is what autograd keeps, and `copies` more tensors of the input's size.
    """
    lowering = Lowering(
        Module(module, inplace=inplace),
        Call(f"{call}({{x}})", inplace="inplace=True" if inplace else ""),
    )
    return OpSpec(
        name=name,
        params=NoParams,
        summary=summary,
        role="act",
        shape=lambda params, inputs: inputs,
        lowering=lambda params, inputs: lowering,
        label=lambda params, inputs: label,
        saves=lambda params, inputs, outputs: (
            replace(kept, made=(Made(inputs[0].elements),) * copies) if copies else kept
        ),
        overwritable=overwritable,
        examples=_EXAMPLES,
    )


class GeluParams(OpParams):
    """`approximate` "none" is the exact function, "tanh" the approximation of early implementations."""

    approximate: Literal["none", "tanh"] = "none"


class LeakyReluParams(OpParams):
    """`slope` is the factor of negative values."""

    slope: float = Field(0.01, allow_inf_nan=False)


class PreluParams(OpParams):
    """One learned slope, or one per channel, at first `init`."""

    per_channel: bool = False
    init: float = Field(0.25, allow_inf_nan=False)


def _optional(module: str, call: str, keyword: str, value: Expr, default: Any, actual: Any, inplace: bool) -> Lowering:
    """A lowering with one keyword, left out of the call where it has its default."""
    option = f", {keyword}={{value}}" if actual != default else ""
    values: Mapping[str, Expr] = {"value": value} if option else {}
    return Lowering(
        Module(module, kwargs={keyword: value}, defaults={keyword: default}, inplace=inplace),
        Call(f"{call}({{x}}{option})", values, "inplace=True" if inplace else ""),
    )


GELU = OpSpec(
    name="gelu",
    params=GeluParams,
    summary="x * Phi(x)",
    role="act",
    shape=lambda params, inputs: inputs,
    lowering=lambda params, inputs: _optional(
        "nn.GELU", "F.gelu", "approximate", argument("approximate"), "none", params.approximate, False
    ),
    label=lambda params, inputs: "GELU",
    overwritable=True,
    saves=saves_input,
    examples=(*_EXAMPLES, Example({"approximate": "tanh"}, _IMAGE)),
)

LEAKY_RELU = OpSpec(
    name="leaky_relu",
    params=LeakyReluParams,
    summary="max(x, 0) + slope * min(x, 0)",
    role="act",
    shape=lambda params, inputs: inputs,
    lowering=lambda params, inputs: _optional(
        "nn.LeakyReLU", "F.leaky_relu", "negative_slope", argument("slope"), 0.01, params.slope, True
    ),
    label=lambda params, inputs: "leaky ReLU",
    saves=lambda params, inputs, outputs: _INVERTED,
    examples=(*_EXAMPLES, Example({"slope": 0.2}, _IMAGE)),
)


def _prelu_shape(params: PreluParams, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | Problem:
    # torch takes the second dimension for the channels
    return wrong_layout("prelu", inputs[0], "C×H×W or flat") if inputs[0].layout == "hwc" else inputs


PRELU = OpSpec(
    name="prelu",
    params=PreluParams,
    summary="leaky ReLU with a learned slope",
    role="act",
    shape=_prelu_shape,
    lowering=lambda params, inputs: Lowering(
        Module("nn.PReLU", (IN_CHANNELS,) if params.per_channel else (), {"init": argument("init")}, {"init": 0.25})
    ),
    label=lambda params, inputs: "PReLU",
    weights=lambda params, inputs: (Weight("weight", (inputs[0].channels if params.per_channel else 1,)),),
    overwritable=True,
    saves=saves_input,
    examples=(
        Example({}, _IMAGE),
        Example({"per_channel": True, "init": 0.1}, _IMAGE),
        Example({"per_channel": True}, (Shape(6, layout="flat"),)),
    ),
)

ACTIVATIONS = (
    _activation("relu", "nn.ReLU", "F.relu", "ReLU", "max(x, 0)", inplace=True, kept=OUTPUT),
    _activation("relu6", "nn.ReLU6", "F.relu6", "ReLU6", "min(max(x, 0), 6)", inplace=True),
    _activation("silu", "nn.SiLU", "F.silu", "SiLU", "x * sigmoid(x)", inplace=True, overwritable=True),
    _activation(
        "hardswish",
        "nn.Hardswish",
        "F.hardswish",
        "hard swish",
        "x * relu6(x + 3) / 6",
        inplace=True,
        overwritable=True,
    ),
    _activation(
        "hardsigmoid", "nn.Hardsigmoid", "F.hardsigmoid", "hard sigmoid", "relu6(x + 3) / 6", overwritable=True
    ),
    _activation("sigmoid", "nn.Sigmoid", "torch.sigmoid", "sigmoid", "1 / (1 + exp(-x))", kept=OUTPUT),
    _activation("tanh", "nn.Tanh", "torch.tanh", "tanh", "hyperbolic tangent", kept=OUTPUT),
    GELU,
    LEAKY_RELU,
    PRELU,
    _activation("selu", "nn.SELU", "F.selu", "SELU", "1.0507 * elu(x, alpha = 1.6733)", inplace=True, kept=_INVERTED),
    _activation("mish", "nn.Mish", "F.mish", "Mish", "x * tanh(softplus(x))", inplace=True, overwritable=True),
    _activation("softsign", "nn.Softsign", "F.softsign", "softsign", "x / (1 + abs(x))", copies=1),
    _activation("tanhshrink", "nn.Tanhshrink", "F.tanhshrink", "tanh shrink", "x - tanh(x)", kept=NOTHING, copies=1),
    _activation(
        "logsigmoid", "nn.LogSigmoid", "F.logsigmoid", "log sigmoid", "log(sigmoid(x))", overwritable=True, copies=1
    ),
    *PARAMETRIC_ACTIVATIONS,
)
