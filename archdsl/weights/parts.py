"""Which part of a file a network is, and by whose names: reading and fitting together.

What all keys begin with is dropped unasked where it is an attribute that training frameworks write, and where all of
the rest fits then; otherwise it has to be asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence

from archdsl.graph.keymap import KeyMap
from archdsl.weights.fitting import STRICT, Adaptation, Fit, Shape, choose
from archdsl.weights.prefixes import ATTRIBUTES, WRAPPERS
from archdsl.weights.reading import Weights, read_weights

_DEEPEST = 4
"""Words before every key that may be dropped."""


def read_as(
    path: str | os.PathLike[str],
    ours: Mapping[str, Shape],
    keymaps: Mapping[str, KeyMap],
    wanted: KeyMap | None,
    weights_set: str | None = None,
    prefix: Sequence[str] = (),
    adaptation: Adaptation = STRICT,
) -> tuple[Weights, Fit]:
    """The tensors of a file, and how they fit best: under one map, if one is wanted. Faults are left to be reported.

    Raises ArchError as `read_weights` and `choose` do.
    """
    weights = read_weights(path, ours, weights_set, prefix)
    found = choose(ours, weights.shapes, keymaps, wanted, adaptation)
    if found.faults and not prefix:
        for shorter in _without_attributes(weights):
            fitting = choose(ours, shorter.shapes, keymaps, wanted, adaptation)
            if not fitting.faults:
                return shorter, fitting
    return weights, found


def _without_attributes(weights: Weights) -> Iterator[Weights]:
    """The same weights without what stands before every key, one word less each time."""
    for _ in range(_DEEPEST):
        tried = (weights.without(prefix) for prefix in (*ATTRIBUTES, *WRAPPERS))
        shorter = next((found for found in tried if found is not None), None)
        if shorter is None:
            return
        weights = shorter
        yield weights
