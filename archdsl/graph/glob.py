"""Patterns with `*`, and how much may be asked of patterns: nothing of a spec ever reaches a matcher that backtracks.

`Glob` looks for the texts between the stars from left to right, each once. `Effort` counts comparisons before they are
made. Reports E514.
"""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.diagnostics.core import ArchError
from archdsl.source import Span

LIMIT = 1_000_000
"""Comparisons of patterns with names that one file may ask for: a second or two."""


class Glob:
    """A pattern in which `*` stands for any characters, none included, and everything else for itself."""

    __slots__ = ("first", "last", "least", "middle", "whole")

    def __init__(self, pattern: str) -> None:
        self.whole = pattern if "*" not in pattern else None
        self.first, *middle = pattern.split("*")
        self.last = middle.pop() if middle else ""
        self.middle = [part for part in middle if part]
        self.least = len(self.first) + len(self.last)

    def matches(self, text: str) -> bool:
        if self.whole is not None:
            return text == self.whole
        end = len(text) - len(self.last)
        if len(text) < self.least or not text.startswith(self.first) or not text.endswith(self.last):
            return False
        at = len(self.first)
        for part in self.middle:  # the first place is as good as any: what follows has the most room
            at = text.find(part, at, end)
            if at < 0:
                return False
            at += len(part)
        return True


@dataclass
class Effort:
    """How many comparisons are left of those that one file may ask for."""

    left: int = LIMIT

    def spend(self, comparisons: int, span: Span | None, what: str) -> None:
        """Count before it is done; raises ArchError E514, at a place in the spec, if it is too much."""
        self.left -= comparisons
        if self.left < 0:
            raise ArchError.of("E514", span, what=what, limit=f"{LIMIT:,}")
