"""The boxes of one block: takes a scope, gives its `Body`.

A convolution with the normalization and the activation that follow it (or come before it, where the block begins with
them) is one box; an instance of another drawn block is one box; `+`, `×` and concatenation are signs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.scopes import BlockScope, Scope
from archdsl.graph.templates import EqualParts
from archdsl.ops.spec import LEADING, PASSING

if TYPE_CHECKING:
    from networkx import MultiDiGraph

Kind = Literal["input", "op", "sign", "block", "output"]


@dataclass(slots=True, eq=False)
class Unit:
    """A box or sign. `inputs` are the units that feed it and by which of their outputs."""

    index: int
    kind: Kind
    nodes: list[Node] = field(default_factory=list)
    scope: BlockScope | None = None
    inputs: list[tuple[int, Ref]] = field(default_factory=list)
    name: str = ""
    """Of an input: its name in the definition."""
    folded: int = 1
    """How many equal ones in a row it stands for."""

    @property
    def lead(self) -> Node:
        """The node that gives it its look."""
        telling = (node for node in self.nodes if node.op.role not in PASSING)
        return next(filter(is_strong, self.nodes), next(telling, self.nodes[-1]))


@dataclass(slots=True, eq=False)
class Body:
    """What an instance of a block consists of, in order of execution: inputs first, outputs last."""

    scope: BlockScope
    units: list[Unit]

    @property
    def structure(self) -> object:
        """Equal for two instances that differ in sizes, and in which activation or normalization it is."""
        return tuple(
            (
                unit.kind,
                tuple(node.word if is_strong(node) else node.op.role for node in unit.nodes if unit.kind != "block"),
                unit.scope.definition if unit.scope else "",
                tuple(index for index, _ in unit.inputs),
            )
            for unit in self.units
        )

    def network(self) -> MultiDiGraph[int]:
        """Which units feed which, by index."""
        import networkx

        return networkx.MultiDiGraph((index, unit.index) for unit in self.units for index, _ in unit.inputs)


def is_sign(node: Node) -> bool:
    """Whether a node is drawn as a circle: it makes one tensor of several."""
    return node.op.role == "merge" and len(node.inputs) > 1


def is_strong(node: Node) -> bool:
    return node.op.role in LEADING and (node.op.role != "merge" or len(node.inputs) > 1)


def body_of(same: EqualParts, scope: BlockScope, is_drawn: Callable[[BlockScope], bool]) -> Body:
    """The body of an instance; `is_drawn` says which inner blocks are boxes."""
    graph = same.graph
    items = list(_items(scope, is_drawn))
    items.sort(key=lambda item: item.id if isinstance(item, Node) else next(item.nodes()).id)
    entries = list(dict.fromkeys(scope.inputs))
    names = [", ".join(n for n, ref in zip(scope.input_names, scope.inputs, strict=False) if ref == e) for e in entries]
    units = [Unit(0, "input", name=name, inputs=[]) for name in names]
    for group in _groups(graph, scope, items):
        first = group[0]
        if isinstance(first, BlockScope):
            units.append(Unit(0, "block", list(first.nodes()), first))
        else:
            nodes = [item for item in group if isinstance(item, Node)]
            units.append(Unit(0, "sign" if is_sign(first) else "op", nodes))
    units += [Unit(0, "output") for _ in scope.outputs]
    for index, unit in enumerate(units):
        unit.index = index
    made_by = {node.id: unit.index for unit in units for node in unit.nodes}
    owner = {ref: position for position, ref in enumerate(entries)}
    outputs = iter(scope.outputs)
    for unit in units[len(entries) :]:
        refs = [next(outputs)] if unit.kind == "output" else _entering(unit)
        unit.inputs = [(made_by.get(ref.node, owner.get(ref, 0)), ref) for ref in refs]
    _share_concatenations(units)
    return Body(scope, _folded(same, units))


def _share_concatenations(units: list[Unit]) -> None:
    """Let what is concatenated again be taken from the concatenation before: `a ‖ b ‖ c` is `(a ‖ b) ‖ c`.

    A dense block that concatenates all that was made before would else have a line from each layer to each.
    """
    made: dict[tuple[Ref, ...], int] = {}
    for unit in units:
        if unit.kind != "sign" or unit.lead.op.channels != "sum":
            continue
        refs = tuple(ref for _, ref in unit.inputs)
        for count in range(len(refs) - 1, 1, -1):
            if refs[:count] in made:
                earlier = made[refs[:count]]
                unit.inputs[:count] = [(earlier, Ref(units[earlier].lead.id, 0))]
                break
        made.setdefault(refs, unit.index)


def _items(scope: Scope, is_drawn: Callable[[BlockScope], bool]) -> Iterator[Node | BlockScope]:
    for member in scope.members:
        if isinstance(member, Node) or (isinstance(member, BlockScope) and is_drawn(member)):
            yield member
        else:
            yield from _items(member, is_drawn)


def _entering(unit: Unit) -> list[Ref]:
    """What a unit takes from others, in order, each as often as it is an operand of a sign, else once."""
    own = {node.id for node in unit.nodes}
    refs = [ref for node in unit.nodes for ref in node.inputs if ref.node not in own]
    return refs if unit.kind == "sign" else list(dict.fromkeys(refs))


def _groups(graph: Graph, scope: BlockScope, items: list[Node | BlockScope]) -> Iterator[list[Node | BlockScope]]:
    """Chains of layers, cut so that each group has one strong layer."""
    made = {node.id: item for item in items for node in ([item] if isinstance(item, Node) else item.nodes())}
    uses: dict[int, int] = {}
    for item in items:
        for node in [item] if isinstance(item, Node) else item.nodes():
            for ref in node.inputs:
                uses[ref.node] = uses.get(ref.node, 0) + 1
    for ref in scope.outputs:
        uses[ref.node] = uses.get(ref.node, 0) + 1
    chain: list[Node] = []
    chains: list[list[Node | BlockScope]] = []
    ends: dict[int, list[Node]] = {}
    for item in items:
        if isinstance(item, BlockScope) or is_sign(item):
            chains.append([item])
            continue
        before = item.inputs[0].node if len(item.inputs) == 1 else -1
        chain = ends.pop(before, []) if uses.get(before) == 1 and before in made else []
        if chain:
            chain.append(item)
        else:
            chain = [item]
            chains.append(chain)  # type: ignore[arg-type]  # a list that still grows
        if len(item.outputs) == 1:
            ends[item.id] = chain
    for found in chains:
        yield from _cut(found)


def _cut(chain: list[Node | BlockScope]) -> Iterator[list[Node | BlockScope]]:
    strong = [isinstance(item, BlockScope) or is_strong(item) for item in chain]
    leading = not strong[0] and strong[-1]
    group: list[Node | BlockScope] = []
    holds = False
    for item, is_lead in zip(chain, strong, strict=True):
        if holds and (is_lead or leading):
            yield group
            group, holds = [], False
        group.append(item)
        holds = holds or is_lead
    if group:
        yield group


def _folded(same: EqualParts, units: list[Unit]) -> list[Unit]:
    """A row of inner blocks that are equal in the graph becomes one box that counts them."""
    feeds: dict[int, int] = {}
    for unit in units:
        for index, _ in unit.inputs:
            feeds[index] = feeds.get(index, 0) + 1
    kept: list[Unit] = []
    stands_for: dict[int, int] = {}
    for unit in units:
        last = kept[-1] if kept else None
        if (
            last is not None
            and last.scope is not None
            and unit.scope is not None
            and same.equal((last.scope, unit.scope))
            and [stands_for[index] for index, _ in unit.inputs] == [len(kept) - 1]
            and feeds[unit.index - 1] == 1
        ):
            last.nodes += unit.nodes
            last.folded += 1
        else:
            kept.append(unit)
        stands_for[unit.index] = len(kept) - 1
    for position, unit in enumerate(kept):
        unit.index = position
        unit.inputs = [(stands_for[index], ref) for index, ref in unit.inputs]
    return kept
