"""Every source that the tests here look at: of all shipped variants and of all cases."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import tests.shipped
from archdsl import api
from archdsl.api import ArchFile, Variant

CASES = Path(__file__).with_name("cases")


def shipped_names() -> Iterator[tuple[str, str]]:
    """Family and variant of everything that is shipped."""
    return ((family, variant.name) for family, variant in tests.shipped.variants())


def case_names() -> Iterator[tuple[str, str]]:
    """Case and variant."""
    for path in sorted(CASES.glob("*.arch")):
        for variant in _opened(path.stem):
            yield path.stem, variant


def shipped(family: str, variant: str) -> Variant:
    return tests.shipped.opened(family)[variant]


@functools.cache
def _opened(case: str) -> ArchFile:
    return api.open(CASES / f"{case}.arch")


def case(name: str, variant: str) -> Variant:
    return _opened(name)[variant]


@functools.cache
def all_sources() -> dict[str, str]:
    """The text of every generated file, by a name for it."""
    found = {f"{variant}.py": shipped(family, variant).source for family, variant in shipped_names()}
    return found | {f"case_{name}_{variant}.py": case(name, variant).source for name, variant in case_names()}


def without_numbers(source: str) -> str:
    """A source's code but for its numbers: where it is the same, the same branches make the network."""
    return re.sub(r"\d[\d.e_-]*", "#", re.sub(r'""".*?"""', "", source, flags=re.DOTALL))
