"""Parameters of a block on which nothing but a regularizer's number depends: drop rates.

Blocks of a network differ in them and in nothing else, so instances may still be copied (`replay`). What counts is read
off the text of the block: every mention of such a parameter is an argument of an op of the role `regularizer`.
"""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from archdsl.graph.ir import Node
from archdsl.ops.spec import OpParams
from archdsl.semantics import bound
from archdsl.semantics.program import Definition
from archdsl.semantics.replay import Recorded
from archdsl.semantics.values import Value
from archdsl.symbolic import Symbol


def inert_parameters(block: Definition) -> frozenset[str]:
    """The names of a block's inert parameters; worked out once."""
    known = block.file.memo.inert
    if block not in known:
        known[block] = _inert(block)
    return known[block]


def _inert(block: Definition) -> frozenset[str]:
    names = {p.name for p in block.parameters if p.type is None or p.type.name != "layer"}
    mentions = dict.fromkeys(names, 0)
    harmless = dict.fromkeys(names, 0)
    for node in bound.walk((block.body, tuple(p.default for p in block.parameters))):
        match node:
            case bound.Local(name=name) if name in mentions:
                mentions[name] += 1
            case bound.CallOp(op=op) if op.role == "regularizer":
                for argument in node.arguments.given:
                    value = argument.value
                    if isinstance(value, bound.Local) and value.name in harmless and not argument.spread:
                        harmless[value.name] += 1
    return frozenset(n for n in names if mentions[n] == harmless[n] > 0)


def renewed(recorded: Recorded, changed: Mapping[str, Value]) -> dict[int, OpParams] | None:
    """Parameters of the recorded nodes that depend on changed inert parameters, by number of the node.

    None where an op refuses the new value: then the instance is elaborated, to say so in its place.
    """
    found: dict[int, OpParams] = {}
    for node in recorded.nodes:
        if node.exprs and node.scope.frame is recorded.scope:
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
