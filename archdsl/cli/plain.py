"""Tables as lines of text, laid out as rich lays them out where nothing limits their width; no line ends in blanks.

rich takes half a millisecond for a row, which is a minute for a network of 100,000 layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, zip_longest

from rich.cells import cell_len
from rich.table import Column, Table
from rich.text import Text


def lines(table: Table) -> Iterator[str]:
    """The lines of a table whose columns are two blanks apart (`plain_table`, or a grid), without colours."""
    columns = table.columns
    cells = [[_rows(cell) for cell in column.cells] for column in columns]
    heads = [_rows(column.header) for column in columns]
    feet = [_rows(column.footer) for column in columns]
    shown = [
        [*([head] if table.show_header else []), *own, *([foot] if table.show_footer else [])]
        for head, own, foot in zip(heads, cells, feet, strict=True)
    ]
    widths = [
        max(column.min_width or 1, *(cell_len(line) for line in chain.from_iterable(own)), 1)
        for column, own in zip(columns, shown, strict=True)
    ]
    rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
    if table.show_header:
        yield from _row(heads, columns, widths)
        yield rule
    for row in zip(*cells, strict=True):
        yield from _row(row, columns, widths)
    if table.show_footer:
        yield rule
        yield from _row(feet, columns, widths)


def _rows(cell: object) -> list[str]:
    return (cell.plain if isinstance(cell, Text) else str(cell)).split("\n")


def _row(cells: list[list[str]] | tuple[list[str], ...], columns: list[Column], widths: list[int]) -> Iterator[str]:
    for texts in zip_longest(*cells, fillvalue=""):
        yield "  ".join(map(_padded, texts, columns, widths)).rstrip()


def _padded(text: str, column: Column, width: int) -> str:
    if column.justify == "right":
        text = text.rstrip()
        return " " * (width - cell_len(text)) + text
    return text + " " * (width - cell_len(text))
