"""The graph: every op of one architecture, typed at birth.

`Graph` is filled by the semantics and read by everything else. Nodes are numbered in the order of execution, so a
node's inputs always have smaller numbers: one pass over `Graph.nodes` follows the data, and is all that most readers
need. Whatever asks about paths (what a tensor depends on, what all paths pass, which is the longest) asks networkx: of
`Graph.network`, the same graph as a `networkx.MultiDiGraph`, or of a graph of its own, where it is about blocks or a
part. `network` is made when first asked for: importing networkx takes half as long as checking a family, and neither a
check nor a module of one output needs a path.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from archdsl.graph.scopes import BlockScope, Scope
from archdsl.ops.spec import LAYERS, Call, Lowering, Module, OpParams, OpSpec, Parameter, Shape, Weight
from archdsl.source import Span
from archdsl.symbolic import Expr

if TYPE_CHECKING:
    import networkx

    from archdsl.graph.sizes import SizeDecision

Form = Literal["tensor", "tuple", "named", "dict", "list"]


@dataclass(slots=True, unsafe_hash=True)
class Cost:
    """What layers cost for one sample: `layers` counts convolutions and linear layers, as papers do; `params` are
    trainable parameters; `macs` the multiply-accumulates of convolutions and matrix products; `activations` the
    elements of all outputs, of which a view adds none. A value: never changed once made."""

    layers: int = 0
    params: int = 0
    macs: int = 0
    activations: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            self.layers + other.layers,
            self.params + other.params,
            self.macs + other.macs,
            self.activations + other.activations,
        )

    @classmethod
    def of(cls, nodes: Iterable[Node]) -> Cost:
        """What some nodes cost together."""
        layers = params = macs = activations = 0
        for node in nodes:
            op = node.op
            layers += op.role in LAYERS
            for weight in node.weights:
                params += weight.elements if weight.trainable else 0
            macs += op.macs(node.params, node.input_shapes, node.outputs)
            for shape in () if op.view else node.outputs:
                activations += shape.elements
        return cls(layers, params, macs, activations)


class Costed:
    """Something that has a `cost`: the parts of it."""

    __slots__ = ()

    if TYPE_CHECKING:

        @property
        def cost(self) -> Cost: ...

    @property
    def layers(self) -> int:
        """How many convolutions and linear layers."""
        return self.cost.layers

    @property
    def params(self) -> int:
        """Number of trainable parameters."""
        return self.cost.params

    @property
    def macs(self) -> int:
        """Multiply-accumulates of convolutions and matrix products for one image."""
        return self.cost.macs

    @property
    def activations(self) -> int:
        """Elements of all outputs for one image; a view adds none."""
        return self.cost.activations


class Ref(NamedTuple):
    """One output of a node: its number and the output's position (0 but for `split`)."""

    node: int
    port: int


