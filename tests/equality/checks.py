"""The checks that every family's equality test repeats: structure on the meta device, outputs, a training step."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar

import pytest
import torch
from torch import nn

from tests.equality import reference

Pair = tuple[nn.Module, nn.Module]


class Structure:
    """A family's test class inherits these and gives a fixture `pair`: the reference and ours, both without memory.

    No arithmetic, so that every variant is cheap to compare.
    """

    SIZE: ClassVar[int] = 97
    # What settings need not agree on, with the reason where a family sets it.
    EXCEPT: ClassVar[frozenset[str]] = frozenset()

    def test_state_dict(self, pair: Pair) -> None:
        theirs, mine = pair
        assert reference.state(mine) == reference.state(theirs)

    def test_macs(self, pair: Pair) -> None:
        theirs, mine = pair
        assert reference.macs(mine, self.SIZE) == reference.macs(theirs, self.SIZE)

    def test_settings(self, pair: Pair) -> None:
        theirs, mine = (
            {path: {k: v for k, v in found.items() if k not in self.EXCEPT} for path, found in settings.items()}
            for settings in map(reference.settings, pair)
        )
        assert mine == theirs

    def test_drop_rates(self, pair: Pair) -> None:
        theirs, mine = pair
        rates = reference.drop_rates(theirs, self.SIZE)
        assert reference.drop_rates(mine, self.SIZE) == pytest.approx(rates, abs=1e-12)


def assert_same_operations(pair: Pair, sizes: tuple[int, int] = (96, 97), ignored: tuple[str, ...] = ()) -> None:
    """The same aten operations with the same arguments on the same shapes, at an even and an odd size (meta device).

    Padding and rounding errors can vanish at either. `ignored` are operations that equal networks may write
    differently; their equality is then the outputs' matter.
    """
    for size in sizes:
        theirs, mine = (Counter(map(_canonical, reference.operations(model, size).elements())) for model in pair)
        for seen in (theirs, mine):
            for operation in [o for o in seen if o[0] in ignored]:
                del seen[operation]
        assert mine == theirs


def _canonical(operation: tuple[Any, ...]) -> tuple[Any, ...]:
    """A mean over (-1, -2) of four axes is the mean over (2, 3)."""
    name, *arguments = operation
    if name == "mean" and len(arguments) > 1 and isinstance(arguments[1], tuple):
        rank = len(arguments[0])
        return (name, arguments[0], tuple(sorted(axis % rank for axis in arguments[1])), *arguments[2:])
    return operation


def assert_declared_by_torchvision(mine: nn.Module, variant: str, weights: str = "IMAGENET1K_V1") -> None:
    """torchvision's weights declare the number of parameters and the GMACs (3 decimals) at their crop size."""
    declared = reference.import_torchvision().models.get_model_weights(variant)[weights]
    assert sum(p.numel() for p in mine.parameters()) == declared.meta["num_params"]
    (crop,) = declared.transforms().crop_size
    assert round(reference.macs(mine, crop) / 1e9, 3) == declared.meta["_ops"]


def output_differences(theirs: nn.Module, mine: nn.Module, sizes: tuple[int, int] = (96, 97)) -> dict[int, float]:
    """`reference.compare` at each size; frees the models' memory as far as the caller keeps none of them."""
    differences = {size: reference.compare(theirs, mine, size) for size in sizes}
    gc.collect()
    return differences


@contextmanager
def in_double(theirs: nn.Module, mine: nn.Module) -> Iterator[None]:
    """Both networks and new tensors in double precision.

    For networks that are equal but sum in another order: in single precision deep networks with random weights blow
    such differences up to 1e-5 and more, where an error could hide.
    """
    theirs.double()
    mine.double()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


def differences_in_double(theirs: nn.Module, mine: nn.Module, sizes: tuple[int, int] = (96, 97)) -> dict[int, float]:
    """As `output_differences`, in double precision."""
    with in_double(theirs, mine):
        return output_differences(theirs, mine, sizes)


def assert_close_training_step(theirs: nn.Module, mine: nn.Module, size: int) -> None:
    """Gradients and batch statistics that differ by no more than 1e-9 of their greatest value, in double precision."""
    with in_double(theirs, mine):
        expected, actual = reference.train_step(theirs, size), reference.train_step(mine, size)
    assert actual.keys() == expected.keys()
    for key, value in expected.items():
        greatest = float(value.abs().max())
        assert float((actual[key] - value).abs().max()) <= 1e-9 * greatest, key


def assert_same_training_step(theirs: nn.Module, mine: nn.Module, size: int = 96) -> None:
    """The same gradients and the same batch statistics, bit for bit."""
    expected, actual = reference.train_step(theirs, size), reference.train_step(mine, size)
    assert actual.keys() == expected.keys()
    assert [key for key in expected if not torch.equal(actual[key], expected[key])] == []
