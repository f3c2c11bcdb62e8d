"""A network as its reader sees it: takes a `Graph`; gives its `Stage`s (stem, stages, head), each made of `Unit`s.

The one way to cut a network into what follows each other, which the stage table, differences, feature maps and
overviews read. The tree of all scopes, which pictures unfold, is `parts`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from typing import Literal, TypeAlias

from archdsl.graph.ir import Cost, Costed, Graph, Node
from archdsl.graph.scopes import TRANSPARENT, Scope
from archdsl.ops.spec import LAYERS, Shape

StageKind: TypeAlias = Literal["stage", "stem", "transition", "head", "part", "aux"]


@dataclass(frozen=True)
class Unit(Costed):
    """An outermost block of a stage, `name` being its definition, or layers in a row outside any block (`name`: "")."""

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

    @property
    def kinds(self) -> tuple[str, ...]:
        """What it is, in words: the name of the block; of layers outside any block `conv`, `linear` for each."""
        return (self.name,) if self.name else tuple(node.word for node in self.nodes if node.op.role in LAYERS)

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
class Stage(Costed):
    """A part of a network in the order of execution.

    `kind` says what it is: a marked `stage`, what lies before the first (`stem`), between two (`transition`) or after
    the last (`head`); a model without stages consists of `part`s. What only a further output needs is a stage of its
    own, named as the output is (`aux`). `scope` holds its blocks; None where it is looked at as a whole.
    """

    name: str
    kind: StageKind
    nodes: tuple[Node, ...]
    scope: Scope | None = None

    @property
    def output(self) -> Shape:
        return self.nodes[-1].shape

    @cached_property
    def cost(self) -> Cost:
        return Cost.of(self.nodes)

    @cached_property
    def units(self) -> tuple[Unit, ...]:
        """Its outermost blocks and what is between them; a stem, a transition or a head is one unit."""
        return (Unit("", "", self.nodes),) if self.scope is None else tuple(_units(self.nodes, self.scope))

    @property
    def blocks(self) -> tuple[tuple[int, str], ...]:
        """Its blocks by name: (3, Bottleneck)."""
        return _counted(unit.name for unit in self.units if unit.name)

    @property
    def repeats(self) -> list[tuple[int, str]]:
        """What a marked stage repeats, layers outside blocks among it: (3, Bottleneck), (1, conv); (1, Cell) where it
        is a block itself."""
        if self.kind != "stage" or self.scope is None:
            return []
        whole = self.scope.definition
        return list(_counted([whole] if whole else (kind for unit in self.units for kind in unit.kinds)))


def _counted(names: Iterable[str]) -> tuple[tuple[int, str], ...]:
    """How often each name follows itself."""
    return tuple((len(list(same)), name) for name, same in groupby(names))


def stages(graph: Graph, order: Sequence[Node] | None = None, *, by_size: bool = False) -> tuple[Stage, ...]:
    """All stages in order of execution, and those of further outputs last; the image is in none of them.

    Every marked stage is one, even if other nodes run in the midst of it. What lies between two is one, named by the
    scope that holds it (`features.transition1`). A model without marked stages is cut by its top-level labels
    or, `by_size`, where the size of the tensor changes from block to block. `order`: another order of the nodes, in
    which they could be executed as well.
    """
    nodes: list[Node] = []
    further: dict[str, list[Node]] = {}
    for node in graph.nodes if order is None else order:
        if node.id in graph.aux:
            further.setdefault(graph.aux[node.id], []).append(node)
        elif node is not graph.input:
            nodes.append(node)
    scopes = [node.stage for node in nodes]
    found = _marked(nodes, scopes) if any(scopes) else _by_size(nodes, graph.root) if by_size else _by_label(nodes)
    return (*found, *(Stage(name, "aux", tuple(members)) for name, members in further.items()))


def _marked(nodes: Sequence[Node], scopes: Sequence[Scope | None]) -> list[Stage]:
    """The marked stages and what lies around them; `scopes` are the stages of the nodes."""
    last = max(index for index, scope in enumerate(scopes) if scope is not None)
    around = {id(outer) for scope in set(scopes) if scope is not None for outer in scope.ancestors()}
    found: list[tuple[str, StageKind, list[Node], Scope | None]] = []
    of_scope: dict[int, list[Node]] = {}
    for scope, members in groupby(zip(scopes, nodes, range(len(nodes)), strict=True), key=lambda item: item[0]):
        _, run, places = map(list, zip(*members, strict=True))
        if scope is None:
            kind: StageKind = "head" if places[0] > last else "transition" if found else "stem"
            found.append((_between(run, around) if kind == "transition" else kind, kind, run, None))
        elif id(scope) in of_scope:
            of_scope[id(scope)] += run
        else:
            of_scope[id(scope)] = run
            found.append((scope.stage_name, "stage", run, scope))
    return [Stage(name, kind, tuple(run), scope) for name, kind, run, scope in found]


def _by_label(nodes: Sequence[Node]) -> list[Stage]:
    """The top-level labels of a model; layers without one go with what is before them.

    Unless they change the size: the output of a stage is that of what its name says.
    """
    found: list[tuple[str, list[Node]]] = []
    for node in nodes:
        name = node.path.partition(".")[0]
        unlabelled = not node.labelled and "." not in node.path and _sizes(node.shape) == _sizes(node.input_shapes[0])
        if not found or not (unlabelled or found[-1][0] == name):
            found.append((name, []))
        found[-1][1].append(node)
    return [Stage(name, "part", tuple(members)) for name, members in found]


def _by_size(nodes: Sequence[Node], root: Scope) -> list[Stage]:
    """The blocks of a model by the size of their output; layers before the first block and after the last are the stem
    and the head."""
    units = _units(nodes, root)
    blocks = [i for i, unit in enumerate(units) if unit.name and unit.output.layout != "flat"]
    if not blocks:
        return [Stage("layers", "part", unit.nodes, root) for unit in units]
    first, last = blocks[0], blocks[-1]
    found = []
    if units[:first]:
        found.append(Stage("stem", "stem", _joined(units[:first])))
    for size, same in groupby(units[first : last + 1], key=lambda unit: (unit.output.height, unit.output.width)):
        found.append(Stage("×".join(map(str, size)), "part", _joined(same), root))
    if units[last + 1 :]:
        found.append(Stage("head", "head", _joined(units[last + 1 :])))
    return found


def _joined(units: Iterable[Unit]) -> tuple[Node, ...]:
    return tuple(node for unit in units for node in unit.nodes)


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


def _sizes(shape: Shape) -> tuple[int, int, int]:
    return shape.channels, shape.height, shape.width


def _between(nodes: Sequence[Node], around: set[int]) -> str:
    """A name for a run of nodes: their innermost common scope if no stage is in it, else the first and the last."""
    common = _common(nodes)
    if common is not None and common.path and id(common) not in around:
        return common.path
    first, last = nodes[0].path, nodes[-1].path
    return first if first == last else f"{first} … {last}"


def _common(nodes: Sequence[Node]) -> Scope | None:
    others = [{id(scope) for scope in node.scope.ancestors()} for node in nodes[1:]]
    for scope in nodes[0].scope.ancestors():
        if scope.kind not in TRANSPARENT and all(id(scope) in around for around in others):
            return scope
    return None
