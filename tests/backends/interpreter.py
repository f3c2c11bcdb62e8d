"""Runs a graph node by node, each op from its own lowering. Independent of the backend that writes source.

It knows nothing of blocks, classes or variable names: a node's inputs are looked up by number, its weights by
`Node.weight_path` in a state dict. Nothing is ever computed in place.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from archdsl.graph.ir import Graph, Node, Ref
from tests.ops import build


class Interpreter:
    """A graph with weights. Batch norms update the tensors of `state` in training, as modules update theirs."""

    def __init__(self, graph: Graph, state: Mapping[str, Tensor], *, sizes: bool = True) -> None:
        """`sizes`: images have the graph's own size, so that the sizes of all tensors can be compared."""
        self.graph = graph
        self.sizes = sizes
        self.state = {key: tensor.clone() for key, tensor in state.items()}
        self._built: dict[int, nn.Module] = {}
        for node in graph.nodes:
            if node.inputs:
                self._built[node.id] = self._build(node)

    def _build(self, node: Node) -> nn.Module:
        case = build.Case(node.op, node.params, node.input_shapes)
        lowering = node.lowering
        if lowering.parameter is not None:
            module = build.from_parameter(case, lowering.parameter)
            prefix = "op"
        elif lowering.module is not None:
            module = build.from_module(case, lowering.module)
            prefix = "op."
        else:
            assert lowering.call is not None
            module = build.from_call(case, lowering.call)
            prefix = "op."
        wanted = {prefix + weight.name: self.state[node.weight_path(weight)] for weight in node.weights}
        module.load_state_dict(wanted, strict=True, assign=True)
        return module

    def __call__(self, image: Tensor, *, training: bool = False) -> tuple[Tensor, ...]:
        """The outputs of the graph."""
        values: dict[Ref, Tensor] = {Ref(self.graph.input.id, 0): image}
        for node in self.graph.nodes:
            if not node.inputs:
                continue
            with torch.no_grad():
                result = self._built[node.id].train(training)(*(values[ref] for ref in node.inputs))
            outputs = build.as_tuple(result)
            if self.sizes:
                assert [tuple(t.shape[1:]) for t in outputs] == [shape.dims for shape in node.outputs], node.path
            values |= {Ref(node.id, port): tensor for port, tensor in enumerate(outputs)}
        return tuple(values[ref] for ref in self.graph.outputs)
