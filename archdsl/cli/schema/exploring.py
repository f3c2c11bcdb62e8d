"""Many networks and what they cost: `sweep`, `plot`, `scale`, `search`."""

from __future__ import annotations

from typing import TypedDict

from archdsl.cli.schema.common import CostedJson, Document, VariantJson


class PointJson(TypedDict):
    """A point of a grid: texts in the language by parameter, by `scaling.knob`, or by `image`."""

    settings: dict[str, str]
    variant: VariantJson | CostedJson


class SweepDocument(Document):
    """`archdsl sweep --json`: points that the spec refuses are left out and are among the diagnostics."""

    base: str
    points: list[PointJson]


class PlotPointJson(TypedDict):
    """A network in a plot: `weights` is the published file whose accuracy it has, null where `expect` says it."""

    name: str
    variant: str
    weights: str | None
    x: float
    y: float


class PlotDocument(Document):
    """`archdsl plot --json`: what is on both axes (null with `--depth`), the points, names that have no room."""

    x: str | None
    y: str | None
    points: list[PlotPointJson]
    unnamed: list[str]
    format: str
    path: str | None
    text: str | None


class ScalePointJson(TypedDict):
    """A value of a knob: what it sets (texts in the language), growth over the `origin`, and what the rule promises."""

    value: float
    settings: dict[str, str]
    factors: dict[str, float]
    promise: dict[str, float]
    variant: VariantJson


class PlaceJson(TypedDict):
    """A published variant, and the value of the knob at which the curve has its MACs; null where it has not."""

    place: float | None
    variant: VariantJson


class NeighbourJson(TypedDict):
    """A cost next to a target, and a value that has it."""

    value: float
    cost: int


class AnswerJson(TypedDict):
    """What was found for a target: `error` is the relative distance."""

    cost: str
    target: float
    value: float
    error: float
    below: NeighbourJson | None
    above: NeighbourJson | None
    settings: dict[str, str]
    variant: VariantJson


class ScaleDocument(Document):
    """`archdsl scale --json`: points of a curve, or (with `--target`) an answer.

    `rates`: for an exponent the factor by which a cost grows for each 1, else the power of the knob. `origin`: the
    value that growth is counted from.
    """

    base: str
    knob: str
    origin: float | None
    points: list[ScalePointJson]
    rates: dict[str, float | None]
    published: list[PlaceJson]
    answer: AnswerJson | None


class AxisJson(TypedDict):
    """A number or choice of a space, and how many values it has."""

    name: str
    values: int


class SpaceJson(TypedDict):
    """A design space: the model or variant that it is for, and how many networks there are without conditions."""

    name: str
    target: str
    source: str
    networks: str
    axes: list[AxisJson]


class FoundJson(TypedDict):
    """A network of a search: what varies, and the model's parameters, as a spec writes them; objectives by name."""

    number: int
    dimensions: dict[str, str]
    arguments: dict[str, str]
    costs: dict[str, int]
    values: dict[str, float]


class RefusedJson(TypedDict):
    """How many points a condition refused."""

    condition: str
    count: int


class SearchDocument(Document):
    """`archdsl search --json`: without SPACE the spaces of the file alone. `best` are numbers of results."""

    file: str
    spaces: list[SpaceJson]
    results: list[FoundJson] | None
    best: list[int] | None
    refused: list[RefusedJson] | None
