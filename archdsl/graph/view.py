"""What of a folded graph is open, and so which boxes and links a picture has: takes a `FoldedGraph`, gives a `View`.

A scope is open, drawn as a frame around its members, or closed, drawn as one box. A scope whose only member is another
scope opens together with it: two frames around the same boxes say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from archdsl.graph.fold import FoldedGraph
from archdsl.graph.ir import Ref
from archdsl.graph.parts import OUTSIDE, Edge, Part

_EASY = 40
_FULL = 60
"""How many boxes the default picture has at most: opened level by level, and then with one block of each kind open."""


class Link(NamedTuple):
    """A tensor between two runs of a scope, given by position; `OUTSIDE` for the scope's border.

    `tensor` is as the drawn source has it, the first of its run, `entry` as others know it.
    """

    source: int
    target: int
    tensor: Ref
    entry: Ref


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

    def links(self, part: Part) -> list[Link]:
        """The links between the runs of an open scope: one for each pair, or for each tensor where one side is open."""
        runs = self.folded.runs(part)
        of = {member.index: place for place, run in enumerate(runs) for member in run.parts}
        first: list[tuple[int, int, Edge]] = []
        others: list[tuple[int, int, Edge]] = []
        for edge in part.edges:
            source, target = of.get(edge.source, OUTSIDE), of.get(edge.target, OUTSIDE)
            if source != target and (part.parent is not None or target != OUTSIDE):
                entered = target == OUTSIDE or part.parts[edge.target] is runs[target].first
                (first if entered else others).append((source, target, edge))
        # The first of a run shows how it is entered; another adds only what comes from elsewhere.
        seen = {(source, target) for source, target, _ in first}
        first += [(source, target, edge) for source, target, edge in others if (source, target) not in seen]
        found: dict[object, Link] = {}
        for source, target, edge in first:
            ends = [runs[place].first for place in (source, target) if place != OUTSIDE]
            split = len(ends) < 2 or any(end.scope is not None and self.is_open(end) for end in ends)
            tensor = edge.tensor if source == OUTSIDE else self._drawn(edge.tensor, part.parts[edge.source], ends[0])
            link = Link(source, target, tensor, edge.tensor)
            # Two of a run that are read by one are one tensor as drawn, and two where they enter.
            found.setdefault(link if split else (source, target), link)
        return list(found.values())

    def _drawn(self, tensor: Ref, member: Part, first: Part) -> Ref:
        """The tensor at the same place in the first of a run."""
        tree = self.folded.tree
        node = tree.order[tree.place[tensor.node] + first.start - member.start].node
        assert node is not None
        return Ref(node.id, tensor.port)


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
