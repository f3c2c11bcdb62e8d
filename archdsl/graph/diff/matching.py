"""Which layers of two graphs correspond: takes the graphs' sections, gives a `Matching` of sections, units and nodes.

Sections are aligned by kind, name, resolution and content, then the units of those that correspond, then the ops in
units that correspond. Names help, but structure decides: a renamed block is still found. Equal comparisons are made
once, so that the time grows with the number of distinct blocks and, beyond that, linearly with the graphs.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field

from archdsl.graph.diff.align import Pair, align
from archdsl.graph.diff.alike import alike
from archdsl.graph.diff.facts import Kinds, ParameterChange, changes, has_window, kind_of, target_of
from archdsl.graph.ir import Cost, Graph, Node
from archdsl.graph.stages import Stage, Unit, stages
from archdsl.ops.spec import LAYERS, PASSING

_SAME_OP, _SAME_TARGET, _REPLACED = 2.0, 1.5, 1.0
_MISFIT = 0.4
"""What remains of a score where only one of two ops looks at neighbours, or is on the main path, or where each has
another partner of its name."""
_NEVER_REPLACED = PASSING | {"input"}
_LAYERS_WEIGH = 2.0


@dataclass(frozen=True, slots=True)
class OpMatch:
    """Positions of corresponding ops in two units, the parameters in which they differ, and whether the op moved."""

    before: int | None
    after: int | None
    parameters: tuple[ParameterChange, ...] = ()
    moved: bool = False


@dataclass(frozen=True, slots=True)
class UnitMatch:
    before: Unit | None
    after: Unit | None
    ops: tuple[OpMatch, ...]


@dataclass(frozen=True, slots=True)
class SectionMatch:
    before: Stage | None
    after: Stage | None
    units: tuple[UnitMatch, ...]


@dataclass
class Matching:
    """The correspondence of two graphs; `sections` are all of both, in order. `order` is that of the second's nodes."""

    before: Graph
    after: Graph
    order: Sequence[Node]
    kinds: Kinds
    sections: list[SectionMatch] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._signatures: dict[int, int] = {}
        self._bags: dict[int, Counter[str]] = {}
        self._aligned: dict[Hashable, tuple[OpMatch, ...]] = {}
        self._likeness: dict[tuple[int, int], float] = {}
        self._scores: dict[tuple[int, int], float] = {}
        first, second = alike(stages(self.before, by_size=True), stages(self.after, self.order, by_size=True))
        keys = [[(s.kind, s.name, *map(self._signature, s.units)) for s in side] for side in (first, second)]
        for i, j in align(keys[0], keys[1], lambda i, j: self._section_score(first[i], second[j])):
            old = None if i is None else first[i]
            new = None if j is None else second[j]
            self.sections.append(SectionMatch(old, new, tuple(self._units(old, new))))

    # --- sections and units ------------------------------------------------------------------

    def _section_score(self, old: Stage, new: Stage) -> float:
        kinds = {old.kind, new.kind}
        if len(kinds) > 1 and kinds != {"part", "stage"} and old.name != new.name:
            return 0.0
        same_size = self._stride(self.before, old) == self._stride(self.after, new)
        alike = self._alike(self._bag(old.units), self._bag(new.units))
        return 1.0 + alike + same_size + 0.5 * (old.name == new.name)

    @staticmethod
    def _stride(graph: Graph, section: Stage) -> int:
        """Pixels of the image for one of the output."""
        return round(graph.input_shape.height / section.output.height)

    def _units(self, old: Stage | None, new: Stage | None) -> list[UnitMatch]:
        first, second = (old.units if old else ()), (new.units if new else ())
        signatures = [list(map(self._signature, side)) for side in (first, second)]
        found = []
        # The first block of a stage, which changes its size, corresponds to the first.
        for i, j in align(
            signatures[0], signatures[1], lambda i, j: self._unit_score(first[i], second[j]) + 0.5 * (i == j == 0)
        ):
            a, b = (None if i is None else first[i]), (None if j is None else second[j])
            found.append(UnitMatch(a, b, self._ops(a, b)))
        return found

    def _unit_score(self, old: Unit, new: Unit) -> float:
        one, other = self._signature(old), self._signature(new)
        if one == other:
            return 2.0
        key = (one, other)
        if key not in self._likeness:
            self._likeness[key] = self._alike(self._bag([old]), self._bag([new]))
        alike = self._likeness[key]
        if bool(old.name) != bool(new.name) and alike < 0.5:
            return 0.0
        return 0.1 + alike + 0.3 * (old.name == new.name)

    def _bag(self, units: Sequence[Unit]) -> Counter[str]:
        """How often each kind of op occurs."""
        total: Counter[str] = Counter()
        for unit in units:
            signature = self._signature(unit)
            if signature not in self._bags:
                self._bags[signature] = Counter(target_of(node) for node in unit.nodes)
            total += self._bags[signature]
        return total

    @staticmethod
    def _alike(first: Counter[str], second: Counter[str]) -> float:
        """The share of ops that two have in common, 0 to 1."""
        return 2 * (first & second).total() / max(1, first.total() + second.total())

    def _signature(self, unit: Unit) -> int:
        """A number that units share that are the same but for names."""
        found = self._signatures.get(id(unit))
        if found is None:
            inside = {node.id: place for place, node in enumerate(unit.nodes)}
            entries = dict.fromkeys(ref for node in unit.nodes for ref in node.inputs if ref.node not in inside)
            members = ((self.kinds.of(node), node.inputs, 0) for node in unit.nodes)
            found = self._signatures[id(unit)] = self.kinds.body(members, entries, inside.__getitem__)
        return found

    # --- ops ---------------------------------------------------------------------------------

    def _ops(self, old: Unit | None, new: Unit | None) -> tuple[OpMatch, ...]:
        if new is None:
            return () if old is None else tuple(OpMatch(i, None) for i in range(len(old.nodes)))
        if old is None:
            return tuple(OpMatch(None, j) for j in range(len(new.nodes)))
        key = (self._signature(old), self._signature(new), old.labels, new.labels)
        if key not in self._aligned:
            common = {*old.labels} & {*new.labels}
            first, second = (
                [(self.kinds.of(node), unit.inner(node) in common and unit.inner(node)) for node in unit.nodes]
                for unit in (old, new)
            )
            pairs = align(first, second, lambda i, j: self._op_score(old, i, new, j))
            self._aligned[key] = tuple(_with_moves(pairs, old, new))
        return self._aligned[key]

    def _op_score(self, old: Unit, i: int, new: Unit, j: int) -> float:
        a, b = old.nodes[i], new.nodes[j]
        key = (self.kinds.of(a), self.kinds.of(b))
        score = self._scores.get(key)
        if score is None:
            score = self._scores[key] = _fit(a, b)
        if score <= 0:
            return 0.0
        if (a.id in old.main) != (b.id in new.main):
            score *= _MISFIT
        one, other = old.inner(a), new.inner(b)
        if not (a.labelled and b.labelled):
            return score + 0.1 * (one == other)
        if one != other and one in new.labels and other in old.labels:
            score *= _MISFIT
        return score + 0.5 * (one == other)


