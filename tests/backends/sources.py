"""Every source that the tests here look at: of all shipped variants and of all cases."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from pathlib import Path

from archdsl import api, library
from archdsl.api import Variant

CASES = Path(__file__).with_name("cases")


def shipped_names() -> Iterator[tuple[str, str]]:
    """Family and variant of everything that is shipped."""
    for family in library.families():
        for variant in api.open(family):
            yield family, variant


def case_names() -> Iterator[tuple[str, str]]:
    """Case and variant."""
    for path in sorted(CASES.glob("*.arch")):
        for variant in api.open(path):
            yield path.stem, variant


@functools.cache
def shipped(family: str, variant: str) -> Variant:
    return api.find(family, variant)


@functools.cache
def case(name: str, variant: str) -> Variant:
    return api.find(CASES / f"{name}.arch", variant)


@functools.cache
def all_sources() -> dict[str, str]:
    """The text of every generated file, by a name for it."""
    found = {f"{variant}.py": shipped(family, variant).source for family, variant in shipped_names()}
    return found | {f"case_{name}_{variant}.py": case(name, variant).source for name, variant in case_names()}
