"""Making nodes: each is named, validated and typed at once, so no half-typed graph exists.

Takes an op, its arguments and its tensors; gives the tensors of the new node, or UNKNOWN once an error has been
reported (E103, E107, E2xx, E301, E302, E314, E315, E317, E333).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pydantic import ValidationError

from archdsl.diagnostics.diagnostic import Label
from archdsl.graph.ir import Node, Ref
from archdsl.graph.scopes import below
from archdsl.graph.sizes import has_sizes
from archdsl.ops.registry import OPS
from archdsl.ops.spec import OpParams, OpSpec, Problem
from archdsl.semantics.arguments import argument_problem, problem_help
from archdsl.semantics.context import Context
from archdsl.semantics.naming import claim, open_stage
from archdsl.semantics.sizes import (
    excessive_argument,
    excessive_branches,
    excessive_output,
    excessive_weight,
    excessive_window,
    is_wide,
)
from archdsl.semantics.values import (
    UNKNOWN,
    Arg,
    Layer,
    Merge,
    Named,
    OpLayer,
    Tensor,
    Tensors,
    Traced,
    Unknown,
    Value,
    is_long,
    is_number,
    one_or_all,
    plain,
    traces_of,
    type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.symbolic import IN_CHANNELS, Const, Expr, substitute, symbols, total

_BY_A_NUMBER = "a tensor is multiplied by a number with `x -> scale(0.5)`; nothing else takes a tensor and a number"


def combine(op: str, operands: Sequence[Value], ctx: Context, span: Span, spans: Sequence[Span]) -> Value:
    """`f + g`, `concat(…)`: of layers a layer, of tensors a tensor."""
    tensors = [operand for operand in operands if isinstance(operand, Tensor)]
    layers = [operand for operand in operands if isinstance(operand, Layer)]
    if tensors and len(tensors) == len(operands):
        return add_node(OPS[op], {}, tensors, ctx, span, None, spans)
    if layers and len(layers) == len(operands):
        return Merge(span, OPS[op], tuple(layers), size=ctx.sized(layers, span))
    if tensors and layers:
        return ctx.error("E314", span, op=op)
    odd: Value | None
    odd, place = next(
        (pair for pair in zip(operands, spans, strict=True) if not isinstance(pair[0], Layer | Tensor)),
        (None, span),
    )
    number = None if odd is None else plain(odd)
    got = "nothing" if not operands else type_name(odd)
    help_ = None
    if op == "mul" and isinstance(number, int) and layers:
        help_ = "to repeat a layer, write `3 of layer` in a list: `[3 of layer]`"
    elif is_number(number):
        help_ = _BY_A_NUMBER
    what = f"an operand of {op}"
    return ctx.error("E301", place, what=what, expected="a layer or a tensor", got=got, help=help_)


def source(layer: OpLayer, ctx: Context, span: Span) -> Tensors | Unknown:
    """The model's input: the first node of the graph, and its only one without inputs."""
    if ctx.scope is None or ctx.scope.owner.kind != "model" or ctx.run.size:
        return ctx.error("E324", span)
    return op_layer(replace(layer, args={**layer.args, **ctx.run.image}), (), ctx, None)


