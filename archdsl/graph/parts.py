"""The tree that pictures show: scopes and nodes by path, what each costs, and how the members of a scope are wired.

Takes a `Graph`; gives a `PartTree`. It is the tree of scopes without the branches of `if`s, which have no path. Every
edge of the graph is projected on every level: a scope knows the edges between its members, and what enters and leaves.
Work and memory are linear in the size of the graph, times the depth of the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeAlias

from archdsl.graph.ir import Cost, Costed, Graph, Node, Ref
from archdsl.graph.scopes import TRANSPARENT, Scope

OUTSIDE = -1
"""In an edge, instead of a member: the tensor comes from outside the scope, or leaves it."""


class Edge(NamedTuple):
    """A tensor between two members of a scope, given by their positions among them; `OUTSIDE` on one side at most."""

    source: int
    target: int
    tensor: Ref


@dataclass(slots=True, eq=False)
class Part(Costed):
    """A node, or a scope with a path, as a member of the picture.

    `start` and `stop` delimit its nodes in `PartTree.order`. `entries` are the tensors from outside that it uses and
    `exits` those of its own that others use, each once, in the order in which they are first used.
    """

    item: Scope | Node
    parent: Part | None
    index: int
    start: int
    stop: int = 0
    parts: list[Part] = field(default_factory=list)
    edges: list[Edge] = field(default_factory=list)
    entries: dict[Ref, None] = field(default_factory=dict)
    exits: dict[Ref, None] = field(default_factory=dict)
    cost: Cost = field(default_factory=Cost)

    @property
    def path(self) -> str:
        return self.item.path

    @property
    def name(self) -> str:
        return self.item.name

    @property
    def node(self) -> Node | None:
        return self.item if isinstance(self.item, Node) else None

    @property
    def scope(self) -> Scope | None:
        return self.item if isinstance(self.item, Scope) else None

    @property
    def size(self) -> int:
        """How many nodes it holds."""
        return self.stop - self.start

    def walk(self) -> Iterator[Part]:
        """This part and all below, parents first."""
        stack = [self]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(reversed(part.parts))

    def ancestors(self) -> Iterator[Part]:
        """This part and those around it, innermost first."""
        part: Part | None = self
        while part is not None:
            yield part
            part = part.parent


@dataclass(frozen=True, eq=False)
class PartTree:
    """The parts of a graph. `order` has the parts of nodes as the tree is read; `place` maps a node's number to it."""

    graph: Graph
    root: Part
    order: Sequence[Part]
    place: Sequence[int]
    inputs: Sequence[tuple[Ref, ...]]
    """What each node, by number, is drawn as reading: its inputs, with running concatenations as a rail."""

    def part(self, node: int) -> Part:
        """The part of the node of this number."""
        return self.order[self.place[node]]

    def find(self, path: str) -> Part | None:
        """The part at a path."""
        return next((part for part in self.root.walk() if part.path == path and part is not self.root), None)


def part_tree(graph: Graph) -> PartTree:
    """The tree of a graph's parts, with costs and edges."""
    root, order = _grow(graph)
    place = [0] * len(graph.nodes)
    for position, part in enumerate(order):
        assert isinstance(part.item, Node)
        place[part.item.id] = position
    tree = PartTree(graph, root, order, place, drawn_inputs(graph))
    _wire(tree)
    return tree


def _grow(graph: Graph) -> tuple[Part, list[Part]]:
    """The tree without edges, costs added up, and the parts of nodes in the order of the tree."""
    root = Part(graph.root, None, 0, 0)
    order: list[Part] = []
    stack: list[tuple[Part, Iterator[_Member]]] = [(root, _members([graph.root]))]
    while stack:
        part, members = stack[-1]
        item, scopes, guests = next(members, (None, (), ()))
        if item is None:
            stack.pop()
            part.stop = len(order)
            if part.parent is not None:
                part.parent.cost += part.cost
            continue
        child = Part(item, part, len(part.parts), len(order))
        part.parts.append(child)
        if isinstance(item, Scope):
            stack.append((child, _members(scopes, guests)))
            continue
        order.append(child)
        child.stop = len(order)
        child.cost = Cost.of([item])
        part.cost += child.cost
    return root, order


_Member: TypeAlias = tuple[Scope | Node, Sequence[Scope], Sequence[Node]]


