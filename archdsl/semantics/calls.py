"""Calls of ops, blocks, functions, scalings and built-ins.

Takes a call's syntax; gives a layer with more of its arguments, or the value of a function. Reports E102-E105, E301,
E302, E309, E312, E321 and E323.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.ops.registry import OPS
from archdsl.ops.spec import OpSpec
from archdsl.semantics import bound
from archdsl.semantics.binding import bind_arguments, bind_builtin, refuse_names
from archdsl.semantics.builtins import BUILTINS, ValueProblem
from archdsl.semantics.conditions import kept
from archdsl.semantics.context import MAX_DEPTH, Context, FunctionTrace, Run
from archdsl.semantics.evaluate import evaluate, evaluates
from archdsl.semantics.expressions import op_defaults
from archdsl.semantics.nodes import combine, source
from archdsl.semantics.parameters import bind_parameters, evaluate_arguments
from archdsl.semantics.program import Definition
from archdsl.semantics.statements import execute
from archdsl.semantics.values import (
    MAX_NUMBER,
    UNKNOWN,
    Arg,
    BlockLayer,
    Builtin,
    Choice,
    Named,
    OpLayer,
    Record,
    Traced,
    Value,
    expr_of,
    list_of,
    members,
    plain,
    type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.symbolic import Function, Invoke, Symbol, Tuple, apply


@evaluates(bound.CallValue)
def _call_value(node: bound.CallValue, ctx: Context) -> Value:
    """Of what is known only now: its arguments are bound here."""
    callee = evaluate(node.callee, ctx)
    if callee is UNKNOWN:
        return UNKNOWN
    while isinstance(callee, Choice):  # `(if tf then conv(padding = "tf_same") else conv)(64, 3)` calls the branch
        ctx.structural(callee.condition)
        callee = callee.layer
    match callee:
        case OpLayer() if callee.op.combines:
            if refuse_names(node.given, callee.op.name, ctx.error):
                return UNKNOWN
            return _combined(callee.op, [argument.value for argument in node.given], ctx, node.span)
        case OpLayer():
            names = callee.op.parameter_names
            arguments = bind_arguments(node.given, names, callee.op.name, ctx.error, taken=callee.args, is_layer=True)
            return _op_layer(callee, arguments, ctx, node.span)
        case BlockLayer():
            return _block_layer(callee, _bound(node.given, callee.block, ctx, callee.args), ctx, node.span)
        case Builtin():
            return _builtin(callee, node, ctx)
        case Definition(kind="fn" | "scaling"):
            return _function(callee, _bound(node.given, callee, ctx), ctx, node.span)
    return ctx.error("E309", node.callee.span, what=_what(callee), help=_hidden(node.callee))


def _bound(
    given: tuple[bound.Argument, ...], definition: Definition, ctx: Context, taken: Mapping[str, Arg] | None = None
) -> bound.Arguments:
    places = {parameter.name: parameter.span for parameter in definition.parameters}
    is_layer = definition.kind == "block"
    return bind_arguments(
        given, tuple(places), definition.name, ctx.error, taken=taken or {}, places=places, is_layer=is_layer
    )


def _what(callee: Value) -> str:
    """What is called and cannot be, in words."""
    match callee:
        case Named():
            return f"the labelled layer {callee.name}"
        case Definition():
            return f"the {callee.kind} {callee.name}"
    return type_name(callee)


def _hidden(callee: bound.Expression) -> str | None:
    """The hint where a value has the name of an op or a function."""
    name = callee.name if isinstance(callee, bound.Local) else ""
    if name in OPS or name in BUILTINS:
        return f"here `{name}` is a value, which hides the op or function `{name}`: rename it"
    return None


# --- ops and blocks --------------------------------------------------------------------------


@evaluates(bound.CallOp)
def _call_op(node: bound.CallOp, ctx: Context) -> Value:
    defaults = op_defaults(node.op, ctx)
    if node.literal is not None:
        return _image_or_layer(OpLayer(node.span, node.op, node.literal, defaults), ctx)
    return _op_layer(OpLayer(node.span, node.op, {}, defaults), node.arguments, ctx, node.span)


def _op_layer(callee: OpLayer, arguments: bound.Arguments, ctx: Context, span: Span) -> Value:
    """An op with more of its arguments; `image` is applied at once."""
    args = evaluate_arguments(arguments, callee.op.parameter_names, callee.op.name, ctx, callee.args)
    return UNKNOWN if args is None else _image_or_layer(OpLayer(span, callee.op, args, callee.defaults), ctx)


def _image_or_layer(layer: OpLayer, ctx: Context) -> Value:
    if layer.op.inputs != (0, 0):
        return layer
    return source(layer, ctx, layer.span) if _image_sizes(layer, ctx) else UNKNOWN


@evaluates(bound.CallBlock)
def _call_block(node: bound.CallBlock, ctx: Context) -> Value:
    return _block_layer(BlockLayer(node.span, node.block, {}), node.arguments, ctx, node.span)


def _block_layer(callee: BlockLayer, arguments: bound.Arguments, ctx: Context, span: Span) -> Value:
    block = callee.block
    args = evaluate_arguments(arguments, [p.name for p in block.parameters], block.name, ctx, callee.args)
    if args is None:
        return UNKNOWN
    return BlockLayer(span, block, args, size=ctx.sized((arg.value for arg in args.values()), span))


def _image_sizes(layer: OpLayer, ctx: Context) -> bool:
    """Whether the sizes of an image are whole numbers from 1; reports E323."""
    wrong = [arg for arg in layer.args.values() if type(arg.value) is not int or arg.value < 1]
    for arg in wrong:
        ctx.error("E323", arg.span)
    return not wrong


@evaluates(bound.Combine)
def _combine(node: bound.Combine, ctx: Context) -> Value:
    return _combined(node.op, node.operands, ctx, node.span)


def _combined(op: OpSpec, operands: Sequence[bound.Expression], ctx: Context, span: Span) -> Value:
    values: list[Value] = []
    spans: list[Span] = []
    for operand in operands:
        value = evaluate(operand, ctx)
        if value is UNKNOWN:
            return UNKNOWN
        given = value if isinstance(value, tuple) else (value,)
        values.extend(given)
        spans.extend(operand.span for _ in given)
    return combine(op.name, values, ctx, span, spans)


# --- functions -------------------------------------------------------------------------------


@evaluates(bound.CallBuiltin)
def _call_builtin(node: bound.CallBuiltin, ctx: Context) -> Value:
    values = [evaluate(operand, ctx) for operand in node.operands]
    if any(value is UNKNOWN for value in values):
        return UNKNOWN
    return _computed(node.builtin, values, ctx, node.span, node.place)


def _builtin(builtin: Builtin, node: bound.CallValue, ctx: Context) -> Value:
    """A call of a built-in function that is a value."""
    called = bind_builtin(node.span, builtin, node.given, ctx.error)
    return evaluate(called, ctx)


def _computed(builtin: Builtin, values: list[Value], ctx: Context, span: Span, place: Span) -> Value:
    """What a built-in function gives; `place` is that of what it may refuse."""
    for value in values:
        items = list_of(value)
        if isinstance(items, range):
            ctx.step(span, len(items))
        elif items is not None:
            ctx.walk(items, span)
    try:
        result = builtin.call(*map(plain, values))
    except ValueProblem as problem:
        return ctx.error(problem.code, place, facts=problem.facts)
    except (OverflowError, ValueError):
        return ctx.error("E321", span)
    except TypeError:  # members without an order, or that cannot be compared
        what, got = f"the argument of {builtin.name}", "other members"
        return ctx.error("E301", span, what=what, expected="a list of numbers or strings", got=got)
    ctx.walk(result, span)
    if isinstance(result, int | float) and abs(result) > MAX_NUMBER:
        return ctx.error("E321", span)
    if builtin.name == "zip":
        assert isinstance(result, tuple)
        ctx.sized(result, span)
        return _zip_traced(values)
    if builtin.python is None:
        values = [ctx.unsized(value, span) for value in values]
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


@evaluates(bound.CallFunction)
def _call_function(node: bound.CallFunction, ctx: Context) -> Value:
    return _function(node.definition, node.arguments, ctx, node.span)


def _function(definition: Definition, arguments: bound.Arguments, ctx: Context, span: Span) -> Value:
    """What a fn gives; of a scaling, a record of what it binds."""
    names = [p.name for p in definition.parameters]
    args = evaluate_arguments(arguments, names, definition.name, ctx, {}, tensors=True)
    if args is None or definition.faulty:
        return UNKNOWN
    ctx.file.memo.elaborated.add(definition)
    inner = Context(ctx.run, definition.file, ctx.scope)
    if not bind_parameters(definition, args, inner, ctx, span):
        return UNKNOWN
    invoked = _invoke(definition, args, inner)
    if invoked is not None:
        return invoked
    if ctx.run.depth >= MAX_DEPTH:
        ctx.limit(span, "levels of calls", MAX_DEPTH)
    ctx.run.depth += 1
    value = execute(definition.body, inner)
    ctx.run.depth -= 1
    if definition.kind == "scaling":
        found = {n: v for n, v in inner.locals.items() if n not in names}
        ctx.sized(found.values(), span)
        return Record(definition.name, found)
    if value is None:
        return ctx.error("E312", definition.span, name=definition.name)
    return value


def _invoke(definition: Definition, args: Mapping[str, Arg], inner: Context) -> Traced | None:
    """A fn of numbers with a traced argument, as a call that generated source can print; None for any other."""
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
    given = tuple((p.name, args[p.name].expr) for p in definition.parameters if p.name in args)
    return Traced(result, Invoke(function, given))


def _traced_function(
    definition: Definition, args: Mapping[str, Arg], values: Mapping[str, Value], run: Run
) -> tuple[Value, Function] | None:
    """What a fn gives for these values, and how, over its parameters; None where that cannot be said."""
    if run.depth >= MAX_DEPTH:
        return None
    trace = FunctionTrace()
    own = Context(run, definition.file, function=trace)
    own.locals = {name: Traced(value, Symbol(name)) for name, value in values.items()}
    run.depth += 1
    value = run.trial(lambda: execute(definition.body, own), None)
    run.depth -= 1
    if trace.structural or not isinstance(value, Traced) or not isinstance(value.value, int | float | bool):
        return None
    parameters = tuple((p.name, None if p.name in args else values[p.name]) for p in definition.parameters)
    return value.value, Function(definition.name, parameters, value.expr)


def _zip_traced(lists: Sequence[Value]) -> Value:
    """zip keeps the traces of its lists' members."""
    return tuple(zip(*map(members, lists), strict=True))
