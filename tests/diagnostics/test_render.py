"""Rendering: each `render/*.txt` holds diagnostics (as data), the source and the text expected of them.

A case file: lines `code | message`, then `primary`, `secondary`, `note`, `help`, `severity` lines; the source after
`--- source NAME`; the expected text after `--- expected`. A place is `LINE:FIRST-LAST` (1-based columns, the last
included), `LINE:COLUMN` (nothing long), `OFFSET..OFFSET` or `end`, optionally `NAME@place`.
In a source `\\x1b`-like escapes stand for control characters. The expected texts are written by hand from the layout
in the language's design, and kept by hand: no option rewrites them.
"""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from archdsl.cli.documents.base import DiagnosticJson
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.diagnostic import Diagnostic, Label
from archdsl.diagnostics.render import render_plain, render_rich
from archdsl.source import Source, Span

CASES = sorted((Path(__file__).parent / "render").glob("*.txt"))


def _source(name: str, text: str) -> Source:
    return Source(name, re.sub(r"\\x([0-9a-f]{2})", lambda m: chr(int(m[1], 16)), text).replace("\\t", "\t"))


def _place(text: str, sources: dict[str, Source]) -> Span:
    name, _, place = text.rpartition("@")
    source = sources[name] if name else next(iter(sources.values()))
    if place == "end":
        return Span(source, len(source.text), len(source.text))
    if ".." in place:
        first, last = place.split("..")
        return Span(source, int(first), int(last))
    line, column, last_column = re.fullmatch(r"(\d+):(\d+)(?:-(\d+))?", place).groups()  # type: ignore[union-attr]
    start = source.line_starts[int(line) - 1] + int(column) - 1
    return Span(source, start, start + (int(last_column) - int(column) + 1 if last_column else 0))


def _case(path: Path) -> tuple[Diagnostic, str]:
    head, *parts = re.split(r"(?m)^--- (source .*|expected)\n", path.read_text(encoding="utf-8"))
    sections = dict(zip(parts[::2], parts[1::2], strict=True))
    expected = sections.pop("expected").rstrip("\n")
    names = [name.removeprefix("source ") for name in sections]
    sources = {n: _source(n, t.removesuffix("\n")) for n, t in zip(names, sections.values(), strict=True)}
    code, message = head.splitlines()[0].split(" | ")
    found: dict[str, list[str]] = {"primary": [], "secondary": [], "note": [], "help": [], "severity": []}
    for line in head.splitlines()[1:]:
        key, _, value = line.partition(" ")
        found[key].append(value)
    labels = [Label(_place(p, sources), t) for p, _, t in (text.partition(" ") for text in found["secondary"])]
    place, _, label = found["primary"][0].partition(" ") if found["primary"] else ("", "", "")
    span = _place(place, sources) if place else None
    severity = "warning" if found["severity"] == ["warning"] else "error"
    help_text = found["help"][0] if found["help"] else None
    diagnostic = Diagnostic(code, message, span, label, tuple(labels), help_text, tuple(found["note"]), severity)
    return diagnostic, expected


def _rich(diagnostics: list[Diagnostic], width: int = 400, colour: bool = False) -> str:
    out = StringIO()
    console = Console(file=out, width=width, force_terminal=colour, color_system="standard" if colour else None)
    console.print(render_rich(diagnostics))
    return out.getvalue()


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_case(path: Path) -> None:
    diagnostic, expected = _case(path)
    assert render_plain([diagnostic]) == expected


@pytest.mark.parametrize("path", [p for p in CASES if p.stem != "long_line"], ids=lambda path: path.stem)
def test_rich_has_the_same_layout(path: Path) -> None:
    diagnostic, expected = _case(path)
    assert _rich([diagnostic]).rstrip("\n").splitlines() == expected.splitlines()


def test_cases_are_found() -> None:
    assert len(CASES) >= 10


def test_several_are_parted_by_a_blank_line() -> None:
    one, two = Diagnostic("E001", "one"), Diagnostic("E002", "two", help="do")
    assert render_plain([one, two]) == "error[E001]: one\n\nerror[E002]: two\nhelp: do"
    assert render_plain([]) == ""


def test_markup_in_the_source_is_data() -> None:
    source = Source("[red]x[/red].arch", "[bold]conv[/bold] :smile: [/nothing]")
    text = _rich([Diagnostic("E001", "[blink]m[/blink]", Span(source, 0, 6), "[red]l", help="[i]h")])
    assert "[red]x[/red].arch:1:1" in text
    assert "[bold]conv[/bold] :smile: [/nothing]" in text
    assert "[blink]m[/blink]" in text
    assert "[red]l" in text
    assert "help: [i]h" in text


