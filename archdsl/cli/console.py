"""Printing: data to standard output, notes to standard error. rich is imported where it is needed, not before.

All text for people goes through here, and no character of it moves, rings or recolours a terminal: `shown` stands at
the end of every way. Data (`write_json`, `write_data`) is written as it is.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, cast

from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.diagnostics.glyphs import shown

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType
    from rich.segment import Segment, Segments
    from rich.text import Text

UNBOUNDED = 10_000
"""Columns where no terminal limits them: nothing is wrapped or cut in a pipe."""


MANY = 1_000
"""Rows of a table above which it is printed without colours, on a terminal too."""


def is_coloured(stream: IO[str]) -> bool:
    """Whether rich should print to a stream: a terminal, or FORCE_COLOR. rich itself respects NO_COLOR."""
    return bool(os.environ.get("FORCE_COLOR")) or stream.isatty()


class VisibleStream:
    """A stream to people: what is written to it is shown."""

    def __init__(self, stream: IO[str]) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        return self.stream.write(shown(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def console(stream: IO[str]) -> Console:
    """rich's console for standard output or error."""
    from rich.console import Console
    from rich.segment import Segment

    class Piped(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError  # rich would exit with 1, which here means findings

    class Coloured(Piped):
        """Its stream gets rich's own escapes too, so texts are looked at before these are put around them."""

        def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
            for found in super().render(renderable, options):
                yield found if found.control else Segment(shown(found.text), found.style)

    coloured = is_coloured(stream)
    made, file = (Coloured, stream) if coloured else (Piped, cast(IO[str], VisibleStream(stream)))
    width = None if coloured or "COLUMNS" in os.environ else UNBOUNDED
    return made(file=file, width=width, highlight=False, markup=False, emoji=False)


def text(value: str, style: str = "") -> Text:
    """A text for a table. rich leaves some control characters out, and takes others for no column wide."""
    from rich.text import Text

    return Text(shown(value), style)


def width() -> int:
    """Columns of standard output."""
    return console(sys.stdout).width


def show(*renderables: RenderableType) -> None:
    """Print tables and texts to standard output."""
    from rich.table import Table
    from rich.text import Text

    out = console(sys.stdout)
    for renderable in renderables:
        if isinstance(renderable, Table) and (out.width == UNBOUNDED or renderable.row_count > MANY):
            from archdsl.cli.plain import lines

            sys.stdout.writelines(text + "\n" for text in lines(renderable))
        elif isinstance(renderable, Table | Text):
            out.print(_without_ends(out, renderable), end="")
        else:
            out.print(renderable)


def _without_ends(out: Console, renderable: RenderableType) -> Segments:
    """A table or a text without the blanks that rich ends lines with."""
    from rich.segment import Segment, Segments

    found: list[Segment] = []
    for line in out.render_lines(renderable, pad=False):
        while line and not line[-1].text.strip():
            line.pop()
        if line:
            *first, (text, style, _) = line
            found += [*first, Segment(text.rstrip(), style)]
        found.append(Segment.line())
    return Segments(found)


def line(text: str = "") -> None:
    """Print a line."""
    VisibleStream(sys.stdout).write(text + "\n")


def note(text: str) -> None:
    """Print a note for the reader, never data."""
    VisibleStream(sys.stderr).write(text + "\n")


def above(out: Console, value: str) -> None:
    """Print a line on a console that shows bars, above them."""
    out.print(text(value))


def write_data(text: str) -> None:
    """Print a file's text as it is, as UTF-8, whatever the terminal's encoding is."""
    sys.stdout.flush()
    sys.stdout.buffer.write(text.encode())
    sys.stdout.buffer.flush()


def write_json(document: Mapping[str, Any]) -> None:
    """Print one JSON document."""
    sys.stdout.write(json.dumps(document, indent=2) + "\n")


def diagnose(diagnostics: Iterable[Diagnostic], stream: IO[str]) -> None:
    """Print diagnostics with their places, a blank line after each."""
    found = tuple(diagnostics)
    if not found:
        return
    if is_coloured(stream):
        from archdsl.diagnostics.render import render_rich

        console(stream).print(render_rich(found))
    else:
        from archdsl.diagnostics.render import render_plain

        VisibleStream(stream).write(render_plain(found) + "\n")
    stream.write("\n")


def tally(diagnostics: Iterable[Diagnostic]) -> str:
    """`2 errors, 1 warning`"""
    found = [d.severity for d in diagnostics]
    counts = [(found.count(kind), kind) for kind in ("error", "warning") if kind in found]
    return ", ".join(f"{count} {kind}{'s' * (count != 1)}" for count, kind in counts)


@contextmanager
def busy(what: str) -> Iterator[None]:
    """Say on a terminal what is taking its time; silent elsewhere."""
    if not sys.stderr.isatty():
        yield
        return
    with console(sys.stderr).status(shown(what)):
        yield
