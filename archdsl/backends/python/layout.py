"""Line breaking for generated source: what `ruff format` leaves as it is (88 columns).

A `Doc` is text, or brackets around items. Brackets that do not fit on one line go on one line of their own if
they are plain, else each on its own, with a trailing comma.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 88
INDENT = "    "


@dataclass(frozen=True, slots=True)
class Brackets:
    """`prefix(item, item)`; with `comma=False` items are parts of one comprehension."""

    prefix: str
    items: tuple[Doc, ...]
    opening: str = "("
    closing: str = ")"
    comma: bool = True


Doc: TypeAlias = str | Brackets


def flat(doc: Doc) -> str:
    """The document on one line."""
    if isinstance(doc, str):
        return doc
    separator = ", " if doc.comma else " "
    return f"{doc.prefix}{doc.opening}{separator.join(map(flat, doc.items))}{doc.closing}"


def lines(doc: Doc, start: str = "", depth: int = 0, end: str = "") -> Iterator[str]:
    """The document as indented lines; `start` and `end` are glued to its first and last line."""
    indent = INDENT * depth
    one = f"{indent}{start}{flat(doc)}{end}"
    if isinstance(doc, str) or len(one) <= WIDTH or not doc.items:
        yield one
        return
    yield f"{indent}{start}{doc.prefix}{doc.opening}"
    inner = INDENT * (depth + 1) + ", ".join(map(flat, doc.items))
    if doc.comma and all(isinstance(item, str) for item in doc.items) and len(inner) <= WIDTH:
        yield inner
        yield f"{indent}{doc.closing}{end}"
        return
    for item in doc.items:
        yield from lines(item, "", depth + 1, "," if doc.comma else "")
    yield f"{indent}{doc.closing}{end}"
