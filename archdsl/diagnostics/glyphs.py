"""What characters of a stranger's text look like in a terminal: how wide they are, and that they are harmless."""

from __future__ import annotations

import unicodedata

TAB = 4
"""Columns between tab stops."""

_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories without a glyph of their own: control, format (also bidirectional), surrogate, separators."""


def glyph(char: str) -> str:
    """The character, or a visible stand-in of width 1 for one that could move or recolour the terminal's text."""
    if " " <= char <= "~":
        return char
    if char < " ":
        return chr(0x2400 + ord(char))
    if char == "\x7f":
        return "␡"
    return "�" if unicodedata.category(char) in _UNSEEN else char


def shown(text: str) -> str:
    """A text of any lines as people may see it: glyphs for what is unseen, newlines as they are. Of equal length."""
    if text.isprintable():
        return text
    return "\n".join(line if line.isprintable() else "".join(map(glyph, line)) for line in text.split("\n"))


def width(char: str) -> int:
    """Columns that a glyph takes: 2 for wide (CJK, emoji), 0 for combining marks, else 1."""
    if char <= "~":
        return 1
    if unicodedata.category(char) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def text_width(text: str) -> int:
    return sum(map(width, text))


def one_line(text: str) -> str:
    """Text fit for the middle of a line: no escapes; runs of blanks that hold a newline become one space."""
    lines = text.splitlines()
    if len(lines) > 1:
        text = " ".join(line.strip() for line in lines if line.strip())
    return "".join(map(glyph, text.rstrip()))


def some_lines(text: str) -> list[str]:
    """Text as lines without escapes; at least one."""
    return ["".join(map(glyph, line.replace("\t", " " * TAB).rstrip())) for line in text.splitlines()] or [""]
