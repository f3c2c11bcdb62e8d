"""timm needs operators of torchvision's that need not be compiled here."""

from __future__ import annotations

import pytest

from tests.libraries import declare_operators


@pytest.fixture(autouse=True)
def _operators() -> None:
    declare_operators()
