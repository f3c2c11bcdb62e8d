"""Series and parallel branches of a block: takes a `Body`, gives a tree, or None where it is none.

Between a unit that feeds several and the unit at which all their paths meet again lies a `Parallel`; a branch without
units is the identity.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from archdsl.backends.diagram.blocks.units import Body


@dataclass(slots=True, eq=False)
class Parallel:
    """Branches between a unit and `sink`, at which they meet."""

    branches: list[Series]
    sink: int


Element: TypeAlias = "int | Parallel"
Series: TypeAlias = "list[Element]"
"""Units by index, and branches between them, in order."""


def tree_of(body: Body) -> Series | None:
    """The tree from the input to the output; None for several of them, or where branches cross."""
    units = body.units
    if sum(unit.kind == "input" for unit in units) != 1 or sum(unit.kind == "output" for unit in units) != 1:
        return None
    after = body.consumers()
    if any(not after[unit.index] for unit in units if unit.kind != "output"):
        return None
    meets: dict[int, set[int]] = {}
    for unit in reversed(units):
        following = [meets[index] for index in after[unit.index]]
        meets[unit.index] = {unit.index} | (set.intersection(*following) if following else set())
    builder = _Builder(after, meets)
    series = builder.series(after[0], len(units) - 1)
    return None if series is None else [0, *series, len(units) - 1]


class _Builder:
    def __init__(self, after: dict[int, list[int]], meets: dict[int, set[int]]) -> None:
        self.after, self.meets = after, meets

    def series(self, heads: Sequence[int], sink: int) -> Series | None:
        """What lies between a unit that feeds `heads` and the unit `sink`, both left out."""
        found: Series = []
        while True:
            meeting = self._meeting(heads)
            if len(heads) > 1:
                branches = self._branches(heads, meeting)
                if branches is None:
                    return None
                found.append(Parallel(branches, meeting))
            if meeting == sink:
                return found
            found.append(meeting)
            heads = self.after[meeting]

    def _meeting(self, heads: Iterable[int]) -> int:
        """The first unit that every path passes."""
        common = set.intersection(*(self.meets[head] for head in heads))
        return max(common, key=lambda index: len(self.meets[index]))

    def _branches(self, heads: Sequence[int], meeting: int) -> list[Series] | None:
        groups: list[tuple[list[int], set[int]]] = []
        for head in heads:
            if head == meeting:
                groups.append(([head], set()))
                continue
            inside = self._inside(head, meeting)
            touching = [group for group in groups if group[1] & inside]
            merged = ([h for group in touching for h in group[0]] + [head], inside.union(*(g[1] for g in touching)))
            groups = [group for group in groups if group not in touching] + [merged]
        branches: list[Series] = []
        for entries, _ in groups:
            if len(entries) > 1 and len(groups) == 1:
                return None
            branch = [] if entries == [meeting] else self.series(entries, meeting)
            if branch is None:
                return None
            branches.append(branch)
        return branches

    def _inside(self, head: int, meeting: int) -> set[int]:
        """The units from `head` on, before the meeting."""
        found: set[int] = set()
        stack = [head]
        while stack:
            index = stack.pop()
            if index != meeting and index not in found:
                found.add(index)
                stack.extend(self.after[index])
        return found


def units_in(series: Series) -> Iterable[int]:
    """All units of a series."""
    for element in series:
        if isinstance(element, Parallel):
            for branch in element.branches:
                yield from units_in(branch)
        else:
            yield element
