"""The difference of two architectures: takes two `Graph`s, gives a `GraphDiff` (see `archdsl.graph.diff.changes`).

Its guarantee: it is `equal` if and only if both graphs run the same ops with the same parameters on the same inputs,
apart from ops that do nothing (a dropout of 0).
Whatever is not matched is added or removed, whatever is matched is compared parameter by parameter and by what it
reads. `diff(a, b)` is `diff(b, a).inverse()`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from archdsl.graph.diff.changes import BlockChange, DistinctChange, GraphDiff, OpChange, SectionChange, in_order
from archdsl.graph.diff.facts import Kinds, ParameterChange, changes, has_window, is_commutative, is_idle, kind_of
from archdsl.graph.diff.matching import Matching, SectionMatch, UnitMatch
from archdsl.graph.diff.orders import orders
from archdsl.graph.ir import Cost, Graph, Node, Ref
from archdsl.graph.stages import Unit


def diff(before: Graph, after: Graph) -> GraphDiff:
    """What came, went and changed from one graph to another."""
    if _comes_first(after, before):
        return _compare(after, before).inverse()
    return _compare(before, after)


def _comes_first(one: Graph, other: Graph) -> bool:
    """An order of graphs by content. Alignment is done in this order, so that it is the same from both sides."""
    sizes = [(len(graph.nodes), graph.params, graph.macs) for graph in (one, other)]
    if sizes[0] != sizes[1]:
        return sizes[0] < sizes[1]
    return _text(one) < _text(other)


def _text(graph: Graph) -> list[tuple[str, str, str]]:
    return [(node.op.name, repr(node.params), repr(node.inputs)) for node in graph.nodes]


def _compare(before: Graph, after: Graph) -> GraphDiff:
    """The difference with the fewest changes, of the orders in which the nodes of the second graph can be looked at."""
    kinds = Kinds()
    found = (_difference(Matching(before, after, order, kinds)) for order in orders(before, after, kinds))
    return min(found, key=lambda difference: sum(len(block.changes) for _, block in difference.blocks()))


def _difference(matching: Matching) -> GraphDiff:
    before, after = matching.before, matching.after
    wiring = _Wiring(matching)
    return GraphDiff(
        before,
        after,
        tuple(_section(match, wiring) for match in matching.sections),
        changes(before.input, after.input),
        wiring.outputs(),
        tuple(_renamed(wiring.pairs)),
    )


def _renamed(pairs: Sequence[tuple[Node, Node]]) -> Iterator[tuple[str, str]]:
    for old, new in pairs:
        if old.path != new.path and (old.weights or new.weights):
            yield old.path, new.path


def _pairs(unit: UnitMatch) -> Iterator[tuple[Node, Node, bool]]:
    """The nodes that correspond, and whether they stand at different places."""
    if unit.before is not None and unit.after is not None:
        for op in unit.ops:
            if op.before is not None and op.after is not None:
                yield unit.before.nodes[op.before], unit.after.nodes[op.after], op.moved


# --- what reads what -------------------------------------------------------------------------


class _Wiring:
    """What the nodes of both graphs read, in terms that can be compared.

    `moved` are the ids of the nodes of the first graph that moved: branches that only run in another order have not.
    """

    def __init__(self, matching: Matching) -> None:
        self.graphs = (matching.before, matching.after)
        self.moved: set[int] = set()
        units = [list(_pairs(unit)) for section in matching.sections for unit in section.units]
        self.pairs = sorted(((a, b) for unit in units for a, b, _ in unit), key=lambda pair: pair[0].id)
        self._know()
        for unit in units:
            if any(moved for _, _, moved in unit) and any(self.rewired(a, b) for a, b, _ in unit):
                self.moved |= {a.id for a, _, moved in unit if moved}
        if self.moved:
            self._know()

    def _know(self) -> None:
        """Which nodes correspond and stay where they are."""
        stays = [(0, 0), *((a.id, b.id) for a, b in self.pairs if a.id not in self.moved)]
        # A node of the first graph is known by the node of the second that it corresponds to.
        self._known: tuple[dict[int, int], dict[int, int]] = (dict(stays), {new: new for _, new in stays})
        self._sources: tuple[dict[int, Ref | None], dict[int, Ref | None]] = ({}, {})

    def rewired(self, old: Node, new: Node) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The paths of what two corresponding nodes read, if these do not correspond."""
        found = self._compared(old.inputs, new.inputs)
        if found is not None and is_commutative(old) and is_commutative(new):
            return found if self._compared(old.inputs[::-1], new.inputs) is not None else None
        return found

    def outputs(self) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        """The names of the outputs of both graphs, if these differ; else their paths, if these do not correspond."""
        before, after = self.graphs
        if before.output_labels != after.output_labels:
            sides = [tuple(label or "logits" for label in side.output_labels) for side in (before, after)]
            return sides[0], sides[1]
        return self._compared(before.outputs, after.outputs)

    def _compared(self, first: Sequence[Ref], second: Sequence[Ref]) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
        if len(first) == len(second):
            sources = [(self._source(0, a), self._source(1, b)) for a, b in zip(first, second, strict=True)]
            if all(a == b or a is None or b is None for a, b in sources):
                return None
        else:
            kept = [[self._source(side, r) for r in refs if r.node in self._known[side]]
                    for side, refs in enumerate((first, second))]  # fmt: skip
            if kept[0] == kept[1]:
                return None
        paths = [tuple(graph.nodes[ref.node].path for ref in refs)
                 for graph, refs in zip(self.graphs, (first, second), strict=True)]  # fmt: skip
        return paths[0], paths[1]

    def _source(self, side: int, ref: Ref) -> Ref | None:
        """The tensor as one of the second graph. Ops that came, went or moved are looked through to what they read;
        None where such an op merges several tensors: the op itself is the difference."""
        known, sources, nodes = self._known[side], self._sources[side], self.graphs[side].nodes
        passed = []
        found: Ref | None = ref
        while found is not None and found.node not in known:
            if found.node in sources:
                found = sources[found.node]
                break
            passed.append(found.node)
            inputs = nodes[found.node].inputs
            found = inputs[0] if len(inputs) == 1 else None
        else:
            found = None if found is None else Ref(known[found.node], found.port)
        for node in passed:
            sources[node] = found
        return found


