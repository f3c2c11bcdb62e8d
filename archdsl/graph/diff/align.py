"""Aligning two sequences: takes a score for each pair of members, gives the pairs of the best alignment in order.

Longest-common-subsequence style: members may be left alone at no cost, and those that are paired keep their order.
Of several best alignments the one that pairs the earliest members is taken, so that what a longer sequence has more
comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import TypeAlias

Pair: TypeAlias = tuple[int | None, int | None]
"""Positions in the first and the second sequence; None where a member has no partner."""

Score: TypeAlias = Callable[[int, int], float]
"""How well two members fit; at most 0: they cannot be paired."""

MAX_CELLS = 250_000
"""Size of the table of scores above which members are paired by place rather than by fit."""


def align(first: Sequence[Hashable], second: Sequence[Hashable], score: Score) -> list[Pair]:
    """The best alignment; every member is in exactly one pair. `score` takes positions.

    Members at both ends that are equal are paired at once, so that sequences that differ in few places take linear
    time; what is left in between takes the product of its lengths.
    """
    shorter = min(len(first), len(second))
    head = 0
    while head < shorter and first[head] == second[head]:
        head += 1
    tail = 0
    while tail < shorter - head and first[-1 - tail] == second[-1 - tail]:
        tail += 1
    rows, columns = len(first) - head - tail, len(second) - head - tail
    pairs: list[Pair] = [(i, i) for i in range(head)]
    if rows * columns > MAX_CELLS:
        inner = _by_place(rows, columns, lambda i, j: score(head + i, head + j))
    else:
        inner = _best(rows, columns, lambda i, j: score(head + i, head + j))
    pairs += [(None if i is None else head + i, None if j is None else head + j) for i, j in inner]
    pairs += [(len(first) - t, len(second) - t) for t in range(tail, 0, -1)]
    return pairs


def _best(rows: int, columns: int, score: Score) -> list[Pair]:
    """By dynamic programming over what remains: `best[i][j]` is the score of everything from i and j on."""
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    scores = [[score(i, j) for j in range(columns)] for i in range(rows)]
    for i in range(rows - 1, -1, -1):
        below, row, fits = best[i + 1], best[i], scores[i]
        for j in range(columns - 1, -1, -1):
            paired = below[j + 1] + fits[j] if fits[j] > 0 else -1.0
            row[j] = max(paired, below[j], row[j + 1])
    pairs: list[Pair] = []
    i = j = 0
    while i < rows and j < columns:
        if scores[i][j] > 0 and best[i][j] == best[i + 1][j + 1] + scores[i][j]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            pairs.append((i, None))
            i += 1
        else:
            pairs.append((None, j))
            j += 1
    pairs += [(k, None) for k in range(i, rows)]
    pairs += [(None, k) for k in range(j, columns)]
    return pairs


def _by_place(rows: int, columns: int, score: Score) -> list[Pair]:
    pairs: list[Pair] = []
    for k in range(max(rows, columns)):
        if k < rows and k < columns and score(k, k) > 0:
            pairs.append((k, k))
            continue
        pairs += [(k, None)] if k < rows else []
        pairs += [(None, k)] if k < columns else []
    return pairs
