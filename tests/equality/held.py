"""A variant held against a network that no `reference` item names: `archdsl verify`'s own comparison."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

import archdsl
from archdsl.graph.reference import Comparison, Reference
from archdsl.variant import Variant
from archdsl.verify.compare import compare, compare_models
from archdsl.verify.results import Result


def variant(family: str, name: str, **parameters: Any) -> Variant:
    """A shipped variant with other values for some parameters."""
    return archdsl.find(family, name).override(parameters)


def against(
    ours: Variant, library: str, model: str, arguments: Mapping[str, Any], *, numbers: bool = True, **how: Any
) -> Result:
    """Held against a library's model built with these arguments; `how` are keys of `reference`."""
    given = {name: tuple(value) if isinstance(value, list) else value for name, value in arguments.items()}
    return compare(ours, Reference(library, model, given, Comparison(**how)), numbers=numbers)


def against_transcription(ours: Variant, theirs: nn.Module, *, numbers: bool = True, **how: Any) -> Result:
    """Held against a network on the meta device that a test has written from the paper."""
    reference = Reference("the paper", ours.name, {}, Comparison(**how))
    return compare_models(ours, reference, theirs, ours.empty(), numbers=numbers)


def assert_equal(result: Result, *, numbers: bool = True) -> None:
    """Nothing was found, nothing skipped, and the numbers were compared or not."""
    assert not result.skipped
    assert result.findings == []
    assert result.numbers == numbers


class StochasticDepth(nn.Module):
    """Huang et al. 2016, whole samples, for transcriptions: each is kept with 1 - rate, and then divided by it."""

    def __init__(self, rate: float) -> None:
        super().__init__()
        self.rate = rate

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.rate == 0:
            return x
        kept = torch.empty(x.shape[0], 1, 1, 1, dtype=x.dtype, device=x.device).bernoulli_(1 - self.rate)
        return x * kept.div_(1 - self.rate)
