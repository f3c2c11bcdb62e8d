"""How wide text is in a picture, and how it is made to fit. Sizes are in points.

Measured with Arimo, whose metrics are Helvetica's and Arial's. Characters that the font lacks count as wide ones.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from pathlib import Path
from typing import Any

FONTS = Path(__file__).parent / "fonts"
REGULAR, BOLD = FONTS / "Arimo-Regular.ttf", FONTS / "Arimo-Bold.ttf"
LINE = 1.2
"""Height of a line, in sizes of its font."""

_PRECISION = 1000
"""Size at which text is measured: advances are whole pixels there."""
_UNKNOWN_WIDTH = 1.3
"""In sizes of the font: no wider than an emoji."""
_KNOWN = (
    (0x20, 0x7E),
    (0xA0, 0x17F),
    (0x391, 0x3C9),
    (0x2010, 0x2026),
    (0x2190, 0x2195),
    (0x2260, 0x2265),
    (0x2212, 0x2212),
    (0x221A, 0x221A),
)
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def clean(text: str) -> str:
    """Text without what no picture can show: control characters, lone surrogates, and those that turn text around."""
    return "".join("\ufffd" if unicodedata.category(c) in ("Cc", "Cs", "Cn") or c in _BIDI else c for c in text)


@lru_cache(2)
def _font(bold: bool) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(BOLD if bold else REGULAR, _PRECISION, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(8192)
def width(text: str, size: float, bold: bool = False) -> float:
    """Width of one line."""
    known = "".join(c for c in text if c.isascii() or any(low <= ord(c) <= high for low, high in _KNOWN))
    unknown = len(text) - len(known)
    return (float(_font(bold).getlength(known)) / _PRECISION + unknown * _UNKNOWN_WIDTH) * size


def fit(text: str, limit: float, size: float, bold: bool = False) -> str:
    """The text, cut with an ellipsis in its middle where it is wider than the limit."""
    if width(text, size, bold) <= limit:
        return text
    kept = min(len(text) - 1, _most(text, limit, size, bold))
    while kept > 0:
        head = (kept + 1) // 2
        cut = text[:head].rstrip() + "…" + text[len(text) - (kept - head) :].lstrip()
        if width(cut, size, bold) <= limit:
            return cut
        kept -= 1
    return "…"


def _most(text: str, limit: float, size: float, bold: bool) -> int:
    """How many characters from both ends may fit, and surely no more: twice what their widths say."""
    total = 0.0
    for count, (first, last) in enumerate(zip(text, reversed(text), strict=True)):
        total += width(first, size, bold) + width(last, size, bold)
        if total > 2 * limit:
            return 2 * (count + 1)
    return len(text)


def wrap(text: str, limit: float, size: float, bold: bool = False) -> list[str]:
    """Lines no wider than the limit, broken at spaces that may be; a word that is wider is cut."""
    lines: list[str] = []
    for word in filter(None, text.split(" ")):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width(longer, size, bold) <= limit:
            lines[-1] = longer
        else:
            lines.append(fit(word, limit, size, bold))
    return lines or [""]
