"""Lines that run side by side: takes intervals, gives each a lane in which it meets no other; and where lines begin."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence


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


def starts(links: Mapping[tuple[int, int], Hashable]) -> list[float]:
    """Where each link leaves its source, from 0 to 1; what carries another tensor leaves it at another place."""
    carried: dict[int, list[Hashable]] = {}
    for (source, _), tensors in links.items():
        seen = carried.setdefault(source, [])
        if tensors not in seen:
            seen.append(tensors)
    return [
        carried[source].index(tensors) / (len(carried[source]) - 1) if len(carried[source]) > 1 else 1.0
        for (source, _), tensors in links.items()
    ]
