"""Many networks and what they cost: `sweep`, `scale`, `search`."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Self

from archdsl.cli.documents.base import Document, Shape, Text
from archdsl.cli.documents.networks import VariantJson

if TYPE_CHECKING:
    from archdsl.cli.costing import CostOptions
    from archdsl.scaling import Answer, Curve, KnobPoint
    from archdsl.search.results import ScoredNetwork
    from archdsl.semantics.points import Space

GROWING = ("macs", "params", "activations")
"""Costs whose growth is counted."""


class PointJson(Shape):
    """A point of a grid."""

    settings: dict[Text, Text]
    """Texts in the language by parameter, by `scaling.knob`, or by `image`."""
    variant: VariantJson


class SweepDocument(Document):
    """Points of a grid; those that the spec refuses are left out and are among the diagnostics."""

    command: ClassVar[str] = "sweep"
    base: Text
    """The name of a variant."""
    points: list[PointJson]


class ScalePointJson(Shape):
    """A value of a knob."""

    value: float
    settings: dict[Text, Text]
    """What it sets: texts in the language by parameter, or by `image`."""
    factors: dict[str, float | None]
    """By how much each cost has grown over `origin`; null where it is none there."""
    promise: dict[str, float]
    """What the rule says of that."""
    variant: VariantJson

    @classmethod
    def of_curve(cls, curve: Curve, wanted: CostOptions | None) -> list[Self]:
        return [
            cls.of(
                point,
                settings=point.texts,
                factors={cost: None if math.isnan(f := curve.factor(point, cost)) else f for cost in GROWING},
                variant=VariantJson.costed(point.variant, wanted),
            )
            for point in curve.points
        ]


class PlaceJson(Shape):
    """A published variant."""

    place: float | None
    """The value of the knob at which the curve has its MACs."""
    variant: VariantJson


class NeighbourJson(Shape):
    """A cost next to a target, and a value that has it."""

    value: float
    cost: int

    @classmethod
    def differs(cls, pair: tuple[float, int]) -> dict[str, Any]:
        return {"value": pair[0], "cost": pair[1]}


class AnswerJson(Shape):
    """What was found for a target."""

    cost: str
    target: float
    value: float
    error: float
    """The relative distance."""
    below: NeighbourJson | None
    above: NeighbourJson | None
    settings: dict[Text, Text]
    variant: VariantJson

    @classmethod
    def of_answer(cls, answer: Answer, point: KnobPoint, cost: str, target: float, wanted: CostOptions | None) -> Self:
        variant, error = VariantJson.costed(point.variant, wanted), answer.cost / target - 1
        return cls.of(answer, cost=cost, target=target, error=error, settings=point.texts, variant=variant)


class ScaleDocument(Document):
    """A curve; or, with `--target`, an answer, and no points, rates and published variants."""

    command: ClassVar[str] = "scale"
    base: Text
    """The name of a variant."""
    knob: Text
    origin: float | None
    """The value that growth is counted from."""
    points: list[ScalePointJson]
    rates: dict[str, float | None]
    """By cost: of an exponent the factor for each 1, of any other knob its power."""
    published: list[PlaceJson]
    answer: AnswerJson | None


class AxisJson(Shape):
    """A number or choice of a space."""

    name: Text
    values: int
    """How many it has."""


class SpaceJson(Shape):
    """A design space."""

    name: Text
    target: Text
    """The model or variant that it is for."""
    source: Text
    networks: str
    """How many there are without conditions, in digits."""
    axes: list[AxisJson]

    @classmethod
    def differs(cls, space: Space) -> dict[str, Any]:
        axes = [{"name": axis.name, "values": axis.domain.size} for axis in space.axes]
        return {"networks": str(space.size), "axes": axes}


class FoundJson(Shape):
    """A network of a search."""

    number: int
    dimensions: dict[Text, Text]
    """What varies, as a spec writes it."""
    arguments: dict[Text, Text]
    """The model's parameters."""
    costs: dict[str, int | float]
    """MACs, params, activations and layers, and those of weights, memory, training, intensity and seconds that were
    asked for."""
    values: dict[str, float]
    """Objectives by name."""

    @classmethod
    def differs(cls, result: ScoredNetwork) -> dict[str, Any]:
        return {"dimensions": result.texts}


class RefusedJson(Shape):
    """How many points a condition refused."""

    condition: Text
    count: int

    @classmethod
    def differs(cls, pair: tuple[str, int]) -> dict[str, Any]:
        return {"condition": pair[0], "count": pair[1]}


class SearchDocument(Document):
    """The spaces of a file; with SPACE that one, and what was found in it."""

    command: ClassVar[str] = "search"
    file: Text
    spaces: list[SpaceJson]
    results: list[FoundJson] | None
    """Null without SPACE; so are `best` and `refused`."""
    best: list[int] | None
    """The numbers of results."""
    refused: list[RefusedJson] | None
