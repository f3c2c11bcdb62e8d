"""AST -> text: the statements of a body."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from archdsl.syntax import ast
from archdsl.syntax.columns import WIDTH
from archdsl.syntax.layout import OR
from archdsl.syntax.lines import LineWriter
from archdsl.syntax.literals import quote

_ELSE = re.compile(r"\n\s*else\b")


class Statements(LineWriter):
    """Writes statements. A body of one statement that its author wrote on the line of its braces stays there."""

    def _statements(self, statements: Sequence[ast.Statement]) -> None:
        widths = self._assignment_widths(statements)
        for statement, width in zip(statements, widths, strict=True):
            self._line(statement, partial(self._statement, statement, width))

    def _assignment_widths(self, statements: Sequence[ast.Statement]) -> list[int]:
        """For each statement the width of its target: where the author aligned the `=` of neighbours, they stay so."""
        groups: list[list[int]] = []
        previous: tuple[int, int] | None = None
        for statement in statements:
            place, width = None, 0
            if isinstance(statement, ast.Assign) and not self.layout.flat:
                line, column = self.file.span.source.position(max(0, self.source.find("=", statement.target.span.end)))
                place, width = (line, column), len(self.layout.target(statement.target))
            if place is None or previous is None or place != (previous[0] + 1, previous[1]):
                groups.append([])
            groups[-1].append(width)
            end = self.file.span.source.position(statement.span.end)[0]
            previous = None if place is None else (end, place[1])
        return [max(group) for group in groups for _ in group]

    def _statement(self, statement: ast.Statement, width: int = 0) -> None:
        layout, pad = self.layout, len(self._pad())
        layout.indent = pad
        match statement:
            case ast.Assign():
                self._put(f"{layout.target(statement.target).ljust(width)} =")
                value = statement.value
                if statement.target.name is None and isinstance(value, ast.TupleExpr) and len(value.items) > 1:
                    self._add(" " + ", ".join(layout.one_line(item) for item in value.items))
                else:
                    self._equal(statement.target.span.end, value)
            case ast.Result():
                self._put(layout.expression(statement.value, pad))
            case ast.Require():
                text = "require " + layout.expression(statement.condition, pad + 8, OR)
                self._put(text if statement.message is None else f"{text}, {quote(statement.message.value)}")
            case ast.For():
                head = f"for {layout.target(statement.target)} in {layout.one_line(statement.iterable, OR)}"
                self._block(head, statement, statement.body, statement.span.end)
            case ast.IfStatement():
                self._if(statement)
            case ast.Output():
                self._put(f"output {layout.label(statement.parts, statement.quoted)} =")
                self._equal(statement.name_span.end, statement.value)
            case ast.Stage():
                head = f"stage {layout.label(statement.parts, statement.quoted)}"
                self._block(head, statement, statement.body, statement.span.end)

    def _equal(self, before: int, value: ast.Expression, *, break_long: bool = False) -> None:
        """` value` after an `=`, on the next line if it was there (or, with `break_long`, if it fits only there)."""
        layout = self.layout
        column = layout.indent + 2
        new_line = None if layout.flat else self.comments.line_break(before, value.span.start, column)
        if new_line is None and break_long and not layout.flat:
            text = layout.draft(lambda: layout.expression(value, column))
            hangs = column + len(text) > WIDTH and not isinstance(value, ast.Arrow)
            too_long = len(self.lines[-1]) + 1 + len(text) > WIDTH
            new_line = "\n" + " " * column if too_long and not hangs and "\n" not in text else None
        if new_line is not None:
            layout.indent = column
        self._add(new_line or " ")
        self._add(layout.expression(value, len(self.lines[-1])))

    def _block(self, head: str, node: ast.Syntax, body: Sequence[ast.Statement], end: int) -> None:
        text = None if "\n" in head else self._on_one_line(node, [(head, body)])
        if text is not None:
            self._put(text)
            return
        self._open(head, None)
        self._statements(body)
        self._close(end)

    def _on_one_line(self, node: ast.Syntax, blocks: Sequence[tuple[str, Sequence[ast.Statement]]]) -> str | None:
        """The blocks of a node if its author wrote each on one line, and they fit; `else` may begin a line."""
        text = node.span.text
        breaks = len(_ELSE.findall(text))
        if self.layout.flat:
            return " ".join(self._braced(*block) for block in blocks)
        if any(len(body) > 1 for _, body in blocks) or text.count("\n") != breaks or breaks not in (0, len(blocks) - 1):
            return None
        if breaks and "#" in text:
            return None
        joint = "\n" + self._pad() if breaks else " "
        result = joint.join(self._braced(*block) for block in blocks)
        lines = (self._pad() + result).split("\n")
        return result if all(len(line) <= WIDTH for line in lines) else None

    def _braced(self, head: str, body: Sequence[ast.Statement]) -> str:
        """A block on one line; its body is one statement, or empty."""
        if not body:
            return head + " {}"
        (lines, depth), (self.lines, self.depth) = (self.lines, self.depth), ([], 0)
        self.layout.flat += 1
        self._statement(body[0])
        self.layout.flat -= 1
        text = " ".join(self.lines)
        self.lines, self.depth = lines, depth
        return f"{head} {{ {text} }}"

    def _if(self, statement: ast.IfStatement) -> None:
        blocks: list[tuple[str, Sequence[ast.Statement]]] = []
        word = "if"
        rest: Sequence[ast.Statement] = (statement,)
        while len(rest) == 1 and isinstance(rest[0], ast.IfStatement):
            branch = rest[0]
            blocks.append((f"{word} {self.layout.one_line(branch.condition, OR)}", branch.yes))
            word, rest = "else if", branch.no
        if rest:
            blocks.append(("else", rest))
        text = self._on_one_line(statement, blocks)
        if text is not None:
            self._put(text)
            return
        for index, (head, body) in enumerate(blocks):
            if index:
                self._add(f" {head} {{")
                self.depth += 1
            else:
                self._open(head, None)
            self._statements(body)
            after = blocks[index + 1][1] if index + 1 < len(blocks) else ()
            self._close(self._end_of_branch(body, after, statement))

    def _end_of_branch(
        self, body: Sequence[ast.Statement], after: Sequence[ast.Statement], statement: ast.IfStatement
    ) -> int:
        """The offset before which comments belong to this branch: its closing brace, as far as can be told."""
        if not after:
            return statement.span.end
        start = body[-1].span.end if body else statement.span.start
        brace = self.source.find("\n}", start, after[0].span.start)
        return max(start, brace)
