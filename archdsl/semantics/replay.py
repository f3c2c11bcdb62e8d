"""Equal instances of a block are elaborated once: what the first one made is copied to where the next one stands.

A block sees nothing but its arguments and the shapes of its inputs, so instances that agree in these agree in
everything but paths and node numbers. That makes checking a deep network about as fast as reading it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.scopes import TRANSPARENT, Scope
from archdsl.ops.spec import OpParams
from archdsl.semantics.values import (
    Arg,
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
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Recorded:
    """One elaborated instance: its scope, its nodes, its results in its own expressions, and what it lets go of."""

    scope: Scope
    nodes: tuple[Node, ...]
    start: int
    results: tuple[Tensor, ...]
    discarded: tuple[Ref, ...]
    parameters: int
    parts: int
    """How many nodes and scopes it is made of, its own scope not counted."""


def instance_key(
    args: Mapping[str, Arg], tensors: tuple[Tensor, ...], inert: frozenset[str], traced: bool
) -> tuple[Any, ...] | None:
    """What an instance depends on, but for the values of inert parameters; None where it cannot be said."""
    refs = [tensor.ref for tensor in tensors]
    wiring = tuple(refs.index(ref) for ref in refs)
    try:
        given = tuple((name, name in inert or _fingerprint(arg.value)) for name, arg in args.items())
        key = (given, tuple(tensor.shape for tensor in tensors), wiring, traced)
        hash(key)
    except TypeError:
        return None
    return key


def _fingerprint(value: Any) -> Any:
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


def replay(
    recorded: Recorded, graph: Graph, scope: Scope, tensors: tuple[Tensor, ...], renewed: Mapping[int, OpParams]
) -> tuple[tuple[Tensor, ...], tuple[Ref, ...]]:
    """Copy a recorded instance into `scope`, fed by `tensors`; its results, in its own words, and what it lets go.

    `renewed` are the parameters of those nodes that do not keep theirs.
    """
    start, offset = recorded.start, len(graph.nodes) - recorded.start
    outer = dict(zip(recorded.scope.inputs, (tensor.ref for tensor in tensors), strict=True))

    def moved(ref: Ref) -> Ref:
        return Ref(ref.node + offset, ref.port) if ref.node >= start else outer[ref]

    copies: dict[int, Scope | Node] = {id(recorded.scope): scope}
    pairs: list[tuple[Scope, Scope]] = [(recorded.scope, scope)]
    for old, new in pairs:  # grows while it is walked
        new.origin = old.origin or old
        new.outputs = tuple(map(moved, old.outputs))
        new.inputs = tuple(map(moved, old.inputs))
        new.locals, new.structural, new.names = old.locals, old.structural, old.names
        new.input_names, new.docstring = old.input_names, old.docstring
        new.widths = {moved(ref): width for ref, width in old.widths.items()}
        for decision in old.decisions:
            again = decision.moved({ref: moved(ref) for ref in decision.refs})
            if again is not None:
                new.decisions[again] = None
        for member in old.members:
            if isinstance(member, Scope):
                copy = _empty(member, new, offset)
                copies[id(member)] = copy
                pairs.append((member, copy))
    nodes = graph.nodes
    for node in recorded.nodes:
        home = copies[id(node.scope)]
        assert isinstance(home, Scope)
        path = f"{home.path}.{node.name}" if home.path else node.name
        copied = Node(
            node.id + offset, node.op, renewed.get(node.id, node.params), tuple(map(moved, node.inputs)),
            node.input_shapes, node.outputs, node.name, path, home, node.span, node.exprs, node.labelled,
            node.known_weights,
        )  # fmt: skip
        nodes.append(copied)
        copies[id(node)] = copied
    for old, new in pairs:
        new.members = [copies[id(member)] for member in old.members]
    results = tuple(Tensor(moved(t.ref), t.shape, t.channels) for t in recorded.results)
    return results, tuple(map(moved, recorded.discarded))


def _empty(old: Scope, parent: Scope, offset: int) -> Scope:
    path = parent.path if old.kind in TRANSPARENT else f"{parent.path}.{old.name}" if parent.path else old.name
    new = Scope(old.kind, old.name, path, parent, old.span, old.definition, old.arguments)
    new.stage, new.condition, new.taken, new.site = old.stage, old.condition, old.taken, old.site
    new.start, new.definition_site = old.start + offset, old.definition_site
    return new