@dataclass(slots=True, eq=False)
class Node:
    """One application of an op. `exprs` says what its arguments were computed from, where not literal."""

    id: int
    op: OpSpec
    params: OpParams
    inputs: tuple[Ref, ...]
    input_shapes: tuple[Shape, ...]
    outputs: tuple[Shape, ...]
    name: str
    path: str
    scope: Scope
    span: Span
    exprs: Mapping[str, Expr]
    labelled: bool = False
    known_weights: tuple[Weight, ...] | None = field(default=None, repr=False)
    _lowering: Lowering | None = field(default=None, repr=False)

    @property
    def shape(self) -> Shape:
        return self.outputs[0]

    @property
    def label(self) -> str:
        """What every picture, page and table calls it: `3×3 conv, 64, /2`, `3×3 dwconv`."""
        return self.op.label(self.params, self.input_shapes)

    @property
    def word(self) -> str:
        """The kind of layer alone: the op's name, but `dwconv` for every depthwise convolution."""
        return self.op.name if self.op.word is None else self.op.word(self.params, self.input_shapes)

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The tensors of its state."""
        if self.known_weights is None:
            self.known_weights = self.op.weights(self.params, self.input_shapes)
        return self.known_weights

    @property
    def lowering(self) -> Lowering:
        """How torch computes it."""
        if self._lowering is None:
            self._lowering = self.op.lowering(self.params, self.input_shapes)
        return self._lowering

    @property
    def form(self) -> Module | Call | Parameter | None:
        """Which form of the lowering generated source has: a call where there is one and no label names a module."""
        lowering = self.lowering
        if lowering.call is not None and (lowering.module is None or not self.labelled):
            return lowering.call
        return lowering.module or lowering.parameter

    @property
    def trainable(self) -> int:
        """Number of its trainable parameters."""
        return sum(weight.elements for weight in self.weights if weight.trainable)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one sample."""
        return self.op.macs(self.params, self.input_shapes, self.outputs)

    @property
    def activations(self) -> int:
        """Elements of the output of one sample; a view adds none."""
        return 0 if self.op.view else sum(shape.elements for shape in self.outputs)

    def weight_path(self, weight: Weight) -> str:
        """The state_dict key of one of this node's weights."""
        return f"{self.path}.{weight.name}" if weight.name else self.path

    @property
    def start(self) -> int:
        """Its place in the order of execution, as that of a scope."""
        return self.id

    @property
    def stage(self) -> Scope | None:
        """The innermost scope marked as a stage around this node."""
        return next((s for s in self.scope.ancestors() if s.stage), None)


class Maker(Protocol):
    """What graphs come from (`archdsl.Variant`)."""

    @property
    def graph(self) -> Graph: ...

    def traced(self) -> Graph: ...


