"""From DOT to files: the same bytes on every run, fonts in PDF, what happens without an engine."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pypdfium2
import pytest

from archdsl import api
from archdsl.backends.diagram import Drawing, engine, render
from archdsl.diagnostics.core import ArchError


@pytest.fixture(scope="module")
def overview() -> Drawing:
    return api.find("resnet18").drawing()


@pytest.fixture(scope="module")
def blocks() -> Drawing:
    return api.find("resnet18").drawing("blocks")


@pytest.mark.parametrize("format", ["svg", "png", "pdf", "dot"])
def test_the_same_bytes_again(blocks: Drawing, format: str) -> None:
    assert blocks.render(format) == blocks.render(format)  # type: ignore[arg-type]


def test_the_same_bytes_in_another_process(overview: Drawing, tmp_path: Path) -> None:
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        command = [sys.executable, "-m", "archdsl", "draw", "resnet18", "-o", f"{seed}.svg"]
        subprocess.run(command, check=True, cwd=tmp_path, env=environment, capture_output=True)
        assert (tmp_path / f"{seed}.svg").read_bytes() == overview.render("svg")


def test_formats_are_what_they_say(overview: Drawing) -> None:
    assert overview.render("svg").startswith(b"<svg")
    assert overview.render("png").startswith(b"\x89PNG")
    assert overview.render("pdf").startswith(b"%PDF")
    assert overview.render("dot").startswith(b"digraph")


def test_svg_stands_alone(overview: Drawing) -> None:
    text = overview.svg
    for outside in ("<!DOCTYPE", "<!--", "<script", "<a ", "<image", "href", "url(", "@import"):
        assert outside not in text
    assert text.count("http") == 1  # the namespace


def test_pdf_has_its_text_and_its_font(blocks: Drawing) -> None:
    content = blocks.render("pdf")
    document = pypdfium2.PdfDocument(content)
    assert len(document) == 1
    text = document[0].get_textpage().get_text_bounded()
    for words in ("3×3 conv, BN, ReLU", "C → width", "+"):
        assert words in text
    assert b"/FontFile2" in content  # embedded, as publishers ask for
    assert b"/BaseFont /Helvetica" not in content.replace(b"/BaseFont /Helvetica /Encoding /WinAnsiEncoding", b"")


def test_pdf_has_the_size_of_the_picture(overview: Drawing) -> None:
    page = pypdfium2.PdfDocument(overview.render("pdf"))[0]
    wide = float(overview.svg.partition('width="')[2].partition("pt")[0])
    assert page.get_width() == pytest.approx(wide, rel=0.02)


def test_without_any_engine(overview: Drawing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(engine, "embedded_program", lambda: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ArchError) as raised:
        overview.render("svg")
    assert [d.code for d in raised.value.diagnostics] == ["E610"]
    assert overview.render("dot").startswith(b"digraph")


def test_the_systems_dot_is_used_when_asked(overview: Drawing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _program(tmp_path / "dot", 'echo "$@"; cat > /dev/null')
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    assert overview.render("pdf", "dot") == b"-Kneato -n2 -Tpdf -Gmargin=0\n"
    assert overview.render("svg", "embedded").startswith(b"<svg")


def test_the_systems_dot_gets_our_fonts() -> None:
    """Texts that look like a font's name stay as they are."""
    dot = 'a [fontname=Helvetica] b [fontname="Helvetica-Bold"] c [label="fontname=Helvetica \\" fontname=Helvetica"]'
    ours = 'a [fontname=Arimo] b [fontname="Arimo Bold"] c [label="fontname=Helvetica \\" fontname=Helvetica"]'
    assert render._with_our_fonts(dot) == ours


def test_a_failing_engine(overview: Drawing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _program(tmp_path / "dot", "cat > /dev/null; echo syntax >&2; exit 3")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with pytest.raises(ArchError) as raised:
        overview.render("pdf", "dot")
    assert [d.code for d in raised.value.diagnostics] == ["E611"]
    assert "syntax" in raised.value.diagnostics[0].message


def _program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
