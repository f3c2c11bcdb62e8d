"""The value of a knob at which a cost is nearest to a target. Takes a function of numbers; gives an `Answer`.

A cost is a step function: widths are rounded, depths are whole. What is between two steps no value has, so the
neighbours are part of the answer.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

SCAN = 32
"""Values tried around the two that enclose the target, so that costs that fall, too, are seen."""
CROSSINGS = 6
REACH = 60
"""Values tried to enclose the target."""
FINE = 1e-7
"""Two values that are no further apart, relative to their size, are the sides of a step."""
DIGITS = 9
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
    pair = search.enclose(start, additive)
    if pair is not None:
        search.narrow(*pair)
    best = min(search.known, key=lambda value: (abs(search.known[value] - target), value))
    below = [(value, found) for value, found in search.known.items() if found < target]
    above = [(value, found) for value, found in search.known.items() if found > target]
    return Answer(
        search.shortest(best),
        search.known[best],
        _short(search, max(below, key=lambda pair: pair[1], default=None)),
        _short(search, min(above, key=lambda pair: pair[1], default=None)),
        pair is not None,
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

    def enclose(self, start: float, additive: bool) -> tuple[float, float] | None:
        """Two neighbouring values whose costs have the target between them."""
        first = self.known[start]
        if first == self.target:
            return start, start
        upward = first < self.target
        return self._towards(start, upward, additive) or self._towards(start, not upward, additive)

    def _towards(self, start: float, up: bool, additive: bool) -> tuple[float, float] | None:
        """From `start` upwards or downwards until the cost is on the other side; None where it never is."""
        last, step = start, max(1.0, abs(start) / 2) if additive or self.whole else abs(start) / 2 or 1.0
        side = self.known[start] < self.target
        wrong = 0
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
            if (found < self.target) != side or found == self.target:
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
        if low == high:
            return
        margin = (high - low) / 2
        first, last = max(low - margin, low / 2) if low > 0 else low, high + margin
        values = [first + (last - first) * part / SCAN for part in range(SCAN + 1)]
        for value in sorted({round(value) for value in values}) if self.whole else values:
            self(value)
        around = sorted(value for value in self.known if first <= value <= last)
        crossings = [(a, b) for a, b in pairwise(around) if self._between(a, b)]
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

    def _between(self, a: float, b: float) -> bool:
        return (self.known[a] - self.target) * (self.known[b] - self.target) <= 0

    def _bisect(self, a: float, b: float) -> None:
        while b - a > (1 if self.whole else FINE * max(1e-3, abs(a), abs(b))):
            if self.target in (self.known[a], self.known[b]):
                return
            middle: float = self._near((int(a) + int(b)) // 2, a, b) if self.whole else (a + b) / 2
            if self(middle) is None:
                return
            a, b = (a, middle) if self._between(a, middle) else (middle, b)

    def shortest(self, value: float) -> float:
        """The value with the fewest digits that has the same cost."""
        if self.whole:
            return int(value)
        for digits in range(DIGITS):
            short = round(value, digits)
            if self(short) == self.known[value]:
                return short
        return value


def _rounded(value: float, up: bool) -> int:
    return math.ceil(value) if up else math.floor(value)
