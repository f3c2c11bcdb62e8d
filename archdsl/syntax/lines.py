"""The lines of a file as they are written, with the comments of its source above, beside and below them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from archdsl.syntax import ast
from archdsl.syntax.comments import Comments
from archdsl.syntax.layout import ExpressionLayout
from archdsl.syntax.literals import quote_docstring


class LineWriter:
    """Writes lines; comments and line breaks are taken from the source of the file."""

    def __init__(self, file: ast.File) -> None:
        self.file = file
        self.source = file.span.source.text
        self.comments = Comments(file.span.source)
        self.layout = ExpressionLayout(self.comments)
        self.lines: list[str] = []
        self.depth = 0

    def _line(self, node: ast.Syntax, write: Callable[[], None], last: ast.Syntax | None = None) -> bool:
        """The comments above a node (or several, to the `last`), the node, and the comment beside it.

        Comments inside it go above. Returns whether the node took several lines.
        """
        start, end = node.span.start, (last or node).span.end
        numbers = self.comments.take(0, start)
        if self.lines and self._blank(numbers, start):
            self._blank_line()
        for index, number in enumerate(numbers):
            if index and self.comments.blank_before(self.comments.starts[number]):
                self._blank_line()
            self._put(self.comments.texts[number])
        if numbers and self.comments.blank_before(start):
            self._blank_line()
        at = len(self.lines)
        write()
        several = len(self.lines) > at + 1
        inside = self.comments.take(start, end)
        self.lines[at:at] = [self._pad() + self.comments.texts[number] for number in inside]
        self.lines[-1] += self.comments.trailing(end)
        return several

    def _blank(self, comments: Sequence[int], start: int) -> bool:
        first = self.comments.starts[comments[0]] if comments else start
        return self.comments.blank_before(first)

    def _blank_line(self) -> None:
        if self.lines[-1] and not self.lines[-1].endswith("{"):
            self.lines.append("")

    def _rest(self, end: int) -> None:
        """The comments before a place that stand on lines of their own, at the end of a body or of the file."""
        for number in self.comments.take(0, end):
            if self.lines and self.comments.blank_before(self.comments.starts[number]):
                self._blank_line()
            self._put(self.comments.texts[number])

    def _pad(self) -> str:
        return "  " * self.depth

    def _put(self, text: str) -> None:
        self.lines += (self._pad() + text).split("\n")

    def _add(self, text: str) -> None:
        """Go on in the last line."""
        first, *rest = text.split("\n")
        self.lines[-1] += first
        self.lines += rest

    def _open(self, head: str, docstring: ast.Docstring | None) -> None:
        self._put(head + " {")
        self.depth += 1
        if docstring is not None:
            self._line(docstring, partial(self._put, quote_docstring(docstring.text, self._pad())))

    def _close(self, end: int) -> None:
        """The closing brace of a body that ends at `end`, after the comments that are left in it."""
        self._rest(end)
        self.depth -= 1
        self._put("}")


def is_long(node: ast.Syntax) -> bool:
    """Whether a node takes several lines in the source."""
    return "\n" in node.span.text
