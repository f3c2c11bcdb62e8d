"""Source lines with their underlines and labels, as styled pieces of text; `render` joins or colours them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from archdsl.diagnostics.glyphs import TAB, glyph, text_width, width
from archdsl.source import Span

Style = Literal["plain", "error", "warning", "message", "gutter", "primary", "secondary", "note", "help"]
Piece = tuple[str, Style]
Line = tuple[Piece, ...]

_GAP = 2
"""Columns kept free between two labels on one line."""


@dataclass(frozen=True, slots=True)
class MarkedPlace:
    """What is underlined on one line: its characters `start` to `end` (0-based, half-open, never empty)."""

    line: int
    start: int
    end: int
    text: str
    primary: bool


def clamped(span: Span) -> Span:
    """The span cut to its source, so that a wrong one is still shown somewhere."""
    length = len(span.source.text)
    start = min(max(span.start, 0), length)
    return Span(span.source, start, min(max(span.end, start), length))


def mark(span: Span, text: str, primary: bool) -> MarkedPlace:
    """The mark for a span: on its first line only, from its start to its end or to the line's."""
    span = clamped(span)
    number, column = span.source.position(span.start)
    line = span.source.line(number)
    start = min(column - 1, len(line))
    end = start + (span.end - span.start)
    if end > len(line):
        end = len(line.rstrip())
    return MarkedPlace(number, start, max(end, start + 1), text, primary)


def snippet(text: str, marks: Sequence[MarkedPlace], gutter: int, columns: int) -> Iterator[Line]:
    """One source line and what is to be said about it, cut to `columns`; the first mark is sure to be seen.

    Marks too far apart to be seen together are shown on another copy of the line.
    """
    rest = list(marks)
    while rest:
        excerpt = _excerpt(text, rest[0].start, columns)
        seen = [m for m in rest if excerpt.shows(m.start)]
        rest = [m for m in rest if not excerpt.shows(m.start)]
        yield bare_line(excerpt.text, seen[0].line, gutter)
        for row in _rows(seen, excerpt):
            yield from _annotations(row, gutter, columns)


def bare_line(text: str, number: int, gutter: int) -> Line:
    """A source line (made of glyphs already) behind its number."""
    head = f"{number:>{gutter}} |"
    return ((head, "gutter"), (f" {text}", "plain")) if text.strip() else ((head, "gutter"),)


# --- columns ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Excerpt:
    """The characters `first` to `last` of a line as shown; `columns[i]` is where character `first + i` begins."""

    text: str
    first: int
    last: int
    columns: tuple[int, ...]
    to_end: bool

    def shows(self, index: int) -> bool:
        return self.first <= index < self.last or (self.to_end and index >= self.last)

    def column(self, index: int) -> int:
        inside = min(max(index - self.first, 0), len(self.columns) - 1)
        return self.columns[inside]


def _excerpt(line: str, focus: int, columns: int) -> _Excerpt:
    """The part of a line around character `focus` that fits: a third before it, the rest after it."""
    columns = max(columns, 20)
    if len(line) > 2 * columns or _upper_width(line) > columns:
        first, last = _window(line, focus, columns - 2)
    else:
        first, last = 0, len(line)
    shown = ["…"] if first else []
    starts = [len(shown)]
    for char in line[first:last]:
        size = TAB - starts[-1] % TAB if char == "\t" else width(glyph(char))
        shown.append(" " * size if char == "\t" else glyph(char))
        starts.append(starts[-1] + size)
    if last < len(line):
        shown.append("…")
    return _Excerpt("".join(shown).rstrip(), first, last, tuple(starts), last == len(line))


def _upper_width(text: str) -> int:
    return sum(TAB if char == "\t" else width(glyph(char)) for char in text)


def _window(line: str, focus: int, columns: int) -> tuple[int, int]:
    first, used = _back(line, focus, columns // 3, 0)
    last = focus
    # Marks of width 0 take no columns: the number of characters is bounded too.
    while last < min(len(line), focus + 2 * columns) and used + _upper_width(line[last]) <= columns:
        used += _upper_width(line[last])
        last += 1
    if last == len(line):
        first, used = _back(line, first, columns, used)
    return first, last


def _back(line: str, first: int, columns: int, used: int) -> tuple[int, int]:
    """Move `first` towards the beginning while the columns used stay within `columns`."""
    farthest = first - 2 * columns
    while first > max(0, farthest) and used + _upper_width(line[first - 1]) <= columns:
        first -= 1
        used += _upper_width(line[first])
    return first, used


# --- underlines and labels -------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Underline:
    """A mark in columns."""

    start: int
    end: int
    text: str
    primary: bool

    @property
    def style(self) -> Style:
        return "primary" if self.primary else "secondary"

    def meets(self, other: _Underline) -> bool:
        """Whether the two cannot share a row: they overlap, or would look like one."""
        gap = 1 if self.primary == other.primary else 0
        return self.start < other.end + gap and other.start < self.end + gap


def _rows(marks: Sequence[MarkedPlace], excerpt: _Excerpt) -> list[list[_Underline]]:
    """Underlines in as few rows as keep them apart; the primary one is in the first."""
    rows: list[list[_Underline]] = []
    for item in sorted(marks, key=lambda m: (not m.primary, m.start, m.end)):
        start = excerpt.column(item.start)
        line = _Underline(start, max(excerpt.column(item.end), start + 1), item.text, item.primary)
        for row in rows:
            if not any(line.meets(other) for other in row):
                row.append(line)
                break
        else:
            rows.append([line])
    return rows


def _annotations(row: list[_Underline], gutter: int, columns: int) -> Iterator[Line]:
    """A row of underlines: the last label stands beside its own, the others hang below theirs."""
    row = sorted(row, key=lambda u: u.start)
    painted: list[tuple[int, str, Style]] = [
        (u.start, ("^" if u.primary else "-") * (u.end - u.start), u.style) for u in row
    ]
    last = row[-1]
    hanging = [u for u in row if u.text]
    if last.text and (last.end + 1 + text_width(last.text) <= columns or last.end - last.start <= _GAP):
        painted.append((last.end + 1, last.text, last.style))
        hanging.remove(last)
    yield _paint(painted, gutter)
    for line in _hang(hanging):
        yield _paint(line, gutter)


def _hang(labels: list[_Underline]) -> list[list[tuple[int, str, Style]]]:
    """Labels below their underlines' beginnings: from right to left, each as high as it fits."""
    lines: list[list[tuple[int, str, Style]]] = []
    free: list[float] = []
    for label in reversed(labels):
        end = label.start + text_width(label.text) + _GAP
        level = next((i for i, limit in enumerate(free) if end <= limit), len(free))
        if level == len(free):
            lines.append([])
            free.append(float("inf"))
        for i in range(level):
            lines[i].append((label.start, "|", label.style))
            free[i] = label.start
        lines[level].append((label.start, label.text, label.style))
        free[level] = label.start
    return lines


def _paint(parts: list[tuple[int, str, Style]], gutter: int) -> Line:
    """Parts at their columns, behind an empty gutter."""
    pieces: list[Piece] = [(" " * gutter + " | ", "gutter")]
    column = 0
    for start, text, style in sorted(parts):
        pieces += [(" " * (start - column), "plain"), (text, style)]
        column = start + text_width(text)
    return tuple(piece for piece in pieces if piece[0])
