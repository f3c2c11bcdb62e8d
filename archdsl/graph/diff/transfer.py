"""Which weights of one network another one could take: takes two `Graph`s; gives a `Transfer` by state_dict keys."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from archdsl.graph.ir import Graph

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Transfer:
    """The keys of a state_dict sorted by what the other network does with them, each with its shapes.

    `fits`: both have the key with one shape; `resized`: with two; `left`: only the first has it; `new`: only the
    second.
    """

    fits: Shapes
    resized: Mapping[str, tuple[tuple[int, ...], tuple[int, ...]]]
    left: Shapes
    new: Shapes

    @property
    def covered(self) -> float:
        """The share of the second network's elements that the first one's weights fill, 0 to 1."""
        filled = elements(self.fits.values())
        rest = elements(self.new.values()) + elements(shape for _, shape in self.resized.values())
        return filled / (filled + rest) if filled + rest else 1.0


def elements(shapes: Iterable[tuple[int, ...]]) -> int:
    """How many numbers are in tensors of some shapes."""
    return sum(map(math.prod, shapes))


def transfer(source: Graph, target: Graph) -> Transfer:
    """What of one network's state_dict fits in another's, by name and shape: parameters and running statistics."""
    have = {key: weight.shape for key, weight, _ in source.state()}
    want = {key: weight.shape for key, weight, _ in target.state()}
    both = [key for key in want if key in have]
    return Transfer(
        {key: want[key] for key in both if have[key] == want[key]},
        {key: (have[key], want[key]) for key in both if have[key] != want[key]},
        {key: shape for key, shape in have.items() if key not in want},
        {key: shape for key, shape in want.items() if key not in have},
    )
