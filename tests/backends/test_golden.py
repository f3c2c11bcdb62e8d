"""Four generated files for review: what changes in the backend shows here. That they are right, other tests show."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from tests.backends import sources

GOLDEN = Path(__file__).with_name("golden")
REVIEWED = {
    "resnet50": "resnet",
    "densenet121": "densenet",
    "convnext_tiny": "convnext",
    "efficientnet_b0": "efficientnet",
}


@pytest.mark.parametrize("variant", REVIEWED)
def test_golden(variant: str, request: pytest.FixtureRequest) -> None:
    actual = sources.shipped(REVIEWED[variant], variant).source
    path = GOLDEN / f"{variant}.py"
    if request.config.getoption("--update", default=False):
        path.write_text(actual, encoding="utf-8")
    expected = path.read_text(encoding="utf-8")
    changes = difflib.unified_diff(expected.splitlines(), actual.splitlines(), "golden", "generated", lineterm="", n=1)
    assert actual == expected, "\n".join(changes)
