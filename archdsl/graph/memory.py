"""Memory that a network needs beyond its weights: takes a `Graph`, a batch and the size of a number; gives `Memory`.

What is counted: the tensors between the ops, the images among them, and what an op makes in addition to its output (the
positions of maxima, an image with its border), each as long as it is alive (`lifetime`). Ops in place and views take no
memory. What a library's own routine needs as workspace is not counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.lifetime import last_uses
from archdsl.graph.scopes import Scope
from archdsl.ops.spec import Made, Saved


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes. `inference`: the most that is alive at once, at `peak`; `alive`: while each node runs. `saved`: what
    autograd keeps when the forward pass is over. `training`: the most that is alive at once in a forward and a backward
    pass, the gradients of weights among it, each from when it is computed.
    """

    inference: int
    peak: Node
    alive: tuple[int, ...]
    saved: int
    training: int


def memory(graph: Graph, batch: int = 1, itemsize: int = 4) -> Memory:
    """Of images of the graph's size, all numbers of so many bytes."""
    last = last_uses(graph)
    inference = _Pass(graph, batch, itemsize, last, training=False)
    forward = _Pass(graph, batch, itemsize, last, training=True)
    alive = inference.alive()
    most = max(alive, default=0)
    training = max(*forward.alive(), forward.backward()) if alive else 0
    return Memory(most, graph.nodes[alive.index(most)], tuple(alive), forward.saved, training)


def kept(graph: Graph, batch: int = 1, itemsize: int = 4, recomputed: Sequence[Scope] = ()) -> int:
    """Bytes that autograd keeps when a forward pass is over (`Memory.saved`). Of the blocks in `recomputed` it keeps
    what goes in, and all of the one that keeps the most, as each is computed again for its gradients."""
    forward = _Pass(graph, batch, itemsize, last_uses(graph), training=True)
    blocks = [{node.id for node in scope.nodes()} for scope in recomputed]
    outside = forward.kept.keys() - set().union(*blocks)
    entering = {ref.node for block in blocks for n in block for ref in graph.nodes[n].inputs if ref.node not in block}
    return max(forward.keeps(outside | block, entering) for block in blocks or [set[int]()])


class _Pass:
    """Which tensors share memory, and what is kept of each node."""

    def __init__(self, graph: Graph, batch: int, itemsize: int, last: dict[Ref, int], training: bool) -> None:
        self.graph, self.batch, self.itemsize = graph, batch, itemsize
        self.root: list[int] = []
        """The node whose memory the outputs of each node are."""
        self.size: dict[int, int] = {}
        self.end: dict[int, int] = {}
        self.made: list[int] = []
        """Bytes that each node takes for itself while it runs."""
        self.kept: dict[int, tuple[set[int], int]] = {}
        """Of each node with a gradient: the memory it keeps, and bytes of its own."""
        self.learns: list[bool] = []
        for node in graph.nodes:
            self._add(node, last, training)
        self.saved = self.keeps(self.kept)

    def keeps(self, nodes: Iterable[int], more: Iterable[int] = ()) -> int:
        """Bytes that some nodes keep, and those of the outputs of `more`; what shares memory counts once."""
        found = [self.kept[number] for number in nodes if number in self.kept]
        roots = {self.root[number] for number in more}.union(*(roots for roots, _ in found))
        return sum(self.size[root] for root in roots) + sum(own for _, own in found)

    def _bytes(self, made: Made) -> int:
        return made.elements * (made.itemsize or self.itemsize) * (self.batch if made.each else 1)

    def _add(self, node: Node, last: dict[Ref, int], training: bool) -> None:
        inputs = node.inputs
        in_place = bool(inputs) and self.graph.overwrites(node)
        shared = bool(inputs) and node.op.view and node.op.shares(node.params, node.input_shapes, training)
        root = self.root[inputs[0].node] if in_place or shared else node.id
        self.root.append(root)
        if root == node.id:
            self.size[root] = sum(shape.elements for shape in node.outputs) * self.itemsize * self.batch
        lives = max(last[Ref(node.id, port)] for port in range(len(node.outputs)))
        self.end[root] = max(self.end.get(root, 0), lives)
        idle = shared and node.op.role == "regularizer"
        saved = node.op.saves(node.params, node.input_shapes, node.outputs)
        self.made.append(0 if idle else sum(self._bytes(made) for made in saved.made if training or not made.training))
        self.learns.append(any(self.learns[ref.node] for ref in inputs) or any(w.trainable for w in node.weights))
        if training and self.learns[-1]:
            self._keep(node, saved, in_place)

    def _keep(self, node: Node, saved: Saved, in_place: bool) -> None:
        roots = {self.root[node.inputs[position].node] for position in saved.inputs}
        own = self.made[node.id]
        if in_place and saved.inputs and not saved.inverts:
            roots = set()
            own += self.size[self.root[node.id]]
        if saved.output:
            roots.add(self.root[node.id])
        self.kept[node.id] = roots, own

    def alive(self) -> list[int]:
        """What is alive while each node of a forward pass runs."""
        ends: dict[int, list[int]] = {}
        held = set().union(*(roots for roots, _ in self.kept.values()))
        for root, end in self.end.items():
            if root not in held:
                ends.setdefault(end, []).append(root)
        alive, found = 0, list[int]()
        for node in self.graph.nodes:
            alive += self.size.get(node.id, 0) + self.made[node.id]
            found.append(alive)
            alive -= sum(self.size[root] for root in ends.get(node.id, ()))
            if node.id not in self.kept:
                alive -= self.made[node.id]
        return found

    def backward(self) -> int:
        """The most that is alive during a backward pass: what is kept, and gradients of tensors.

        The gradient of a tensor is there from its last reader to what made it. An op that keeps nothing of its inputs
        hands its gradient on.
        """
        first: dict[int, int] = {}
        for number in sorted(self.kept, reverse=True):
            for root in self.kept[number][0]:
                first[root] = number  # the earliest node that keeps it is the last to need it
        frees: dict[int, int] = {}
        results = {self.root[ref.node] for ref in self.graph.outputs}
        for root in first.keys() - results:
            number = first[root]
            frees[number] = frees.get(number, 0) + self.size[root]
        result = sum(self.size[root] for root in results - set(first))
        alive = self.saved + result + (0 if 0 in first else self.size[0])
        gradients: dict[Ref, int] = {}
        for ref in self.graph.outputs:
            gradients[ref] = self._gradient(ref)
        most = alive
        for number in sorted(self.kept, reverse=True):
            node = self.graph.nodes[number]
            outputs = [Ref(number, port) for port in range(len(node.outputs))]
            coming = sum(gradients.pop(ref, 0) for ref in outputs)
            passes = node.op.role in ("merge", "reshape") and not self.kept[number][0]
            before = sum(gradients.values())
            made = 0
            for ref in dict.fromkeys(node.inputs):
                if self.learns[ref.node] and ref not in gradients:
                    gradients[ref] = self._gradient(ref)
                    made += gradients[ref]
            alive += node.trainable * self.itemsize
            most = max(most, alive + before + (max(coming, made) if passes else coming + made))
            alive -= self.kept[number][1] + frees.get(number, 0)
        return most

    def _gradient(self, ref: Ref) -> int:
        return self.graph.shape(ref).elements * self.itemsize * self.batch
