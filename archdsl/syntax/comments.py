"""The comments of a file, handed out to the formatter in the order of the text."""

from __future__ import annotations

import re
from bisect import bisect_left

from archdsl.source import Source

_PIECES = re.compile(r'"""(?:[^"\\]|\\.|"(?!""))*"""|"(?:[^"\\\n]|\\.)*"|(?P<comment>#[^\n]*)')


class Comments:
    """Each comment is given out once."""

    def __init__(self, source: Source) -> None:
        self.text = source.text
        found = [match for match in _PIECES.finditer(self.text) if match["comment"]] if "#" in self.text else []
        self.starts = [match.start() for match in found]
        self.texts = [match[0].rstrip() for match in found]
        self.given = [False] * len(found)

    def take(self, start: int, end: int) -> list[int]:
        """The comments not yet given that begin in a range; their numbers, for `texts` and `starts`."""
        numbers = [
            number
            for number in range(bisect_left(self.starts, start), bisect_left(self.starts, end))
            if not self.given[number]
        ]
        for number in numbers:
            self.given[number] = True
        return numbers

    def trailing(self, end: int) -> str:
        """The comment on the line on which something ends, with two spaces before it; else nothing."""
        line_end = self.text.find("\n", end)
        numbers = self.take(end, len(self.text) if line_end < 0 else line_end)
        return "".join("  " + self.texts[number] for number in numbers)

    def line_break(self, start: int, end: int, column: int) -> str | None:
        """If the text between two places has a newline: one, the comments between, and the new line's indentation."""
        if "\n" not in self.text[start:end]:
            return None
        return self.between(start, end, column) + "\n" + " " * column

    def between(self, start: int, end: int, column: int) -> str:
        """The comments between two places: the first beside what ends at `start` if it was, the others on new lines."""
        first_line = self.text.find("\n", start)
        result = ""
        for number in self.take(start, end):
            result += ("  " if self.starts[number] < first_line else "\n" + " " * column) + self.texts[number]
        return result

    def blank_before(self, start: int) -> bool:
        """Whether the line above a place is blank."""
        line = self.text.rfind("\n", 0, start)
        return line > 0 and not self.text[self.text.rfind("\n", 0, line) + 1 : line].strip()
