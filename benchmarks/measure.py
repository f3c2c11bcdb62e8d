"""Measuring two things against each other on a machine that other work disturbs.

The two are run alternately, in changing order, and the ratio is taken round by round: what slows the machine for a
while slows both. Reported are the median of the ratios and their range, never a time alone.
"""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass

Action = Callable[[], object]
Clock = Callable[[], float]


@dataclass(frozen=True)
class Result:
    """Ratios ours/peer of one benchmark, and the bound that their median must not exceed."""

    name: str
    bound: float
    ratios: list[float]
    ours: float
    """Median of our values, `unit`."""
    peer: float
    """Median of the peer's values, `unit`."""
    unit: str = "ms"

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def holds(self) -> bool:
        return self.ratio <= self.bound

    def __str__(self) -> str:
        low, high = min(self.ratios), max(self.ratios)
        verdict = "ok  " if self.holds else "MISS"
        return (
            f"{verdict} {self.name:42s} {self.ratio:6.3f} ({low:.3f}-{high:.3f}, {len(self.ratios)} rounds) "
            f"bound {self.bound:<5g} ours {self.ours:.1f} peer {self.peer:.1f} {self.unit}"
        )


def _milliseconds(action: Action, clock: Clock) -> float:
    gc.collect()
    start = clock()
    action()
    return 1000 * (clock() - start)


def versus(
    name: str,
    ours: Action,
    peer: Action,
    *,
    bound: float,
    rounds: int,
    warmups: int = 2,
    clock: Clock = time.perf_counter,
) -> Result:
    """Time `ours` and `peer` alternately and compare them round by round.

    `clock` returns seconds: wall time, or `time.process_time` where this process alone computes, on one thread.
    """
    for _ in range(warmups):
        ours()
        peer()
    times: list[tuple[float, float]] = []
    for index in range(rounds):
        if index % 2:
            theirs = _milliseconds(peer, clock)
            times.append((_milliseconds(ours, clock), theirs))
        else:
            mine = _milliseconds(ours, clock)
            times.append((mine, _milliseconds(peer, clock)))
    return Result(
        name,
        bound,
        [mine / theirs for mine, theirs in times],
        statistics.median(mine for mine, _ in times),
        statistics.median(theirs for _, theirs in times),
    )


def merged(results: list[Result]) -> Result:
    """One result of several measurements of the same comparison."""
    first = results[0]
    return Result(
        first.name,
        first.bound,
        [ratio for result in results for ratio in result.ratios],
        statistics.median(result.ours for result in results),
        statistics.median(result.peer for result in results),
        first.unit,
    )
