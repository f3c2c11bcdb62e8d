"""Text to AST and back. `parse` never raises on any text; `format_file` gives the canonical layout."""

from __future__ import annotations

from typing import TYPE_CHECKING

from archdsl.syntax.reading import parse, parse_expression

if TYPE_CHECKING:
    from archdsl.syntax.ast import File

__all__ = ["format_file", "parse", "parse_expression"]


def format_file(file: File) -> str:
    """The text of a file in the canonical layout, with its comments; see `archdsl.syntax.format`."""
    from archdsl.syntax.format import Formatter  # only `archdsl fmt` needs it

    return Formatter(file).run()
