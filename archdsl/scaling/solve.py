"""The value of a knob at which a cost is nearest to a target. Takes a function of numbers; gives an `Answer`.

A cost is a step function: widths are rounded, depths are whole. What is between two steps no value has, so the
neighbours are part of the answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Decimal
from itertools import pairwise

SCAN = 32
"""Values tried around the two that enclose the target, so that costs that fall, too, are seen."""
CROSSINGS = 6
REACH = 60
"""Values tried to enclose the target."""
FINE = 1e-7
"""Two values that are no further apart, relative to their size, are the sides of a step."""
DIGITS = 13
"""Places behind the point: as many as the sides of a step near 0 are exact to, and more."""
STRIDE = 33
"""Whole numbers next to a refused one that are tried in its place, on each of its sides."""

Cost = Callable[[float], int | None]


@dataclass(frozen=True)
class Answer:
    """The nearest value and its cost; `below` and `above` are the costs next to the target on its two sides, and a
    value for each, None where nothing was found there. `reached`: the target lies between two costs."""

    value: float
    cost: int
    below: tuple[float, int] | None
    above: tuple[float, int] | None
    reached: bool


def solve(cost: Cost, start: float, target: float, whole: bool, additive: bool) -> Answer | None:
    """The answer, None where not even `start` has a cost.

    `cost` is None where a value is refused. `whole`: only whole numbers are tried. `additive`: the knob may go below
    zero in steps, as an exponent does; otherwise it is halved.
    """
    search = _Search(cost, target, whole)
    if search(start) is None:
        return None
    pairs = search.enclose(start, additive)
    for pair in pairs:
        search.narrow(*pair)
    by_distance = sorted(search.known.items(), key=lambda pair: (abs(pair[1] - target), abs(pair[0] - start), pair[0]))
    best = by_distance[0][0]
    below = next((pair for pair in by_distance if pair[1] < target), None)
    above = next((pair for pair in by_distance if pair[1] > target), None)
    return Answer(
        search.shortest(best),
        search.known[best],
        _short(search, below),
        _short(search, above),
        bool(pairs) or search.known[start] == target,
    )


def _short(search: _Search, pair: tuple[float, int] | None) -> tuple[float, int] | None:
    return None if pair is None else (search.shortest(pair[0]), pair[1])


class _Search:
    """Costs known so far, by value."""

    def __init__(self, cost: Cost, target: float, whole: bool) -> None:
        self.cost, self.target, self.whole = cost, target, whole
        self.known: dict[float, int] = {}
        self.refused: set[float] = set()

    def __call__(self, value: float) -> int | None:
        if value not in self.known and value not in self.refused:
            found = self.cost(value)
            if found is None:
                self.refused.add(value)
            else:
                self.known[value] = found
        return self.known.get(value)

    def enclose(self, start: float, additive: bool) -> list[tuple[float, float]]:
        """Neighbouring values whose costs have the target between them; what is beside it, where `start` has it."""
        side = self.side(start)
        ways = [self._towards(start, up, additive) for up in ((True, False) if side <= 0 else (False, True))]
        found = [pair for pair in ways if pair is not None]
        found = found if side == 0 else found[:1]
        for first, last in found[:]:
            if self.side(last) == 0 and (beyond := self._towards(last, first < last, additive)):
                found.append(beyond)
        return found

    def side(self, value: float) -> int:
        """Whether the cost of a known value is below the target (-1), it (0), or above (1)."""
        found = self.known[value]
        return (found > self.target) - (found < self.target)

    def _towards(self, start: float, up: bool, additive: bool) -> tuple[float, float] | None:
        """From `start` upwards or downwards until the cost is on the other side; None where it never is."""
        last, step = start, max(1.0, abs(start) / 2) if additive or self.whole else abs(start) / 2 or 1.0
        side, wrong = self.side(start), 0
        for _ in range(REACH):
            value = last + step if up else last - step if additive else last - min(step, last / 2)
            if self.whole:
                least = last if up else -math.inf if additive else 0
                value = self._near(_rounded(value, up), least, math.inf if up else last)
            if value == last or not math.isfinite(value) or abs(value) > 1e9 or (not up and abs(value) < 1e-6):
                return None
            found = self(value)
            if found is None:
                if step <= (1 if self.whole else abs(last) * 1e-4 + 1e-6):
                    return None
                step = max(1.0, step // 4) if self.whole else step / 4
                continue
            if self.side(value) != side:
                return last, value
            worse = abs(found - self.target) >= abs(self.known[last] - self.target)
            wrong = wrong + 1 if worse else 0
            if wrong > 3:
                return None
            last, step = value, step * 2
        return None

    def narrow(self, one: float, other: float) -> None:
        """Try values between until the steps on both sides of the target are known."""
        low, high = min(one, other), max(one, other)
        margin = (high - low) / 2
        first, last = max(low - margin, low / 2) if low > 0 else low, high + margin
        values = [first + (last - first) * part / SCAN for part in range(SCAN + 1)]
        for value in sorted({round(value) for value in values}) if self.whole else values:
            self(value)
        around = sorted(value for value in self.known if first <= value <= last)
        crossings = [(a, b) for a, b in pairwise(around) if self.side(a) != self.side(b)]
        for a, b in crossings[:CROSSINGS]:
            self._bisect(a, b)

    def _near(self, value: int, least: float, most: float) -> int:
        """The whole number nearest to one between two that has a cost: others may be refused, as but for multiples
        of 8. The number itself, where none near it has."""
        for off in range(STRIDE):
            for near in (value - off, value + off):
                if least < near < most and self(near) is not None:
                    return near
        return value

    def _bisect(self, a: float, b: float) -> None:
        """Find where the costs of two values, on other sides of the target, meet: a step, or one on each side of it."""
        while b - a > (1 if self.whole else FINE * max(1e-3, abs(a), abs(b))):
            middle: float = self._near((int(a) + int(b)) // 2, a, b) if self.whole else (a + b) / 2
            if self(middle) is None:
                return
            if self.side(middle) not in (self.side(a), self.side(b)):
                self._bisect(a, middle)
            a, b = (a, middle) if self.side(middle) == self.side(b) else (middle, b)

    def shortest(self, value: float) -> float:
        """The number with the fewest digits in the step of a value. One that is in it is next to the value."""
        if self.whole:
            return int(value)
        exact = Decimal(repr(value))
        for digits in range(DIGITS):
            for way in (ROUND_HALF_EVEN, ROUND_FLOOR, ROUND_CEILING):
                short = float(exact.quantize(Decimal(1).scaleb(-digits), way)) + 0.0  # no -0
                if self(short) == self.known[value]:
                    return short
        return value


def _rounded(value: float, up: bool) -> int:
    return math.ceil(value) if up else math.floor(value)
