"""Expressions and statements with every name resolved, and every argument bound to its parameter where it can be.

Takes syntax and the `Names` of its body; gives the bound tree. Reports E102-E105, E124, E309, E326, E327 and what
`names` and `binding` do. `resolve` says which bodies there are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from archdsl.diagnostics.diagnostic import Label
from archdsl.ops.spec import OpSpec
from archdsl.semantics import bound
from archdsl.semantics.binding import bind_arguments, bind_builtin, refuse_names
from archdsl.semantics.names import Names, assigned
from archdsl.semantics.program import Definition
from archdsl.semantics.reserved import output_problem
from archdsl.semantics.values import MAX_NUMBER, Arg
from archdsl.symbolic import Const
from archdsl.syntax import ast

Rule = Callable[[Any, Names], bound.Expression]

_BRACED = re.compile(r"\{ *([A-Za-z_]\w*)[^{}]*\}")

# --- statements ------------------------------------------------------------------------------


def statements(body: Sequence[ast.Statement], names: Names) -> tuple[bound.Statement, ...]:
    """The statements of a body, in order: each sees what those before it have bound."""
    return tuple([_STATEMENTS[type(statement)](statement, names) for statement in body])


def _assign(node: ast.Assign, names: Names) -> bound.Assign:
    value = expression(node.value, names)
    names.bind_target(node.target)
    return bound.Assign(node.span, node.target, value)


def _result(node: ast.Result, names: Names) -> bound.Result:
    return bound.Result(node.span, expression(node.value, names))


def _for(node: ast.For, names: Names) -> bound.For:
    iterable = expression(node.iterable, names)
    names.bind_target(node.target)
    # A later round may read what an earlier one has bound further down.
    names.known |= assigned(node.body)
    return bound.For(node.span, node.target, iterable, statements(node.body, names))


def _if_statement(node: ast.IfStatement, names: Names) -> bound.IfStatement:
    condition = expression(node.condition, names)
    yes = statements(node.yes, names)
    return bound.IfStatement(node.span, condition, yes, statements(node.no, names))


def _stage(node: ast.Stage, names: Names) -> bound.Stage:
    parts = _parts(node.parts, names)
    return bound.Stage(node.span, parts, node.name_span, statements(node.body, names))


def _output(node: ast.Output, names: Names) -> bound.Output:
    parts, value, name = _parts(node.parts, names), expression(node.value, names), node.name
    if not names.has_outputs:
        names.bag.report("E326", node.span, owner=names.owner)
    elif name is not None and (problem := output_problem(name)):
        names.bag.report("E327", node.name_span, name=name, help=problem)
    return bound.Output(node.span, parts, node.name_span, value, name is not None)


def require(node: ast.Require, names: Names) -> bound.Require:
    """`require`, in a body or a space."""
    condition = expression(node.condition, names)
    if node.message is not None:
        _string(node.message, names)
    return bound.Require(node.span, condition, node.message.value if node.message else node.condition.span.text)


_STATEMENTS: dict[type, Callable[[Any, Names], bound.Statement]] = {
    ast.Assign: _assign,
    ast.Result: _result,
    ast.For: _for,
    ast.IfStatement: _if_statement,
    ast.Stage: _stage,
    ast.Output: _output,
    ast.Require: require,
}

# --- expressions -----------------------------------------------------------------------------


def expression(node: ast.Expression, names: Names) -> bound.Expression:
    """An expression where it stands in its body."""
    rule: Rule = _EXPRESSIONS[type(node)]
    return rule(node, names)


def optional(node: ast.Expression | None, names: Names) -> bound.Expression | None:
    """The same of what may be missing."""
    return None if node is None else expression(node, names)


def _number(node: ast.Number, names: Names) -> bound.Number:
    return bound.Number(node.span, node.value)


def _bool(node: ast.Bool, names: Names) -> bound.Literal:
    return bound.Literal(node.span, node.value)


def _string(node: ast.String, names: Names) -> bound.Literal:
    """E124 for what looks like a label's braces in a text that is no label: they would stay as they are."""
    if "{" in node.value and (wrong := next((n for n in _BRACED.findall(node.value) if n in names.known), None)):
        names.bag.report("E124", node.span, name=wrong)
    return bound.Literal(node.span, node.value)


def _name(node: ast.Name, names: Names) -> bound.Expression:
    return names.name(node)


def _attribute(node: ast.Attribute, names: Names) -> bound.Attribute:
    wired = set(names.wired)
    value = expression(node.value, names)
    if isinstance(node.value, ast.Name):
        names.wired = wired
    return bound.Attribute(node.span, value, node.name, node.name_span)


def _subscript(node: ast.Subscript, names: Names) -> bound.Subscript:
    return bound.Subscript(node.span, expression(node.value, names), expression(node.index, names))


def _unary(node: ast.Unary, names: Names) -> bound.Unary:
    return bound.Unary(node.span, node.op, expression(node.operand, names))


def _binary(node: ast.BinaryExpr, names: Names) -> bound.Binary:
    left = expression(node.left, names)
    return bound.Binary(node.span, node.op, left, expression(node.right, names), node.op_span)


def _range(node: ast.Range, names: Names) -> bound.Range:
    return bound.Range(node.span, optional(node.start, names), optional(node.stop, names))


def _if(node: ast.If, names: Names) -> bound.If:
    condition = expression(node.condition, names)
    return bound.If(node.span, condition, expression(node.yes, names), expression(node.no, names))


