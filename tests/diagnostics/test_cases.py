"""Whole runs: each `cases/*.txt` holds a spec and, after `--- rendered`, all that the CLI says about it.

The main codes of each phase in the setting a user meets them in, and faults together. The texts were read against the
spec when they were added; what a single code means is tested in tests/semantics, so a change of wording changes these
files only: ARCHDSL_UPDATE=1 writes them anew, to be read again in the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.render import render_plain
from archdsl.source import Source

CASES = sorted((Path(__file__).parent / "cases").glob("*.txt"))
MARK = "--- rendered\n"


def _rendered(text: str) -> str:
    try:
        return render_plain(ArchFile(Source("net.arch", text)).check()).rstrip() + "\n"
    except ArchError as error:
        return render_plain(error.diagnostics).rstrip() + "\n"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    source, _, expected = path.read_text(encoding="utf-8").partition(MARK)
    rendered = _rendered(source)
    if os.environ.get("ARCHDSL_UPDATE"):
        path.write_text(source + MARK + rendered, encoding="utf-8")
    assert rendered == expected


def test_there_are_cases() -> None:
    assert len(CASES) >= 10
