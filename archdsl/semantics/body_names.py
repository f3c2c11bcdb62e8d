"""Names in one body, in the order of its text: what is known where, and what arguments a call may have.

Reports E101-E106, E117, E124, E309, E326 and E327; `names` says which bodies there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archdsl.diagnostics.core import Bag, Label, declared
from archdsl.diagnostics.suggest import closest, meant, meant_parameter
from archdsl.ops.registry import OPS
from archdsl.semantics.arguments import THROUGH
from archdsl.semantics.builtins import BUILTINS
from archdsl.semantics.program import Definition, FileScope
from archdsl.semantics.reserved import RESERVED, binding_problem, output_problem
from archdsl.source import Span
from archdsl.syntax import ast
from archdsl.syntax.hints import HINTS, NAMES

_NO_OP = "it is no op (docs/ops.md lists them): define it as a block or fn, or import it with `use`"
_BRACED = re.compile(r"\{ *([A-Za-z_]\w*)[^{}]*\}")
IN_HELP = "`in` is the input of a block; a fn takes its tensors as parameters"


@dataclass(frozen=True)
class Unknown:
    """A name that a body uses and does not know."""

    name: str
    span: Span
    near: str | None
    help: str | None


@dataclass
class Body:
    """What is known while one definition is walked through, in the order of its text."""

    owner: str
    known: set[str] = field(default_factory=set)
    """Names that may have been given a value so far."""
    read: set[str] = field(default_factory=set)
    wired: set[str] = field(default_factory=set)
    """Names that are read for more than an attribute, such as `x.channels`."""
    bound: dict[str, Span] = field(default_factory=dict)
    places: dict[str, Span] = field(default_factory=dict)
    """Where each name in `known` was given its first value."""
    unknown: list[Unknown] = field(default_factory=list)
    uses: dict[str, Span] = field(default_factory=dict)
    has_input: bool = False
    has_outputs: bool = False
    input_help: str | None = IN_HELP


class BodyNames:
    """Walks through bodies of one file."""

    def __init__(self, file: FileScope, bag: Bag) -> None:
        self.file = file
        self.bag = bag
        self.body = Body("")

    def _distinct(self, names: Iterable[tuple[str, Span]]) -> bool:
        seen: dict[str, Span] = {}
        ok = True
        for name, span in names:
            if name in seen:
                self.bag.report("E106", span, name=name, secondary=[Label(seen[name], "first used here")])
                ok = False
            seen.setdefault(name, span)
        return ok

    # --- statements --------------------------------------------------------------------------

    def _statements(self, statements: Sequence[ast.Statement]) -> None:
        for statement in statements:
            match statement:
                case ast.Assign():
                    self._visit(statement.value)
                    self._target(statement.target)
                case ast.Result():
                    self._visit(statement.value)
                case ast.For():
                    self._visit(statement.iterable)
                    self._target(statement.target)
                    # A later round may read what an earlier one has bound further down.
                    self.body.known |= _assigned(statement.body)
                    self._statements(statement.body)
                case ast.IfStatement():
                    self._visit(statement.condition)
                    self._statements(statement.yes)
                    self._statements(statement.no)
                case ast.Stage():
                    self._parts(statement.parts)
                    self._statements(statement.body)
                case ast.Output():
                    self._parts(statement.parts)
                    self._visit(statement.value)
                    self._output(statement)
                case ast.Require():
                    self._require(statement)

    def _require(self, statement: ast.Require) -> None:
        self._visit(statement.condition)
        if statement.message is not None:
            self._string(statement.message)

    def _output(self, statement: ast.Output) -> None:
        if not self.body.has_outputs:
            self.bag.report("E326", statement.span, owner=self.body.owner)
        elif statement.name is not None and (problem := output_problem(statement.name)):
            self.bag.report("E327", statement.name_span, name=statement.name, help=problem)

    def _target(self, target: ast.Target) -> None:
        names = list(_names(target))
        self._distinct((part.name or "", part.span) for part in names)
        for part in names:
            self._binding(part.name or "", part.span)
            self.body.bound.setdefault(part.name or "", part.span)

    def _binding(self, name: str, span: Span) -> None:
        if problem := binding_problem(name):
            self.bag.report("E117", span, name=name, help=problem)
            if name in RESERVED:  # read again it means the op, and what was bound would look forgotten
                self.file.faulty.add(self.body.owner)
        self.body.known.add(name)
        self.body.places.setdefault(name, span)

    # --- expressions -------------------------------------------------------------------------

    def _visit(self, node: ast.Expression | ast.Splice) -> None:
        _VISITS[type(node)](self, node)

    def _nothing(self, node: ast.Expression) -> None:
        pass

    def _name(self, node: ast.Name, *, called: bool = False) -> None:
        name, body = node.name, self.body
        body.read.add(name)
        body.wired.add(name)
        if name in body.known or name == "id" or (name == "in" and body.has_input):
            return
        if name == "in":
            self.bag.report("E101", node.span, name="in", suggestion=None, help=body.input_help)
        elif name in self.file.names:
            body.uses.setdefault(name, node.span)
        elif name not in OPS and name not in BUILTINS and name not in self.file.missing:
            known = [*body.known, *self.file.names, *OPS, *BUILTINS, "id", "true", "false"]
            near, help_ = meant(name, known)
            if name in NAMES:
                help_ = HINTS[NAMES[name]]
            elif called and near is None and help_ is None:
                help_ = _NO_OP
            body.unknown.append(Unknown(name, node.span, near, help_))

    def _report_unknown(self, body: Body) -> bool:
        """E101 for the names that a body does not know; whether one was taken for a misspelt declaration.

        A declaration that nothing reads, and that is meant in several places, is what was misspelt: one error, there.
        """
        misspelt = False
        for name in dict.fromkeys(unknown.name for unknown in body.unknown):
            uses = [unknown for unknown in body.unknown if unknown.name == name]
            near, help_ = uses[0].near, uses[0].help
            if near is None and (own := closest(name, self._unread(body))) is not None:
                near, help_ = own, None  # rather than what other libraries call so
            place = body.places.get(near or "")
            if place is not None and near not in body.read and len(uses) > 1:
                first = Label(uses[0].span, f"one of {len(uses)} uses of `{name}`")
                help_ = f"did you mean `{name}` here? nothing uses `{near}`"
                self.bag.report("E101", place, name=name, label="declared here", help=help_, secondary=(first,))
                misspelt = True
                continue
            for use in uses:
                places = declared(self._place(near)) if help_ is None else ()
                self.bag.report("E101", use.span, name=name, suggestion=near, help=help_, secondary=places)
        return misspelt

    def _unread(self, body: Body) -> list[str]:
        """Declarations that nothing reads: if a name is unknown, one of them may be what was misspelt."""
        return [name for name in body.places if name not in body.read]

    def _place(self, name: str | None) -> Span | None:
        """Where a name of this body or file is declared; None of an op or a built-in function."""
        if name in self.body.places:
            return self.body.places[name]
        definition = self.file.names.get(name or "")
        return definition.span if definition is not None and definition.file is self.file else None

    def _attribute(self, node: ast.Attribute) -> None:
        wired = set(self.body.wired)
        self._visit(node.value)
        if isinstance(node.value, ast.Name):
            self.body.wired = wired

    def _subscript(self, node: ast.Subscript) -> None:
        self._visit(node.value)
        self._visit(node.index)

    def _string(self, node: ast.String) -> None:
        """E124 for what looks like a label's braces in a text that is no label: they would stay as they are."""
        for name in _BRACED.findall(node.value):
            if name in self.body.known:
                self.bag.report("E124", node.span, name=name)
                return

    def _call(self, node: ast.CallExpr) -> None:
        if isinstance(node.callee, ast.Name):
            self._name(node.callee, called=True)
        else:
            self._visit(node.callee)
        for argument in node.arguments:
            self._visit(argument.value)
        callee = node.callee
        if not isinstance(callee, ast.Name) or callee.name in self.body.known:
            return
        definition = self.file.names.get(callee.name)
        if definition is not None:
            self._call_definition(node, definition)
        elif callee.name in OPS:
            op = OPS[callee.name]
            if op.combines:
                self._no_names(node.arguments, op.name)
            else:
                self._arguments(node.arguments, op.parameter_names, op.name, is_layer=True)
        elif callee.name in BUILTINS:
            self._call_builtin(node, callee.name)

    def _call_definition(self, node: ast.CallExpr, definition: Definition) -> None:
        syntax = definition.syntax
        if isinstance(syntax, ast.Table) or definition.kind == "model":
            what = "a list" if definition.kind == "table" else f"the model {definition.name}"
            self.bag.report("E309", node.callee.span, what=what)
            return
        names = {parameter.name: parameter.span for parameter in syntax.parameters}
        is_block = definition.kind == "block"
        if not self._arguments(node.arguments, list(names), definition.name, names, is_layer=is_block) or is_block:
            return  # a block may get the rest of its arguments later
        if any(argument.spread for argument in node.arguments):
            return
        given = {a.name for a in node.arguments} | set(list(names)[: sum(a.name is None for a in node.arguments)])
        for parameter in syntax.parameters:
            if parameter.name not in given and parameter.default is None:
                declared = [Label(parameter.span, "declared here")]
                facts = {"name": parameter.name, "owner": definition.name}
                self.bag.report("E103", node.span, secondary=declared, facts=facts)

    def _call_builtin(self, node: ast.CallExpr, name: str) -> None:
        builtin = BUILTINS[name]
        given = len(node.arguments)
        if not self._no_names(node.arguments, name):
            return
        if given < builtin.least:
            self.bag.report("E103", node.span, name="an argument", owner=name)
        elif builtin.most is not None and given > builtin.most:
            place = node.arguments[builtin.most].span
            self.bag.report("E105", place, owner=name, limit=builtin.most, given=given)

    def _no_names(self, given: Sequence[ast.Argument], owner: str) -> bool:
        for argument in given:
            if argument.name is not None:
                place = argument.name_span or argument.span
                facts: dict[str, Any] = {"name": argument.name, "owner": owner, "suggestion": None, "known": "none"}
                self.bag.report("E102", place, facts=facts)
                return False
        return True

    def _arguments(
        self,
        given: Sequence[ast.Argument],
        names: Sequence[str],
        owner: str,
        places: Mapping[str, Span] | None = None,
        *,
        is_layer: bool = False,
    ) -> bool:
        """E102, E104 and E105 for a call of what has these parameters, which are declared at `places`."""
        fresh: dict[str, Span] = {}
        position, ok = 0, True
        for argument in given:
            if argument.spread:
                continue
            name, place = argument.name, argument.name_span or argument.value.span
            if name is None:
                if position >= len(names):
                    facts = {"owner": owner, "limit": len(names), "given": sum(a.name is None for a in given)}
                    help_ = _through(given, owner, len(names)) if is_layer else None
                    self.bag.report("E105", argument.value.span, facts=facts, help=help_)
                    return False
                name = names[position]
                position += 1
            if name not in names:
                known = ", ".join(names) or "none"
                near, help_ = meant_parameter(name, names)
                facts = {"name": name, "owner": owner, "suggestion": near, "known": known}
                meaning = declared((places or {}).get(near or ""))
                self.bag.report("E102", place, facts=facts, help=help_, secondary=meaning)
                ok = False
            elif name in fresh:
                first = [Label(fresh[name], "given here first")]
                self.bag.report("E104", place, name=name, owner=owner, secondary=first)
                ok = False
            fresh.setdefault(name, place)
        return ok

    def _unary(self, node: ast.Unary) -> None:
        self._visit(node.operand)

    def _binary(self, node: ast.BinaryExpr) -> None:
        self._visit(node.left)
        self._visit(node.right)

    def _range(self, node: ast.Range) -> None:
        for end in (node.start, node.stop):
            if end is not None:
                self._visit(end)

    def _if(self, node: ast.If) -> None:
        self._visit(node.condition)
        self._visit(node.yes)
        self._visit(node.no)

    def _arrow(self, node: ast.Arrow) -> None:
        for operand in node.operands:
            self._visit(operand)

    def _labelled(self, node: ast.Labelled) -> None:
        self._parts(node.parts)
        self._visit(node.value)

    def _parts(self, parts: Iterable[ast.LabelPart]) -> None:
        for part in parts:
            if part.value is not None:
                self._visit(part.value)

    def _list(self, node: ast.ListExpr) -> None:
        for item in node.items:
            for part in (item.count, item.value, item.condition):
                if part is not None:
                    self._visit(part)

    def _splice(self, node: ast.Splice) -> None:
        self._visit(node.value)

    def _comprehension(self, node: ast.Comprehension) -> None:
        outer = set(self.body.known)
        for clause in node.clauses:
            self._visit(clause.iterable)
            self._target(clause.target)
            if clause.condition is not None:
                self._visit(clause.condition)
        self._visit(node.value)
        self.body.known = outer

    def _tuple(self, node: ast.TupleExpr) -> None:
        for item in node.items:
            self._visit(item)


