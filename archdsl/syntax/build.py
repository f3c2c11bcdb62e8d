"""Reductions -> AST: one method for each rule of grammar/arch.lark, called while the parser runs.

A child is a token, a piece of syntax, a list, or None for a missing optional part. Nothing
here raises: what is wrong beyond the grammar (numbers, labels) is reported, and the tree goes on without it.
"""

from __future__ import annotations

from typing import Any

from archdsl.source import Span
from archdsl.syntax import ast
from archdsl.syntax.build_bodies import BuildBodies
from archdsl.syntax.hints import HINTS
from archdsl.syntax.lexing import Token


class Build(BuildBodies):
    """Makes the AST of one source."""

    # --- definitions -------------------------------------------------------------------------

    def docstring(self, c: list[Any], start: int, end: int) -> ast.Docstring:
        return ast.Docstring(self._unquoted(c[0]), span=self.span(start, end))

    def columns(self, c: list[Any], start: int, end: int) -> tuple[ast.UsedName, ...]:
        return tuple(ast.UsedName(name.value, span=self.place(name)) for name in c)

    def use(self, c: list[Any], start: int, end: int) -> ast.Use:
        return ast.Use(self.quoted(c[0]), c[1], span=self.span(start, end))

    def default(self, c: list[Any], start: int, end: int) -> ast.Default:
        return ast.Default(tuple(c), span=self.span(start, end))

    def default_call(self, c: list[Any], start: int, end: int) -> ast.CallExpr:
        return ast.CallExpr(self.name(c[0]), c[1], span=self.span(start, end))

    def name(self, token: Token) -> ast.Name:
        return ast.Name(token.value, span=self.place(token))

    def block(self, c: list[Any], start: int, end: int) -> ast.Definition:
        return self._definition("block", c[0], c[1], c[2], c[3], self.span(start, end))

    def definition(self, c: list[Any], start: int, end: int) -> ast.Definition:
        return self._definition(c[0].value, c[1], c[2], None, c[3], self.span(start, end))

    def _definition(
        self,
        kind: str,
        name: Token,
        parameters: tuple[ast.Parameter, ...] | None,
        inputs: tuple[ast.UsedName, ...] | None,
        meaning: list[ast.Statement] | ast.Expression,
        span: Span,
    ) -> ast.Definition:
        docstring = None
        expression = not isinstance(meaning, list)
        if isinstance(meaning, list):
            docstring, body = self._take_docstring(meaning)
        else:
            body = (ast.Result(meaning, span=meaning.span),)
        return ast.Definition(
            kind, name.value, self.place(name), parameters or (), inputs or (), body, docstring, expression, span=span
        )

    def _take_docstring(
        self, statements: list[ast.Statement]
    ) -> tuple[ast.Docstring | None, tuple[ast.Statement, ...]]:
        first = statements[0] if statements else None
        if isinstance(first, ast.Result) and isinstance(first.value, ast.String):
            return ast.Docstring(first.value.value, span=first.span), tuple(statements[1:])
        return None, tuple(statements)

    def parameters(self, c: list[Any], start: int, end: int) -> tuple[ast.Parameter, ...]:
        return tuple(c)

    def parameter(self, c: list[Any], start: int, end: int) -> ast.Parameter:
        return ast.Parameter(c[0].value, None, None, c[1], span=self.span(start, end))

    def typed_parameter(self, c: list[Any], start: int, end: int) -> ast.Parameter:
        name, _ = self._plain_label(c[0])
        return ast.Parameter(name, c[1], c[2], c[3], span=self.span(start, end))

    def type_ref(self, c: list[Any], start: int, end: int) -> ast.TypeRef:
        return ast.TypeRef(c[0].value, c[1], span=self.span(start, end))

    # --- tables, variants, claims ------------------------------------------------------------

    def table(self, c: list[Any], start: int, end: int) -> ast.Table:
        name, columns, rows = c[0], c[1], c[2:]
        docstring = None
        first: tuple[ast.Expression, ...] = rows[0].values if rows else ()
        if len(columns) > 1 and len(first) == 1 and isinstance(first[0], ast.String):
            docstring = ast.Docstring(first[0].value, span=first[0].span)
            rows = rows[1:]
        return ast.Table(name.value, self.place(name), columns, tuple(rows), docstring, span=self.span(start, end))

    def row(self, c: list[Any], start: int, end: int) -> ast.Row:
        return ast.Row(tuple(c), span=self.span(start, end))

    def variants(self, c: list[Any], start: int, end: int) -> ast.Variants:
        return ast.Variants(self.name(c[0]), c[1] or (), tuple(c[3:]), c[2], span=self.span(start, end))

    def variant_row(self, c: list[Any], start: int, end: int) -> ast.VariantRow:
        name, span = self._plain_label(c[0])
        return ast.VariantRow(name, span, tuple(c[1:]), span=self.span(start, end))

    def variant(self, c: list[Any], start: int, end: int) -> ast.Variant:
        return self._variant(c, start, end, amends=False)

    def variant_with(self, c: list[Any], start: int, end: int) -> ast.Variant:
        return self._variant(c, start, end, amends=True)

    def _variant(self, c: list[Any], start: int, end: int, *, amends: bool) -> ast.Variant:
        name, base, arguments = c
        return ast.Variant(
            name.value, self.place(name), self.name(base), arguments or (), amends, None, span=self.span(start, end)
        )

    def entries(self, c: list[Any], start: int, end: int) -> tuple[ast.Entry, ...]:
        return tuple(c)

    def entry(self, c: list[Any], start: int, end: int) -> ast.Entry:
        return ast.Entry(c[0].value, self.place(c[0]), c[1], span=self.span(start, end))

    def expect(self, c: list[Any], start: int, end: int) -> ast.Expect:
        return ast.Expect(self.name(c[0]), c[1], span=self.span(start, end))

    def reference(self, c: list[Any], start: int, end: int) -> ast.Reference:
        library, targets, arguments, body = c
        docstring, entries = body or (None, ())
        return ast.Reference(
            self.name(library), targets, arguments or (), docstring, entries, span=self.span(start, end)
        )

    def reference_targets(self, c: list[Any], start: int, end: int) -> tuple[ast.ReferenceTarget, ...]:
        return tuple(c)

    def reference_target(self, c: list[Any], start: int, end: int) -> ast.ReferenceTarget:
        name, model = c
        string = None if model is None else self.quoted(model)
        return ast.ReferenceTarget(self.name(name), string, span=self.span(start, end))

    def about(self, c: list[Any], start: int, end: int) -> tuple[ast.Name, ...]:
        return tuple(self.name(token) for token in c)

    def reference_body(self, c: list[Any], start: int, end: int) -> tuple[ast.Docstring | None, tuple[ast.Entry, ...]]:
        return c[0], tuple(c[1:])

    def preprocess(self, c: list[Any], start: int, end: int) -> ast.Preprocess:
        return ast.Preprocess(c[0], c[1], span=self.span(start, end))

    def init(self, c: list[Any], start: int, end: int) -> ast.Init:
        return ast.Init(c[0], tuple(c[1:]), span=self.span(start, end))

    def rule(self, c: list[Any], start: int, end: int) -> ast.Rule:
        token = c[0]
        pattern, span = self._label_name(token)
        quoted = token.kind == "STRING_LABEL"
        if quoted:
            pattern = self._unescaped(pattern[1:-1], span)
        elif "{" in pattern:
            self.bag.report("E006", span, detail="a value cannot be part of a pattern", help=HINTS["pattern"])
        return ast.Rule(pattern, span, quoted, c[1], span=self.span(start, end))

    def checkpoint(self, c: list[Any], start: int, end: int) -> ast.Checkpoint:
        name, targets, docstring, *rules = c
        return ast.Checkpoint(
            name.value, self.place(name), targets, tuple(rules), docstring, span=self.span(start, end)
        )

    def recipe(self, c: list[Any], start: int, end: int) -> ast.Recipe:
        name, targets, body = c
        return self._recipe(name, targets, None, body, start, end)

    def recipe_from(self, c: list[Any], start: int, end: int) -> ast.Recipe:
        name, targets, base, body = c
        return self._recipe(name, targets, self.name(base), body, start, end)

    def _recipe(
        self,
        name: Token,
        targets: tuple[ast.Name, ...] | None,
        base: ast.Name | None,
        body: tuple[ast.Docstring | None, tuple[ast.Entry | ast.Progressive, ...]] | None,
        start: int,
        end: int,
    ) -> ast.Recipe:
        docstring, members = body or (None, ())
        span = self.span(start, end)
        return ast.Recipe(
            name.value, self.place(name), targets or (), base, docstring, members, body is not None, span=span
        )

    def recipe_body(
        self, c: list[Any], start: int, end: int
    ) -> tuple[ast.Docstring | None, tuple[ast.Entry | ast.Progressive, ...]]:
        return c[0], tuple(c[1:])

    def progressive(self, c: list[Any], start: int, end: int) -> ast.Progressive:
        return ast.Progressive(c[0], c[1], tuple(c[2:]), span=self.span(start, end))

    def dimension(self, c: list[Any], start: int, end: int) -> ast.Dimension:
        return ast.Dimension(c[0].value, self.place(c[0]), c[1], span=self.span(start, end))

    def space(self, c: list[Any], start: int, end: int) -> ast.Space:
        name, target, body = c
        return self._space(name, target, None, body, start, end)

    def space_from(self, c: list[Any], start: int, end: int) -> ast.Space:
        name, target, base, body = c
        return self._space(name, target, self.name(base), body, start, end)

    def _space(
        self,
        name: Token,
        target: Token | None,
        base: ast.Name | None,
        body: tuple[ast.Docstring | None, tuple[ast.Dimension | ast.Entry | ast.Require, ...]] | None,
        start: int,
        end: int,
    ) -> ast.Space:
        docstring, members = body or (None, ())
        about = self.name(target) if target is not None else None
        span = self.span(start, end)
        return ast.Space(name.value, self.place(name), about, base, docstring, members, body is not None, span=span)

    def space_body(
        self, c: list[Any], start: int, end: int
    ) -> tuple[ast.Docstring | None, tuple[ast.Dimension | ast.Entry | ast.Require, ...]]:
        return c[0], tuple(c[1:])

    def key_rule(self, c: list[Any], start: int, end: int) -> ast.KeyRule:
        their, their_shape, our, our_shape = c
        theirs, ours = (self.quoted(token) for token in (their, our))
        return ast.KeyRule(theirs, ours, their_shape, our_shape, span=self.span(start, end))

    def shape(self, c: list[Any], start: int, end: int) -> ast.Shape:
        return ast.Shape(tuple(c), span=self.span(start, end))

    def absent(self, c: list[Any], start: int, end: int) -> ast.Absent:
        return ast.Absent(self.quoted(c[0]), span=self.span(start, end))

    def weights(self, c: list[Any], start: int, end: int) -> ast.Weights:
        library, about, docstring, *rows = c
        return ast.Weights(self.name(library), about, tuple(rows), docstring, span=self.span(start, end))

    def weights_row(self, c: list[Any], start: int, end: int) -> ast.WeightsRow:
        quoted = c[0].kind == "STRING_LABEL"
        tag, span = self._label_name(c[0]) if quoted else self._plain_label(c[0])
        if quoted:
            tag = self._unescaped(tag[1:-1], span)
        return ast.WeightsRow(tag, span, quoted, tuple(c[1:]), span=self.span(start, end))

    def weights_list(self, c: list[Any], start: int, end: int) -> ast.WeightsList:
        return ast.WeightsList(self.quoted(c[0]), span=self.span(start, end))

    def counter(self, c: list[Any], start: int, end: int) -> ast.Counter:
        name, ours = c
        pattern = self.quoted(ours)
        return ast.Counter(name.value, self.place(name), pattern, span=self.span(start, end))
