"""A network as its reader sees it: takes a `Graph`; gives sections (stem, stages, head) of units (the blocks in them).

Sections are the rows of the stage table; a model without marked stages is cut where its resolution changes. A unit is
an outermost block of a stage, or a run of layers that are in none; a stem, a transition or a head is one unit.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

from archdsl.graph.ir import Cost, Graph, Node
from archdsl.graph.scopes import Scope
from archdsl.graph.table import RowKind, stage_table
from archdsl.ops.spec import Shape


@dataclass(frozen=True)
class Unit:
    """A block of a stage, `name` being its definition, or some layers outside any block (`name` is "")."""

    name: str
    path: str
    nodes: tuple[Node, ...]

    def inner(self, node: Node) -> str:
        """The path of one of its nodes below its own."""
        return node.path[len(self.path) + 1 :] if self.path and node.path.startswith(self.path + ".") else node.path

    @property
    def output(self) -> Shape:
        return self.nodes[-1].shape

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """The paths below it of the nodes that the spec has labelled."""
        return tuple(self.inner(node) for node in self.nodes if node.labelled)

    @cached_property
    def cost(self) -> Cost:
        return Cost.of(self.nodes)

    @cached_property
    def main(self) -> frozenset[int]:
        """The ids of the nodes on the main path: the longest one through it at no less than the output's resolution,
        so that neither a projection of a shortcut nor the gate of squeeze-and-excitation is on it."""
        import networkx

        least = self.output.height * self.output.width
        large = [node for node in self.nodes if node.shape.height * node.shape.width >= least]
        inside = networkx.DiGraph()
        inside.add_nodes_from(node.id for node in large)
        inside.add_edges_from((r.node, n.id) for n in large for r in n.inputs if r.node in inside)
        end = self.nodes[-1].id
        return frozenset(networkx.dag_longest_path(inside.subgraph({end, *networkx.ancestors(inside, end)})))


@dataclass(frozen=True)
class Section:
    """A row of the stage table, with what it is made of."""

    name: str
    kind: RowKind
    units: tuple[Unit, ...]

    @property
    def output(self) -> Shape:
        return self.units[-1].output

    @property
    def nodes(self) -> Iterable[Node]:
        return (node for unit in self.units for node in unit.nodes)

    @cached_property
    def cost(self) -> Cost:
        return Cost.of(self.nodes)

    @property
    def blocks(self) -> tuple[tuple[int, str], ...]:
        """Its blocks by name: (3, Bottleneck)."""
        named = [unit.name for unit in self.units if unit.name]
        return tuple((len(list(same)), name) for name, same in groupby(named))


def sections(graph: Graph) -> tuple[Section, ...]:
    """All sections in order of execution; the image is in none of them."""
    rows = stage_table(graph).rows
    if not any(row.kind == "stage" for row in rows):
        aux = [Section(row.name, row.kind, (_whole(row.nodes),)) for row in rows if row.kind == "aux"]
        return (*_by_resolution(graph), *aux)
    found = []
    for row in rows:
        stage = row.nodes[0].stage
        units = _units(row.nodes, stage) if row.kind == "stage" and stage is not None else [_whole(row.nodes)]
        found.append(Section(row.name, row.kind, tuple(units)))
    return tuple(found)


def alike(first: Sequence[Section], second: Sequence[Section]) -> tuple[list[Section], list[Section]]:
    """The sections of two graphs, cut alike: where one has transitions between its stages and the other begins its
    stages with layers outside any block, these are transitions, too."""
    both = [list(first), list(second)]
    have = [any(section.kind == "transition" for section in side) for side in both]
    if have[0] != have[1]:
        side = have.index(False)
        both[side] = [part for section in both[side] for part in _cut(section)]
    return both[0], both[1]


def _cut(section: Section) -> list[Section]:
    """A stage without the layers before its first block, and these in front of it."""
    first, *rest = section.units
    if section.kind != "stage" or first.name or not rest:
        return [section]
    paths = [node.path.split(".") for node in first.nodes]
    same = [steps[0] for steps in zip(*paths, strict=False) if len(set(steps)) == 1]
    entry = Section(".".join(same) or section.name, "transition", (first,))
    return [entry, Section(section.name, section.kind, tuple(rest))]


def _whole(nodes: Sequence[Node]) -> Unit:
    return Unit("", "", tuple(nodes))


def _units(nodes: Sequence[Node], stage: Scope) -> list[Unit]:
    """The outermost blocks in a stage, and what is between them; a stage that is a block with layers of its own is that
    block. `stage` may be the root."""
    if stage.kind == "block" and any(node.scope.owner is stage for node in nodes):
        return [Unit(stage.definition, stage.path, tuple(nodes))]
    found: dict[int, tuple[Scope, list[Node]] | tuple[None, list[Node]]] = {}
    known: dict[int, Scope | None] = {id(stage): None}
    loose = 0
    for node in nodes:
        block = _outermost(node.scope, known)
        if block is None:
            last = next(reversed(found), None)
            if last is None or found[last][0] is not None:
                loose -= 1
                found[loose] = (None, [])
            found[loose][1].append(node)
        else:
            found.setdefault(id(block), (block, []))[1].append(node)
    return [
        Unit(block.definition, block.path, tuple(members))
        if block is not None
        else Unit("", stage.path, tuple(members))
        for block, members in found.values()
    ]


def _outermost(scope: Scope, known: dict[int, Scope | None]) -> Scope | None:
    """The outermost block around a scope, below a scope that `known` has None for."""
    chain = []
    while id(scope) not in known:
        chain.append(scope)
        assert scope.parent is not None
        scope = scope.parent
    block = known[id(scope)]
    for inner in reversed(chain):
        block = inner if block is None and inner.kind == "block" else block
        known[id(inner)] = block
    return block


def _by_resolution(graph: Graph) -> list[Section]:
    """A model without stages: its blocks by the size of their output; layers before the first block and after the last
    are the stem and the head."""
    units = _units([node for node in graph.nodes[1:] if node.id not in graph.aux], graph.root)
    blocks = [i for i, unit in enumerate(units) if unit.name and unit.output.layout != "flat"]
    if not blocks:
        return [Section("layers", "part", (unit,)) for unit in units]
    first, last = blocks[0], blocks[-1]
    found = []
    if units[:first]:
        found.append(Section("stem", "stem", (_joined(units[:first]),)))
    for size, same in groupby(units[first : last + 1], key=lambda unit: (unit.output.height, unit.output.width)):
        found.append(Section("×".join(map(str, size)), "part", tuple(same)))
    if units[last + 1 :]:
        found.append(Section("head", "head", (_joined(units[last + 1 :]),)))
    return found


def _joined(units: Sequence[Unit]) -> Unit:
    return _whole([node for unit in units for node in unit.nodes])
