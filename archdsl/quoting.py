"""Text as Python: the one way in which what somebody wrote gets into a file that will be run.

The functions are total: whatever text comes, the literal is whole, of visible characters, and means that text. What
cannot be seen (control characters, directions, separators, surrogates) is written as an escape.
"""

from __future__ import annotations

import re

_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}
_BLANKS = " \t\r\n"
_PARAGRAPHS = re.compile(r"\n[ \t\r]*\n")


def string_literal(text: str) -> str:
    """A string literal on one line, in the quotes that need fewer escapes, as ruff chooses them."""
    mark = "'" if text.count('"') > text.count("'") else '"'
    return mark + "".join(f"\\{char}" if char == mark else _visible(char) for char in text) + mark


def paragraphs(text: str) -> list[str]:
    """A docstring's paragraphs, each on one line: blanks within them are one space; blank ones are none."""
    joined = (" ".join(re.split(f"[{_BLANKS}]+", part.strip(_BLANKS))) for part in _PARAGRAPHS.split(text))
    return [paragraph for paragraph in joined if paragraph]


def docstring_text(paragraph: str, *, first: bool, last: bool) -> str:
    """A paragraph for a literal in triple quotes; `first`, `last`: the quotes are right beside it."""
    around = ('"' if first else " ") + paragraph + ('"' if last else " ")
    escaped = (
        '\\"' if char == '"' and '"' in (around[at], around[at + 2]) else _visible(char)
        for at, char in enumerate(paragraph)
    )
    return "".join(escaped)


def _visible(char: str) -> str:
    """The character, or its escape."""
    if char in _NAMED:
        return _NAMED[char]
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