def test_colours_are_the_only_escapes() -> None:
    source = Source("a.arch", "x \x1b[2J\x07 y\x9b31m")
    text = _rich([Diagnostic("E001", "m\x1b]0;t\x07", Span(source, 2, 6), "l\x1b[1m")], colour=True)
    assert "\x1b[" in text
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", re.sub(r"\x1b\[[0-9;]*m", "", text))


def test_source_is_cut_to_the_console() -> None:
    source = Source("a.arch", "x = " + "conv(64, 3) -> " * 40)
    lines = _rich([Diagnostic("E001", "m", Span(source, 300, 304), "here")], width=60).splitlines()
    assert max(map(len, lines)) <= 60
    code, caret = lines[2], lines[3]
    assert code[caret.index("^") :].startswith(source.text[300:304])


def test_arch_error_prints_its_diagnostics() -> None:
    bag = Bag()
    bag.report("E101", Span(Source("a.arch", "x = y"), 4, 5), name="y", suggestion=None)
    with pytest.raises(ArchError, match=r"unknown name `y`") as caught:
        bag.raise_errors()
    assert " --> a.arch:1:5" in str(caught.value)


def test_json() -> None:
    source = Source("a.arch", "one\ntwo three\n")
    found = Diagnostic(
        "E106", "m", Span(source, 4, 7), "l", (Label(Span(source, 0, 8), "first"),), None, ("n",), "warning"
    )
    expected = {
        "code": "E106",
        "severity": "warning",
        "message": "m",
        "span": {"file": "a.arch", "line": 2, "column": 1, "end_line": 2, "end_column": 4},
        "label": "l",
        "secondary": [
            {
                "span": {"file": "a.arch", "line": 1, "column": 1, "end_line": 2, "end_column": 5},
                "label": "first",
            }
        ],
        "help": None,
        "notes": ["n"],
        "items": [],
    }
    assert json.loads(json.dumps(DiagnosticJson.of(found).plain())) == expected
    assert DiagnosticJson.of(Diagnostic("E601", "m")).span is None


# --- any text, any span ----------------------------------------------------------------------

_TEXT = st.text(st.one_of(st.characters(), st.sampled_from("\n\t\r\x1b\x9b\u202e界é́ ->(")), max_size=300)
_SOURCES = st.builds(Source, st.text(max_size=10), _TEXT)
_SPANS = st.builds(Span, _SOURCES, st.integers(-3, 310), st.integers(-3, 310))
_SHARED = _SOURCES.flatmap(
    lambda source: st.lists(st.builds(Span, st.just(source), st.integers(-3, 310), st.integers(-3, 310)), max_size=5)
)
_UNSAFE = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@st.composite
def _diagnostics(draw: st.DrawFn) -> Diagnostic:
    spans = [*draw(_SHARED), *draw(st.lists(_SPANS, max_size=1))]
    first = spans.pop(0) if spans and draw(st.booleans()) else None
    labels = tuple(Label(span, draw(_TEXT)) for span in spans)
    notes = tuple(draw(st.lists(_TEXT, max_size=2)))
    return Diagnostic("E001", draw(_TEXT), first, draw(_TEXT), labels, draw(st.none() | _TEXT), notes)


@given(_diagnostics())
def test_anything_renders_and_is_harmless(diagnostic: Diagnostic) -> None:
    text = render_plain([diagnostic])
    assert not _UNSAFE.search(text)
    text.encode()
    assert all(line == line.rstrip() for line in text.split("\n"))
    if diagnostic.span:
        assert "^" in text
    json.dumps(DiagnosticJson.of(diagnostic).plain())


@given(_diagnostics(), st.integers(1, 120))
def test_anything_renders_in_colour(diagnostic: Diagnostic, width: int) -> None:
    assert not _UNSAFE.search(_rich([diagnostic], width))


@given(st.text(st.sampled_from("ab界\t -é"), min_size=1, max_size=400), st.data())
def test_the_caret_stands_under_its_character(line: str, data: st.DataObject) -> None:
    """Whatever is before it and however the line is cut: one column per narrow character, two per wide one."""
    at = data.draw(st.integers(0, len(line) - 1))
    text = line[:at] + "@" + line[at + 1 :]
    rows = render_plain([Diagnostic("E001", "m", Span(Source("a", text), at, at + 1))]).split("\n")
    code, caret = rows[2], rows[3]
    columns = [c for c in code for _ in range(2 if c == "界" else 1)]
    assert columns[caret.index("^")] == "@"
    assert caret.count("^") == 1
