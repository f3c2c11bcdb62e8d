"""A part of a network as a network of its own: what some tensors need, or a layer alone.

Takes a `Graph` and tensors of it; gives a new `Graph` with copies of the scopes and nodes that lie on the way to them.
Paths, and with them the keys of the weights, stay what they were.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import replace

from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.scopes import BlockScope, Scope
from archdsl.graph.sizes import image_size
from archdsl.graph.templates import Template
from archdsl.source import Span
from archdsl.symbolic import Const, Expr


def feature_graph(graph: Graph, features: Mapping[str, Ref], *, listed: bool = False) -> Graph:
    """The network up to some tensors, which are its outputs, by name, or in a list."""
    needed = _needed(graph, features.values())
    ids = {old: new for new, old in enumerate(sorted(needed))}
    made = _Cut(graph, {ref: Ref(ids[ref.node], ref.port) for ref in _refs(graph, needed)}, ids)
    cut = made.run(f"{graph.name}_features", tuple(features.values()))
    cut.output_names, cut.form, cut.main = () if listed else tuple(features), "list" if listed else "dict", False
    cut.output_stride = graph.output_stride
    return cut


def layer_graph(graph: Graph, node: Node) -> Graph:
    """One layer alone, under its path; what it sees takes the place of the image."""
    (shape,) = node.input_shapes
    widths: dict[Ref, Expr] = {Ref(0, 0): Const(shape.channels), Ref(1, 0): Const(node.shape.channels)}
    template = replace(graph.root.template, widths=widths, decisions={})
    root = replace(graph.root, template=template, members=[], inputs=(), outputs=(Ref(1, 0),))
    sizes = {"channels": shape.channels, "height": shape.height, "width": shape.width}
    image = replace(graph.input, params=graph.input.params.model_copy(update=sizes), outputs=(shape,), scope=root)
    root.members.append(image)
    scope: Scope = root
    for part in node.path.split(".")[:-1]:
        path = f"{scope.path}.{part}" if scope.path else part
        inner = Scope("container", part, path, scope, node.span, 1)
        scope.members.append(inner)
        scope = inner
    alone = replace(node, id=1, inputs=(Ref(0, 0),), exprs={}, scope=scope)
    scope.members.append(alone)
    return Graph(f"{graph.name}_{node.name}", root, [image, alone], root.outputs, traced=graph.traced)


def _needed(graph: Graph, outputs: Iterable[Ref]) -> set[int]:
    """The nodes on the way to some tensors; a block that is needed needs all its inputs."""
    import networkx

    network = networkx.DiGraph(graph.network)
    for scope in graph.root.scopes():
        network.add_edges_from((ref.node, scope) for ref in scope.inputs if scope.kind == "block")
        network.add_edges_from((scope, m if isinstance(m, Scope) else m.id) for m in scope.members)
    ends = {ref.node for ref in outputs}
    return ends | {n for end in ends for n in networkx.ancestors(network, end) if isinstance(n, int)}


def _refs(graph: Graph, needed: set[int]) -> list[Ref]:
    return [Ref(number, port) for number in needed for port in range(len(graph.nodes[number].outputs))]


class _Cut:
    """Copies a graph's scopes and those nodes that have a new number."""

    def __init__(self, graph: Graph, refs: Mapping[Ref, Ref], ids: Mapping[int, int]) -> None:
        self.graph = graph
        self.refs = refs
        self.ids = ids
        self.nodes: list[Node] = []
        self.outputs: tuple[Ref, ...] = ()
        self.templates: dict[Hashable, Template] = {}
        self.lost: list[Span] = []
        """Where the spec asked about the size of a tensor that is left out."""
        self.before = [0]
        """How many of the nodes before each are kept."""
        for node in graph.nodes:
            self.before.append(self.before[-1] + (node.id in ids))

    def run(self, name: str, outputs: tuple[Ref, ...]) -> Graph:
        self.outputs = outputs
        root = self._scope(self.graph.root, None)
        assert isinstance(root, BlockScope)
        root.outputs = tuple(self.refs[ref] for ref in outputs)
        if self.lost:  # what was decided by a tensor that is not there cannot be asked again
            shape = self.graph.input_shape
            root.template.decisions[image_size(Ref(0, 0), shape.height, shape.width, self.lost[0])] = None
        nodes = sorted(self.nodes, key=lambda node: node.id)
        return Graph(name, root, nodes, root.outputs, reads_sizes=self.graph.reads_sizes, traced=self.graph.traced)

    def _scope(self, old: Scope, parent: Scope | None) -> Scope | None:
        """A copy with what is kept of it; None where that is nothing."""
        inputs = tuple(self.refs[ref] for ref in old.inputs if ref in self.refs)
        new = replace(old, parent=parent, members=[], inputs=inputs, start=self.before[old.start])
        for member in old.members:
            copied = self._scope(member, new) if isinstance(member, Scope) else self._node(member, new)
            if copied is not None:
                new.members.append(copied)
        passed = old.inputs and len(new.inputs) == len(old.inputs) and all(ref in self.refs for ref in old.outputs)
        empty = next(new.nodes(), None) is None  # but, at most, for parts that hand on what they are given
        if empty and not passed and parent is not None:
            return None
        self.lost += [decision.span for decision in old.decisions if decision.moved(self.refs) is None]
        if old.kind not in ("container", "stage"):
            inside = {node.id for node in old.nodes()}
            leaving = [ref for ref in self.outputs if ref.node in inside]
            kept = dict.fromkeys([*(ref for ref in old.outputs if ref in self.refs), *leaving])
            new.outputs = tuple(self.refs[ref] for ref in kept)
        if isinstance(old, BlockScope):
            assert isinstance(new, BlockScope)
            new.template = self._template(old, new)
        return new

    def _template(self, old: BlockScope, new: BlockScope) -> Template:
        """What is known of a block of which some is kept: one for all of which the same is kept."""
        kept = tuple(node.id - old.start for node in old.nodes() if node.id in self.ids)
        given = tuple(
            (ref.node - new.start, ref.port) if ref.node >= new.start else new.inputs.index(ref) for ref in new.outputs
        )
        key = (old.template, kept, tuple(ref in self.refs for ref in old.inputs), given)
        if key not in self.templates:
            widths = {self.refs[ref]: width for ref, width in old.widths() if ref in self.refs}
            decisions = {moved: None for decision in old.decisions if (moved := decision.moved(self.refs))}
            known = replace(old.template, start=new.start, inputs=new.inputs, widths=widths, decisions=decisions)
            self.templates[key] = known
        return self.templates[key]

    def _node(self, old: Node, scope: Scope) -> Node | None:
        if old.id not in self.ids:
            return None
        node = replace(old, id=self.ids[old.id], inputs=tuple(self.refs[ref] for ref in old.inputs), scope=scope)
        self.nodes.append(node)
        return node
