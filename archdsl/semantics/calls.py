"""Calls of ops, blocks, functions, scalings and built-ins.

Takes a call's syntax; gives a layer with more of its arguments, or the value of a function. Reports E102-E105, E301,
E302, E309, E312, E321 and E323.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archdsl.ops.registry import OPS
from archdsl.semantics.builtins import BUILTINS, ValueProblem
from archdsl.semantics.conditions import kept
from archdsl.semantics.context import MAX_DEPTH, Context, FunctionTrace, Run
from archdsl.semantics.evaluate import evaluate, evaluates
from archdsl.semantics.nodes import combine, source
from archdsl.semantics.operators import MAX_NUMBER
from archdsl.semantics.parameters import bind_parameters, given_arguments, parameters_of
from archdsl.semantics.program import Definition
from archdsl.semantics.statements import execute
from archdsl.semantics.values import (
    UNKNOWN,
    Arg,
    BlockLayer,
    Builtin,
    Choice,
    Named,
    OpLayer,
    Record,
    Traced,
    expr_of,
    list_of,
    members,
    plain,
    type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.symbolic import Function, Invoke, Symbol, Tuple, apply
from archdsl.syntax import ast


@evaluates(ast.CallExpr)
def _call(node: ast.CallExpr, ctx: Context) -> Any:
    """The value of `callee(arguments)`."""
    callee = evaluate(node.callee, ctx)
    if callee is UNKNOWN:
        return UNKNOWN
    while isinstance(callee, Choice):  # `(if tf then conv(padding = "tf_same") else conv)(64, 3)` calls the branch
        ctx.structural(callee.condition)
        callee = callee.layer
    match callee:
        case OpLayer() if callee.op.inputs == (0, 0):
            layer = _partial_op(callee, node, ctx)
            if layer is UNKNOWN or not _image_sizes(layer, ctx):
                return UNKNOWN
            return source(layer, ctx, node.span)
        case OpLayer() if callee.op.combines:
            return _merge(callee, node, ctx)
        case OpLayer():
            return _partial_op(callee, node, ctx)
        case BlockLayer():
            names = [p.name for p in parameters_of(callee.block)]
            args = given_arguments(node.arguments, names, callee.block.name, ctx, callee.args)
            if args is None:
                return UNKNOWN
            size = ctx.sized((arg.value for arg in args.values()), node.span)
            return BlockLayer(node.span, callee.block, args, size=size)
        case Named():
            return ctx.error("E309", node.callee.span, what=f"the labelled layer {callee.name}")
        case Builtin():
            return _builtin(callee, node, ctx)
        case Definition():
            return _function(callee, node, ctx)
    name = node.callee.name if isinstance(node.callee, ast.Name) else ""
    help_ = (
        f"here `{name}` is a value, which hides the op or function `{name}`: rename it" if _is_hidden(name) else None
    )
    return ctx.error("E309", node.callee.span, what=type_name(callee), help=help_)


def _image_sizes(layer: OpLayer, ctx: Context) -> bool:
    """Whether the sizes of an image are whole numbers from 1; reports E323."""
    wrong = [arg for arg in layer.args.values() if type(arg.value) is not int or arg.value < 1]
    for arg in wrong:
        ctx.error("E323", arg.span)
    return not wrong


def _merge(callee: OpLayer, node: ast.CallExpr, ctx: Context) -> Any:
    operands: list[Any] = []
    spans: list[Span] = []
    for argument in node.arguments:
        if argument.name is not None:
            owner = callee.op.name
            place = argument.name_span or argument.span
            return ctx.error("E102", place, name=argument.name, owner=owner, suggestion=None, known="none")
        value = evaluate(argument.value, ctx)
        if value is UNKNOWN:
            return UNKNOWN
        given = value if isinstance(value, tuple) else (value,)
        operands.extend(given)
        spans.extend(argument.value.span for _ in given)
    return combine(callee.op.name, operands, ctx, node.span, spans)


def _partial_op(callee: OpLayer, node: ast.CallExpr, ctx: Context) -> Any:
    key = id(node)
    if key in ctx.file.constants:
        return ctx.file.constants[key]
    names = callee.op.parameter_names
    args = given_arguments(node.arguments, names, callee.op.name, ctx, callee.args)
    if args is None:
        return UNKNOWN
    layer = OpLayer(node.span, callee.op, args, callee.defaults)
    # The callee is the op itself, found under its own name: the same each time if the arguments are literals.
    literal = all(isinstance(a.value, ast.Number | ast.String | ast.Bool) for a in node.arguments)
    if literal and not callee.args and ctx.file.constants.get(id(node.callee)) is callee:
        ctx.file.constants[key] = layer
    return layer


def _builtin(builtin: Builtin, node: ast.CallExpr, ctx: Context) -> Any:
    values: list[Any] = []
    for argument in node.arguments:
        if argument.name is not None:
            place = argument.name_span or argument.span
            return ctx.error("E102", place, name=argument.name, owner=builtin.name, suggestion=None, known="none")
        values.append(evaluate(argument.value, ctx))
    if any(value is UNKNOWN for value in values):
        return UNKNOWN
    if len(values) < builtin.least:
        return ctx.error("E103", node.span, name="an argument", owner=builtin.name)
    if builtin.most is not None and len(values) > builtin.most:
        span = node.arguments[builtin.most].span
        return ctx.error("E105", span, owner=builtin.name, limit=builtin.most, given=len(values))
    for value in values:
        items = list_of(value)
        if isinstance(items, range):
            ctx.step(node.span, len(items))
        else:
            ctx.walk(items, node.span)
    try:
        result = builtin.call(*map(plain, values))
    except ValueProblem as problem:
        span = node.arguments[0].span if len(values) == 1 else node.span
        return ctx.error(problem.code, span, facts=problem.facts)
    except (OverflowError, ValueError):
        return ctx.error("E321", node.span)
    except TypeError:  # members without an order, or that cannot be compared
        what, got = f"the argument of {builtin.name}", "other members"
        return ctx.error("E301", node.span, what=what, expected="a list of numbers or strings", got=got)
    ctx.walk(result, node.span)
    if isinstance(result, int | float) and abs(result) > MAX_NUMBER:
        return ctx.error("E321", node.span)
    if builtin.name == "zip":
        ctx.sized(result, node.span)
        return _zip_traced(result, values)
    if builtin.python is None:
        values = [ctx.unsized(value, node.span) for value in values]
    exprs = [expr_of(value) for value in values]
    if builtin.python is None:
        for expr in exprs:  # what it was computed from is lost here
            ctx.structural(expr)
        return result
    if not any(isinstance(value, Traced | tuple) for value in values):
        return result
    if any(isinstance(expr, Tuple) for expr in exprs) and builtin.name == "len":
        return result
    return kept(result, apply(builtin.python, *exprs), ctx)


def _function(definition: Definition, node: ast.CallExpr, ctx: Context) -> Any:
    if not isinstance(definition.syntax, ast.Definition) or definition.kind == "model":
        what = f"the {definition.kind} {definition.name}"
        return ctx.error("E309", node.callee.span, what=what)
    names = [p.name for p in definition.syntax.parameters]
    args = given_arguments(node.arguments, names, definition.name, ctx, {}, tensors=True)
    if args is None or definition.faulty:
        return UNKNOWN
    definition.elaborated = True
    inner = Context(ctx.run, definition.file, ctx.scope)
    if not bind_parameters(definition, args, inner, ctx, node.span):
        return UNKNOWN
    invoked = _invoke(definition, args, inner)
    if invoked is not None:
        return invoked
    if ctx.run.depth >= MAX_DEPTH:
        ctx.limit(node.span, "levels of calls", MAX_DEPTH)
    ctx.run.depth += 1
    value = execute(definition.syntax.body, inner)
    ctx.run.depth -= 1
    if definition.kind == "scaling":
        found = {n: v for n, v in inner.locals.items() if n not in names}
        ctx.sized(found.values(), node.span)
        return Record(definition.name, found)
    if value is None:
        return ctx.error("E312", definition.span, name=definition.name)
    return value


def _invoke(definition: Definition, args: Mapping[str, Arg], inner: Context) -> Traced | None:
    """A fn of numbers with a traced argument, as a call that generated source can print; None for any other."""
    syntax = definition.syntax
    assert isinstance(syntax, ast.Definition)
    values = {name: plain(value) for name, value in inner.locals.items()}
    numbers = all(isinstance(value, int | float | str | bool) for value in values.values())
    if definition.kind != "fn" or not numbers or not any(isinstance(v, Traced) for v in inner.locals.values()):
        return None
    functions = inner.run.functions
    key = (id(definition), *((name, name in args, type(value), value) for name, value in values.items()))
    if key not in functions:
        functions[key] = _traced_function(definition, args, values, inner.run)
    known = functions[key]
    if known is None:
        return None
    result, function = known
    given = tuple((p.name, args[p.name].expr) for p in syntax.parameters if p.name in args)
    return Traced(result, Invoke(function, given))


def _traced_function(
    definition: Definition, args: Mapping[str, Arg], values: Mapping[str, Any], run: Run
) -> tuple[Any, Function] | None:
    """What a fn gives for these values, and how, over its parameters; None where that cannot be said."""
    syntax = definition.syntax
    assert isinstance(syntax, ast.Definition)
    if run.depth >= MAX_DEPTH:
        return None
    trace = FunctionTrace()
    own = Context(run, definition.file, function=trace)
    own.locals = {name: Traced(value, Symbol(name)) for name, value in values.items()}
    run.depth += 1
    value = run.trial(lambda: execute(syntax.body, own), None)
    run.depth -= 1
    if trace.structural or not isinstance(value, Traced) or not isinstance(value.value, int | float | bool):
        return None
    parameters = tuple((p.name, None if p.name in args else values[p.name]) for p in syntax.parameters)
    return value.value, Function(definition.name, parameters, value.expr)


def _is_hidden(name: str) -> bool:
    return name in OPS or name in BUILTINS


def _zip_traced(rows: tuple[tuple[Any, ...], ...], lists: Sequence[Any]) -> Any:
    """zip keeps the traces of its lists' members."""
    if not any(isinstance(item, Traced) for item in lists):
        return tuple(zip(*lists, strict=True))
    return tuple(zip(*map(members, lists), strict=True))
