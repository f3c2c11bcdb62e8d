"""`solve`: costs that are steps, fall, or never reach the target."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Callable
from decimal import Decimal

import pytest

from archdsl.scaling import solve


def smooth(value: float) -> int | None:
    return round(1e9 * value**2) if value > 0 else None


def test_a_smooth_cost_is_met() -> None:
    answer = solve(smooth, 1.0, 3.7e9, whole=False, additive=False)
    assert answer is not None
    assert answer.reached
    assert answer.cost == pytest.approx(3.7e9, rel=1e-6)
    assert answer.value == pytest.approx(math.sqrt(3.7), rel=1e-6)


def test_below_the_start_too() -> None:
    answer = solve(smooth, 1.0, 2.5e7, whole=False, additive=False)
    assert answer is not None
    assert answer.cost == pytest.approx(2.5e7, rel=1e-6)


def test_a_whole_knob_says_its_neighbours() -> None:
    answer = solve(lambda n: int(100 * n) if n >= 1 else None, 3, 730, whole=True, additive=False)
    assert answer is not None
    assert (answer.value, answer.cost, answer.below, answer.above) == (7, 700, (7, 700), (8, 800))


def test_steps_are_found_on_both_sides() -> None:
    """A width rounded to 8: between 64 and 72 there is nothing."""
    answer = solve(lambda w: 8 * round(64 * w / 8), 1.0, 69, whole=False, additive=False)
    assert answer is not None
    assert answer.below is not None
    assert answer.above is not None
    assert (answer.below[1], answer.above[1], answer.cost) == (64, 72, 72)
    assert answer.value == 1.1  # the shortest number whose width is 72


def test_an_exponent_goes_below_zero() -> None:
    answer = solve(lambda phi: round(1e9 * 2**phi), 0, 3e8, whole=False, additive=True)
    assert answer is not None
    assert answer.value == pytest.approx(math.log2(0.3), rel=1e-5)


def test_a_cost_that_falls() -> None:
    answer = solve(lambda groups: 4096 // int(groups), 1, 100, whole=True, additive=False)
    assert answer is not None
    assert (answer.value, answer.cost) == (41, 99)


def test_the_nearest_of_a_cost_that_is_not_monotone() -> None:
    """Between the two values that enclose the target it is crossed three times."""
    wave = {1: 10, 2: 40, 3: 90, 4: 45, 5: 80, 6: 200}
    answer = solve(lambda n: wave.get(int(n)), 1, 79, whole=True, additive=False)
    assert answer is not None
    assert (answer.value, answer.cost) == (5, 80)


def test_out_of_reach() -> None:
    answer = solve(lambda value: 10 if value < 3 else None, 1.0, 20, whole=False, additive=False)
    assert answer is not None
    assert not answer.reached
    assert solve(lambda value: None, 1.0, 20, whole=False, additive=False) is None


@pytest.mark.parametrize(("stride", "start"), [(8, 96), (24, 336), (32, 544)])
def test_a_whole_knob_of_which_most_values_are_refused(stride: int, start: int) -> None:
    """A width that has to be a multiple, as of the groups of a convolution."""
    costs = {width: 100 * width**2 + 37 * width for width in range(stride, 4000, stride)}
    for target in (34_783_933, 53_326_647, 54_900_398):
        answer = solve(lambda width: costs.get(int(width)), start, target, whole=True, additive=False)
        assert answer is not None
        assert answer.reached
        below = max((cost, width) for width, cost in costs.items() if cost < target)
        above = min((cost, width) for width, cost in costs.items() if cost > target)
        assert answer.below == below[::-1]
        assert answer.above == above[::-1]
        assert answer.cost == min(costs.values(), key=lambda cost: abs(cost - target))


def test_the_shortest_number_of_a_step_that_begins_at_zero() -> None:
    """A step goes from just above 0 to 0.05: what bisection finds of it is as near to 0 as can be."""
    steps: Callable[[float], int] = lambda value: 10 if value <= 0 else 20 if value < 0.05 else 30  # noqa: E731
    answer = solve(steps, 0, 21, whole=False, additive=True)
    assert answer is not None
    assert (answer.value, answer.below, answer.above) == (0.04, (0.04, 20), (1.0, 30))
    answer = solve(steps, 0, 11, whole=False, additive=True)
    assert answer is not None
    assert (answer.value, answer.below, answer.above) == (0.0, (0.0, 10), (0.01, 20))


@pytest.mark.parametrize("start", [1.0, 2.0, 3.0])
@pytest.mark.parametrize("kind", [int, float])
def test_the_rows_beside_a_target_that_is_met_are_its_neighbours(start: float, kind: type) -> None:
    """Of costs 0, 8, 16, … the one below 16 is 8 and the one above it 24, wherever the search began."""
    answer = solve(lambda w: 8 * int(w) if w > 0 else None, kind(start), 16, whole=kind is int, additive=False)
    assert answer is not None
    assert answer.below is not None
    assert answer.above is not None
    assert (answer.value, answer.cost, answer.below[1], answer.above[1]) == (2, 16, 8, 24)


@pytest.mark.parametrize("seed", range(60))
def test_random_steps(seed: int) -> None:
    """The nearest cost, its neighbours, and a value with as few places as any in its step."""
    chance = random.Random(seed)
    edges = sorted(
        {round(chance.uniform(0.05, 8), chance.choice([1, 2, 3, 5, 9])) for _ in range(chance.randint(2, 12))}
    )
    costs = list(itertools.accumulate((chance.randint(1, 50) for _ in edges), initial=100))
    target = chance.randint(101, costs[-1])

    def cost(value: float) -> int | None:
        return costs[sum(value >= edge for edge in edges)] if value > 0 else None

    answer = solve(cost, 1.0, target, whole=False, additive=False)
    assert answer is not None
    assert answer.reached
    assert abs(answer.cost - target) == min(abs(known - target) for known in costs)
    assert [pair and pair[1] for pair in (answer.below, answer.above)] == [
        max((known for known in costs if known < target), default=None),
        min((known for known in costs if known > target), default=None),
    ]
    step = costs.index(answer.cost)
    low, high = [0.001, *edges][step], [*edges, 16.0][step]
    places = max(0, -Decimal(repr(answer.value)).normalize().as_tuple().exponent)  # type: ignore[operator]
    for fewer in range(places):
        assert math.ceil(low * 10**fewer - 1e-12) / 10**fewer >= high
