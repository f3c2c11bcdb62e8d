"""Every variant equals the models that its spec names: `archdsl verify --quick`, a test for each.

Structure of all; numbers of as few as cover every branch of each spec. Expected values are the libraries' own.
"""

from __future__ import annotations

import functools

import pytest

from archdsl.api import ArchFile
from archdsl.verify.choose import representatives
from archdsl.verify.compare import compare
from tests import shipped
from tests.equality import held

FILES: dict[str, ArchFile] = {name: shipped.opened(name) for name in shipped.families()}
ROWS = [
    pytest.param(family, variant.name, number, id=f"{variant.name}-{reference.library}")
    for family, file in FILES.items()
    for variant in file.values()
    for number, reference in enumerate(variant.references)
]

# What no library has, and the test that holds it against something else.
WITHOUT = {
    "convnext_isotropic_base": "test_convnext",
    "convnext_isotropic_large": "test_convnext",
    "convnext_isotropic_small": "test_convnext",
    "squeezenet1_0_complex_bypass": "test_squeezenet",
    **{f"van_b{number}": "test_van" for number in range(7)},
}


@functools.lru_cache
def chosen(family: str) -> set[tuple[str, str]]:
    """The variants of a family, and what with, whose numbers are compared."""
    rows = [(variant, reference) for variant in FILES[family].values() for reference in variant.references]
    return {(variant.name, reference.name) for variant, reference in representatives(rows)}


@pytest.mark.parametrize(("family", "name", "number"), ROWS)
def test_equal(family: str, name: str, number: int) -> None:
    variant = FILES[family][name]
    reference = variant.references[number]
    numbers = (name, reference.name) in chosen(family)
    held.assert_equal(compare(variant, reference, numbers=numbers), numbers=numbers)


def test_every_variant_has_a_reference_or_a_test_of_its_own() -> None:
    without = {variant.name for file in FILES.values() for variant in file.values() if not variant.references}
    steps = {name for family in ("convnext_roadmap", "convnext_roadmap_b") for name in FILES[family]}
    assert without - steps == WITHOUT.keys()  # of the steps there is no code: test_convnext_roadmap


@pytest.mark.parametrize("family", [family for family in FILES if family not in ("van",)])
def test_numbers_of_every_family_are_compared(family: str) -> None:
    assert chosen(family)
