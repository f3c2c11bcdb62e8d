"""Equal instances of a block are elaborated once: the first is remembered, and copied to where the next ones stand
(`archdsl.graph.templates`). That makes checking a deep network about as fast as reading it.

What they may differ in are `rates`: parameters on which nothing but a regularizer's number depends, as drop rates.
Blocks of a network often differ in them and in nothing else.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from pydantic import ValidationError

from archdsl.graph.ir import Node, Ref
from archdsl.graph.scopes import BlockScope, Bound
from archdsl.graph.templates import Template, instantiate
from archdsl.ops.spec import OpParams
from archdsl.semantics import bound
from archdsl.semantics.context import Context, Run
from archdsl.semantics.parameters import accepts
from archdsl.semantics.program import Definition
from archdsl.semantics.values import (
    BlockLayer,
    Chain,
    Choice,
    Identity,
    Layer,
    Merge,
    Named,
    OpLayer,
    Record,
    Sequence,
    Tensor,
    Value,
)  # fmt: skip
from archdsl.symbolic import Symbol


@dataclass(frozen=True, slots=True)
class Recorded:
    """The first instance of a template: its scope, its nodes, its results in its own expressions, and what it lets go
    of."""

    scope: BlockScope
    nodes: tuple[Node, ...]
    results: tuple[Tensor, ...]
    discarded: tuple[Ref, ...]
    parameters: int
    parts: int
    """How many nodes and scopes it is made of, its own scope not counted."""


def template_of(definition: Definition, tensors: tuple[Tensor, ...], start: int = 0) -> Template:
    """What is known of an instance before it is elaborated, which may turn out to be a copy."""
    names = definition.inputs if tensors else ()
    inputs = tuple(tensor.ref for tensor in tensors)
    return Template(definition.name, definition.span, definition.docstring, names, start, inputs)


@dataclass(frozen=True, slots=True)
class Position:
    """Where a run stands before it elaborates an instance."""

    nodes: int
    discarded: int
    parameters: int
    parts: int

    @classmethod
    def of(cls, run: Run) -> Position:
        return cls(run.size, len(run.discarded), run.parameters, run.parts)


def remember(
    layer: BlockLayer, key: Hashable, scope: BlockScope, results: tuple[Tensor, ...], before: Position, ctx: Context
) -> None:
    """Keep what was elaborated of an instance for those that are equal."""
    run = ctx.run
    if key is not None and run.graph is not None:
        nodes, discarded = tuple(run.graph.nodes[before.nodes :]), tuple(run.discarded[before.discarded :])
        spent = run.parameters - before.parameters, run.parts - before.parts
        ctx.file.memo.instances[layer.block, key] = Recorded(scope, nodes, results, discarded, *spent)


def copied(layer: BlockLayer, key: Hashable, scope: BlockScope, ctx: Context) -> tuple[Tensor, ...] | None:
    """The results, in its own expressions, of an instance that is a copy; None where it has to be elaborated."""
    first = ctx.file.memo.instances.get((layer.block, key)) if key is not None else None
    params = None if first is None else _renewed(first, layer, ctx)
    if first is None or params is None or ctx.run.graph is None:
        return None
    template = scope.template = first.scope.template
    for name, before in first.scope.arguments.items():
        arg = layer.args.get(name)
        expr = before.expr if arg is None or isinstance(arg.value, Layer) else arg.expr
        value = before.value if arg is None or isinstance(arg.value, Layer) else arg.value
        scope.arguments[name] = Bound(value, expr, before.explicit)
    ctx.grow(layer.span, first.parts)
    ctx.weigh(layer.span, first.parameters)
    instantiate(first.scope, first.nodes, scope, ctx.run.graph, params)
    ctx.run.discarded += [template.of(ref, scope) for ref in first.discarded]
    return tuple(Tensor(template.of(t.ref, scope), t.shape, t.channels) for t in first.results)


# --- what an instance depends on -------------------------------------------------------------


def instance_key(layer: BlockLayer, tensors: tuple[Tensor, ...], traced: bool) -> Hashable:
    """What an instance depends on, but for its rates; None where it cannot be said."""
    refs = [tensor.ref for tensor in tensors]
    wiring = tuple(refs.index(ref) for ref in refs)
    free = rates(layer.block)
    try:
        given = tuple((name, name in free or _fingerprint(arg.value)) for name, arg in layer.args.items())
        key = (given, tuple(tensor.shape for tensor in tensors), wiring, traced)
        hash(key)
    except TypeError:
        return None
    return key


def _fingerprint(value: Value) -> Hashable:
    """A value as something hashable; 1, 1.0 and true are different. Layers are told apart by place and arguments."""
    if isinstance(value, Layer):
        place = (type(value), value.span.source, value.span.start)
        match value:
            case OpLayer():
                given = tuple((n, _fingerprint(a.value)) for n, a in value.args.items())
                fixed = tuple((n, _fingerprint(a.value)) for n, a in value.defaults.items())
                return (place, value.op.name, given, fixed)
            case BlockLayer():
                return (place, id(value.block), tuple((n, _fingerprint(a.value)) for n, a in value.args.items()))
            case Chain() | Merge() | Sequence():
                return (place, tuple(map(_fingerprint, value.layers)))
            case Named():
                return (place, value.name, value.stage, _fingerprint(value.layer))
            case Choice():
                return (place, value.taken, _fingerprint(value.layer))
            case Identity():
                return place
        raise TypeError(type(value))
    if isinstance(value, tuple):
        return tuple(map(_fingerprint, value))
    if isinstance(value, Record):
        return (value.table, tuple((n, _fingerprint(v)) for n, v in value.fields.items()))
    return (type(value), value)


# --- rates -----------------------------------------------------------------------------------


def rates(block: Definition) -> frozenset[str]:
    """The parameters of a block of which every mention is an argument of a regularizer; worked out once."""
    known = block.file.memo.rates
    if block not in known:
        known[block] = _rates(block)
    return known[block]


def _rates(block: Definition) -> frozenset[str]:
    names = {p.name for p in block.parameters if p.type is None or p.type.name != "layer"}
    mentions = dict.fromkeys(names, 0)
    dropping = dict.fromkeys(names, 0)
    for node in bound.walk((block.body, tuple(p.default for p in block.parameters))):
        match node:
            case bound.Local(name=name) if name in mentions:
                mentions[name] += 1
            case bound.CallOp(op=op) if op.role == "regularizer":
                for argument in node.arguments.given:
                    value = argument.value
                    if isinstance(value, bound.Local) and value.name in dropping and not argument.spread:
                        dropping[value.name] += 1
    return frozenset(n for n in names if mentions[n] == dropping[n] > 0)


def _renewed(first: Recorded, layer: BlockLayer, ctx: Context) -> dict[int, OpParams] | None:
    """Parameters of the first instance's nodes that are others in this one, by number of the node.

    None where a rate is refused: then the instance is elaborated, to say so in its place.
    """
    free = rates(layer.block)
    changed: dict[str, Value] = {}
    for parameter in layer.block.parameters:
        arg = layer.args.get(parameter.name)
        if parameter.name in free and arg is not None:
            if not isinstance(arg.value, int | float) or not accepts(parameter, arg, layer.block, ctx):
                return None
            old = first.scope.arguments[parameter.name].value
            if type(old) is not type(arg.value) or old != arg.value:
                changed[parameter.name] = arg.value
    found: dict[int, OpParams] = {}
    for node in first.nodes if changed else ():
        if node.exprs and node.scope.frame is first.scope:
            values = _values(node, changed)
            if values is not None:
                try:
                    found[node.id] = node.op.params(**values)
                except ValidationError:
                    return None
    return found


def _values(node: Node, changed: Mapping[str, Value]) -> dict[str, object] | None:
    fresh = {n: changed[e.name] for n, e in node.exprs.items() if isinstance(e, Symbol) and e.name in changed}
    if not fresh or node.op.role != "regularizer":
        return None
    return {name: getattr(node.params, name) for name in node.params.model_fields_set} | fresh
