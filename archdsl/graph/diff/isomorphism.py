"""One network in two orders: takes two `Graph`s; gives the nodes of the second in the order of the first.

Branches may be written, and run, in another order; the network is the same if one graph is the other with its nodes
renumbered. The isomorphism is networkx's (VF2++), of graphs whose nodes are told apart by all that they are computed
from and all that is computed from them; it is checked operand by operand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from archdsl.graph.diff.facts import is_commutative, is_idle
from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.templates import Bodies


class _Side:
    """A graph without what gives back what it gets. `kinds` has a number for each of the others, equal for those that
    are computed alike and of which the same is computed, alike."""

    def __init__(self, graph: Graph, bodies: Bodies, number: Callable[[Node], int]) -> None:
        self.graph = graph
        self.behind: dict[Ref, Ref] = {}
        made: dict[int, int] = {}
        for node in graph.nodes:
            reads = self.reads(node)
            if is_idle(node):
                self.behind[Ref(node.id, 0)] = reads[0]
                continue
            seen = [(made[ref.node], ref.port) for ref in reads]
            made[node.id] = bodies.number("made", number(node), *(sorted(seen) if is_commutative(node) else seen))
        self.outputs = [self.behind.get(ref, ref) for ref in graph.outputs]
        used: dict[int, list[tuple[int, int, int]]] = {number: [] for number in made}
        for slot, ref in enumerate(self.outputs):
            used[ref.node].append((-1, slot, ref.port))
        kinds: dict[int, int] = {}
        for reader in reversed(made):
            kind = kinds[reader] = bodies.number("used", made[reader], *sorted(used[reader]))
            node = graph.nodes[reader]
            for slot, ref in enumerate(self.reads(node)):
                used[ref.node].append((kind, 0 if is_commutative(node) else slot, ref.port))
        self.kinds = dict(reversed(kinds.items()))

    def reads(self, node: Node) -> list[Ref]:
        return [self.behind.get(ref, ref) for ref in node.inputs]


def reordered(before: Graph, after: Graph, bodies: Bodies, number: Callable[[Node], int]) -> Sequence[Node]:
    """The nodes of the second graph in the order of the first, where they are one network; else in their own order.

    `number` is the same for nodes that are built alike.
    """
    one, other = _Side(before, bodies, number), _Side(after, bodies, number)
    kinds, others = list(one.kinds.values()), list(other.kinds.values())
    if kinds == others or Counter(kinds) != Counter(others):
        return after.nodes
    twin = _isomorphism(one, other)
    if twin is None:
        return after.nodes
    place = {twin[number]: position for position, number in enumerate(one.kinds)}
    for ref, source in other.behind.items():
        place[ref.node] = place[source.node]
    return sorted(after.nodes, key=lambda node: (place[node.id], node.id))


def _isomorphism(one: _Side, other: _Side) -> dict[int, int] | None:
    """The node of the second side for each of the first; None where there is no such."""
    import networkx

    both = []
    for side in (one, other):
        network = networkx.MultiDiGraph()
        network.add_nodes_from((number, {"kind": kind}) for number, kind in side.kinds.items())
        network.add_edges_from((ref.node, n) for n in side.kinds for ref in side.reads(side.graph.nodes[n]))
        both.append(network)
    twin: dict[int, int] | None = networkx.vf2pp_isomorphism(*both, node_label="kind")
    if twin is None or [Ref(twin[ref.node], ref.port) for ref in one.outputs] != other.outputs:
        return None
    for number in one.kinds:
        node, theirs = one.graph.nodes[number], other.reads(other.graph.nodes[twin[number]])
        ours = [Ref(twin[ref.node], ref.port) for ref in one.reads(node)]
        if ours != theirs and not (is_commutative(node) and ours[::-1] == theirs):
            return None
    return twin
