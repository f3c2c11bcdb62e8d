"""Reductions -> AST: the rules of what stands in bodies, expressions, labels and statements.

`archdsl.syntax.build` has those of the items, and says what the methods are given.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from archdsl.diagnostics.core import Bag
from archdsl.source import Source, Span
from archdsl.syntax import ast
from archdsl.syntax.hints import HINTS
from archdsl.syntax.lexing import Token
from archdsl.syntax.literals import dedent, parse_number, unescape

_HOLE = re.compile(r"\{([^{}]*)\}")


class BuildBodies:
    """Makes the expressions and statements of one source. `piece` reads what is between the braces of a label."""

    def __init__(self, source: Source, bag: Bag, piece: Callable[[int, int], ast.Expression]) -> None:
        self.source = source
        self.bag = bag
        self.piece = piece

    def span(self, start: int, end: int) -> Span:
        return Span(self.source, start, end)

    def place(self, token: Token) -> Span:
        return Span(self.source, token.start_pos, token.end_pos)

    # --- atoms -------------------------------------------------------------------------------

    def number(self, c: list[Any], start: int, end: int) -> ast.Number:
        text = c[0].value
        value = parse_number(text)
        if value is None:
            self.bag.report("E007", self.span(start, end), text=text, help=HINTS["number"])
        return ast.Number(0 if value is None else value, text, span=self.span(start, end))

    def string(self, c: list[Any], start: int, end: int) -> ast.String:
        return self.quoted(c[0])

    def quoted(self, token: Token) -> ast.String:
        return ast.String(self._unquoted(token), span=self.place(token))

    def boolean(self, c: list[Any], start: int, end: int) -> ast.Bool:
        return ast.Bool(c[0].value == "true", span=self.span(start, end))

    def variable(self, c: list[Any], start: int, end: int) -> ast.Name:
        return ast.Name(c[0].value, span=self.span(start, end))

    def group(self, c: list[Any], start: int, end: int) -> ast.TupleExpr:
        return ast.TupleExpr(tuple(c), span=self.span(start, end))

    def sequence(self, c: list[Any], start: int, end: int) -> ast.ListExpr:
        return ast.ListExpr(tuple(c), span=self.span(start, end))

    def list_item(self, c: list[Any], start: int, end: int) -> ast.Item:
        return ast.Item(c[0], None, c[1], span=self.span(start, end))

    def repeated_item(self, c: list[Any], start: int, end: int) -> ast.Item:
        return ast.Item(c[1], c[0], c[2], span=self.span(start, end))

    def splice(self, c: list[Any], start: int, end: int) -> ast.Splice:
        return ast.Splice(c[0], span=self.span(start, end))

    def comprehension(self, c: list[Any], start: int, end: int) -> ast.Comprehension:
        return ast.Comprehension(c[0], tuple(c[1:]), span=self.span(start, end))

    def clause(self, c: list[Any], start: int, end: int) -> ast.Clause:
        return ast.Clause(c[0], c[1], c[2], span=self.span(start, end))

    # --- operations --------------------------------------------------------------------------

    def unary(self, c: list[Any], start: int, end: int) -> ast.Unary:
        return ast.Unary(c[0].value, c[1], span=self.span(start, end))

    def binary(self, c: list[Any], start: int, end: int) -> ast.BinaryExpr:
        return ast.BinaryExpr(c[1].value, c[0], c[2], self.place(c[1]), span=self.span(start, end))

    def chained(self, c: list[Any], start: int, end: int) -> ast.BinaryExpr:
        self.bag.report("E008", self.place(c[1]))
        return self.binary(c, start, end)

    def interval(self, c: list[Any], start: int, end: int) -> ast.Range:
        return ast.Range(c[0], c[1], span=self.span(start, end))

    def interval_from(self, c: list[Any], start: int, end: int) -> ast.Range:
        return ast.Range(c[0], None, span=self.span(start, end))

    def interval_to(self, c: list[Any], start: int, end: int) -> ast.Range:
        return ast.Range(None, c[0], span=self.span(start, end))

    def call(self, c: list[Any], start: int, end: int) -> ast.CallExpr:
        return ast.CallExpr(c[0], c[1], span=self.span(start, end))

    def subscript(self, c: list[Any], start: int, end: int) -> ast.Subscript:
        return ast.Subscript(c[0], c[1], span=self.span(start, end))

    def attribute(self, c: list[Any], start: int, end: int) -> ast.Attribute:
        return ast.Attribute(c[0], c[1].value, self.place(c[1]), span=self.span(start, end))

    def conditional(self, c: list[Any], start: int, end: int) -> ast.If:
        return ast.If(c[0], c[1], c[2], span=self.span(start, end))

    def chain(self, c: list[Any], start: int, end: int) -> ast.Arrow:
        return ast.Arrow(tuple(c), span=self.span(start, end))

    def arguments(self, c: list[Any], start: int, end: int) -> tuple[ast.Argument, ...]:
        return tuple(c)

    def positional(self, c: list[Any], start: int, end: int) -> ast.Argument:
        return ast.Argument(None, c[0], span=self.span(start, end))

    def named(self, c: list[Any], start: int, end: int) -> ast.Argument:
        return ast.Argument(c[0].value, c[1], name_span=self.place(c[0]), span=self.span(start, end))

    def spread(self, c: list[Any], start: int, end: int) -> ast.Argument:
        return ast.Argument(None, c[0], spread=True, span=self.span(start, end))

    # --- labels ------------------------------------------------------------------------------

    def label(self, c: list[Any], start: int, end: int) -> ast.Labelled:
        return self._labelled(c, start, end, stage=False, quoted=False)

    def stage(self, c: list[Any], start: int, end: int) -> ast.Labelled:
        return self._labelled(c, start, end, stage=True, quoted=False)

    def quoted_label(self, c: list[Any], start: int, end: int) -> ast.Labelled:
        return self._labelled(c, start, end, stage=False, quoted=True)

    def quoted_stage(self, c: list[Any], start: int, end: int) -> ast.Labelled:
        return self._labelled(c, start, end, stage=True, quoted=True)

    def _labelled(self, c: list[Any], start: int, end: int, *, stage: bool, quoted: bool) -> ast.Labelled:
        name, place = self._label_name(c[0])
        at = place.start
        if quoted:
            name, at = name[1:-1], at + 1
        return ast.Labelled(self._parts(name, at, quoted), stage, c[1], place, quoted, span=self.span(start, end))

    def _label_name(self, token: Token) -> tuple[str, Span]:
        """A label token without its colon."""
        name = token.value[:-1].rstrip()
        return name, self.span(token.start_pos, token.start_pos + len(name))

    def _parts(self, name: str, at: int, quoted: bool) -> tuple[ast.LabelPart, ...]:
        """The texts and holes of a label which begins at offset `at`."""
        parts: list[ast.LabelPart] = []
        done = 0
        for hole in _HOLE.finditer(name) if "{" in name else ():
            self._text_part(name, done, hole.start(), at, quoted, parts)
            value = self.piece(at + hole.start(1), at + hole.end(1))
            parts.append(ast.LabelPart(None, value, span=self.span(at + hole.start(), at + hole.end())))
            done = hole.end()
        self._text_part(name, done, len(name), at, quoted, parts)
        if not parts:
            self.bag.report("E006", self.span(at, at), detail="it is empty")
        return tuple(parts)

    def _text_part(self, name: str, start: int, end: int, at: int, quoted: bool, parts: list[ast.LabelPart]) -> None:
        text = name[start:end]
        if not text:
            return
        span = self.span(at + start, at + end)
        if "{" in text or "}" in text:
            self.bag.report("E006", span, detail="its braces do not match")
        parts.append(ast.LabelPart(self._unescaped(text, span) if quoted else text, None, span=span))

    def _plain_label(self, token: Token) -> tuple[str, Span]:
        """A label used as the name of a row or a parameter: one plain name."""
        name, span = self._label_name(token)
        if not name.isidentifier():
            detail = "a value cannot be part of this name" if "{" in name else "a name here cannot have dots"
            self.bag.report("E006", span, detail=detail, help=HINTS["plain label"])
        return name, span

    def _unquoted(self, token: Token) -> str:
        text = token.value
        text = dedent(text[3:-3]) if text.startswith('"""') else text[1:-1]
        return self._unescaped(text, self.place(token)) if "\\" in text else text

    def _unescaped(self, text: str, span: Span) -> str:
        value, wrong = unescape(text)
        if wrong:
            self.bag.report("E001", span, char=wrong, help=HINTS["escape"])
        return value

    # --- statements --------------------------------------------------------------------------

    def body(self, c: list[Any], start: int, end: int) -> list[ast.Statement]:
        return c

    def equation(self, c: list[Any], start: int, end: int) -> ast.Expression:
        expression: ast.Expression = c[0]
        return expression

    def target(self, c: list[Any], start: int, end: int) -> ast.Target:
        return ast.Target(c[0].value, span=self.span(start, end))

    def target_tuple(self, c: list[Any], start: int, end: int) -> ast.Target:
        return ast.Target(None, tuple(c), span=self.span(start, end))

    def targets(self, c: list[Any], start: int, end: int) -> ast.Target:
        """`i` is that name, `i, v` a tuple of two; `(n, dim)` alone is a tuple of one tuple: no index is bound."""
        if len(c) == 1 and c[0].name is not None:
            target: ast.Target = c[0]
            return target
        return ast.Target(None, tuple(c), span=self.span(start, end))

    def assign(self, c: list[Any], start: int, end: int) -> ast.Assign:
        return ast.Assign(ast.Target(c[0].value, span=self.place(c[0])), c[1], span=self.span(start, end))

    def unpack(self, c: list[Any], start: int, end: int) -> ast.Assign:
        names = [child for child in c if isinstance(child, Token)]
        values = [child for child in c if not isinstance(child, Token)]
        targets = tuple(ast.Target(name.value, span=self.place(name)) for name in names)
        target = ast.Target(None, targets, span=self.span(start, names[-1].end_pos))
        value = values[0]
        if len(values) > 1:
            value = ast.TupleExpr(tuple(values), span=values[0].span.to(values[-1].span))
        return ast.Assign(target, value, span=self.span(start, end))

    def if_statement(self, c: list[Any], start: int, end: int) -> ast.IfStatement:
        no = c[2]
        no = () if no is None else (no,) if isinstance(no, ast.IfStatement) else tuple(no)
        return ast.IfStatement(c[0], tuple(c[1]), no, span=self.span(start, end))

    def for_statement(self, c: list[Any], start: int, end: int) -> ast.For:
        return ast.For(c[0], c[1], tuple(c[2]), span=self.span(start, end))

    def stage_statement(self, c: list[Any], start: int, end: int) -> ast.Stage:
        parts, place = self._named_parts(c[0], "stage")
        return ast.Stage(parts, tuple(c[1]), place, span=self.span(start, end))

    def quoted_stage_statement(self, c: list[Any], start: int, end: int) -> ast.Stage:
        parts, place = self._quoted_parts(c[0])
        return ast.Stage(parts, tuple(c[1]), place, quoted=True, span=self.span(start, end))

    def output(self, c: list[Any], start: int, end: int) -> ast.Output:
        parts, place = self._named_parts(c[0], "output")
        return ast.Output(parts, place, c[1], span=self.span(start, end))

    def quoted_output(self, c: list[Any], start: int, end: int) -> ast.Output:
        parts, place = self._quoted_parts(c[0])
        return ast.Output(parts, place, c[1], quoted=True, span=self.span(start, end))

    def _named_parts(self, token: Token, word: str) -> tuple[tuple[ast.LabelPart, ...], Span]:
        """What is named after a word that begins a statement, and where."""
        name = token.value[len(word) :].lstrip()
        place = self.span(token.end_pos - len(name), token.end_pos)
        return self._parts(name, place.start, False), place

    def _quoted_parts(self, token: Token) -> tuple[tuple[ast.LabelPart, ...], Span]:
        """A name written as a string, and where."""
        place = self.place(token)
        return self._parts(token.value[1:-1], place.start + 1, True), place

    def require(self, c: list[Any], start: int, end: int) -> ast.Require:
        message = None if c[1] is None else self.quoted(c[1])
        return ast.Require(c[0], message, span=self.span(start, end))

    def result(self, c: list[Any], start: int, end: int) -> ast.Result:
        return ast.Result(c[0], span=self.span(start, end))
