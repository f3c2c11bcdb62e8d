"""Curves of costs along a knob, how they grow, and where published variants lie on them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

from archdsl.diagnostics.core import ArchError
from archdsl.scaling.knobs import Knob, KnobPoint

if TYPE_CHECKING:
    from archdsl.variant import Variant


@dataclass(frozen=True)
class Curve:
    """Networks along a knob, in the order of the values, and what the spec refused."""

    knob: Knob
    points: Sequence[KnobPoint]
    refused: Sequence[tuple[float, ArchError]]

    @property
    def origin(self) -> KnobPoint | None:
        """What growth is counted from: the network where the rule changes nothing, else the first."""
        return self.knob.neutral or (self.points[0] if self.points else None)

    def factor(self, point: KnobPoint, cost: str) -> float:
        """By how much a cost has grown."""
        origin = self.origin
        return point.cost(cost) / origin.cost(cost) if origin is not None and origin.cost(cost) else math.nan

    def rate(self, cost: str) -> float | None:
        """How a cost grows over the whole curve, by least squares of its logarithm: of an exponent the factor for
        each 1, of any other knob the power of it. None where that cannot be said."""
        found = [(p.value, p.cost(cost)) for p in self.points if p.cost(cost) > 0]
        if not self.knob.additive:
            if any(value <= 0 for value, _ in found):
                return None
            found = [(math.log(value), c) for value, c in found]
        if len({x for x, _ in found}) < 2:
            return None
        x0 = sum(x for x, _ in found) / len(found)
        y0 = sum(math.log(c) for _, c in found) / len(found)
        slope = sum((x - x0) * (math.log(c) - y0) for x, c in found) / sum((x - x0) ** 2 for x, _ in found)
        return math.exp(slope) if self.knob.additive else slope

    def place(self, cost: str, amount: int) -> float | None:
        """The value of the knob at which the curve has a cost, between two of its points; None outside."""
        for before, after in pairwise(self.points):
            low, high = before.cost(cost), after.cost(cost)
            if low > 0 and high > low and low <= amount <= high:
                part = math.log(amount / low) / math.log(high / low)
                return before.value + part * (after.value - before.value)
        return None


@dataclass(frozen=True)
class PublishedPoint:
    """A variant of the file of the same model, and the value at which the curve has as many MACs."""

    variant: Variant
    place: float | None


def curve(knob: Knob, values: Sequence[float] | None = None) -> Curve:
    """The networks at values of the knob; without any, at some that suit it. Raises
    ArchError where the spec refuses all of them."""
    points, refused = list[KnobPoint](), list[tuple[float, ArchError]]()
    for value in values if values is not None else _usual(knob):
        try:
            points.append(knob.at(value))
        except ArchError as error:
            refused.append((value, error))
    if not points and refused:  # it is not the values that are wrong
        raise refused[0][1]
    return Curve(knob, points, refused)


def published(found: Curve) -> list[PublishedPoint]:
    """The variants that the file has of the model, by their MACs."""
    base = found.knob.base
    known = base.file.variants.items()
    same = [base.sibling(name) for name, configured in known if configured.model is base.configured.model]
    rows = [PublishedPoint(v, found.place("macs", v.graph.macs)) for v in same]
    return sorted(rows, key=lambda row: row.variant.graph.macs)


def _usual(knob: Knob) -> list[float]:
    """An exponent from 0 to 7, as EfficientNet's; a factor up to 16; a parameter from a quarter to four times it."""
    if knob.rule is not None:
        return list(range(8)) if knob.additive else [1, 2, 4, 8, 16]
    values = [knob.start * part for part in (0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4)]
    return sorted({max(1, round(value)) for value in values}) if knob.whole else values
