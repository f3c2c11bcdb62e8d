"""`archdsl draw`: files of every format, options that do not go together, nothing half-written."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl.backends.diagram import engine
from tests.cli.conftest import Run

BEGINS = {"svg": b"<svg", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph"}


@pytest.mark.parametrize("format", list(BEGINS))
@pytest.mark.parametrize("level", ["overview", "blocks", "graph"])
def test_formats(arch: Run, format: str, level: str) -> None:
    result = arch("draw", "resnet18", "--level", level, "-o", f"a.{format}")
    assert (result.code, result.out) == (0, "")
    assert Path(f"a.{format}").read_bytes().startswith(BEGINS[format])
    assert result.err == f"wrote a.{format}\n"


def test_standard_output(arch: Run) -> None:
    assert arch("draw", "small.arch:large", "-o", "-").out.startswith("<svg")
    assert arch("draw", "small.arch:large", "-o", "-", "--format", "dot").out.startswith("digraph")


def test_the_default_name(arch: Run) -> None:
    assert arch("draw", "small.arch:large").code == 0
    assert Path("large.svg").is_file()


def test_settings(arch: Run) -> None:
    assert "24×" in arch("draw", "small.arch:large", "-o", "-", "--set", "width=12").out


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ("draw resnet18 -o a.gif", "unknown format 'gif'"),
        ("draw resnet18 -o a", "a has no suffix"),
        ("draw resnet18 --level diff", "compares networks"),
        ("draw resnet18 resnet34 --level overview", "compares networks"),
        ("draw resnet18 -o - --format png", "not printed"),
        ("draw resnet18 --columns 3", "range"),
        ("draw resnet18 --depth 2", "--depth does nothing for level overview"),
        ("draw resnet18 --block Basic", "--block does nothing for level overview"),
        ("draw resnet18 --level blocks --direction tb", "--direction does nothing for level blocks"),
        ("draw resnet18 --level graph --columns 1", "--columns does nothing for level graph"),
        ("draw resnet18 --engine dot -o a.html", "--engine does nothing for an HTML page"),
        ("draw convnext_roadmap --level diff --direction lr", "--direction does nothing for a picture of steps"),
    ],
)
def test_options_that_do_not_go_together(arch: Run, args: str, words: str) -> None:
    result = arch(*args.split())
    assert result.code == 2
    assert words in result.err
    assert not list(Path().glob("a*"))


def test_one_block(arch: Run) -> None:
    shown = arch("draw", "seresnet50", "--level", "blocks", "--block", "SE", "-o", "-").out
    assert "SE-1" in shown
    assert "Bottleneck" not in shown
    wrong = arch("draw", "seresnet50", "--level", "blocks", "--block", "Botleneck", "-o", "a.svg")
    assert wrong.code == 2
    assert "did you mean `Bottleneck`" in wrong.err


@pytest.mark.parametrize("output", ["a.svg", "a.html"])
def test_what_is_open(arch: Run, output: str) -> None:
    result = arch("draw", "resnet18", "--level", "graph", "--depth", "1", "--expand", "layer2.1", "-o", output)
    assert (result.code, result.err) == (0, f"wrote {output}\n")
    text = Path(output).read_text(encoding="utf-8")
    assert text.startswith("<svg" if output == "a.svg" else "<!doctype html>")
    wrong = arch("draw", "resnet18", "--level", "graph", "--expand", "layr2.1", "-o", f"b{output}")
    assert wrong.code == 2
    assert "did you mean `layer2.1`?" in wrong.err
    assert not Path(f"b{output}").exists()


def test_errors_of_the_spec_write_nothing(arch: Run) -> None:
    result = arch("draw", "wrong.arch", "-o", "a.svg")
    assert result.code == 1
    assert "E1" in result.err
    assert not Path("a.svg").exists()
    assert arch("draw", "small.arch:large", "-o", "no/such/a.svg").code == 2


def test_without_an_engine_dot_is_written(arch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "embedded_program", lambda: None)
    monkeypatch.setenv("PATH", "")
    result = arch("draw", "resnet18", "-o", "a.pdf")
    assert (result.code, result.out) == (2, "")
    assert "E610" in result.err
    assert "a.dot" in result.err
    assert Path("a.dot").read_text().startswith("digraph")
    assert not Path("a.pdf").exists()
    asked = arch("draw", "resnet18", "-o", "b.pdf", "--engine", "dot")
    assert asked.code == 2
    assert not list(Path().glob("b.*"))


@pytest.mark.parametrize(
    ("output", "format"), [("small.arch", "svg"), ("c.c", "dot"), ("c.svg", "svg"), ("c.png", "png")]
)
def test_a_file_that_archdsl_did_not_draw_is_kept(arch: Run, output: str, format: str) -> None:
    if not Path(output).exists():
        Path(output).write_bytes(b"\x89PNG\r\n\x1a\n and more")
    before = Path(output).read_bytes()
    command = ("draw", "small.arch:small", "-o", output, "--format", format)
    result = arch(*command)
    assert (result.code, result.out) == (2, "")
    assert "error[E607]" in result.err
    assert "--force replaces it" in result.err
    assert Path(output).read_bytes() == before
    assert arch(*command, "--force").code == 0
    assert Path(output).read_bytes().startswith(BEGINS[format])


@pytest.mark.parametrize("suffix", [*BEGINS, "html"])
def test_a_picture_that_archdsl_drew_is_replaced(arch: Run, suffix: str) -> None:
    for spec in "small.arch:small", "small.arch:large":
        assert arch("draw", spec, "-o", f"a.{suffix}").code == 0
    content = Path(f"a.{suffix}").read_bytes()
    assert arch("draw", "small.arch:large", "-o", f"b.{suffix}").code == 0
    assert Path(f"b.{suffix}").read_bytes() == content


def test_what_is_written_instead_replaces_nothing(arch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "embedded_program", lambda: None)
    monkeypatch.setenv("PATH", "")
    Path("a.dot").write_text("digraph mine {}")
    assert "E607" in arch("draw", "small.arch:small", "-o", "a.svg").err
    assert Path("a.dot").read_text() == "digraph mine {}"


def test_marked_pictures_are_whole(arch: Run) -> None:
    from PIL import Image

    assert arch("draw", "small.arch:small", "-o", "a.png").code == 0
    with Image.open("a.png") as picture:
        picture.load()
        assert picture.text["Software"] == "archdsl"
