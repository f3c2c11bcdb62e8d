"""What a network costs, for a batch and a dtype: takes a `Graph`, gives `Costs`. No torch.

Everything follows from the graph; nothing is measured. docs/costs.md defines each figure and says how near it comes to
what torch does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archdsl.graph.devices import ITEMSIZE, Device
from archdsl.graph.ir import Graph, Node
from archdsl.graph.memory import Memory, memory
from archdsl.ops.spec import Weight

_COUNT = 8
"""Bytes of a whole number: of the batches that a normalisation has seen."""

OPTIMIZERS = {"sgd": 0, "momentum": 1, "adam": 2}
"""How many numbers an optimizer keeps for each parameter: with none, one, two moments."""


@dataclass(frozen=True)
class NodeCosts:
    """Of one node and a whole batch: bytes of its weights, multiply-accumulates, bytes that are read and written."""

    node: Node
    weights: int
    macs: int
    moved: int

    def seconds(self, device: Device, dtype: str) -> float:
        """The longer of computing and moving, each at the device's peak."""
        return max(2 * self.macs / device.flops[dtype], self.moved / device.bandwidth)


class _Forward:
    """Of nodes that run: what follows from `macs` and `moved`."""

    if TYPE_CHECKING:
        dtype: str
        macs: int
        moved: int
        nodes: tuple[NodeCosts, ...]

    @property
    def intensity(self) -> float:
        """Multiply-accumulates for each byte that is moved, in a forward pass."""
        return self.macs / self.moved if self.moved else 0.0

    def seconds(self, device: Device) -> float:
        """The roofline time of a forward pass: each op takes the longer of computing and moving its bytes.

        Raises ValueError where the device has no figure for this dtype.
        """
        if self.dtype not in device.flops:
            raise ValueError(f"{device.name} has no peak for {self.dtype}: {', '.join(device.flops)}")
        return sum(node.seconds(device, self.dtype) for node in self.nodes)


@dataclass(frozen=True)
class PartCosts(_Forward):
    """Of a stage, or a layer: `weights` as of the whole; `memory` is the most that is alive while one of its nodes
    runs, whatever other parts of the network still need included."""

    dtype: str
    weights: int
    memory: int
    macs: int
    moved: int
    nodes: tuple[NodeCosts, ...] = field(repr=False)


@dataclass(frozen=True)
class Costs(_Forward):
    """Of a network, for a batch of so many images; sizes are in bytes.

    - `weights`: the state_dict; `gradients`: of what is trained.
    - `memory`, `peak`: the most that is alive at once in inference, weights not counted, and the node at which it is;
      `alive`: while each node runs.
    - `saved`: what autograd keeps between the passes; `training`: the most that is alive at once in a training step,
      gradients included, weights and optimizer not counted.
    - `moved`: what the ops of a forward pass read and write, weights included; `macs`: of the batch.
    """

    batch: int
    dtype: str
    weights: int
    gradients: int
    memory: int
    peak: Node
    alive: tuple[int, ...] = field(repr=False)
    saved: int
    training: int
    macs: int
    moved: int
    nodes: tuple[NodeCosts, ...] = field(repr=False)

    def optimizer(self, name: str) -> int:
        """Bytes that an optimizer keeps: `sgd`, `momentum` or `adam`."""
        return OPTIMIZERS[name] * self.gradients

    def part(self, nodes: Sequence[Node]) -> PartCosts:
        """Of some of its nodes, at least one."""
        own = tuple(self.nodes[node.id] for node in nodes)
        return PartCosts(
            self.dtype,
            weights=sum(node.weights for node in own),
            memory=max(self.alive[node.id] for node in nodes),
            macs=sum(node.macs for node in own),
            moved=sum(node.moved for node in own),
            nodes=own,
        )


def costs(graph: Graph, batch: int = 1, dtype: str = "float32") -> Costs:
    """The costs of a graph."""
    itemsize = ITEMSIZE[dtype]
    found: Memory = memory(graph, batch, itemsize)
    nodes = tuple(_node(node, batch, itemsize) for node in graph.nodes)
    return Costs(
        batch,
        dtype,
        weights=sum(node.weights for node in nodes),
        gradients=graph.params * itemsize,
        memory=found.inference,
        peak=found.peak,
        alive=found.alive,
        saved=found.saved,
        training=found.training,
        macs=graph.macs * batch,
        moved=sum(node.moved for node in nodes),
        nodes=nodes,
    )


def _bytes(weight: Weight, itemsize: int) -> int:
    return weight.elements * (itemsize if weight.shape else _COUNT)


def _node(node: Node, batch: int, itemsize: int) -> NodeCosts:
    weights = sum(_bytes(weight, itemsize) for weight in node.weights)
    if not node.inputs or (node.op.view and node.op.shares(node.params, node.input_shapes, False)):
        return NodeCosts(node, weights, 0, 0)
    valued = node.input_shapes[: node.op.valued]
    values = sum(shape.elements for shape in (*valued, *node.outputs))
    moved = values * batch * itemsize + sum(_bytes(weight, itemsize) for weight in node.weights if weight.shape)
    return NodeCosts(node, weights, node.macs * batch, moved)
