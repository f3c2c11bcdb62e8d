"""Diagnostics as text, and in colour. Nothing of a source reaches the terminal but visible characters."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.diagnostics.entry import Severity
from archdsl.diagnostics.glyphs import one_line, some_lines
from archdsl.diagnostics.snippet import Line, MarkedPlace, Style, bare_line, clamped, mark, snippet
from archdsl.source import Source, Span

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.text import Text

COLUMNS = 100
"""Columns of source shown where the terminal's width is not asked for."""


def render_plain(diagnostics: Iterable[Diagnostic]) -> str:
    """The diagnostics as text without colour, a blank line between two; no newline at the end."""
    return "\n\n".join("\n".join(map(_plain, lay_out(diagnostic))) for diagnostic in diagnostics)


def render_rich(diagnostics: Iterable[Diagnostic]) -> RenderableType:
    """The same in colour, cut to the console's width. Source text is never read as rich's markup."""
    return _Coloured(tuple(diagnostics))


# --- layout ----------------------------------------------------------------------------------


def lay_out(diagnostic: Diagnostic, columns: int = COLUMNS) -> Iterator[Line]:
    """The lines of one diagnostic as styled pieces; `columns` is the width of the whole."""
    yield (
        (f"{diagnostic.severity}[{diagnostic.code}]", diagnostic.severity),
        (f": {one_line(diagnostic.message)}", "message"),
    )
    files = _marks_by_file(diagnostic)
    gutter = max((len(str(m.line)) for _, marks in files.values() for m in marks), default=2)
    for index, (span, marks) in enumerate(files.values()):
        yield _place(span, gutter, "-->" if index == 0 else ":::")
        yield from _file(span, marks, gutter, columns - gutter - 3)
    for note in diagnostic.notes:
        for index, text in enumerate(some_lines(note)):
            yield ((" " * (gutter + 1 + 2 * (index > 0)) + text, "note"),)
    if diagnostic.help is not None:
        first, *rest = some_lines(diagnostic.help)
        yield ("help", "help"), (f": {first}", "plain")
        for text in rest:
            yield ((" " * len("help: ") + text, "plain"),)


def _marks_by_file(diagnostic: Diagnostic) -> dict[Source, tuple[Span, list[MarkedPlace]]]:
    """For every source its first span, which stands for its place, and its marks; the primary's comes first."""
    files: dict[Source, tuple[Span, list[MarkedPlace]]] = {}

    def add(span: Span, text: str, primary: bool) -> None:
        files.setdefault(span.source, (span, []))[1].append(mark(span, one_line(text), primary))

    if diagnostic.span is not None:
        add(diagnostic.span, diagnostic.label, True)
    for label in diagnostic.secondary:
        add(label.span, label.text, False)
    return files


def _place(span: Span, gutter: int, arrow: str) -> Line:
    line, column = span.source.position(clamped(span).start)
    return (" " * gutter + arrow + " ", "gutter"), (f"{one_line(span.source.name)}:{line}:{column}", "plain")


def _file(span: Span, marks: list[MarkedPlace], gutter: int, columns: int) -> Iterator[Line]:
    """The marked lines of one source in their order, `...` where some are left out."""
    by_line: dict[int, list[MarkedPlace]] = {}
    for item in sorted(marks, key=lambda m: (m.line, not m.primary)):
        by_line.setdefault(item.line, []).append(item)
    previous = _line_before_end(span, by_line)
    if previous is not None:
        yield bare_line(one_line(span.source.line(previous))[:columns], previous, gutter)
    for number, here in by_line.items():
        if previous is not None and number > previous + 1:
            yield (("...", "gutter"),)
        yield from snippet(span.source.line(number), here, gutter, columns)
        previous = number


def _line_before_end(span: Span, by_line: dict[int, list[MarkedPlace]]) -> int | None:
    """The last line with text, where only the empty end of a source is marked: else nothing would be seen."""
    source = span.source
    first = min(by_line)
    if len(by_line) > 1 or first == 1 or source.text[source.line_starts[first - 1] :].strip():
        return None
    written = len(source.text.rstrip())
    return source.position(written - 1)[0] if written else None


# --- output ----------------------------------------------------------------------------------


def _plain(line: Line) -> str:
    return "".join(text for text, _ in line).rstrip()


_COLOURS: dict[Style, str] = {
    "plain": "",
    "error": "bold red",
    "warning": "bold yellow",
    "message": "bold",
    "gutter": "blue",
    "primary": "bold red",
    "secondary": "cyan",
    "note": "dim",
    "help": "bold green",
}


class _Coloured:
    """A rich renderable that lays the diagnostics out for the width it is given."""

    def __init__(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        self._diagnostics = diagnostics

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        from rich.text import Text

        for index, diagnostic in enumerate(self._diagnostics):
            if index:
                yield Text("")
            for line in lay_out(diagnostic, options.max_width):
                text = Text(overflow="fold")
                for piece, style in line:
                    text.append(piece, _style(style, diagnostic.severity))
                text.rstrip()
                yield text


def _style(style: Style, severity: Severity) -> str:
    return _COLOURS["warning" if style == "primary" and severity == "warning" else style]
