"""Every module says what it is for."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "archdsl"
MODULES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py") if "_data" not in path.parts)


@pytest.mark.parametrize("name", MODULES)
def test_module_docstring(name: str) -> None:
    docstring = ast.get_docstring(ast.parse((PACKAGE / name).read_text(encoding="utf-8")))
    assert docstring
    assert len(docstring.split()) >= 3