def _arrow(node: ast.Arrow, names: Names) -> bound.Arrow:
    return bound.Arrow(node.span, _several(node.operands, names))


def _labelled(node: ast.Labelled, names: Names) -> bound.Labelled:
    parts = _parts(node.parts, names)
    return bound.Labelled(node.span, parts, node.stage, expression(node.value, names), node.label_span)


def _parts(parts: Iterable[ast.LabelPart], names: Names) -> tuple[bound.LabelPart, ...]:
    return tuple([bound.LabelPart(part.text or "", optional(part.value, names)) for part in parts])


def _list(node: ast.ListExpr, names: Names) -> bound.List:
    return bound.List(node.span, tuple([_item(item, names) for item in node.items]))


def _item(item: ast.Item, names: Names) -> bound.Item:
    count = optional(item.count, names)
    return bound.Item(item.span, _member(item.value, names), count, optional(item.condition, names))


def _member(node: ast.Expression | ast.Splice, names: Names) -> bound.Expression | bound.Splice:
    if isinstance(node, ast.Splice):
        return bound.Splice(node.span, expression(node.value, names))
    return expression(node, names)


def _comprehension(node: ast.Comprehension, names: Names) -> bound.Comprehension:
    outer = set(names.known)
    clauses = []
    for clause in node.clauses:
        iterable = expression(clause.iterable, names)
        names.bind_target(clause.target)
        clauses.append(bound.Clause(clause.target, iterable, optional(clause.condition, names)))
    value = _member(node.value, names)
    names.known = outer
    return bound.Comprehension(node.span, value, tuple(clauses))


def _tuple(node: ast.TupleExpr, names: Names) -> bound.Tuple:
    return bound.Tuple(node.span, _several(node.items, names))


def _several(nodes: Iterable[ast.Expression], names: Names) -> tuple[bound.Expression, ...]:
    return tuple([expression(node, names) for node in nodes])


# --- calls -----------------------------------------------------------------------------------


def arguments(given: Iterable[ast.Argument], names: Names) -> tuple[bound.Argument, ...]:
    """The arguments of a call as they are written, resolved."""
    return tuple([bound.Argument(a.span, a.name, expression(a.value, names), a.spread, a.name_span) for a in given])


def _call(node: ast.CallExpr, names: Names) -> bound.Expression:
    called = node.callee
    callee = names.name(called, called=True) if isinstance(called, ast.Name) else expression(called, names)
    given = arguments(node.arguments, names)
    match callee:
        case bound.Refused():
            return callee
        case bound.Op(op=op):
            return _call_op(node, op, given, names)
        case bound.Reference(definition=definition):
            return _call_definition(node, definition, given, names)
        case bound.Function(builtin=builtin):
            return bind_builtin(node.span, builtin, given, names.bag.report)
    return bound.CallValue(node.span, callee, given)


def _call_op(node: ast.CallExpr, op: OpSpec, given: tuple[bound.Argument, ...], names: Names) -> bound.Expression:
    if op.combines:
        if refuse_names(given, op.name, names.bag.report):
            return bound.Refused(node.span)
        return bound.Combine(node.span, op, tuple([argument.value for argument in given]))
    bound_ = bind_arguments(given, op.parameter_names, op.name, names.bag.report, is_layer=True)
    return bound.CallOp(node.span, op, bound_, _literals(bound_))


def _literals(arguments: bound.Arguments) -> Mapping[str, Arg] | None:
    """The values of arguments that are literals; None where one is not."""
    found: dict[str, Arg] = {}
    for name, argument in zip(arguments.names, arguments.given, strict=True):
        value = argument.value
        if name is None or not isinstance(value, bound.Number | bound.Literal):
            return None
        if isinstance(value, bound.Number) and value.value > MAX_NUMBER:
            return None
        found[name] = Arg(value.value, Const(value.value), value.span)
    return found if arguments.whole else None


def _call_definition(
    node: ast.CallExpr, definition: Definition, given: tuple[bound.Argument, ...], names: Names
) -> bound.Expression:
    syntax = definition.syntax
    if isinstance(syntax, ast.Table) or definition.kind == "model":
        what = "a list" if definition.kind == "table" else f"the model {definition.name}"
        names.bag.report("E309", node.callee.span, what=what)
        return bound.Refused(node.span)
    places = {parameter.name: parameter.span for parameter in syntax.parameters}
    is_block = definition.kind == "block"
    bound_ = bind_arguments(given, tuple(places), definition.name, names.bag.report, places=places, is_layer=is_block)
    if is_block:  # it may get the rest of its arguments later
        return bound.CallBlock(node.span, definition, bound_)
    if bound_.whole and not any(argument.spread for argument in given):
        for parameter in syntax.parameters:
            if parameter.name not in bound_.names and parameter.default is None:
                declared = [Label(parameter.span, "declared here")]
                facts = {"name": parameter.name, "owner": definition.name}
                names.bag.report("E103", node.span, secondary=declared, facts=facts)
                bound_.whole = False
    return bound.CallFunction(node.span, definition, bound_)


_EXPRESSIONS: dict[type, Rule] = {
    ast.Number: _number,
    ast.String: _string,
    ast.Bool: _bool,
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.CallExpr: _call,
    ast.Unary: _unary,
    ast.BinaryExpr: _binary,
    ast.Range: _range,
    ast.If: _if,
    ast.Arrow: _arrow,
    ast.Labelled: _labelled,
    ast.ListExpr: _list,
    ast.Comprehension: _comprehension,
    ast.TupleExpr: _tuple,
}
