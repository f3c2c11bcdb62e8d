"""Equal instances of a block are elaborated once: what the first one made is copied to where the next one stands
(`archdsl.graph.templates`). That makes checking a deep network about as fast as reading it.

Takes what an instance is given; gives the key under which the first one is found again.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass

from archdsl.graph.ir import Node, Ref
from archdsl.graph.scopes import BlockScope
from archdsl.graph.templates import Template
from archdsl.semantics.program import Definition
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
    Value,
)  # fmt: skip


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


def instance_key(
    args: Mapping[str, Arg], tensors: tuple[Tensor, ...], inert: frozenset[str], traced: bool
) -> tuple[Hashable, ...] | None:
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
