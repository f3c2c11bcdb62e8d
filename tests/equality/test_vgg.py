"""VGG as a flat sequence, put together by splices: keys and numbers are torchvision's."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl import api
from tests.equality.held import against, assert_equal

FILE = Path(__file__).with_name("vgg.arch")
NAMES = [f"vgg{depth}{norm}" for depth in (11, 13, 16, 19) for norm in ("", "_bn")]


def test_all_variants_are_there() -> None:
    assert set(api.open(FILE)) == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_structure_and_keys(name: str) -> None:
    assert_equal(against(api.find(FILE, name), "torchvision", name, {}, numbers=False), numbers=False)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_outputs(name: str) -> None:
    assert_equal(against(api.find(FILE, name), "torchvision", name, {}))
