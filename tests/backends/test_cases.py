"""Generated source computes what its graph says: small specs that are hard on the backend, bit for bit."""

from __future__ import annotations

import pytest

from tests.backends import checks, sources


@pytest.mark.parametrize(("case", "variant"), list(sources.case_names()))
def test_same_function(case: str, variant: str) -> None:
    found = sources.case(case, variant)
    checks.same_function(found.graph, found.source)


def test_source_is_deterministic() -> None:
    from archdsl import api

    for name in ("options", "numbers"):
        variant = next(iter(api.open(sources.CASES / f"{name}.arch")))
        assert api.find(sources.CASES / f"{name}.arch", variant).source == sources.case(name, variant).source
