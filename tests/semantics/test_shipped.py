"""The shipped specs have no finding: no error, no warning, of any of their variants."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl import library
from archdsl.api import ArchFile


@pytest.mark.parametrize("path", library.shipped(), ids=lambda path: path.stem)
def test_nothing_is_found(path: Path) -> None:
    assert ArchFile(library.read(path)).check() == ()
