"""Series and parallel branches of a block: takes a `Body`, gives a tree, or None where it is none.

Between a unit that feeds several and the unit at which all their paths meet again lies a `Parallel`; a branch without
units is the identity.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from archdsl.backends.diagram.blocks.units import Body

if TYPE_CHECKING:
    from networkx import MultiDiGraph


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
    network, end = body.network(), len(units) - 1
    if any(not network.out_degree(index) for index in range(end)):
        return None
    series = _series(network, 0, end)
    return None if series is None else [0, *series, end]


def _series(network: MultiDiGraph[int], source: int, sink: int) -> Series | None:
    """What lies between two units, both left out."""
    import networkx

    meets = networkx.immediate_dominators(network.reverse(copy=False), sink)
    found: Series = []
    while source != sink:
        meeting = meets[source]
        if network.out_degree(source) > 1:
            branches = _branches(network, source, meeting)
            if branches is None:
                return None
            found.append(Parallel(branches, meeting))
        if meeting != sink:
            found.append(meeting)
        source = meeting
    return found


def _branches(network: MultiDiGraph[int], source: int, meeting: int) -> list[Series] | None:
    """The branches between a unit that feeds several and the first unit that all their paths pass."""
    import networkx

    inside = networkx.descendants(network, source) & networkx.ancestors(network, meeting)
    parts = list(networkx.weakly_connected_components(network.subgraph(inside)))
    direct = network.number_of_edges(source, meeting)
    if len(parts) == 1 and not direct:
        return None
    branches: list[Series] = []
    for part in sorted(parts, key=lambda part: max(part.intersection(network.successors(source)))):
        alone = networkx.MultiDiGraph(network.subgraph({source, *part, meeting}))
        alone.remove_edges_from([(source, meeting)] * direct)
        branch = _series(alone, source, meeting)
        if branch is None:
            return None
        branches.append(branch)
    return branches + [[] for _ in range(direct)]


def units_in(series: Series) -> Iterable[int]:
    """All units of a series."""
    for element in series:
        if isinstance(element, Parallel):
            for branch in element.branches:
                yield from units_in(branch)
        else:
            yield element