def op_layer(layer: OpLayer, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Tensors | Unknown:
    args = {**layer.defaults, **layer.args} if layer.defaults else layer.args
    if name is not None and name.stage:
        ctx = ctx.within(open_stage(name.name, name.span, ctx))
    if layer.defaults and any(arg.value is UNKNOWN for arg in args.values()):
        return UNKNOWN
    return add_node(layer.op, args, tensors, ctx, layer.span, name)


def add_node(
    op: OpSpec,
    args: Mapping[str, Arg],
    tensors: Sequence[Tensor],
    ctx: Context,
    span: Span,
    name: Named | None = None,
    spans: Sequence[Span] = (),
) -> Tensors | Unknown:
    """A node of an op; `spans` are those of its operands, where they stand apart."""
    least, most = op.inputs
    if len(tensors) < least or (most is not None and len(tensors) > most):
        takes = f"{least or 'no'} input" + ("s" if least > 1 else "") if most == least else f"at least {least} inputs"
        return ctx.error("E211", span, op=op.name, takes=takes, got=len(tensors))
    check_branches(f"inputs of {op.name}", len(tensors), ctx, span)
    params = _validated(op, args, ctx, span)
    if params is None:
        return UNKNOWN
    if ctx.run.reads_sizes:
        args = untraced_args(args, ctx)
    shapes = tuple(t.shape for t in tensors)
    outputs = op.shape(params, shapes)
    if isinstance(outputs, Problem):
        return _problem(outputs, op, args, ctx, span, tensors, spans)
    check_branches(f"outputs of {op.name}", len(outputs), ctx, span)
    weights = op.weights(params, shapes)
    excess = excessive_output(op, outputs) or (excessive_weight(op, weights) if weights else None)
    if excess is None and args and is_wide(args):
        excess = excessive_window(op, params, shapes)
    if excess is not None:
        return ctx.error(excess[0], span, facts=excess[1])
    if weights:
        ctx.weigh(span, sum([weight.elements for weight in weights]))
    claimed = claim(op.name, span, ctx, name)
    if claimed is None:
        return UNKNOWN
    ctx.grow(span)
    graph, scope = ctx.run.graph, ctx.scope
    assert graph is not None
    assert scope is not None
    exprs = {n: a.expr for n, a in args.items() if not isinstance(a.expr, Const)}
    node = Node(
        len(graph.nodes), op, params, tuple(t.ref for t in tensors), shapes, outputs, claimed,
        below(scope.path, claimed), scope, span, exprs, name is not None, weights,
    )  # fmt: skip
    graph.add(node)
    return _outputs(node, tensors, ctx)


def _outputs(node: Node, tensors: Sequence[Tensor], ctx: Context) -> Tensors:
    """The tensors that a new node gives, whose widths are noted in its block."""
    actual = node.shape.channels
    channels = _width(node.op, node.exprs, tensors, actual, node.params) if ctx.run.traced else Const(actual)
    if is_long(channels):
        ctx.structural(channels)
        channels = Const(actual)
    made = tuple([Tensor(Ref(node.id, port), shape, channels) for port, shape in enumerate(node.outputs)])
    node.scope.frame.template.widths |= {tensor.ref: channels for tensor in made}
    return one_or_all(made)


def check_branches(what: str, got: int, ctx: Context, span: Span) -> None:
    """E333, and an end to the evaluation, where a layer or block has too many inputs or outputs."""
    excess = excessive_branches(what, got)
    if excess is not None:
        ctx.unwind(excess[0], span, excess[1])


def untraced_args(args: Mapping[str, Arg], ctx: Context) -> dict[str, Arg]:
    """The arguments without what they say of the size of the image, which is noted."""
    found: dict[str, Arg] = {}
    for name, arg in args.items():
        found[name] = arg
        if has_sizes(arg.expr):
            ctx.unsized(Traced(arg.value, arg.expr), arg.span)
            found[name] = Arg(arg.value, Const(arg.value), arg.span)
        for expr in traces_of(arg.value):  # of a layer: it forgets them itself where it enters a block
            ctx.decide(expr, None, arg.span)
    return found


def _validated(op: OpSpec, args: Mapping[str, Arg], ctx: Context, span: Span) -> OpParams | None:
    values = {name: arg.value for name, arg in args.items()}
    try:
        # bool and int, int and float are equal keys of a dict but not equal arguments
        key = (op.name, *((n, _typed(v)) for n, v in values.items()))
        cached = ctx.file.memo.params.get(key)
    except TypeError:
        key, cached = (), None
    if cached is not None:
        return cached
    try:
        params = op.params(**{n: list(v) if isinstance(v, tuple) else v for n, v in values.items()})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            code, place, facts = argument_problem(op, args, detail, span)
            ctx.error(code, place, facts=facts, help=problem_help(op, facts))
        return None
    excessive = excessive_argument(op, args)
    if excessive is not None:
        arg, (code, facts) = excessive
        ctx.error(code, arg.span, facts=facts)
        return None
    if key:
        ctx.file.memo.params[key] = params
    return params


def _problem(
    problem: Problem,
    op: OpSpec,
    args: Mapping[str, Arg],
    ctx: Context,
    span: Span,
    tensors: Sequence[Tensor],
    spans: Sequence[Span],
) -> Unknown:
    """Report what a shape rule refused, pointing at the argument or the operands at fault."""
    place = args[problem.argument].span if problem.argument and problem.argument in args else span
    secondary: list[Label] = []
    if len(spans) == len(tensors) > 1:
        secondary = [Label(s, str(t.shape)) for s, t in zip(spans, tensors, strict=True) if s != span]
    return ctx.error(
        problem.code, place, help=problem.help, secondary=secondary, facts={"op": op.name, **problem.facts}
    )


def _width(op: OpSpec, exprs: Mapping[str, Expr], tensors: Sequence[Tensor], actual: int, params: OpParams) -> Expr:
    """How wide a node's output is, as an expression of the frame."""
    if op.channels == "sum":
        return total([t.channels for t in tensors])
    if op.channels is None or not tensors:
        # flatten after gap, for example: as wide as its input, though not by rule
        return tensors[0].channels if len(tensors) == 1 and tensors[0].shape.channels == actual else Const(actual)
    if op.channels is IN_CHANNELS:
        # Of several equal inputs any serves; a constant says most. A gate for each position has one channel.
        widths = [t.channels for t in tensors if t.shape.channels == actual]
        return next((width for width in widths if isinstance(width, Const)), widths[0])
    values: dict[str, Expr] = {IN_CHANNELS.name: tensors[0].channels}
    for symbol in symbols(op.channels) - {IN_CHANNELS.name}:
        values[symbol] = exprs.get(symbol, Const(getattr(params, symbol)))
    return substitute(op.channels, values)


def _typed(value: Value) -> tuple[object, ...]:
    """A key that tells 1 from 1.0 and true, in lists too."""
    return tuple(map(_typed, value)) if isinstance(value, tuple) else (type(value), value)
