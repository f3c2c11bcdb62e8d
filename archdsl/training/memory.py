"""The memory of a training step, without torch: weights, gradients, what the optimizer keeps, and activations.

Takes a `Graph` and a `Recipe`; gives bytes. Activations are the tensors that autograd keeps for the gradients: which
these are follows from the formulas of the gradients, op by op. What is not counted, because it depends on the device:
working memory of convolutions, the gradients of activations, which come and go, and what the allocator leaves unused.
"""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.graph.depth import depth
from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.recipe import Recipe
from archdsl.graph.recipe_parts import Adam, AdamW, Lamb, RmsProp, RmsPropTf, Sgd

FLOAT = 4
_OUTPUT = frozenset({"relu", "relu6", "sigmoid", "tanh", "softmax", "log_softmax", "selu", "elu", "celu", "leaky_relu"})
"""Activations whose gradient is computed from what they gave, so that nobody need keep what they got."""
_NEITHER = frozenset({"add", "sub", "concat", "gap", "pad", "resize", "channel_mean", "adaptive_avgpool"})
"""Ops whose gradient needs shapes alone."""


@dataclass(frozen=True)
class Memory:
    """Bytes of a step on one device. `activations` are for one image."""

    weights: int
    gradients: int
    optimizer: int
    average: int
    activations: int

    def total(self, images: int) -> int:
        """With so many images at a time."""
        return self.weights + self.gradients + self.optimizer + self.average + self.activations * images


def step_memory(graph: Graph, recipe: Recipe, *, half: bool = False, recompute: bool = False) -> Memory:
    """The memory of a step; `half`: activations in 16 bits; `recompute`: blocks keep their inputs only."""
    trainable = graph.params * FLOAT
    state = sum(weight.elements for _, weight, _ in graph.state()) * FLOAT
    kept = _recomputed(graph) if recompute else kept_elements(graph)
    return Memory(
        weights=state,
        gradients=trainable,
        optimizer=trainable * _states(recipe),
        average=state if recipe.ema is not None else 0,
        activations=kept * (FLOAT // 2 if half else FLOAT),
    )


def _states(recipe: Recipe) -> int:
    """Numbers that the optimizer keeps of every weight."""
    match recipe.optimizer:
        case Sgd(momentum=momentum):
            return int(momentum > 0)
        case Adam() | AdamW() | Lamb():
            return 2
        case RmsProp(momentum=momentum):
            return 1 + int(momentum > 0)
        case RmsPropTf(momentum=momentum):
            return 1 + int(momentum > 0)


def kept_elements(graph: Graph) -> int:
    """Numbers that autograd keeps of one image; those that stand for the same memory once."""
    return sum(_kept(graph, graph.nodes).values())


def _recomputed(graph: Graph) -> int:
    """Likewise, where blocks keep their inputs: those, what is outside of them, and the largest block by itself."""
    blocks = [list(group.scope.nodes()) for group in depth(graph).groups if group.scope is not None]
    inside = {node.id for nodes in blocks for node in nodes}
    kept = _kept(graph, [node for node in graph.nodes if node.id not in inside])
    for nodes in blocks:
        own = {node.id for node in nodes}
        for node in nodes:
            for ref in node.inputs:
                if ref.node not in own:
                    base = _base(graph, ref)
                    kept[base] = graph.shape(base).elements
    return sum(kept.values()) + max((sum(_kept(graph, nodes).values()) for nodes in blocks), default=0)


def _kept(graph: Graph, nodes: list[Node]) -> dict[Ref, int]:
    """The tensors that some nodes keep, by what holds their memory, and their elements."""
    kept: dict[Ref, int] = {}
    for node in nodes:
        name = node.op.name
        if node.op.role in ("input", "reshape") or name in _NEITHER:
            continue
        if name in _OUTPUT:
            refs: list[Ref] = [Ref(node.id, 0)]
        elif name in ("dropout", "dropout2d"):
            if node.params.model_dump().get("p"):
                kept[Ref(-node.id, 0)] = node.shape.elements if name == "dropout" else node.shape.channels
            continue
        elif name == "drop_path":
            continue
        else:
            refs = list(node.inputs)
        if name == "maxpool":
            kept[Ref(-node.id, 0)] = 2 * node.shape.elements  # where each maximum was: 64 bits
        for ref in refs:
            base = _base(graph, ref)
            kept[base] = graph.shape(base).elements
    return kept


def _base(graph: Graph, ref: Ref) -> Ref:
    """What holds the memory of a tensor: what it is a view of."""
    node = graph.nodes[ref.node]
    while node.op.view and node.inputs and node.op.role == "reshape":
        ref = node.inputs[0]
        node = graph.nodes[ref.node]
    return ref
