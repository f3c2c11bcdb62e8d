"""torchvision can be imported in all of these tests; see tests/libraries.py."""

from __future__ import annotations

import pytest


@pytest.fixture(scope="session", autouse=True)
def _torchvision() -> None:
    from tests.libraries import declare_operators

    declare_operators()
