"""Which variants stand for all: takes variants, gives those whose numbers `archdsl verify --quick` compares.

Two variants that are written with the same branches of a spec differ in sizes only, which the comparison of structure
covers. A branch is an op at its place in the spec with the arguments that are no sizes, and with what feeds it. The
choice covers every branch of every family, bit for bit where any variant claims it, and every model with every library,
at little cost: the greedy answer to a set cover.
Torch-free.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import Any

from archdsl.graph.ir import Graph, Node
from archdsl.graph.reference import Reference
from archdsl.variant import Variant

_SIZES = frozenset({"out", "groups", "channels", "features", "height", "width"})
"""Arguments of ops that are sizes: another value is no other branch."""

LARGEST = 200_000_000
"""Parameters of a network that may stand for others: larger ones take more memory than a quick run should."""

Row = tuple[Variant, Reference]


def representatives(rows: Sequence[Row]) -> list[Row]:
    """The rows of one family whose numbers stand for all of them but the largest, in their order.

    Where the library's files are refused there are no numbers to compare.
    """
    rows = [row for row in rows if row[0].graph.params <= LARGEST and not row[1].refuses]
    branches = [frozenset(_branches(variant, reference)) for variant, reference in rows]
    costs = [_cost(variant.graph, reference.comparison.sizes) for variant, reference in rows]
    left: set[Hashable] = set().union(*branches)
    chosen: list[int] = []
    while left:
        best = max(range(len(rows)), key=lambda i: (len(left & branches[i]) / costs[i], -i))
        chosen.append(best)
        left -= branches[best]
    # What was chosen first may since have been covered by the others.
    for index in list(chosen):
        others = set().union(*(branches[i] for i in chosen if i != index))
        if branches[index] <= others:
            chosen.remove(index)
    return [rows[index] for index in sorted(chosen)]


def _cost(graph: Graph, sizes: Iterable[int]) -> float:
    """About what it takes to compare the numbers: multiply-accumulates of the small images, and values to fill."""
    scale = max(sizes) ** 2 / (graph.input_shape.height * graph.input_shape.width)
    return graph.macs * scale + 50 * graph.params + 1e5 * len(graph.nodes)


def _branches(variant: Variant, reference: Reference) -> Iterable[Hashable]:
    graph = variant.graph
    how = reference.comparison
    differs = frozenset(how.differs) - {"drops"}  # which show in no output
    yield reference.library, graph.root.definition, how.checkpoint, differs, how.everywhere
    for node in graph.nodes:
        fed_by = tuple(graph.nodes[ref.node].op.name for ref in node.inputs)
        branch = node.op.name, node.span.source.name, node.span.start, _arguments(node), fed_by
        yield branch
        if how.tolerance == 0:  # what can be compared bit for bit is
            yield "exact", branch


def _arguments(node: Node) -> Hashable:
    """The arguments that are no sizes: kernels, strides, paddings, flags; of groups whether there are several."""
    given: dict[str, Any] = node.params.model_dump()
    kept = {name: value for name, value in given.items() if name not in _SIZES and not isinstance(value, float)}
    if "groups" in given:
        kept["grouped"] = given["groups"] > 1
    return tuple((name, str(value)) for name, value in sorted(kept.items()))
