"""Networks of a space: takes places on its axes, gives networks with their costs, or what refuses them. Torch-free."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError, errors_raised
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.devices import Device
from archdsl.graph.space import ASKED, COSTS, FIGURES, SECONDS
from archdsl.semantics.points import Point, Space, SpaceLine
from archdsl.semantics.resolve import resolve_expression
from archdsl.source import Source
from archdsl.syntax import ast
from archdsl.syntax.reading import parse_expression
from archdsl.variant import Variant

Places = tuple[int, ...]


@dataclass(frozen=True)
class CandidateNetwork:
    """A network of a space, checked and counted."""

    places: Places
    point: Point
    variant: Variant
    costs: Mapping[str, float]


@dataclass(frozen=True)
class Counted:
    """For how many images, numbers and device figures are wanted, and which, beside the columns of the stage table."""

    batch: int = 1
    dtype: str = "float32"
    device: Device | None = None
    names: frozenset[str] = frozenset()

    @property
    def said(self) -> dict[str, object]:
        """What of this decides about the figures."""
        if not self.names:
            return {}
        device = None if self.device is None else f"{self.device.flops[self.dtype]:g}/{self.device.bandwidth:g}"
        return {"figures": sorted(self.names), "images": self.batch, "dtype": self.dtype, "device": device}

    def figures(self, variant: Variant) -> dict[str, float]:
        """Those of a network; raises ArchError."""
        if not self.names:
            return {}
        costs = variant.costs(self.batch, self.dtype)
        found = {name: getattr(costs, name) for name in FIGURES if name in self.names}
        if SECONDS in self.names:
            assert self.device is not None
            found[SECONDS] = costs.seconds(self.device)
        return found


class Candidates:
    """The networks of a space under its conditions, and counts of what was refused and why."""

    def __init__(self, file: ArchFile, space: Space, counted: Counted | None = None) -> None:
        self.file = file
        self.space = space
        wanted = counted or Counted()
        self.counted = replace(wanted, names=wanted.names | space.asked_more - COSTS.keys())
        self._plain = Counted(names=space.asked - COSTS.keys())
        self.refused: Counter[str] = Counter()
        self.faults: dict[tuple[str, str], Diagnostic] = {}
        """Errors of networks that no condition refuses and that cannot be built."""

    def at(self, places: Sequence[int]) -> CandidateNetwork | None:
        """The network at these places; None where a condition refuses it, or it cannot be built, which is kept."""
        point = self.space.point(places)
        if not isinstance(point, Point):
            self.refused[point] += 1
            return None
        try:
            variant = self.file.candidate(self.space, point)
            costs: dict[str, float] = {name: int(getattr(variant.graph.cost, name)) for name in COSTS}
            reason = self.space.refused(point, {**costs, **self._plain.figures(variant)})
            if reason is None:
                costs |= self.counted.figures(variant)
                reason = self.space.refused(point, costs, more=True)
        except ArchError as error:
            for found in error.diagnostics:
                self.refused[found.message] += 1
                if found.code != "E316":
                    self.faults.setdefault((found.code, found.message), found)
            return None
        if reason is not None:
            self.refused[reason] += 1
            return None
        return CandidateNetwork(tuple(places), point, variant, costs)

    def all(self) -> Iterator[Places]:
        """Every combination of places, the last axis changing fastest."""
        return map(self.space.places, range(self.space.size))

    def draw(self, rng: random.Random) -> Places:
        return tuple(axis.domain.draw(rng) for axis in self.space.axes)


def with_conditions(space: Space, texts: Sequence[str]) -> Space:
    """The space under further conditions (`macs < 400M`), written as its own are; raises ArchError."""
    added = []
    known = {line.syntax.key for line in space.lines if not isinstance(line.syntax, ast.Require)} | ASKED.keys()
    with errors_raised() as bag:
        for text in texts:
            condition = parse_expression(Source("--require", text), bag)
            if condition is not None:
                resolve_expression(condition, space.home, bag, known)
                added.append(SpaceLine(ast.Require(condition, None, span=condition.span), space.home))
    return replace(space, more=(*space.more, *added))