def _fit(a: Node, b: Node) -> float:
    """How well one op fits in the place of another. Of two that fit alike, the one with more parameters stays."""
    alike = has_window(a) == has_window(b) and kind_of(a) == kind_of(b)
    if a.op is b.op:
        score = _SAME_OP if changes(a, b) else 2 * _SAME_OP
        score = score if alike else _MISFIT * score
    elif has_window(a) != has_window(b):
        return 0.0
    elif target_of(a) == target_of(b):
        score = _SAME_TARGET
    elif _may_replace(a, b):
        score = _REPLACED
    else:
        return 0.0
    # A network is known by its layers: norms and activations follow what they stand behind.
    weight = _LAYERS_WEIGH if a.op.role in LAYERS else 1.0
    return weight * score + 0.02 * math.log10(1 + Cost.of([a, b]).params)


def _may_replace(a: Node, b: Node) -> bool:
    roles = {a.op.role, b.op.role}
    if (len(roles) > 1 and roles != LAYERS) or roles & _NEVER_REPLACED:
        return False
    one, other = a.lowering, b.lowering
    alike = (one.parameter is None) == (other.parameter is None) and len(a.inputs) == len(b.inputs)
    return alike and (a.shape.height, a.shape.width) == (b.shape.height, b.shape.width)


def _with_moves(pairs: Sequence[Pair], old: Unit, new: Unit) -> list[OpMatch]:
    """The pairs with their parameters; an op that went at one place and came at another has moved."""
    gone = [i for i, j in pairs if j is None and i is not None]
    moved: dict[int, int] = {}
    for _, j in [pair for pair in pairs if pair[0] is None]:
        assert j is not None
        i = next((i for i in gone if _has_moved(old, i, new, j)), None)
        if i is not None:
            gone.remove(i)
            moved[j] = i
    found = []
    for i, j in pairs:
        if i is None and j in moved:
            place = moved[j]
            found.append(OpMatch(place, j, changes(old.nodes[place], new.nodes[j]), moved=True))
        elif i is None or j is None:
            if j is not None or i in gone:
                found.append(OpMatch(i, j))
        else:
            found.append(OpMatch(i, j, changes(old.nodes[i], new.nodes[j])))
    return found


def _has_moved(old: Unit, i: int, new: Unit, j: int) -> bool:
    a, b = old.nodes[i], new.nodes[j]
    # Of what only passes values on, one that went and one that came say as much; which of several activations without a
    # name one was cannot be told.
    if a.op is not b.op or a.op.role in PASSING or (a.op.role == "act" and not a.labelled):
        return False
    return not changes(a, b) or (a.labelled and old.inner(a) == new.inner(b))
