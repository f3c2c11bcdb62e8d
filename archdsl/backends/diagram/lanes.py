"""Lines that run side by side: takes intervals, gives each a lane in which it meets no other."""

from __future__ import annotations

from collections.abc import Sequence


def lanes(intervals: Sequence[tuple[float, float]]) -> list[int]:
    """A lane for each interval, 0 the nearest; short ones are nearer, and ends that touch count as meeting."""
    found = [0] * len(intervals)
    taken: list[list[tuple[float, float]]] = []
    spans = [(min(a, b), max(a, b)) for a, b in intervals]
    for index in sorted(range(len(spans)), key=lambda i: (spans[i][1] - spans[i][0], i)):
        low, high = spans[index]
        lane = 0
        while lane < len(taken) and any(a <= high and low <= b for a, b in taken[lane]):
            lane += 1
        if lane == len(taken):
            taken.append([])
        taken[lane].append((low, high))
        found[index] = lane
    return found
