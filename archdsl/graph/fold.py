"""Equal neighbours, folded: takes a `PartTree`, gives the runs of every scope and what stands for what.

Neighbours are equal if they hold the same ops with the same arguments, shapes and labels, wired alike; only rates of
regularizers may differ, as stochastic depth's do from block to block. They form a run if each reads the one before, or
if three or more stand side by side: they read the same tensors, and the same nodes read them. What only the last of a
chain should give ends the run where it is read from outside. A picture draws the first of a run and writes ×N.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

from archdsl.graph.ir import Cost, Costed, Graph, Node, Ref
from archdsl.graph.parts import Part, PartTree, part_tree
from archdsl.graph.templates import EqualParts

_LEAST_PARALLEL = 3


@dataclass(frozen=True, slots=True, eq=False)
class Run(Costed):
    """Neighbours that are equal, one or more; `parallel` if they stand side by side."""

    parts: Sequence[Part]
    parallel: bool = False

    @property
    def first(self) -> Part:
        return self.parts[0]

    @property
    def count(self) -> int:
        return len(self.parts)

    @property
    def cost(self) -> Cost:
        return sum((part.cost for part in self.parts), Cost())


class FoldedGraph:
    """A graph's parts with the runs of every scope; made by `fold`."""

    def __init__(self, tree: PartTree) -> None:
        self.tree = tree
        self.same = EqualParts(tree)
        readers = _readers(tree)
        self._runs: dict[int, list[Run]] = {}
        self._of: dict[int, Run] = {}
        for part in tree.root.walk():
            if part.parts:
                self._runs[id(part)] = runs = _runs(tree, part.parts, self.same, readers)
                self._of.update((id(member), run) for run in runs for member in run.parts)

    @property
    def graph(self) -> Graph:
        return self.tree.graph

    @property
    def root(self) -> Part:
        return self.tree.root

    def runs(self, part: Part) -> Sequence[Run]:
        """The members of a scope, equal neighbours together; empty for a node."""
        return self._runs.get(id(part), ())

    def covered(self, part: Part) -> list[Node]:
        """The nodes that a drawn part stands for: its own, and those of the parts that are drawn as it."""
        places = self.tree.order[part.start : part.stop]
        return [node for place in places if place.node for node in self.instances.get(place.node.id, ())]

    def run(self, part: Part) -> Run:
        """The run that a part other than the root is in."""
        return self._of[id(part)]

    def drawn(self, part: Part) -> Part:
        """The part that is drawn for one: itself, or the same place in the first of a run around it."""
        if part.parent is None:
            return part
        around = self.drawn(part.parent)
        return self.run(around.parts[part.index]).first

    @cached_property
    def shown(self) -> list[int]:
        """For each node by number, the number of the node that is drawn for it: its own, or of the first of a run."""
        order = self.tree.order
        shown = list(range(len(order)))  # by place in the tree, at first
        for part in self._shown_parts():
            for run in self.runs(part):
                first = run.first.start
                for other in run.parts[1:]:
                    shown[other.start : other.stop] = range(first, first + other.size)
        # A run inside a run: what the inner one's first stands for.
        for place, target in enumerate(shown):
            if target != place:
                shown[place] = shown[target]
        result = [0] * len(order)
        for place, target in enumerate(shown):
            result[_number(order[place])] = _number(order[target])
        return result

    def _shown_parts(self) -> Iterable[Part]:
        """The parts that are drawn when everything is open: the first of each run, from the root down."""
        stack = [self.root]
        while stack:
            part = stack.pop()
            yield part
            stack.extend(run.first for run in self.runs(part))

    @cached_property
    def instances(self) -> dict[int, list[Node]]:
        """For each node that is drawn, by number, all the nodes it stands for, itself first."""
        found: dict[int, list[Node]] = {}
        for part in self.tree.order:
            assert isinstance(part.item, Node)
            found.setdefault(self.shown[part.item.id], []).append(part.item)
        return found

    def label(self, node: Node) -> str:
        """A drawn node's label; where those it stands for differ (drop rates), from the first to the last."""
        labels = [other.label for other in self.instances[node.id]]
        first, last = labels[0], labels[-1]
        if all(label == first for label in labels):
            return first
        common = len(_common_prefix(first, last).rpartition(" ")[0])
        return f"{first} … {last[common:].strip()}"