def _members(scopes: Iterable[Scope], guests: Sequence[Node] = ()) -> Iterator[_Member]:
    """Members with a path, each with the scopes it is and its guests: a choice or `stage` is replaced by what is in it,
    an empty scope left out, and a container that is cut by stages is whole again.

    Guests of a container are the ops without a label that run between its members (`features.a: A -> relu ->
    features.b: B`): they have no path in it, but the picture would have to go out of it and back.
    """
    scopes = list(scopes)
    found: list[Scope | Node] = list(guests)
    containers: dict[str, list[Scope]] = {}
    stack = [iter(scope.members) for scope in scopes][::-1]
    while stack:
        member = next(stack[-1], None)
        if member is None:
            stack.pop()
        elif isinstance(member, Node):
            found.append(member)
        elif member.kind in TRANSPARENT:
            stack.append(iter(member.members))
        elif next(member.nodes(), None) is not None:
            if member.kind != "container" or member.name not in containers:
                found.append(member)
            if member.kind == "container":
                containers.setdefault(member.name, []).append(member)
    if guests or len(scopes) > 1:
        found.sort(key=lambda member: _start(member, containers))
    staying = _guests(found, containers) if containers else {}
    taken = {node.id for nodes in staying.values() for node in nodes}
    for member in found:
        if isinstance(member, Node):
            if member.id not in taken:
                yield member, (), ()
        elif member.kind == "container":
            yield member, containers[member.name], staying[member.name]
        else:
            yield member, [member], ()


def _start(member: Scope | Node, containers: dict[str, list[Scope]]) -> int:
    """A member's place in the order of execution."""
    cut = isinstance(member, Scope) and member.kind == "container"
    return min(scope.start for scope in containers[member.name]) if cut else member.start


def _guests(found: Sequence[Scope | Node], containers: dict[str, list[Scope]]) -> dict[str, list[Node]]:
    """Of each container, the ops without a label that run between its first and its last."""
    unlabelled = [member for member in found if isinstance(member, Node) and not member.labelled]
    staying: dict[str, list[Node]] = {}
    for name, scopes in containers.items():
        numbers = [node.id for scope in scopes for node in scope.nodes()] if unlabelled else []
        low, high = min(numbers, default=0), max(numbers, default=0)
        staying[name] = [node for node in unlabelled if low < node.id < high]
        unlabelled = [node for node in unlabelled if not low < node.id < high]
    return staying


# --- edges -----------------------------------------------------------------------------------


def drawn_inputs(graph: Graph) -> list[tuple[Ref, ...]]:
    """The inputs of every node, by number, as pictures show them: a running concatenation is a rail.

    Where a concatenation begins with all the operands of an earlier one (`concat(a, b)`, `concat(a, b, c)`), it is
    drawn as reading that one's output and the rest. So a dense block has as many edges as layers, not their square.
    """
    drawn = [node.inputs for node in graph.nodes]
    ends: dict[int, Ref] = {}
    steps: dict[tuple[int, Ref], int] = {}  # a trie of operands: (state, next operand) -> state
    for node in graph.nodes:
        if node.op.channels != "sum" or len(node.inputs) < 2:
            continue
        state = known = 0
        for count, ref in enumerate(node.inputs, 1):
            state = steps.setdefault((state, ref), len(steps) + 1)
            if state in ends and count > 1 and ends[state].node != node.id:
                known, rail = count, ends[state]
        if known:
            drawn[node.id] = (rail, *node.inputs[known:])
        ends.setdefault(state, Ref(node.id, 0))
    return drawn


def _wire(tree: PartTree) -> None:
    """Project every edge on every level that it crosses."""
    seen: set[tuple[int, int, int, Ref]] = set()
    for node in tree.graph.nodes:
        for ref in tree.inputs[node.id]:
            _project(tree, ref, tree.part(node.id), seen)
    for ref in tree.graph.outputs:
        _leave(tree.part(ref.node), tree.root, ref, seen)
        _edge(tree.root, _child(tree, tree.root, ref).index, OUTSIDE, ref, seen)


def _project(tree: PartTree, ref: Ref, target: Part, seen: set[tuple[int, int, int, Ref]]) -> None:
    place = tree.place[ref.node]
    while target.parent is not None:
        around = target.parent
        target.entries[ref] = None
        if around.start <= place < around.stop:
            source = _leave(tree.part(ref.node), around, ref, seen)
            _edge(around, source.index, target.index, ref, seen)
            return
        _edge(around, OUTSIDE, target.index, ref, seen)
        target = around


def _leave(source: Part, around: Part, ref: Ref, seen: set[tuple[int, int, int, Ref]]) -> Part:
    """Let a tensor leave all scopes inside `around`; the member of `around` that it comes from."""
    while True:
        source.exits[ref] = None
        parent = source.parent
        assert parent is not None
        if parent is around:
            return source
        _edge(parent, source.index, OUTSIDE, ref, seen)
        source = parent


def _child(tree: PartTree, around: Part, ref: Ref) -> Part:
    return next(part for part in tree.part(ref.node).ancestors() if part.parent is around)


def _edge(around: Part, source: int, target: int, ref: Ref, seen: set[tuple[int, int, int, Ref]]) -> None:
    key = (id(around), source, target, ref)
    if key not in seen:
        seen.add(key)
        around.edges.append(Edge(source, target, ref))
