"""What another number of classes changes: takes the `Graph`s of a network with its classes and with others."""

from __future__ import annotations

from collections.abc import Collection
from itertools import zip_longest

from archdsl.graph.backbone import classifiers
from archdsl.graph.ir import Graph, Node


def class_layers(graph: Graph, other: Graph | None) -> tuple[Node, ...]:
    """The layers whose weights are others in a graph with another number of classes; those with nothing but an output
    behind them where none are, or there is no such graph."""
    if other is None:
        return classifiers(graph)
    theirs = {node.path: node.weights for node in other.nodes}
    found = [node for node in graph.nodes if node.weights and theirs.get(node.path) != node.weights]
    return tuple(found) or classifiers(graph)


def first_difference(one: Graph, other: Graph, apart: Collection[str]) -> str | None:
    """The path of the first node in which two graphs differ, except those with a path in `apart`."""
    for a, b in zip_longest(one.nodes, other.nodes):
        if a is None or b is None:
            return str((a or b).path)
        if a.path != b.path or a.inputs != b.inputs or (a.path not in apart and (a.op, a.params) != (b.op, b.params)):
            return str(a.path)
    return None
