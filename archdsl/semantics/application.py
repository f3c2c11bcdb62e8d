"""Applying layers to tensors: chains, sequences, labels, choices and blocks.

Takes a layer and tensors; adds to the graph, and gives the tensors that come out, or UNKNOWN. Reports E107, the shape
rules' E2xx, E301, E312-E314, E324 and what pydantic refuses in an op's arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

from archdsl.graph.scopes import BlockScope, Bound, ChoiceScope, ScopeKind
from archdsl.semantics import bound
from archdsl.semantics.context import ELEMENTS_A_STEP, MAX_DEPTH, Context, Run
from archdsl.semantics.evaluate import evaluate, evaluates
from archdsl.semantics.instances import Position, copied, instance_key, rates, remember, template_of
from archdsl.semantics.naming import claim, container, open_block, open_scope
from archdsl.semantics.nodes import add_node, check_branches, op_layer, untraced_args
from archdsl.semantics.parameters import bind_parameters
from archdsl.semantics.program import Definition
from archdsl.semantics.statements import execute
from archdsl.semantics.values import (
    UNKNOWN,
    Arg,
    BlockLayer,
    Chain,
    Choice,
    Identity,
    Layer,
    Merge,
    Named,
    OpLayer,
    Tensor,
    Tensors,
    Unknown,
    Value,
    all_of,
    as_tensors,
    list_of,
    one_or_all,
    plain,
    traced,
    traces_of,
    type_name,
    untraced_arg,
)  # fmt: skip
from archdsl.semantics.values import (
    Sequence as SequenceLayer,
)
from archdsl.source import Span
from archdsl.symbolic import Const, Expr, Symbol, expand, substitute

_EMPTY = "it has no members here, so there is nothing to apply: `id` is the layer that does nothing"
Applied: TypeAlias = Tensors | Unknown

Apply: TypeAlias = Callable[[Any, tuple[Tensor, ...], Context, Named | None], Applied]
"""A rule for a kind of layers. The name is that of the layer, if it has a label or a number."""

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


@evaluates(bound.Arrow)
def _arrow(node: bound.Arrow, ctx: Context) -> Value:
    value = evaluate(node.operands[0], ctx)
    layers: list[Layer] = [value] if isinstance(value, Layer) else []
    for operand in node.operands[1:]:
        if value is UNKNOWN:
            evaluate(operand, ctx)
            continue
        layer = evaluate(operand, ctx)
        if layer is UNKNOWN:
            value = UNKNOWN
        elif not isinstance(layer, Layer):
            help_ = _EMPTY if list_of(layer) == () else None
            value = ctx.error("E313", operand.span, got=type_name(layer), help=help_)
        elif layers:
            layers.append(layer)
        else:
            tensors = as_tensors(value)
            if tensors is None:
                what, got = "the left of ->", type_name(value)
                value = ctx.error("E301", node.operands[0].span, what=what, expected="a tensor or a layer", got=got)
            else:
                value = apply(layer, tensors, ctx, operand.span)
    if value is UNKNOWN or not layers:
        return value
    return _composed(layers, node.span, ctx)


def _composed(layers: list[Layer], span: Span, ctx: Context) -> Chain:
    size = ctx.sized(layers, span)
    first = layers[0]
    if isinstance(first, Chain):  # it goes on where another one ended, so one made in a loop nests no deeper
        ctx.step(span, len(first.layers) // 16)
        layers = [*first.layers, *layers[1:]]
    return Chain(span, tuple(layers), size=size)


def apply(layer: Layer, tensors: tuple[Tensor, ...], ctx: Context, span: Span) -> Applied:
    """Apply a layer: a Tensor, a tuple of them, or UNKNOWN after an error."""
    if ctx.scope is None:
        return ctx.error("E313", span, got="a layer outside a model or block")
    return _APPLY[type(layer)](layer, tensors, ctx, None)


def _apply_named(layer: Layer, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Applied:
    ctx.step(layer.span)
    return _APPLY[type(layer)](layer, tensors, ctx, name)


# --- layers made of layers ---------------------------------------------------------------


def _identity(layer: Identity, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Applied:
    if name is not None and claim("id", layer.span, ctx, name) is None:
        return UNKNOWN
    return one_or_all(tensors)


def _chain(layer: Chain, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Applied:
    if name is not None:
        return _grouped("group", layer, tensors, ctx, name, _chain)
    for part in layer.layers:
        value = _apply_named(part, tensors, ctx, None)
        if value is UNKNOWN:
            return UNKNOWN
        tensors = all_of(value)
    return one_or_all(tensors)


def _merge_layers(layer: Merge, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Applied:
    if name is not None:
        return _grouped("group", layer, tensors, ctx, name, _merge_layers)
    operands: list[Tensor] = []
    for part in layer.layers:
        value = _apply_named(part, tensors, ctx, None)
        if value is UNKNOWN:
            return UNKNOWN
        operands.extend(all_of(value))
    return add_node(layer.op, {}, operands, ctx, layer.span, None, [p.span for p in layer.layers])


def _sequence(layer: SequenceLayer, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Applied:
    return _grouped("sequence", layer, tensors, ctx, name, _members)


def _members(layer: SequenceLayer, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Applied:
    position = 0
    for part in layer.layers:
        passes = _is_identity(part)  # `id` is no layer of its own, so it takes no number
        numbered = _label_of(part) is None and not passes
        value = _apply_named(part, tensors, ctx, Named(part.span, str(position), False, part) if numbered else None)
        if value is UNKNOWN:
            return UNKNOWN
        tensors = all_of(value)
        position += not passes
    return one_or_all(tensors)


def _named(layer: Named, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Applied:
    if name is not None:
        return _grouped("group", layer, tensors, ctx, name, _named)
    assert ctx.scope is not None
    *containers, last = layer.name.split(".")
    scope = ctx.scope
    for part in containers:
        inner = container(part, scope, layer.span, ctx)
        if inner is None:
            return UNKNOWN
        scope = inner
    label = Named(layer.span, last, layer.stage, layer.layer)
    return _apply_named(layer.layer, tensors, ctx.within(scope), label)


def _choice(layer: Choice, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Applied:
    return _chosen(layer, tensors, ctx, name, _apply_named)


def _chosen(layer: Choice, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None, inside: Apply) -> Applied:
    assert ctx.scope is not None
    parent = ctx.scope
    scope = ChoiceScope(
        "choice", "", parent.path, parent, layer.span, ctx.run.size, inputs=tuple(t.ref for t in tensors),
        condition=layer.condition, taken=layer.taken, site=layer.site,
    )  # fmt: skip
    parent.members.append(scope)
    value = inside(layer.layer, tensors, ctx.within(scope), name)
    if value is not UNKNOWN:
        scope.outputs = tuple(t.ref for t in all_of(value))
    return value


def _grouped(
    kind: ScopeKind,
    layer: Layer,
    tensors: tuple[Tensor, ...],
    ctx: Context,
    name: Named | None,
    inside: Apply,
) -> Applied:
    scope = open_scope(kind, kind, layer.span, ctx, name)
    if scope is None:
        return UNKNOWN
    scope.inputs = tuple(t.ref for t in tensors)
    value = inside(layer, tensors, ctx.within(scope), None)
    if value is not UNKNOWN:
        scope.outputs = tuple(t.ref for t in all_of(value))
    return value


# --- blocks ------------------------------------------------------------------------------


def _block_layer(layer: BlockLayer, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Applied:
    if layer.block.faulty:
        return UNKNOWN
    wanted = len(layer.block.inputs)
    if len(tensors) != wanted:
        takes = f"{wanted} inputs" if wanted > 1 else "one input"
        return ctx.error("E211", layer.span, op=layer.block.name, takes=takes, got=len(tensors))
    if ctx.run.depth >= MAX_DEPTH:
        ctx.limit(layer.span, "levels of blocks", MAX_DEPTH)
    stem = _WORDS.sub("_", layer.block.name).lower()
    scope = open_block(stem, layer.span, ctx, name, template_of(layer.block, tensors, ctx.run.size))
    if scope is None:
        return UNKNOWN
    ctx.step(layer.span, layer.size * ELEMENTS_A_STEP)
    if ctx.run.reads_sizes:
        layer = replace(layer, args=untraced_args(layer.args, ctx))
    for arg in layer.args.values() if ctx.run.traced else ():
        if isinstance(arg.value, Layer):
            for expr in traces_of(arg.value):
                ctx.structural(expr)
    key = instance_key(layer, tensors, ctx.run.traced)
    results = copied(layer, key, scope, ctx)
    if results is not None:
        return _leave(results, scope, tensors, ctx.run)
    inner = enter(layer.block, layer.args, scope, ctx, layer.span)
    if inner is None:
        return UNKNOWN
    before, failed = Position.of(ctx.run), ctx.run.failed
    ctx.run.failed = False
    ctx.run.depth += 1
    value = _run_block(layer.block, scope, inner, tensors)
    ctx.run.depth -= 1
    seen = _leave(value, scope, tensors, ctx.run)
    if value is not UNKNOWN and not ctx.run.failed:
        remember(layer, key, scope, all_of(value), before, ctx)
    ctx.run.failed = ctx.run.failed or failed
    return seen


def enter(
    definition: Definition, args: Mapping[str, Arg], scope: BlockScope, ctx: Context, span: Span
) -> Context | None:
    """The frame of a block or model instance: each parameter becomes a symbol of its own."""
    ctx.file.memo.elaborated.add(definition)
    outer = Context(ctx.run, definition.file)
    layers = {n: untraced_arg(a) if isinstance(a.value, Layer) else a for n, a in args.items()}
    if not bind_parameters(definition, layers, outer, ctx, span):
        return None
    inner = Context(ctx.run, definition.file, scope, inline=False)
    free = rates(definition)
    for parameter, value in outer.locals.items():
        arg = layers.get(parameter)
        own = plain(value)
        scope.arguments[parameter] = Bound(own, arg.expr if arg else Const(own), explicit=arg is not None)
        inner.locals[parameter] = traced(own, Symbol(parameter)) if ctx.run.traced or parameter in free else own
    return inner


def _run_block(block: Definition, scope: BlockScope, inner: Context, tensors: tuple[Tensor, ...]) -> Applied:
    names = scope.input_names
    inner.inputs = tuple(_seen(t, Symbol(n), inner) for n, t in zip(scope.width_names, tensors, strict=True))
    if names != ("in",):
        inner.locals |= dict(zip(names, inner.inputs, strict=True))
        for input_name, tensor in zip(names, inner.inputs, strict=True):
            inner.note_discarded(input_name, tensor)
    scope.template.widths |= {t.ref: t.channels for t in inner.inputs}
    value = execute(block.body, inner)
    if isinstance(value, Layer):
        value = _body_layer(value, inner.inputs, inner, None)
    if value is UNKNOWN:
        return UNKNOWN
    results = as_tensors(value)
    if results is None:
        code = "E312" if value is None else "E301"
        what, got = f"the result of {block.name}", type_name(value)
        return inner.error(code, block.span, name=block.name, what=what, expected="a tensor", got=got)
    check_branches(f"outputs of {block.name}", len(results), inner, block.span)
    return one_or_all(results)


def _body_layer(layer: Layer, tensors: tuple[Tensor, ...], ctx: Context, name: Named | None) -> Applied:
    """The layer that a block is: of a sequence the members, with no level between, also where an `if` chose it."""
    if isinstance(layer, SequenceLayer):
        return _members(layer, tensors, ctx, None)
    if isinstance(layer, Choice):
        return _chosen(layer, tensors, ctx, None, _body_layer)
    return _apply_named(layer, tensors, ctx, None)


def _seen(tensor: Tensor, width: Expr, ctx: Context) -> Tensor:
    """A tensor as a block sees it."""
    return Tensor(tensor.ref, tensor.shape, width if ctx.run.traced else Const(tensor.shape.channels))


def _leave(value: Applied, scope: BlockScope, tensors: tuple[Tensor, ...], run: Run) -> Applied:
    """Results of a block as the caller sees them: widths in the caller's expressions."""
    if value is UNKNOWN:
        return UNKNOWN
    results = all_of(value)
    scope.outputs = tuple(t.ref for t in results)
    if not run.traced:
        return one_or_all(results)
    outer: dict[str, Expr] = {name: bound.expr for name, bound in scope.arguments.items()}
    outer |= {name: tensor.channels for name, tensor in zip(scope.width_names, tensors, strict=True)}
    seen = tuple(Tensor(t.ref, t.shape, substitute(expand(t.channels), outer)) for t in results)
    if scope.parent is not None:
        scope.parent.frame.template.widths |= {t.ref: t.channels for t in seen}
    return one_or_all(seen)


def _is_identity(layer: Layer) -> bool:
    return isinstance(layer, Identity) or (isinstance(layer, Choice) and _is_identity(layer.layer))


def _label_of(layer: Layer) -> Named | None:
    if isinstance(layer, Choice):
        return _label_of(layer.layer)
    return layer if isinstance(layer, Named) else None


_APPLY: dict[type[Layer], Apply] = {
    Identity: _identity,
    Chain: _chain,
    Merge: _merge_layers,
    SequenceLayer: _sequence,
    Named: _named,
    Choice: _choice,
    BlockLayer: _block_layer,
    OpLayer: op_layer,
}
