"""AST -> text: expressions, labels and targets; the lines of a file are in `format`.

Line breaks inside an expression stay where the author put them (before `->`, an operator, `then`, `else`, after a
comma); only the indentation is ours, and a line that would grow too long is broken at the same kinds of places.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from archdsl.syntax import ast
from archdsl.syntax.comments import Comments
from archdsl.syntax.literals import quote

WIDTH = 120
"""Columns of a line, where there is a place to break it."""

_EDGES = re.compile(r"(?<=[\[(])\s*\n\s*|,?\s*\n\s*(?=[\])])")
"""Line breaks just inside brackets, which are not kept."""

IF, ARROW, LABEL, OR, AND, NOT, COMPARE, RANGE, SUM, TERM, SIGN, POWER, POSTFIX, ATOM = range(14)
"""How tightly each kind of expression binds; the order of grammar/arch.lark."""

_BINARY = {
    "or": (OR, OR, AND),
    "and": (AND, AND, NOT),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), (COMPARE, RANGE, RANGE)),
    **dict.fromkeys(("+", "-"), (SUM, SUM, TERM)),
    **dict.fromkeys(("*", "/", "//", "%"), (TERM, TERM, SIGN)),
    "^": (POWER, POSTFIX, SIGN),
}
"""Operator -> its own level, and the loosest its left and right side may be without parentheses."""


def level(node: ast.Expression) -> int:
    """How tightly an expression binds."""
    match node:
        case ast.If():
            return IF
        case ast.Arrow():
            return ARROW
        case ast.Labelled():
            return LABEL
        case ast.BinaryExpr():
            return _BINARY[node.op][0]
        case ast.Unary():
            return NOT if node.op == "not" else SIGN
        case ast.Range():
            return RANGE
        case ast.CallExpr() | ast.Subscript() | ast.Attribute():
            return POSTFIX
    return ATOM


def end_column(text: str, column: int) -> int:
    """The column after a text that begins at `column`."""
    cut = text.rfind("\n")
    return column + len(text) if cut < 0 else len(text) - cut - 1


class Layout:
    """Writes expressions. `column` is where the text will begin, `indent` that of its statement."""

    def __init__(self, comments: Comments) -> None:
        self.comments = comments
        self.flat = 0
        self.indent = 0

    def one_line(self, node: ast.Expression, least: int = IF) -> str:
        """The expression without any line break."""
        self.flat += 1
        text = self.expression(node, 0, least)
        self.flat -= 1
        return text

    def expression(self, node: ast.Expression, column: int, least: int = IF) -> str:
        """The expression, in parentheses if it binds looser than `least`."""
        if level(node) < least:
            return f"({self._bare(node, column + 1)})"
        return self._bare(node, column)

    def _bare(self, node: ast.Expression, column: int) -> str:
        match node:
            case ast.Number():
                return node.text
            case ast.String():
                return quote(node.value)
            case ast.Bool():
                return "true" if node.value else "false"
            case ast.Name():
                return node.name
            case ast.Unary():
                word = "not " if node.op == "not" else node.op
                return word + self.expression(node.operand, column + len(word), level(node))
            case ast.BinaryExpr():
                return self._binary(node, column)
            case ast.Range():
                return self._range(node)
            case ast.If():
                return self._conditional(node, column)
            case ast.Arrow():
                return self._chain(node, column)
            case ast.Labelled():
                head = ("stage " if node.stage else "") + self.label(node.parts, node.quoted) + ": "
                return head + self.expression(node.value, column + len(head), LABEL)
            case ast.Attribute():
                return f"{self.expression(node.value, column, POSTFIX)}.{node.name}"
        return self._bracketed(node, column)

    def _bracketed(self, node: ast.Expression, column: int) -> str:
        match node:
            case ast.CallExpr():
                callee = self.expression(node.callee, column, POSTFIX)
                return callee + self.arguments(node.arguments, end_column(callee, column))
            case ast.Subscript():
                value = self.expression(node.value, column, POSTFIX)
                index = node.index
                inner = self.one_line(index, IF if isinstance(index, ast.If) else OR)
                return f"{value}[{inner}]"
            case ast.TupleExpr():
                inner = self.listed(node.items, column + 1)
                return f"({inner},)" if len(node.items) == 1 else f"({inner})"
            case ast.ListExpr():
                return f"[{self.listed(node.items, column + 1)}]"
            case ast.Comprehension():
                return self._comprehension(node, column)
        raise AssertionError(f"no layout for {type(node).__name__}")

    # --- operations --------------------------------------------------------------------------

    def _binary(self, node: ast.BinaryExpr, column: int) -> str:
        _, left_least, right_least = _BINARY[node.op]
        left = self.expression(node.left, column, left_least)
        if node.op == "^":
            return f"{left}^{self.expression(node.right, end_column(left, column) + 1, right_least)}"
        space = self._break(node.left, node.right, max(column, self.indent + 2)) or " "
        left += f"{space}{node.op} "
        return left + self.expression(node.right, end_column(left, column), right_least)

    def _range(self, node: ast.Range) -> str:
        start = "" if node.start is None else self.one_line(node.start, SUM)
        stop = "" if node.stop is None else self.one_line(node.stop, SUM)
        return f"{start}..{stop}"

    def _conditional(self, node: ast.If, column: int) -> str:
        text = f"if {self.expression(node.condition, column + 3, OR)}"
        for word, before, branch in (("then", node.condition, node.yes), ("else", node.yes, node.no)):
            text += (self._break(before, branch, max(column, self.indent + 2)) or " ") + word + " "
            text += self.expression(branch, end_column(text, column))
        return text

    def _chain(self, node: ast.Arrow, column: int) -> str:
        arrows = column - 3 if column - 3 > self.indent else self.indent + 2
        text = self.expression(node.operands[0], column, LABEL)
        for before, operand in zip(node.operands, node.operands[1:], strict=False):
            space = self._break(before, operand, arrows)
            if space is None and not self._fits(operand, end_column(text, column) + 4, LABEL):
                space = "\n" + " " * arrows
            text += (space or self._gap(before, operand)) + "-> "
            text += self.expression(operand, end_column(text, column), LABEL)
        return text

    def _comprehension(self, node: ast.Comprehension, column: int) -> str:
        text = "[" + self.expression(node.value, column + 1)
        text += self._break(node.value, node.target, column + 1) or " "
        text += f"for {self.target(node.target)} in "
        text += self.expression(node.iterable, end_column(text, column), OR)
        if node.condition is not None:
            text += (self._break(node.iterable, node.condition, column + 1) or " ") + "if "
            text += self.expression(node.condition, end_column(text, column), OR)
        return text + "]"

    # --- lists -------------------------------------------------------------------------------

    def arguments(self, arguments: Sequence[ast.Argument], column: int) -> str:
        """`(64, stride = 2)`"""
        return f"({self.listed(arguments, column + 1)})"

    def listed(self, items: Sequence[ast.Argument | ast.Item | ast.Expression], column: int) -> str:
        """Items separated by commas; what goes on another line is aligned with the first."""
        text = ""
        for index, item in enumerate(items):
            if index:
                space = self._break(items[index - 1], item, column)
                if space is None and not self._fits(item, end_column(text, column) + 2):
                    space = "\n" + " " * column
                text += "," + (space or " ")
            text += self._member(item, end_column(text, column))
        return text

    def _member(self, item: ast.Argument | ast.Item | ast.Expression, column: int, least: int = IF) -> str:
        match item:
            case ast.Argument():
                return self.argument(item, column)
            case ast.Item():
                head = "" if item.count is None else self.expression(item.count, column, POSTFIX) + " of "
                text = head + self.expression(item.value, end_column(head, column))
                return text if item.condition is None else f"{text} if {self.one_line(item.condition, OR)}"
        return self.expression(item, column, least)

    def argument(self, item: ast.Argument, column: int) -> str:
        """`64`, `stride = 2`, `..row`"""
        head = ".." if item.spread else "" if item.name is None else f"{item.name} = "
        return head + self.expression(item.value, column + len(head))

    # --- names -------------------------------------------------------------------------------

    def label(self, parts: Iterable[ast.LabelPart], quoted: bool) -> str:
        """A label without its colon."""
        text = ""
        for part in parts:
            if part.value is not None:
                text += "{" + self.one_line(part.value) + "}"
            elif part.text is not None:
                text += quote(part.text)[1:-1] if quoted else part.text
        return f'"{text}"' if quoted else text

    def target(self, target: ast.Target) -> str:
        """What a loop or an assignment binds."""
        if target.name is not None:
            return target.name
        return ", ".join(item.name if item.name is not None else f"({self.target(item)})" for item in target.items)

    # --- line breaks -------------------------------------------------------------------------

    def _break(self, before: ast.Syntax, after: ast.Syntax, column: int) -> str | None:
        """The author's line break between two parts, with the comments there; None if they share a line."""
        return None if self.flat else self.comments.line_break(before.span.end, after.span.start, column)

    def _gap(self, before: ast.Syntax, after: ast.Syntax) -> str:
        """The blanks before an arrow: one, or as many as the author aligned it with."""
        head, _, _ = self.comments.text[before.span.end : after.span.start].partition("->")
        return " " * max(1, len(head) - len(head.rstrip(" ")))

    def _fits(self, item: ast.Argument | ast.Item | ast.Expression, column: int, least: int = IF) -> bool:
        if self.flat or "\n" in _EDGES.sub("", item.span.text):
            return True
        self.flat += 1
        text = self._member(item, 0, least)
        self.flat -= 1
        return column + len(text) <= WIDTH
