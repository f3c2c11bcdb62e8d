"""Networks of a space: takes places on its axes, gives networks with their costs, or what refuses them. Torch-free."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError, Bag, Diagnostic
from archdsl.graph.space import COSTS
from archdsl.semantics.spaces import Point, Space
from archdsl.source import Source
from archdsl.syntax import ast
from archdsl.syntax.reading import parse_expression
from archdsl.variant import Variant

Places = tuple[int, ...]


@dataclass(frozen=True)
class Network:
    """A network of a space, checked and counted."""

    places: Places
    point: Point
    variant: Variant
    costs: Mapping[str, int]


class Candidates:
    """The networks of a space under its conditions, and counts of what was refused and why."""

    def __init__(self, file: ArchFile, space: Space) -> None:
        self.file = file
        self.space = space
        self.refused: Counter[str] = Counter()
        self.faults: dict[tuple[str, str], Diagnostic] = {}
        """Errors of networks that no condition refuses and that cannot be built."""

    def at(self, places: Sequence[int]) -> Network | None:
        """The network at these places; None where a condition refuses it, or it cannot be built, which is kept."""
        point = self.space.point(places)
        if not isinstance(point, Point):
            self.refused[point] += 1
            return None
        try:
            variant = self.file.candidate(self.space, point)
            costs = {name: int(getattr(variant.table, name)) for name in COSTS}
        except ArchError as error:
            for found in error.diagnostics:
                self.refused[found.message] += 1
                if found.code != "E316":
                    self.faults.setdefault((found.code, found.message), found)
            return None
        reason = self.space.refused(point, costs)
        if reason is not None:
            self.refused[reason] += 1
            return None
        return Network(tuple(places), point, variant, costs)

    def all(self) -> Iterator[Places]:
        """Every combination of places, the last axis changing fastest."""
        sizes = [axis.domain.size for axis in self.space.axes]
        for number in range(self.space.size):
            places = []
            for size in reversed(sizes):
                number, place = divmod(number, size)
                places.append(place)
            yield tuple(reversed(places))

    def draw(self, rng: random.Random) -> Places:
        return tuple(axis.domain.draw(rng) for axis in self.space.axes)


def with_conditions(space: Space, texts: Sequence[str]) -> Space:
    """The space under further conditions (`macs < 400M`), written as its own are; raises ArchError."""
    bag = Bag()
    added = []
    for text in texts:
        condition = parse_expression(Source("--require", text), bag)
        if condition is not None:
            added.append(ast.Require(condition, None, span=condition.span))
    bag.raise_errors()
    return replace(space, members=(*space.members, *added))