# --- blocks, folded --------------------------------------------------------------------------


def _section(match: SectionMatch, wiring: _Wiring) -> SectionChange:
    blocks: list[BlockChange] = []
    for unit in match.units:
        block = _block(unit, wiring)
        joined = _joined(blocks[-1], block) if blocks else None
        if joined is None:
            blocks.append(block)
        else:
            blocks[-1] = joined
    return SectionChange(match.before, match.after, tuple(blocks))


def _block(match: UnitMatch, wiring: _Wiring) -> BlockChange:
    old, new = match.before, match.after
    ops = []
    for op in match.ops:
        a = None if op.before is None or old is None else old.nodes[op.before]
        b = None if op.after is None or new is None else new.nodes[op.after]
        moved = op.moved and a is not None and a.id in wiring.moved
        rewired = wiring.rewired(a, b) if a is not None and b is not None and not moved else None
        ops.append(OpChange(a, b, op.parameters, moved, rewired))
    costs = (old.cost if old else Cost(), new.cost if new else Cost())
    return BlockChange(old, new, (int(old is not None), int(new is not None)), costs, in_order(ops))


def _joined(last: BlockChange, block: BlockChange) -> BlockChange | None:
    """Two neighbours as one, if they are alike; else None. Blocks that only one side has join what is like them."""
    if block.before is not None and block.after is not None:
        alike = _pattern(last) == _pattern(block)
    elif block.before is not None:
        alike = last.before is not None and _form(last.before) == _form(block.before)
    else:
        assert block.after is not None
        alike = last.after is not None and _form(last.after) == _form(block.after)
    if not alike:
        return None
    counts = (last.counts[0] + block.counts[0], last.counts[1] + block.counts[1])
    costs = (last.costs[0] + block.costs[0], last.costs[1] + block.costs[1])
    ops = last.ops
    if block.before is not None and block.after is not None:
        ops = tuple(map(_merged, last.ops, block.ops))
    return replace(last, counts=counts, costs=costs, ops=ops)


def _merged(first: OpChange, second: OpChange) -> OpChange:
    """The op of a block with the values of a like block added."""
    parameters = tuple(
        ParameterChange(a.name, tuple(dict.fromkeys((*a.values, *b.values))))
        for a, b in zip(first.parameters, second.parameters, strict=True)
    )
    return replace(first, parameters=parameters) if parameters else first


def _form(unit: Unit) -> tuple[object, ...]:
    """What is the same for the blocks of a stage, whatever their widths."""
    return (unit.name, *((node.op.name, unit.inner(node)) for node in unit.nodes))


def _outline(unit: Unit | None) -> tuple[object, ...]:
    """Which layers a block has, and which of them look at neighbours or mix channels."""
    return () if unit is None else tuple((kind_of(node), has_window(node)) for node in unit.nodes if not is_idle(node))


def _pattern(block: BlockChange) -> tuple[object, ...]:
    forms = tuple(_form(unit) if unit is not None else None for unit in (block.before, block.after))
    return (forms, *map(pattern_of, block.ops))


def distinct(difference: GraphDiff, *, whole: bool = False) -> list[DistinctChange]:
    """What changed in blocks, said once for all places where the same changed but for the numbers.

    `whole`: the rest of the blocks is alike, too, so that one of them can be shown for all.
    """
    found: dict[tuple[object, ...], list[tuple[SectionChange, BlockChange]]] = {}
    for section, block in difference.blocks():
        if block.before is None or block.after is None or not block.changes:
            continue
        names = (block.before.name, block.after.name) if block.name else (section.shown.kind,)
        labels = (_inner(op, block) for op in block.changes)
        forms = (_outline(block.before), _outline(block.after)) if whole else ()
        found.setdefault((names, forms, *map(pattern_of, block.changes), *labels), []).append((section, block))
    return [DistinctChange(tuple(places)) for places in found.values()]


def merged(changes: Iterable[DistinctChange]) -> list[DistinctChange]:
    """Coarser: changes of blocks of one name in which the same ops came and went, whatever else changed in some."""
    found: dict[tuple[object, ...], list[tuple[SectionChange, BlockChange]]] = {}
    for change in changes:
        block = change.example
        names = [unit.name for unit in (block.before, block.after) if unit is not None]
        kind = "" if block.name else change.places[0][0].shown.kind
        came = [(op.status, pattern_of(op), _inner(op, block)) for op in block.changes if op.status != "changed"]
        # Blocks of other layers are other blocks: a shortcut of some must not be drawn for all.
        forms = tuple(_outline(unit) for unit in (block.before, block.after))
        found.setdefault((*names, kind, forms, *came), []).extend(change.places)
    return [DistinctChange(tuple(places), alike=False) for places in found.values()]


def _inner(op: OpChange, block: BlockChange) -> tuple[str, ...]:
    sides = ((op.before, block.before), (op.after, block.after))
    return tuple(unit.inner(node) for node, unit in sides if node is not None and unit is not None)


def pattern_of(op: OpChange) -> tuple[object, ...]:
    """What is the same for the changes of like ops, whatever their widths."""
    names = tuple(node.op.name if node is not None else None for node in (op.before, op.after))
    return (op.status, names, op.moved, op.rewired is not None, tuple(p.name for p in op.parameters))