@dataclass(eq=False)
class Graph(Costed):
    """A whole architecture: nodes in order of execution and the scope tree, rooted at the model."""

    name: str
    root: BlockScope
    nodes: list[Node] = field(default_factory=list)
    outputs: tuple[Ref, ...] = ()
    output_names: tuple[str, ...] = ()
    """The names of the outputs, `logits` of the result; empty where they have none."""
    form: Form = "tensor"
    """How the outputs are given back: `dict` and `list` are for feature maps, the former by the names of stages."""
    main: bool = True
    """Whether the first output is the result and the others are given in addition; else all are alike."""
    reads_sizes: bool = False
    """Whether the spec asks about the height or width of a tensor."""
    traced: bool = True
    """Whether expressions say what the numbers were computed from."""
    output_stride: int | None = None
    """The stride to which others were taken away; None: all are there."""
    plain: Graph | None = field(default=None, repr=False)
    """Where strides were taken away, the network with all of them: the same nodes by the same numbers."""
    settings: str = ""
    """What was set that the network of this name has otherwise: `depths = [1, 1]`."""
    maker: Maker | None = field(default=None, repr=False)
    """What can make this graph again, in another process too: what a pickle has in its place."""

    def __reduce__(self) -> tuple[object, ...]:
        if self.maker is None:
            raise TypeError(f"the graph {self.name} cannot be pickled: it is that of no variant")
        return _remade, (self.maker, self.traced)

    @property
    def title(self) -> str:
        """The name and what else was set: with other arguments it is not the network that the name is known for."""
        return f"{self.name} with {self.settings}" if self.settings else self.name

    def add(self, node: Node) -> None:
        self.nodes.append(node)
        node.scope.members.append(node)

    def shape(self, ref: Ref) -> Shape:
        return self.nodes[ref.node].outputs[ref.port]

    @property
    def input(self) -> Node:
        """The image."""
        return self.nodes[0]

    @property
    def input_shape(self) -> Shape:
        return self.nodes[0].shape

    @property
    def output_shape(self) -> Shape:
        """Of the first output."""
        return self.shape(self.outputs[0])

    @property
    def result(self) -> Ref | None:
        """The output that is the result; None where there are several, all alike."""
        return self.outputs[0] if self.main else None

    @property
    def output_labels(self) -> tuple[str, ...]:
        """What to call the outputs for people: their names; `0`, `1` … in a plain tuple; nothing of one alone."""
        return self.output_names or tuple(map(str, range(len(self.outputs)))) if self.form != "tensor" else ("",)

    @cached_property
    def aux(self) -> Mapping[int, str]:
        """The numbers of nodes that the result does not depend on, each with the first further output that does.

        There are none where all outputs are alike.
        """
        if not self.main:
            return {}
        reached: dict[int, str] = {}
        for name, ref in zip(self.output_names, self.outputs, strict=False):
            for number in self.needed(ref):
                reached.setdefault(number, name)
        return {n: name for n, name in reached.items() if name != self.output_names[0]}

    @cached_property
    def size_decisions(self) -> tuple[SizeDecision, ...]:
        """What was decided by the size of the image, each question and answer once."""
        if not self.reads_sizes:
            return ()
        found = [decision for scope in self.root.scopes() for decision in scope.decisions]
        return tuple({(d.span, d.answer): d for d in found}.values())

    @cached_property
    def uses(self) -> list[int]:
        """How many operands each node's outputs feed, the graph's own outputs included."""
        counts = [0] * len(self.nodes)
        for node in self.nodes:
            for ref in node.inputs:
                counts[ref.node] += 1
        for ref in self.outputs:
            counts[ref.node] += 1
        return counts

    def may_overwrite(self, node: Node) -> bool:
        """Whether a node may work in place: its input is fresh memory that nothing else reads."""
        source = self.nodes[node.inputs[0].node]
        same_class = source.scope.frame is node.scope.frame
        return same_class and source.op.overwritable and self.uses[source.id] == 1

    def overwrites(self, node: Node) -> bool:
        """Whether a node works in place in generated source."""
        form = node.form
        return not isinstance(form, Parameter) and bool(form and form.inplace) and self.may_overwrite(node)

    def state(self) -> Iterator[tuple[str, Weight, Node]]:
        """Every tensor of the state_dict: key, weight and the node it belongs to, in order of execution."""
        for node in self.nodes:
            for weight in node.weights:
                yield node.weight_path(weight), weight, node

    @cached_property
    def cost(self) -> Cost:
        """Of all layers, those that only further outputs need among them."""
        return Cost.of(self.nodes)

    @cached_property
    def network(self) -> networkx.MultiDiGraph[int]:
        """The same graph for the algorithms of networkx, frozen: a change of it would change no network.

        Its nodes are the numbers of `nodes`, in their order, with the data `node` and `path`. Each operand is an edge
        from what makes it, keyed by its place among the operands (`x * x` has two edges), with the data `port`, which
        output of the source it is, and `shape`. `network.graph["outputs"]` are the numbers of the nodes that give the
        outputs.
        """
        import networkx

        network: networkx.MultiDiGraph[int] = networkx.MultiDiGraph(name=self.name)
        network.graph["outputs"] = [ref.node for ref in self.outputs]
        network.add_nodes_from((node.id, {"node": node, "path": node.path}) for node in self.nodes)
        network.add_edges_from(
            (ref.node, node.id, slot, {"port": ref.port, "shape": shape})
            for node in self.nodes
            for slot, (ref, shape) in enumerate(zip(node.inputs, node.input_shapes, strict=True))
        )
        return networkx.freeze(network)

    def line(self, tensor: Ref) -> Iterator[Node]:
        """The nodes that a tensor comes from, backwards, as long as each has one input and one output."""
        node = self.nodes[tensor.node]
        while len(node.inputs) == 1 and len(node.outputs) == 1:
            yield node
            node = self.nodes[node.inputs[0].node]

    def needed(self, tensor: Ref) -> set[int]:
        """The numbers of the nodes that a tensor depends on, its own included."""
        import networkx

        return {tensor.node, *networkx.ancestors(self.network, tensor.node)}


def _remade(maker: Maker, traced: bool) -> Graph:
    return maker.traced() if traced else maker.graph
