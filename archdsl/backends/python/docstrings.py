"""Docstrings of generated files: a spec's texts, wrapped."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from archdsl.backends.python.layout import WIDTH


def docstring_lines(paragraphs: Iterable[str], indent: str) -> list[str]:
    """A docstring of some texts; lines within a paragraph are joined before they are broken anew."""
    wanted = [" ".join(part.split()) for text in paragraphs for part in text.split("\n\n")]
    wanted = [_quoted(paragraph) for paragraph in wanted if paragraph]
    if len(wanted) == 1 and len(f'{indent}"""{wanted[0]}') <= WIDTH:  # ruff lets the closing quotes stand out
        return [f'{indent}"""{_end(wanted[0])}"""']
    lines: list[str] = []
    for position, paragraph in enumerate(wanted):
        first = "" if position else '"""'
        wrapped = textwrap.wrap(first + paragraph, WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
        lines += ([""] if position else []) + [f"{indent}{line}" for line in wrapped]
    return [*lines, f'{indent}"""']


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"""', "'''")


def _end(text: str) -> str:
    return f"{text} " if text.endswith('"') else text
