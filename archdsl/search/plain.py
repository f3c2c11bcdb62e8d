"""A search in this process alone, that keeps nothing: every network of a space, or random ones, each once."""

from __future__ import annotations

import random
from collections.abc import Iterator

from archdsl.search.candidates import CandidateNetwork, Candidates, Places

MOST_REFUSED = 100_000
"""Points that are refused in a row before a search ends: its conditions leave nothing that drawing could find."""

FAILURES = 3
"""Networks after which a search ends if none of them could be scored: what is wrong is not the network."""


def gives_up(scored: int, failed: int) -> bool:
    """Whether a search that has scored so many, and failed with so many, ends there."""
    return scored == 0 and failed >= FAILURES


def points(candidates: Candidates, sampler: str, seed: int) -> Iterator[Places]:
    """Places to try, each once: all of them in order, or random ones without an end."""
    if sampler == "all":
        yield from candidates.all()
        return
    rng, seen = random.Random(seed), set[Places]()
    repeated = 0
    while repeated < MOST_REFUSED:
        places = candidates.draw(rng)
        if places in seen:
            repeated += 1
            continue
        seen.add(places)
        repeated = 0
        yield places


def networks(candidates: Candidates, sampler: str, seed: int) -> Iterator[CandidateNetwork]:
    """Networks of the space; ends where there are no more, or drawing finds none."""
    refused = 0
    for places in points(candidates, sampler, seed):
        network = candidates.at(places)
        if network is not None:
            refused = 0
            yield network
        elif sampler != "all":
            refused += 1
            if refused >= MOST_REFUSED:
                return
