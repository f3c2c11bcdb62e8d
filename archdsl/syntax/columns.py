"""Texts laid out in columns and lines; nothing here knows what they mean."""

from __future__ import annotations

from collections.abc import Container, Sequence

WIDTH = 120
"""Columns of a line, where there is a place to break it."""


class _Every:
    def __contains__(self, index: object) -> bool:
        return True


def end_column(text: str, column: int) -> int:
    """The column after a text that begins at `column`."""
    cut = text.rfind("\n")
    return column + len(text) if cut < 0 else len(text) - cut - 1


def aligned(
    rows: Sequence[Sequence[str]],
    *,
    starts: Sequence[str] | None = None,
    comma: str = ",",
    gap: str = " ",
    only: Container[int] = _Every(),
) -> list[str]:
    """Rows of cells after their starts, each column's cells (or `only` those of some columns) under each other.

    Nothing is filled up behind the last cell of a row, so that its width does not count.
    """
    lines = list(starts) if starts is not None else [""] * len(rows)
    for index in range(max(map(len, rows), default=0)):
        for number, row in enumerate(rows):
            lines[number] += row[index] if index < len(row) else ""
        followed = [number for number, row in enumerate(rows) if index + 1 < len(row)]
        width = max((len(lines[number]) + len(comma) for number in followed), default=0) if index in only else 0
        for number in followed:
            lines[number] = (lines[number] + comma).ljust(width) + gap
    return lines


def aligned_where_it_fits(rows: Sequence[Sequence[str]], starts: Sequence[str], room: int = WIDTH) -> list[str]:
    """Rows between commas with their columns under each other, if no row becomes wider than `room` by that."""
    lines = aligned(rows, starts=starts)
    return lines if all(len(line) <= room for line in lines) else aligned(rows, starts=starts, only=())


def padded(heads: Sequence[str]) -> list[str]:
    """All as wide as the widest, and a blank."""
    width = max(map(len, heads), default=0)
    return [head.ljust(width) + " " for head in heads]


def filled(items: Sequence[str], column: int, end_of_line: str = ",") -> str:
    """Items between commas from a column on, as many a line as fit."""
    text, end = items[0], column + len(items[0])
    for item in items[1:]:
        fits = end + len(item) + 3 <= WIDTH
        text += ", " if fits else end_of_line + "\n" + " " * column
        end = len(item) + (end + 2 if fits else column)
        text += item
    return text
