"""Generated source computes what its graph says: small specs that are hard on the backend, bit for bit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from archdsl import api
from tests.backends import checks

CASES = Path(__file__).with_name("cases")


def variants() -> Iterator[tuple[str, str]]:
    for path in sorted(CASES.glob("*.arch")):
        for variant in api.open(path):
            yield path.stem, variant


@pytest.mark.parametrize(("case", "variant"), list(variants()))
def test_same_function(case: str, variant: str) -> None:
    found = api.open(CASES / f"{case}.arch")[variant]
    checks.same_function(found.graph, found.source)
