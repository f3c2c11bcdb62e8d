"""AST -> text: expressions, labels and targets; the lines of a file are in `lines`, `statements` and `format`.

Where a chain, an operation or a conditional goes on in a new line, it does so before `->`, the operator, `then` or
`else`, as its author wrote it. What is in brackets stays on a line or hangs: see `ExpressionLayout.brackets`. Only
lines that would be too long get further breaks, before `->` and inside brackets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from archdsl.syntax import ast
from archdsl.syntax.columns import WIDTH, aligned, end_column
from archdsl.syntax.comments import Comments
from archdsl.syntax.literals import quote

_TRAILING_COMMA = re.compile(r"(?:[\s)]|#[^\n]*)*,")

Member = ast.Argument | ast.Item | ast.Parameter | ast.Expression

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


class ExpressionLayout:
    """Writes expressions. `column` is where the text will begin, `indent` the indentation of its line.

    `tail` is how many columns the brackets and the comma take that follow on the same line.
    """

    def __init__(self, comments: Comments) -> None:
        self.comments = comments
        self.flat = 0
        self.drafts = 0
        self.indent = 0
        self.tail = 0

    def one_line(self, node: Member, least: int = IF) -> str:
        """The expression without any line break."""
        self.flat += 1
        text = self._member(node, 0, least)
        self.flat -= 1
        return text

    def draft(self, write: Callable[[], str]) -> str:
        """What would be written with the author's line breaks alone, however long the lines; no comment is used up."""
        given = list(self.comments.given)
        self.drafts += 1
        text = write()
        self.drafts -= 1
        self.comments.given = given
        return text

    def expression(self, node: ast.Expression, column: int, least: int = IF) -> str:
        """The expression, in parentheses if it binds looser than `least`."""
        if level(node) < least:
            self.tail += 1
            text = f"({self._bare(node, column + 1)})"
            self.tail -= 1
            return text
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
                head = self._head(node)
                return head + self.expression(node.value, column + len(head), LABEL)
            case ast.Attribute():
                return f"{self.expression(node.value, column, POSTFIX)}.{node.name}"
        return self._bracketed(node, column)

    def _bracketed(self, node: ast.Expression, column: int) -> str:
        start, end = node.span.start, node.span.end
        match node:
            case ast.CallExpr():
                callee = self.expression(node.callee, column, POSTFIX)
                place = (node.callee.span.end, end)
                return callee + self.brackets("()", node.arguments, end_column(callee, column), *place)
            case ast.Subscript():
                value = self.expression(node.value, column, POSTFIX)
                index = node.index
                inner = self.one_line(index, IF if isinstance(index, ast.If) else OR)
                return f"{value}[{inner}]"
            case ast.TupleExpr():
                return self.brackets("()", node.items, column, start, end, comma="," * (len(node.items) == 1))
            case ast.ListExpr():
                return self.brackets("[]", node.items, column, start, end)
            case ast.Comprehension():
                return self._comprehension(node, column)
        raise AssertionError(f"no layout for {type(node).__name__}")

    # --- operations --------------------------------------------------------------------------

    def _binary(self, node: ast.BinaryExpr, column: int) -> str:
        _, left_least, right_least = _BINARY[node.op]
        left = self.expression(node.left, column, left_least)
        if node.op == "^":
            return f"{left}^{self.expression(node.right, end_column(left, column) + 1, right_least)}"
        outer, on = self.indent, max(column, self.indent + 2)
        space = self._break(node.left, node.right, on)
        self.indent = outer if space is None else on
        left += f"{space or ' '}{node.op} "
        text = left + self.expression(node.right, end_column(left, column), right_least)
        self.indent = outer
        return text

    def _range(self, node: ast.Range) -> str:
        start = "" if node.start is None else self.one_line(node.start, SUM)
        stop = "" if node.stop is None else self.one_line(node.stop, SUM)
        return f"{start}..{stop}"

    def _conditional(self, node: ast.If, column: int) -> str:
        """Where it is too long, each `else` begins a line, under the `if`."""
        whole = "" if self.flat or self.drafts else self.draft(lambda: self._conditional(node, column))
        too_long = "\n" not in whole and column + len(whole) + self.tail > WIDTH
        outer = self.indent
        text = ""
        rest: ast.Expression = node
        while isinstance(rest, ast.If):
            text += "if "
            text += self.expression(rest.condition, end_column(text, column), OR)
            for word, before, branch in (("then", rest.condition, rest.yes), ("else", rest.yes, rest.no)):
                new_line = "\n" + " " * column if too_long and word == "else" else None
                space = self._break(before, branch, column) or new_line
                self.indent = self.indent if space is None else column
                text += (space or " ") + word + " "
                if word == "then" or not isinstance(branch, ast.If):
                    text += self.expression(branch, end_column(text, column))
            rest = rest.no
        self.indent = outer
        return text

    def _chain(self, node: ast.Arrow, column: int) -> str:
        outer = self.indent
        arrows = column - 3 if column - 3 > outer else outer + 2
        first = self.expression(node.operands[0], column, LABEL)
        lines, breaks, at = [[first]], [""], end_column(first, column)
        for before, operand in zip(node.operands, node.operands[1:], strict=False):
            space = self._break(before, operand, arrows)
            if space is None and self._overflows(operand, at + 4, arrows + 3):
                space = "\n" + " " * arrows
            if space is not None:
                self.indent, at = arrows, arrows - 1
                lines.append([])
                breaks.append(space + "-> ")
            lines[-1].append(self.expression(operand, at + 4, LABEL))
            at = end_column(lines[-1][-1], at + 4)
        self.indent = outer
        starts = [" " * column, *([" " * (arrows + 3)] * (len(lines) - 1))]
        texts = self._with_aligned_arrows(node, lines, starts)
        return "".join(space + text[len(start) :] for space, text, start in zip(breaks, texts, starts, strict=True))

    def _with_aligned_arrows(self, node: ast.Arrow, lines: list[list[str]], starts: list[str]) -> list[str]:
        """The lines of a chain; where its author put more than a blank before an arrow, those of its column align."""
        wide: set[int] = set()
        if len(lines) > 1 and not any("\n" in cell for line in lines for cell in line):
            places = [index for line in lines for index in range(len(line))]
            for before, after, place in zip(node.operands, node.operands[1:], places[1:], strict=False):
                head, _, _ = self.comments.text[before.span.end : after.span.start].partition("->")
                if place and head.endswith("  "):
                    wide.add(place - 1)
        texts = aligned(lines, starts=starts, comma="", gap=" -> ", only=wide)
        fits = all(len(text) < WIDTH for text in texts)
        return texts if fits else aligned(lines, starts=starts, comma="", gap=" -> ", only=())

    def _comprehension(self, node: ast.Comprehension, column: int) -> str:
        tails: list[tuple[ast.Syntax, ast.Syntax, Callable[[], str]]] = []
        last: ast.Syntax = node.value
        for clause in node.clauses:
            tails.append((last, clause.target, partial(self._for, clause)))
            last = clause.iterable
            if clause.condition is not None:
                tails.append((last, clause.condition, partial(self._filter, clause.condition)))
                last = clause.condition

        def plain() -> str:
            self.tail += 1
            text = "[" + self._listed(node.value, column + 1)
            for clause in node.clauses:
                text += f" for {self.target(clause.target)} in "
                text += self.expression(clause.iterable, end_column(text, column), OR)
                text += "" if clause.condition is None else f" {self._filter(clause.condition)}"
            self.tail -= 1
            return text + "]"

        joints = [node.span.start, *(before.span.end for before, _, _ in tails)]
        if not self._hangs(joints, [node.value, *(part for _, part, _ in tails)], plain, column):
            return plain()
        outer = self.indent, self.tail
        self.indent, self.tail = self.indent + 2, 0
        pad = "\n" + " " * self.indent
        text = "[" + (self.comments.between(joints[0], node.value.span.start, self.indent)) + pad
        text += self._listed(node.value, self.indent)
        for before, part, write in tails:
            tail = write()
            fits = end_column(text, column) + 1 + len(tail) <= WIDTH
            text += (self._break(before, part, self.indent) or (" " if fits else pad)) + tail
        text += self.comments.between(last.span.end, node.span.end, self.indent)
        self.indent, self.tail = outer
        return text + "\n" + " " * self.indent + "]"

    def _for(self, clause: ast.Clause) -> str:
        return f"for {self.target(clause.target)} in {self.one_line(clause.iterable, OR)}"

    def _filter(self, condition: ast.Expression) -> str:
        return f"if {self.one_line(condition, OR)}"

    # --- brackets ----------------------------------------------------------------------------

    def brackets(
        self, pair: str, members: Sequence[Member], column: int, start: int, end: int, *, comma: str = "", tail: int = 0
    ) -> str:
        """Members in brackets: on one line, or hanging if a line break was between them, or if they do not fit.

        Then the opening bracket ends its line, the members are indented by two, and the closing bracket begins a line.
        They fill lines; with a comma after the last, each has a line of its own. In the source the brackets are
        between `start` and `end`. A `comma` is written after a single member; `tail` columns follow on the last line.
        """
        if not members:
            return pair

        def plain() -> str:
            self.tail += 1
            text = pair[0]
            for index, member in enumerate(members):
                text += ", " if index else ""
                text += self._member(member, end_column(text, column))
            self.tail -= 1
            return text + comma + pair[1]

        joints = [start, *(member.span.end for member in members[:-1])]
        if not self._hangs(joints, members, plain, column, tail):
            return plain()
        outer = self.indent, self.tail
        self.indent += 2
        text = pair[0] + self.comments.between(start, members[0].span.start, self.indent)
        comma_at_end = _TRAILING_COMMA.match(self.comments.text, members[-1].span.end, end - 1)
        text += self._hanging(members, one_each=comma_at_end is not None)
        text += "" if text.endswith(",") else comma
        text += self.comments.between(members[-1].span.end, end, self.indent)
        self.indent, self.tail = outer
        return text + "\n" + " " * self.indent + pair[1]

    def _hanging(self, members: Sequence[Member], *, one_each: bool) -> str:
        """The members' lines, after what stands above them."""
        pad = "\n" + " " * self.indent
        text, before = "", ""
        for index, member in enumerate(members):
            self.tail = int(one_each or index < len(members) - 1)
            comments = ""
            if index:
                comments = self.comments.between(members[index - 1].span.end, member.span.start, self.indent)
                text += "," + comments
            alone = not index or one_each or comments or "\n" in before
            text += pad if alone or not self._fits(member, end_column(text, 0) + 1) else " "
            before = self._member(member, end_column(text, 0))
            text += before
        return text + ("," if one_each else "")

    def _hangs(
        self, joints: Sequence[int], parts: Sequence[ast.Syntax], plain: Callable[[], str], column: int, tail: int = 0
    ) -> bool:
        """Whether the author broke the line at a joint before one of the parts, or the first line would be too long."""
        if self.flat:
            return False
        if any("\n" in self.comments.text[a : part.span.start] for a, part in zip(joints, parts, strict=True)):
            return True
        return not self.drafts and column + self._width(self.draft(plain), self.tail + tail) > WIDTH

    def _member(self, item: Member, column: int, least: int = IF) -> str:
        match item:
            case ast.Argument():
                return self.argument(item, column)
            case ast.Parameter():
                return self._parameter(item, column)
            case ast.Item():
                head = "" if item.count is None else self.expression(item.count, column, POSTFIX) + " of "
                text = head + self._listed(item.value, end_column(head, column))
                return text if item.condition is None else f"{text} if {self.one_line(item.condition, OR)}"
        return self.expression(item, column, least)

    def _listed(self, value: ast.Expression | ast.Splice, column: int) -> str:
        """`f` or `..xs`"""
        if isinstance(value, ast.Splice):
            return ".." + self.expression(value.value, column + 2, OR)
        return self.expression(value, column)

    def argument(self, item: ast.Argument, column: int = 0) -> str:
        """`64`, `stride = 2`, `..row`"""
        head = ".." if item.spread else "" if item.name is None else f"{item.name} = "
        # Directly behind the dots a label would not be one.
        return head + self.expression(item.value, column + len(head), OR if item.spread else IF)

    def _parameter(self, item: ast.Parameter, column: int) -> str:
        text = item.name
        if item.type is not None:
            text += f": {_type(item.type)}"
        if item.allowed is not None:
            text += f" in {self.one_line(item.allowed, RANGE)}"
        if item.default is not None:
            text += " = "
            text += self.expression(item.default, end_column(text, column))
        return text

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

    def _head(self, node: ast.Labelled) -> str:
        return ("stage " if node.stage else "") + self.label(node.parts, node.quoted) + ": "

    def target(self, target: ast.Target) -> str:
        """What a loop or an assignment binds."""
        if target.name is not None:
            return target.name
        return ", ".join(item.name if item.name is not None else f"({self.target(item)})" for item in target.items)

    # --- line breaks -------------------------------------------------------------------------

    def _break(self, before: ast.Syntax, after: ast.Syntax, column: int) -> str | None:
        """The author's line break between two parts, with the comments there; None if they share a line."""
        return None if self.flat else self.comments.line_break(before.span.end, after.span.start, column)

    def _fits(self, member: Member, column: int) -> bool:
        """Whether a member, on one line as its author has it, fits from a column on."""
        if self.drafts:
            return True
        text = self.draft(lambda: self._member(member, column))
        return "\n" not in text and column + len(text) + self.tail <= WIDTH

    def _overflows(self, operand: ast.Expression, column: int, fresh: int) -> bool:
        """Whether to begin a line at `fresh` for what does not fit here; not if it has to hang from brackets anyway."""
        if self.flat or self.drafts:
            return False
        text = self.draft(lambda: self.expression(operand, column, LABEL))
        width = self._width(text, self.tail)
        if column + width <= WIDTH:
            return False
        opening = self._opening(operand)
        return opening is None or fresh + width <= WIDTH or column + len(opening) > WIDTH

    def _opening(self, node: ast.Expression) -> str | None:
        """What is on the first line of an expression that hangs from brackets; None if it is of another kind."""
        match node:
            case ast.Labelled():
                inner = self._opening(node.value)
                return None if inner is None else self._head(node) + inner
            case ast.CallExpr(callee=ast.Name(name=name)):
                return name + "("
            case ast.ListExpr() | ast.Comprehension():
                return "["
        return None

    def _width(self, text: str, tail: int) -> int:
        """How wide the first line of a text is, with what follows on it if it is the only one."""
        first, *more = text.split("\n", 1)
        return len(first) + (0 if more else tail)


def _type(reference: ast.TypeRef) -> str:
    return reference.name if reference.element is None else f"{reference.name}({_type(reference.element)})"