def _names(target: ast.Target) -> Iterator[ast.Target]:
    if target.name is not None:
        yield target
    for part in target.items:
        yield from _names(part)


def _assigned(statements: Iterable[ast.Statement]) -> set[str]:
    """Every name that the statements may bind."""
    found: set[str] = set()
    for statement in statements:
        match statement:
            case ast.Assign():
                found |= {part.name or "" for part in _names(statement.target)}
            case ast.For():
                found |= {part.name or "" for part in _names(statement.target)} | _assigned(statement.body)
            case ast.IfStatement():
                found |= _assigned(statement.yes) | _assigned(statement.no)
            case ast.Stage():
                found |= _assigned(statement.body)
    return found


_VISITS: dict[type, Callable[[BodyNames, Any], None]] = {
    ast.Number: BodyNames._nothing,
    ast.String: BodyNames._string,
    ast.Bool: BodyNames._nothing,
    ast.Name: BodyNames._name,
    ast.Attribute: BodyNames._attribute,
    ast.Subscript: BodyNames._subscript,
    ast.CallExpr: BodyNames._call,
    ast.Unary: BodyNames._unary,
    ast.BinaryExpr: BodyNames._binary,
    ast.Range: BodyNames._range,
    ast.If: BodyNames._if,
    ast.Arrow: BodyNames._arrow,
    ast.Labelled: BodyNames._labelled,
    ast.ListExpr: BodyNames._list,
    ast.Splice: BodyNames._splice,
    ast.Comprehension: BodyNames._comprehension,
    ast.TupleExpr: BodyNames._tuple,
}


def _through(given: Sequence[ast.Argument], owner: str, limit: int) -> str | None:
    """The hint for a layer with too many arguments, if the first may be its input."""
    first = next(argument.value for argument in given if argument.name is None)
    if isinstance(first, ast.Number | ast.String | ast.Bool | ast.ListExpr):
        return None
    name = first.name if isinstance(first, ast.Name) else "x"
    return f"{THROUGH}: {name} -> {owner}{'(…)' if limit else ''}"
