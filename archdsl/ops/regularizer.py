"""Ops that act in training only. In evaluation they return their input itself, hence `view`."""

from __future__ import annotations

from pydantic import Field

from archdsl.ops.problems import wrong_layout
from archdsl.ops.spec import NOTHING, Example, Lowering, Made, Module, OpParams, OpSpec, Saved, Shape, argument

_EXAMPLE_INPUTS = (Shape(6, 5, 4),)


class DropoutParams(OpParams):
    """`p` is the probability that one becomes zero."""

    p: float = Field(0.5, ge=0, le=1)


class DropPathParams(OpParams):
    """`p` is the probability that a sample loses the whole branch."""

    p: float = Field(ge=0, lt=1)


def _idle(params: DropoutParams | DropPathParams, inputs: tuple[Shape, ...], training: bool) -> bool:
    return not training or params.p == 0


def _saves(params: DropoutParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    """A factor for each value."""
    return _factors(params.p, inputs[0].elements)


def _saves_channels(params: DropoutParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return _factors(params.p, inputs[0].channels)


def _saves_samples(params: DropPathParams, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Saved:
    return _factors(params.p, 1)


def _factors(p: float, count: int) -> Saved:
    return Saved(made=(Made(count),)) if p else NOTHING


DROPOUT = OpSpec(
    name="dropout",
    params=DropoutParams,
    summary="zeroes single values in training, and scales the rest by 1 / (1 - p)",
    role="regularizer",
    shape=lambda params, inputs: inputs,
    lowering=lambda params, inputs: Lowering(Module("nn.Dropout", (argument("p"),))),
    label=lambda params, inputs: f"dropout, {params.p:.3g}",
    view=True,
    saves=_saves,
    shares=_idle,
    examples=(Example({"p": 0.2}, _EXAMPLE_INPUTS), Example({}, (Shape(6, layout="flat"),))),
)

DROPOUT2D = OpSpec(
    name="dropout2d",
    params=DropoutParams,
    summary="zeroes whole channels in training, and scales the rest by 1 / (1 - p)",
    role="regularizer",
    shape=lambda params, inputs: inputs if inputs[0].layout == "chw" else wrong_layout("dropout2d", inputs[0]),
    lowering=lambda params, inputs: Lowering(Module("nn.Dropout2d", (argument("p"),))),
    label=lambda params, inputs: f"dropout of channels, {params.p:.3g}",
    view=True,
    saves=_saves_channels,
    shares=_idle,
    examples=(Example({"p": 0.2}, _EXAMPLE_INPUTS), Example({}, _EXAMPLE_INPUTS)),
)

DROP_PATH = OpSpec(
    name="drop_path",
    params=DropPathParams,
    summary="stochastic depth: zeroes whole samples in training, and scales the rest by 1 / (1 - p)",
    role="regularizer",
    shape=lambda params, inputs: inputs,
    lowering=lambda params, inputs: Lowering(Module("DropPath", (argument("p"),))),
    label=lambda params, inputs: f"drop path, {params.p:.3g}",
    view=True,
    saves=_saves_samples,
    shares=_idle,
    examples=(
        Example({"p": 0.2}, _EXAMPLE_INPUTS),
        Example({"p": 0.0}, _EXAMPLE_INPUTS),
        Example({"p": 0.5}, (Shape(6, 5, 4, "hwc"),)),
        Example({"p": 0.5}, (Shape(6, layout="flat"),)),
    ),
)

REGULARIZERS = (DROPOUT, DROPOUT2D, DROP_PATH)
