"""Networks that run in different orders: takes two `Graph`s; gives the nodes of the second in the order of the first.

Branches may be written, and run, in another order. Nodes are told apart by all that they are computed from and all that
is computed from them. Where one graph is the other with its nodes renumbered, networkx finds the isomorphism (VF2++),
which is checked operand by operand; else there is, of all orders in which the second could run, the one that is nearest
to the first's (networkx's lexicographical topological sort).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from archdsl.graph.diff.facts import Kinds, is_commutative, is_idle
from archdsl.graph.ir import Graph, Node, Ref

if TYPE_CHECKING:
    from networkx import MultiDiGraph


class _Side:
    """A graph without what gives back what it gets.

    The others have numbers, in order of execution: `above` is equal for those that are computed alike, `below` for
    those of which the same is computed, and `kinds` for those of which both is true.
    """

    def __init__(self, graph: Graph, kinds: Kinds) -> None:
        self.graph = graph
        self.behind: dict[Ref, Ref] = {}
        self.above: dict[int, int] = {}
        for node in graph.nodes:
            reads = self.reads(node)
            if is_idle(node):
                self.behind[Ref(node.id, 0)] = reads[0]
                continue
            seen = [(self.above[ref.node], ref.port) for ref in reads]
            self.above[node.id] = kinds.number(kinds.of(node), *(sorted(seen) if is_commutative(node) else seen))
        self.outputs = [self.behind.get(ref, ref) for ref in graph.outputs]
        self.below = self._numbers(lambda place: kinds.of(graph.nodes[place]), kinds)
        self.kinds = self._numbers(self.above.__getitem__, kinds)

    def reads(self, node: Node) -> list[Ref]:
        return [self.behind.get(ref, ref) for ref in node.inputs]

    def _numbers(self, own: Callable[[int], int], kinds: Kinds) -> dict[int, int]:
        """A number for each node, of its own and of who reads it, from the outputs up."""
        used: dict[int, list[tuple[int, int, int]]] = {place: [] for place in self.above}
        for slot, ref in enumerate(self.outputs):
            used[ref.node].append((-1, slot, ref.port))
        found: dict[int, int] = {}
        for place in reversed(self.above):
            found[place] = kinds.number("read", own(place), *sorted(used[place]))
            node = self.graph.nodes[place]
            for slot, ref in enumerate(self.reads(node)):
                used[ref.node].append((found[place], 0 if is_commutative(node) else slot, ref.port))
        return dict(reversed(found.items()))

    def network(self) -> MultiDiGraph[int]:
        import networkx

        network = networkx.MultiDiGraph()
        network.add_nodes_from((place, {"kind": kind}) for place, kind in self.kinds.items())
        network.add_edges_from((ref.node, place) for place in self.kinds for ref in self.reads(self.graph.nodes[place]))
        return network


def orders(before: Graph, after: Graph, kinds: Kinds) -> Iterator[Sequence[Node]]:
    """Orders in which the second graph's nodes may be compared: its own, and one that is nearer to the first's if there
    is one; that alone where both are one network."""
    one, other = _Side(before, kinds), _Side(after, kinds)
    if Counter(one.kinds.values()) == Counter(other.kinds.values()):
        same = list(one.kinds.values()) == list(other.kinds.values())
        twins = None if same else _isomorphism(one, other)
        if twins is not None:
            yield _in_order(other, twins)
            return
    yield after.nodes
    partners = _partners(one, other)
    if any(a > b for a, b in pairwise(partners[place] for place in other.kinds if place in partners)):
        yield _in_order(other, _nearest(other, partners))


def _in_order(side: _Side, places: Mapping[int, int]) -> list[Node]:
    """All nodes by these places, what gives back what it gets behind what gives it."""
    behind = {ref.node: source.node for ref, source in side.behind.items()}
    return sorted(side.graph.nodes, key=lambda node: (places[behind.get(node.id, node.id)], node.id))


def _isomorphism(one: _Side, other: _Side) -> dict[int, int] | None:
    """The node of the first side for each of the second; None where there is no such."""
    import networkx

    found: dict[int, int] | None = networkx.vf2pp_isomorphism(other.network(), one.network(), node_label="kind")
    if found is None or [Ref(found[ref.node], ref.port) for ref in other.outputs] != one.outputs:
        return None
    for place, twin in found.items():
        node, ours = other.graph.nodes[place], one.reads(one.graph.nodes[twin])
        theirs = [Ref(found[ref.node], ref.port) for ref in other.reads(node)]
        if ours != theirs and not (is_commutative(node) and ours[::-1] == theirs):
            return None
    return found


def _partners(one: _Side, other: _Side) -> dict[int, int]:
    """Nodes of the first side for those of the second that are computed alike or of which the same is computed."""
    found: dict[int, int] = {}
    for ours, theirs in ((one.kinds, other.kinds), (one.above, other.above), (one.below, other.below)):
        taken, known = set(found.values()), dict[int, list[int]]()
        for place in reversed(ours):
            if place not in taken:
                known.setdefault(ours[place], []).append(place)
        for place, kind in theirs.items():
            if place not in found and known.get(kind):
                found[place] = known[kind].pop()
    return found


def _nearest(side: _Side, partners: Mapping[int, int]) -> dict[int, int]:
    """The places of nodes in an order of execution near to that of their partners; what has none goes before its first
    reader."""
    import networkx

    network = side.network()
    wanted: dict[int, int] = {}
    for place in reversed(side.kinds):
        readers = (wanted[reader] for reader in network.successors(place))
        wanted[place] = partners.get(place, min(readers, default=len(side.graph.nodes)))
    order = networkx.lexicographical_topological_sort(network, lambda place: (wanted[place], place))
    return {place: position for position, place in enumerate(order)}
