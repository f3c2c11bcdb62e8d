"""Source texts and places in them: offsets are stored, lines and columns derived."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from functools import cached_property


class Unreadable(Exception):
    """A file that cannot be read as a spec, and why; `outside`: one that the spec that uses it may not read."""

    def __init__(self, detail: str, *, outside: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.outside = outside


@dataclass(frozen=True, eq=False)
class Source:
    """One text, the name it is shown under (`resnet.arch`, `<stdin>`), and the file it was read from, if any.

    `path` is that file's real, absolute path: names change with the folder one is in, and links with where they lead.
    A line ends in a newline, in a file, from standard input and in a string alike; those of Windows become one.
    """

    name: str
    text: str = field(repr=False)
    path: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if "\r\n" in self.text:
            object.__setattr__(self, "text", self.text.replace("\r\n", "\n"))

    @property
    def identity(self) -> str:
        """What tells the files of a program apart: two names of one file are one file."""
        return self.path or self.name

    @cached_property
    def line_starts(self) -> list[int]:
        """Offsets at which lines begin; line 1 begins at `line_starts[0]`."""
        return [0, *(i + 1 for i, char in enumerate(self.text) if char == "\n")]

    def position(self, offset: int) -> tuple[int, int]:
        """The 1-based line and column of a 0-based character offset."""
        line = bisect_right(self.line_starts, offset)
        return line, offset - self.line_starts[line - 1] + 1

    def line(self, number: int) -> str:
        """The text of a 1-based line, without its newline."""
        starts = self.line_starts
        if not 1 <= number <= len(starts):
            return ""
        end = starts[number] - 1 if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end]


@dataclass(slots=True, unsafe_hash=True)
class Span:
    """A half-open range of characters of one source.

    Never changed once made. It is not `frozen`, nor are other values that a spec has thousands of: making one would
    take three times as long.
    """

    source: Source
    start: int
    end: int

    @property
    def line(self) -> int:
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        return self.source.text[self.start : self.end]

    def to(self, other: Span) -> Span:
        """The range from the beginning of this span to the end of another of the same source."""
        return Span(self.source, min(self.start, other.start), max(self.end, other.end))

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"
