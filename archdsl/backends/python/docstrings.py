"""Docstrings of generated files: a spec's texts, wrapped."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from archdsl.backends.python.layout import WIDTH
from archdsl.quoting import docstring_text, paragraphs


def docstring_lines(texts: Iterable[str], indent: str) -> list[str]:
    """A docstring of some texts, none where all are blank; lines within a paragraph are joined and broken again."""
    wanted = [paragraph for text in texts for paragraph in paragraphs(text)]
    if len(wanted) == 1:
        whole = f'{indent}"""{docstring_text(wanted[0], first=True, last=True)}'
        if len(whole) <= WIDTH:  # ruff lets the closing quotes stand out
            return [f'{whole}"""']
    lines: list[str] = []
    for position, paragraph in enumerate(wanted):
        text = docstring_text(paragraph, first=position == 0, last=False)
        first = "" if position else '"""'
        wrapped = textwrap.wrap(first + text, WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
        lines += ([""] if position else []) + [f"{indent}{line}" for line in wrapped]
    return [*lines, f'{indent}"""'] if lines else []
