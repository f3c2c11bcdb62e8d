"""Parameters of a block on which nothing but a regularizer's number depends: drop rates.

Blocks of a network differ in them and in nothing else, so instances may still be copied (`replay`). What counts is read
off the text of the block: every mention of such a parameter is an argument of an op of the role `regularizer`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from archdsl.graph.ir import Node
from archdsl.ops.registry import OPS
from archdsl.ops.spec import OpParams
from archdsl.semantics.program import Definition
from archdsl.semantics.replay import Recorded
from archdsl.symbolic import Symbol
from archdsl.syntax import ast
from archdsl.syntax.walking import walk


def inert_parameters(block: Definition) -> frozenset[str]:
    """The names of a block's inert parameters; worked out once."""
    if block.inert is None:
        block.inert = _inert(block)
    return block.inert


def _inert(block: Definition) -> frozenset[str]:
    syntax = block.syntax
    if not isinstance(syntax, ast.Definition):
        return frozenset()
    names = {p.name for p in syntax.parameters if p.type is None or p.type.name != "layer"}
    parameters = {p.name for p in syntax.parameters}
    assigned: set[str] = set()
    mentions = dict.fromkeys(names, 0)
    harmless = dict.fromkeys(names, 0)
    for node in walk((syntax.body, tuple(p.default for p in syntax.parameters))):
        match node:
            case ast.Name() if node.name in mentions:
                mentions[node.name] += 1
            case ast.Target():
                assigned.add(node.name or "")
            case ast.CallExpr(callee=ast.Name(name=op)) if op in OPS and OPS[op].role == "regularizer":
                for argument in node.arguments:
                    value = argument.value
                    if isinstance(value, ast.Name) and value.name in harmless and not argument.spread:
                        harmless[value.name] += not (op in parameters or op in assigned or op in block.file.names)
    return frozenset(n for n in names if mentions[n] == harmless[n] > 0)


def renewed(recorded: Recorded, changed: Mapping[str, Any]) -> dict[int, OpParams] | None:
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


def _values(node: Node, changed: Mapping[str, Any]) -> dict[str, Any] | None:
    fresh = {n: changed[e.name] for n, e in node.exprs.items() if isinstance(e, Symbol) and e.name in changed}
    if not fresh or node.op.role != "regularizer":
        return None
    return {name: getattr(node.params, name) for name in node.params.model_fields_set} | fresh
