"""Generated classes and functions, called with other arguments than the spec's: as the spec would compute it, or not."""

from __future__ import annotations

import inspect
from types import ModuleType

import pytest

from archdsl.backends.module import compile_source
from tests.backends import sources


@pytest.fixture(scope="module")
def generated() -> ModuleType:
    variant = sources.case("divisions", "net")
    return compile_source(variant.graph, variant.source)


def test_what_does_not_divide_is_refused(generated: ModuleType) -> None:
    with pytest.raises(ValueError, match="width must be divisible by 2"):
        generated.Half(3, 37)
    assert generated.Half(3, 26).conv2.out_channels == 13


@pytest.mark.parametrize("width", [18, 20, 30, 32, 54, 66])
def test_a_rounded_division_rounds(generated: ModuleType, width: int) -> None:
    """All widths of the spec are multiples of 12; these lie between."""
    assert generated.Half(3, width).conv3.out_channels == round(width / 12)


def test_a_function_divides_exactly(generated: ModuleType) -> None:
    for value in range(1, 40):
        for by in (1, 3, 4, 5, 8):
            assert generated.near(value, by) == max(by, int(value + by / 2) // by * by)


def test_a_parameter_named_like_the_width_of_an_input(generated: ModuleType) -> None:
    assert [*inspect.signature(generated.Join).parameters] == ["a_channels_", "b_channels", "a_channels", "width"]
    join = generated.Join(5, 3, a_channels=7, width=2)
    assert (join.left.in_channels, join.left.out_channels, join.fuse.in_channels) == (5, 7, 10)
