"""The catalogue's examples are true: the wrong one gives its code and no other, the mended one gives nothing."""

from __future__ import annotations

from functools import cache
from textwrap import dedent

import pytest

from archdsl.api import ArchFile
from archdsl.diagnostics.catalogue import entries
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.diagnostics.render import render_plain
from archdsl.source import Source

SPECS = [entry for entry in entries().values() if entry.fence == "arch"]


@cache
def _check(text: str) -> tuple[Diagnostic, ...]:
    source = Source("example.arch", dedent(text).strip() + "\n")
    try:
        return ArchFile(source).check()
    except ArchError as error:
        return error.diagnostics


@pytest.mark.parametrize("code", [entry.code for entry in SPECS])
def test_wrong_example_gives_its_code(code: str) -> None:
    bag = _check(entries()[code].example)
    assert [d.code for d in bag] == [code], render_plain(bag)


@pytest.mark.parametrize("code", [entry.code for entry in SPECS])
def test_mended_example_gives_nothing(code: str) -> None:
    bag = _check(entries()[code].fixed)
    assert not bag, render_plain(bag)


@pytest.mark.parametrize("code", [entry.code for entry in SPECS])
def test_every_error_has_a_place_and_a_line(code: str) -> None:
    for diagnostic in _check(entries()[code].example):
        assert diagnostic.span is not None
        assert diagnostic.label or diagnostic.help
