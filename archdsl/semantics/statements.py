"""Statements of a body: assignment, `if`, `for`, `stage`, `require` and results.

Takes the statements and the `Frame` they change; gives the value of the last expression.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from archdsl.diagnostics.core import Label
from archdsl.graph.scopes import Scope
from archdsl.graph.sizes import has_sizes
from archdsl.semantics.core import Frame
from archdsl.semantics.expressions import ExpressionRules
from archdsl.semantics.reserved import output_problem
from archdsl.semantics.values import UNKNOWN, Tensor, Traced, as_tensors, expr_of, plain, type_name
from archdsl.source import Span
from archdsl.symbolic import Local
from archdsl.syntax import ast

_NOTHING = object()
"""The value of a statement that is no expression."""

_EACH = "give each of them a name: for i, x in list { output p{i} = x }"


class StatementRules(ExpressionRules):
    """`execute`: runs a body and gives its last expression."""

    def execute(self, body: Sequence[ast.Statement], frame: Frame) -> Any:
        """The result of a body, UNKNOWN after an error, or None where it has no result."""
        value = self._block(body, frame)
        return None if value is _NOTHING else value

    def _block(self, body: Sequence[ast.Statement], frame: Frame) -> Any:
        value: Any = _NOTHING
        before: ast.Statement | None = None
        for statement in body:
            if before is not None and value is not _NOTHING and value is not UNKNOWN:
                # Only the last expression counts: an earlier one would be computed and dropped.
                self.error("E322", before.span, frame, what=type_name(value))
            before = statement
            self.step(frame, statement.span)
            value = self._statement(statement, frame)
        return value

    def _statement(self, statement: ast.Statement, frame: Frame) -> Any:
        match statement:
            case ast.Assign():
                self._assign(statement, frame)
            case ast.Result():
                return self.evaluate(statement.value, frame)
            case ast.For():
                self._for(statement, frame)
            case ast.IfStatement():
                return self._if_statement(statement, frame)
            case ast.Stage():
                return self._stage(statement, frame)
            case ast.Output():
                self._output(statement, frame)
            case ast.Require():
                self._require(statement, frame)
        return _NOTHING

    def _assign(self, statement: ast.Assign, frame: Frame) -> None:
        value = self.evaluate(statement.value, frame)
        if value is UNKNOWN:
            self.bind_unknown(statement.target, frame)
            return
        name = statement.target.name
        if name is not None and isinstance(value, Traced):
            value = self._keep_name(name, value, frame)
        self.bind(statement.target, value, frame)

    def _keep_name(self, name: str, value: Traced, frame: Frame) -> Traced:
        """Keep a number's name for generated source, where a block body gives it one."""
        if self.reads_sizes and has_sizes(value.expr):
            return value
        if frame.function is not None:
            kept, taken = frame.function.locals, frame.locals
        elif frame.inline or frame.scope is None:
            return value
        else:
            kept, taken = frame.scope.frame.locals, frame.scope.frame.arguments
        if isinstance(value.expr, Local) or name in taken or kept.get(name, value.expr) != value.expr:
            return value  # the name means something else elsewhere in this body
        kept[name] = value.expr
        return Traced(value.value, Local(name, value.expr))

    def _for(self, statement: ast.For, frame: Frame) -> None:
        listed = self.iterable(self.evaluate(statement.iterable, frame), statement.iterable.span, frame)
        if listed is UNKNOWN:
            self._forget(statement.body, frame)
            return
        for index, value in listed:
            self.step(frame, statement.span)
            if not self.bind_loop(statement.target, index, value, frame):
                self._forget(statement.body, frame)
                return
            result = self._block(statement.body, frame)
            if result is not _NOTHING and result is not UNKNOWN:
                self.error("E322", statement.body[-1].span, frame, what=type_name(result))
                return

    def _if_statement(self, statement: ast.IfStatement, frame: Frame) -> Any:
        test = self.condition(statement.condition, frame)
        if test is UNKNOWN:
            self._forget((*statement.yes, *statement.no), frame)
            return _NOTHING
        self.structural(expr_of(test), frame)
        return self._block(statement.yes if plain(test) else statement.no, frame)

    def _stage(self, statement: ast.Stage, frame: Frame) -> Any:
        name = self.label_text(statement.parts, statement.name_span, frame)
        if name is None or frame.scope is None:
            self._forget(statement.body, frame)
            return _NOTHING
        outer, frame.scope = frame.scope, self.open_stage(name, statement.name_span, frame)
        value = self._block(statement.body, frame)
        frame.scope = outer
        return value

    def open_stage(self, name: str, span: Span, frame: Frame) -> Scope:
        """A stage that is no level of the paths: a scope that shares the names of the one around it."""
        outer = frame.scope
        assert outer is not None
        self.grow(frame, span)
        scope = Scope("stage", name, outer.path, outer, span, stage=True)
        scope.start = len(self.graph.nodes) if self.graph else 0
        scope.names, scope.counters = outer.names, outer.counters
        outer.members.append(scope)
        self.claim_stage(scope, frame)
        return scope

    def claim_stage(self, scope: Scope, frame: Frame) -> None:
        """E107 if another stage has this one's name."""
        name, place = scope.stage_name, scope.span
        if name in self.stages:
            secondary = [Label(self.stages[name], "first used here")]
            self.error("E107", place, frame, what="stages have the name", path=name, secondary=secondary)
        self.stages.setdefault(name, place)

    def _output(self, statement: ast.Output, frame: Frame) -> None:
        name, value = self.filled(statement.parts, frame), self.evaluate(statement.value, frame)
        in_model = not frame.inline and frame.scope is not None and frame.scope.frame.kind == "model"
        if value is UNKNOWN or not in_model or name is None:
            return  # reported here or where names are checked
        problem = output_problem(name)
        if problem is not None and statement.name is None:
            self.error("E327", statement.name_span, frame, name=name, help=problem)
        if not isinstance(value, Tensor):
            what, place = f"the output {name}", statement.value.span
            help_ = _EACH if as_tensors(value) else None
            self.error("E301", place, frame, what=what, expected="a tensor", got=type_name(value), help=help_)
        elif name in self.outputs:
            first = Label(self.outputs[name][1], "first defined here")
            again = self.outputs[name][1] == statement.name_span
            help_ = "in a loop each output has a name of its own: output p{i} = x" if again else None
            self.error("E106", statement.name_span, frame, name=name, secondary=[first], help=help_)
        else:
            self.outputs[name] = value, statement.name_span

    def _require(self, statement: ast.Require, frame: Frame) -> None:
        message = statement.message.value if statement.message else statement.condition.span.text
        outer, self.requirement = self.requirement, message
        test = self.condition(statement.condition, frame)
        self.requirement = outer
        if test is not UNKNOWN and not plain(test):
            self.error("E316", statement.condition.span, frame, message=message)

    def _forget(self, body: Sequence[ast.Statement], frame: Frame) -> None:
        """What a skipped body would have assigned is unknown, so that no second error follows."""
        for statement in body:
            match statement:
                case ast.Assign():
                    self.bind_unknown(statement.target, frame)
                case ast.For():
                    self._forget(statement.body, frame)
                case ast.IfStatement():
                    self._forget((*statement.yes, *statement.no), frame)
                case ast.Stage():
                    self._forget(statement.body, frame)
