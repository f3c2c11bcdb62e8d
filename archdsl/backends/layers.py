"""Layers as modules of their own: takes a `Graph` and the paths of some layers; gives new ones, initialized."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

from archdsl.backends.module import build_module
from archdsl.backends.pickles import own_class
from archdsl.backends.python import generate
from archdsl.graph.cut import layer_graph
from archdsl.graph.ir import Graph

if TYPE_CHECKING:
    from torch import nn

    from archdsl.graph.settings import InitRule


def new_layers(
    graph: Graph, paths: Collection[str], rules: Sequence[InitRule], module: ModuleType
) -> dict[str, nn.Module]:
    """New layers for these paths of a traced graph, by path, initialized as the rules say. A layer of a class that the
    source of the network defines is of that class in `module`, the network's own."""
    made = {}
    for node in graph.nodes:
        if node.path in paths:
            alone = layer_graph(graph, node)
            layer = build_module(alone, generate(alone, "", rules)).get_submodule(node.path)
            made[node.path] = own_class(layer, module)
    return made