def fold(graph: Graph) -> FoldedGraph:
    """Fold a graph."""
    return FoldedGraph(part_tree(graph))


def _number(part: Part) -> int:
    assert isinstance(part.item, Node)
    return part.item.id


def _common_prefix(first: str, last: str) -> str:
    count = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last)))
    return first[:count]


# --- runs ------------------------------------------------------------------------------------


_Readers: TypeAlias = Mapping[Ref, Sequence[int]]


def _readers(tree: PartTree) -> _Readers:
    """For each tensor the places in the tree's order of the nodes that read it; -1 for the network's own outputs."""
    found: dict[Ref, list[int]] = {}
    for node in tree.graph.nodes:
        for ref in tree.inputs[node.id]:
            found.setdefault(ref, []).append(tree.place[node.id])
    for ref in tree.graph.outputs:
        found.setdefault(ref, []).append(-1)
    return found


def _runs(tree: PartTree, parts: Sequence[Part], same: EqualParts, readers: _Readers) -> list[Run]:
    found: list[Run] = []
    start = 0
    while start < len(parts):
        stop = _chain_end(tree, parts, start, same)
        stop = _tapped(parts, start, stop, readers)
        parallel = False
        if stop - start == 1 and parts[start].scope is not None:
            side = _parallel_end(parts, start, same, readers)
            if side - start >= _LEAST_PARALLEL:
                stop, parallel = side, True
        found.append(Run(parts[start:stop], parallel))
        start = stop
    return found


def _chain_end(tree: PartTree, parts: Sequence[Part], start: int, same: EqualParts) -> int:
    """Where the run of equal parts ends of which each reads those before it in the same way."""
    stop = start + 1
    while stop < len(parts) and same.kind(parts[stop]) == same.kind(parts[start]):
        part, before = parts[stop], parts[stop - 1]
        if not any(before.start <= tree.place[ref.node] < before.stop for ref in part.entries):
            break
        if stop - start > 1 and not _read_alike(tree, before, part):
            break
        stop += 1
    return stop


def _tapped(parts: Sequence[Part], start: int, stop: int, readers: _Readers) -> int:
    """Where a run ends because what a member gives is read from outside, as if that were not what the last one gives.

    Members may read from further back (a NASNet cell reads the two before), so as many of the last may be read.
    """
    reading = [_reading(parts, place, start, stop, readers) for place in range(start, stop)]
    furthest = max(
        (by - place for place, found in enumerate(reading, start) for by in found if by is not None), default=1
    )
    for place, found in enumerate(reading, start):
        if None in found and place + furthest < stop:
            return place + 1
    return stop


def _reading(parts: Sequence[Part], place: int, start: int, stop: int, readers: _Readers) -> set[Any]:
    """Which members of a run read what one of them gives, by place; None for what is outside."""
    part, size = parts[place], parts[place].size
    first, last = parts[start].start, parts[stop - 1].stop
    found: set[Any] = set()
    for ref in part.exits:
        for reader in readers.get(ref, ()):
            if not part.start <= reader < part.stop:
                found.add(start + (reader - first) // size if first <= reader < last else None)
    return found


def _read_alike(tree: PartTree, part: Part, other: Part) -> bool:
    """Whether two parts of equal size read the same tensors, or tensors from equally far away in the tree's order.

    Parts of a run are neighbours of equal size, so equal distances mean the same place in another of them.
    """
    return all(
        ref == other_ref
        or (
            ref.port == other_ref.port and tree.place[ref.node] - part.start == tree.place[other_ref.node] - other.start
        )
        for ref, other_ref in zip(part.entries, other.entries, strict=True)
    )


def _parallel_end(parts: Sequence[Part], start: int, same: EqualParts, readers: _Readers) -> int:
    """Where the run of equal parts ends that read the same tensors and are read by the same nodes."""
    stop = start + 1
    while (
        stop < len(parts)
        and same.kind(parts[stop]) == same.kind(parts[start])
        and parts[stop].entries.keys() == parts[start].entries.keys()
        and _read_by(parts[stop], readers) == _read_by(parts[start], readers)
    ):
        stop += 1
    return stop


def _read_by(part: Part, readers: _Readers) -> list[set[int]]:
    """For each tensor that leaves a part the places of those outside that read it."""
    return [{at for at in readers.get(ref, ()) if not part.start <= at < part.stop} for ref in part.exits]
