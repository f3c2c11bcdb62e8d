"""What of a folded graph is open, and so which boxes and edges a picture has: takes a `FoldedGraph`, gives a `View`.

A scope is open, drawn as a frame around its members, or closed, drawn as one box. A scope whose only member is another
scope opens together with it: two frames around the same boxes say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from archdsl.graph.fold import FoldedGraph
from archdsl.graph.ir import Ref
from archdsl.graph.parts import Part

_EASY = 40
_FULL = 60
"""How many boxes the default picture has at most: opened level by level, and then with one block of each kind open."""


@dataclass(frozen=True, slots=True)
class Arrow:
    """An edge between two boxes, and the tensors that take it."""

    source: Part
    target: Part
    tensors: tuple[Ref, ...]


@dataclass(frozen=True, eq=False)
class View:
    """A folded graph with some scopes open, given by identity; the root always is."""

    folded: FoldedGraph
    opened: frozenset[int]

    def is_open(self, part: Part) -> bool:
        return part.parent is None or id(part) in self.opened

    @cached_property
    def boxes(self) -> list[Part]:
        """The nodes and closed scopes that are drawn, in the order of the tree."""
        return list(_boxes(self.folded, self.is_open))

    @cached_property
    def _box_of(self) -> list[Part]:
        """By place in the tree's order, the box that shows a node."""
        tree = self.folded.tree
        found = [tree.root] * len(tree.order)
        for box in self.boxes:
            found[box.start : box.stop] = [box] * box.size
        for place, part in enumerate(tree.order):
            assert part.node is not None
            found[place] = found[tree.place[self.folded.shown[part.node.id]]]
        return found

    @cached_property
    def arrows(self) -> list[Arrow]:
        """The edges between boxes, each pair once. What is inside a box or between members of a run is left out."""
        tree, shown = self.folded.tree, self.folded.shown
        found: dict[tuple[int, int], tuple[Part, Part, dict[Ref, None]]] = {}
        later: list[tuple[int, Ref]] = []
        entered: set[tuple[int, int]] = set()

        def draw(node: int, ref: Ref) -> None:
            source, target = self._box_of[tree.place[ref.node]], self._box_of[tree.place[node]]
            if source is not target:
                tensors = found.setdefault((id(source), id(target)), (source, target, {}))[2]
                tensors[Ref(shown[ref.node], ref.port)] = None

        for node in tree.graph.nodes:
            for ref in tree.inputs[node.id]:
                if shown[node.id] != node.id:
                    later.append((node.id, ref))
                    continue
                entered.update(self._crossings(node.id, ref))
                draw(node.id, ref)
        for number, ref in later:
            # The first of a run shows how it is entered; another enters only from where the first does not.
            if not self._is_within_run(number, ref) and not entered.intersection(self._crossings(number, ref)):
                draw(number, ref)
        return [Arrow(source, target, tuple(tensors)) for source, target, tensors in found.values()]

    def _crossings(self, node: int, ref: Ref) -> Iterator[tuple[int, int]]:
        """The runs with several members that an edge enters, each with the box that it comes from."""
        tree = self.folded.tree
        source = tree.place[ref.node]
        for part in tree.part(node).ancestors():
            if part.start <= source < part.stop:
                return
            run = self.folded.run(part)
            if run.count > 1:
                yield id(run), id(self._box_of[source])

    def _is_within_run(self, node: int, ref: Ref) -> bool:
        """Whether an edge connects members of one run, or lies inside a member that is not drawn."""
        tree = self.folded.tree
        around = next(p for p in tree.part(node).ancestors() if p.start <= tree.place[ref.node] < p.stop)
        if any(p.parent is not None and self.folded.run(p).first is not p for p in around.ancestors()):
            return True
        ends = (next(p for p in tree.part(n).ancestors() if p.parent is around) for n in (node, ref.node))
        return len({id(self.folded.run(end)) for end in ends}) == 1


def view(folded: FoldedGraph, depth: int | None = None, expand: Iterable[Part] = ()) -> View:
    """A view with `depth` levels of scopes open (0: only what the model itself names), and the `expand` parts too.

    Parts inside a run are opened in the one that is drawn. Without a depth and parts, as many levels are open as stay
    readable on one page, and one block of each kind below them.
    """
    parts = [folded.drawn(part) for part in expand]
    if depth is None and not parts:
        return _readable(folded)
    opened = set(_levels(folded, _fitting(folded) if depth is None else depth))
    for part in parts:
        for around in part.ancestors():
            _open(folded, around, opened)
    return View(folded, frozenset(opened))


def _boxes(folded: FoldedGraph, is_open: Callable[[Part], bool]) -> Iterator[Part]:
    stack = [folded.root]
    while stack:
        part = stack.pop()
        if part.node is None and is_open(part):
            stack.extend(run.first for run in reversed(folded.runs(part)))
        else:
            yield part


def only_scope(folded: FoldedGraph, part: Part) -> Part | None:
    """The only member of a scope, if that is a scope."""
    runs = folded.runs(part)
    return runs[0].first if len(runs) == 1 and runs[0].count == 1 and runs[0].first.scope is not None else None


def _open(folded: FoldedGraph, part: Part, opened: set[int]) -> Part:
    """Open a scope, and its only member; the innermost of them."""
    while part.scope is not None:
        opened.add(id(part))
        inner = only_scope(folded, part)
        if inner is None:
            break
        part = inner
    return part


def _levels(folded: FoldedGraph, depth: int) -> set[int]:
    """The scopes of the first `depth` levels."""
    opened: set[int] = set()
    level = [_open(folded, folded.root, opened)]
    for _ in range(depth):
        scopes = (run.first for part in level for run in folded.runs(part) if run.first.scope is not None)
        level = [_open(folded, part, opened) for part in scopes]
        if not level:
            break
    return opened


def _count(folded: FoldedGraph, opened: set[int]) -> int:
    return sum(1 for _ in _boxes(folded, lambda part: part.parent is None or id(part) in opened))


def _fitting(folded: FoldedGraph) -> int:
    """The greatest depth at which a picture has few boxes."""
    depth, before = 0, -1
    while before != (now := _count(folded, _levels(folded, depth + 1))) and now <= _EASY:
        depth, before = depth + 1, now
    return depth


def _readable(folded: FoldedGraph) -> View:
    """As many levels as fit, then, breadth first, the first block of each structure while there is room."""
    opened = _levels(folded, _fitting(folded))
    count = _count(folded, opened)
    seen: set[int] = set()
    level = [part for part in _boxes(folded, lambda part: part.parent is None or id(part) in opened) if part.scope]
    while level:
        below: list[Part] = []
        for part in level:
            more = len(folded.runs(_innermost(folded, part))) - 1
            if folded.same.form(part) in seen or count + more > _FULL:
                continue
            seen.add(folded.same.form(part))
            count += more
            inner = _open(folded, part, opened)
            below += (run.first for run in folded.runs(inner) if run.first.scope is not None)
        level = below
    return View(folded, frozenset(opened))


def _innermost(folded: FoldedGraph, part: Part) -> Part:
    return _open(folded, part, set())
