"""The memory of a training step on one device, without torch: weights, gradients, what the optimizer and the average
keep, and the activations that autograd keeps (`graph.memory`).

What is not counted, because it depends on the device: working memory of convolutions, the gradients of activations,
which come and go, and what the allocator leaves unused.
"""

from __future__ import annotations

from archdsl.graph.depth import depth
from archdsl.graph.ir import Graph
from archdsl.graph.memory import kept
from archdsl.graph.recipe import Recipe
from archdsl.graph.recipe_parts import Adam, AdamW, Lamb, RmsProp, RmsPropTf, Sgd

_FLOAT, _HALF = 4, 2


def step_memory(graph: Graph, recipe: Recipe, images: int, *, half: bool = False, recompute: bool = False) -> int:
    """Bytes, for so many images at a time; `half`: activations in 16 bits; `recompute`: blocks keep their input."""
    blocks = [group.scope for group in depth(graph).groups if group.scope is not None] if recompute else []
    state = sum(weight.elements for _, weight, _ in graph.state())
    copies = 1 if recipe.ema is None else 2
    numbers = copies * state + (1 + _states(recipe)) * graph.params
    return numbers * _FLOAT + kept(graph, images, _HALF if half else _FLOAT, blocks)


def _states(recipe: Recipe) -> int:
    """Numbers that the optimizer keeps of every weight."""
    match recipe.optimizer:
        case Sgd(momentum=momentum):
            return int(momentum > 0)
        case Adam() | AdamW() | Lamb():
            return 2
        case RmsProp(momentum=momentum) | RmsPropTf(momentum=momentum):
            return 1 + int(momentum > 0)
