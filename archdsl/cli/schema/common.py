"""What documents of several commands share: the envelope, variants, stages, costs, pictures."""

from __future__ import annotations

from typing import TypeAlias, TypedDict

from archdsl.diagnostics.render import DiagnosticJson

VERSION = 1


class Document(TypedDict):
    """The envelope. `ok`: no diagnostic is an error; if not, the command's own keys may be absent."""

    version: int
    command: str
    ok: bool
    diagnostics: list[DiagnosticJson]


class Costs(TypedDict):
    """`layers` counts convolutions and linear layers; `activations` are elements of all outputs."""

    layers: int
    params: int
    macs: int
    activations: int


class BlocksJson(TypedDict):
    """What a stage repeats."""

    count: int
    name: str


class StageJson(Costs):
    """A row of the stage table. `kind`: stage, stem, transition, head, part (of a model without stages), or
    aux (what a further output alone needs)."""

    name: str
    kind: str
    output: list[int]
    blocks: list[BlocksJson]


class OutputJson(TypedDict):
    """What a model gives: `name` is null where that is its result alone, or one of a plain tuple."""

    name: str | None
    output: list[int]


class SizeJson(TypedDict):
    """What the spec asks about the height or width of a tensor, and the answer for images of the model's size."""

    text: str
    answer: str
    file: str
    line: int


class CostsJson(TypedDict):
    """Costs of a batch; sizes are in bytes, `intensity` in MACs per byte moved, `seconds` the roofline time on
    `device`. `peak` is the path of the layer at which inference needs most."""

    batch: int
    dtype: str
    weights: int
    gradients: int
    memory: int
    peak: str
    saved: int
    training: int
    moved: int
    intensity: float
    device: str | None
    seconds: float | None


class VariantJson(Costs):
    """One configuration of a model; `arguments` are texts in the language, `top1` is in percent."""

    name: str
    model: str
    arguments: dict[str, str]
    input: list[int]
    output: list[int]
    outputs: list[OutputJson]
    top1: float | None
    sizes: list[SizeJson]


class CostedJson(VariantJson):
    """A variant where an option asks for costs."""

    costs: CostsJson


class PreprocessJson(TypedDict):
    """Pictures: the shorter side (`squash`: both) to `resize`, a central crop of `size` (height, width), then
    (x - mean) / std."""

    resize: int
    squash: bool
    size: list[int]
    interpolation: str
    mean: list[float]
    std: list[float]
    labels: str | None


Plain: TypeAlias = int | float | bool | str | list[int] | list[float] | None
"""A parameter's value. A layer, or anything else without a plain value, is a text."""


class ParameterJson(TypedDict):
    """A parameter that differs; `values` are pairs, before and after, one for each distinct pair."""

    name: str
    values: list[list[Plain]]
