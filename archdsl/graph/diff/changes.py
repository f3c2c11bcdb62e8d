"""What a comparison of two graphs finds: plain data, from single parameters up to whole networks.

`archdsl.graph.diff` makes it; tables, JSON and drawings read it. Everything that has a before and an after has an
`inverse`, so that the difference of B and A is that of A and B seen from the other side.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from archdsl.diagnostics.glyphs import shown
from archdsl.graph.diff.facts import ParameterChange, is_idle, target_of
from archdsl.graph.ir import Cost, Graph, Node
from archdsl.graph.stages import Stage, Unit

Status: TypeAlias = Literal["same", "added", "removed", "changed"]


@dataclass(frozen=True, slots=True)
class OpChange:
    """An op and the op it corresponds to; both are there where it is not added or removed.

    `parameters` are those that differ, `moved` says that it stands at another place among its neighbours, `rewired`
    gives the paths of the layers it reads, before and after, where these do not correspond. `same` ops are listed too.
    """

    before: Node | None
    after: Node | None
    parameters: tuple[ParameterChange, ...] = ()
    moved: bool = False
    rewired: tuple[tuple[str, ...], tuple[str, ...]] | None = None

    @property
    def replaced(self) -> bool:
        """Whether torch runs something else in its place."""
        if self.before is None or self.after is None or self.before.op is self.after.op:
            return False
        return target_of(self.before) != target_of(self.after)

    @property
    def status(self) -> Status:
        if self.before is None or self.after is None:
            node = self.after or self.before
            idle = node is not None and is_idle(node)  # nothing came or went
            return "same" if idle else "added" if self.before is None else "removed"
        return "changed" if self.parameters or self.moved or self.rewired or self.replaced else "same"

    def inverse(self) -> OpChange:
        parameters = tuple(parameter.inverse() for parameter in self.parameters)
        rewired = None if self.rewired is None else (self.rewired[1], self.rewired[0])
        return OpChange(self.after, self.before, parameters, self.moved, rewired)


def in_order(ops: Sequence[OpChange]) -> tuple[OpChange, ...]:
    """Ops in the order in which the second network runs; what was removed follows what it followed in the first."""
    kept = sorted(((op.after.id, op) for op in ops if op.after is not None), key=lambda item: item[0])
    old = sorted(((op.before.id, op) for op in ops if op.before is not None), key=lambda item: item[0])
    removed: dict[int, list[OpChange]] = {}
    last = -1
    for _, op in old:
        if op.after is None:
            removed.setdefault(last, []).append(op)
        elif not op.moved:
            last = op.after.id
    found = removed.get(-1, [])
    for place, op in kept:
        found += [op, *removed.get(place, [])]
    return tuple(found)


@dataclass(frozen=True, slots=True)
class BlockChange:
    """Like blocks in a row and what they correspond to; `before` and `after` are the first ones.

    `counts` is how many there were and are, `costs` what all of them cost, and `ops`, in the order of `in_order`, says
    how one differs from the other. Parameters hold the values of all.
    """

    before: Unit | None
    after: Unit | None
    counts: tuple[int, int]
    costs: tuple[Cost, Cost]
    ops: tuple[OpChange, ...]

    @property
    def name(self) -> str:
        """The name of the blocks; "" for layers outside any block."""
        unit = self.after or self.before
        assert unit is not None
        return unit.name

    @property
    def changes(self) -> tuple[OpChange, ...]:
        """The ops that are not the same."""
        return tuple(op for op in self.ops if op.status != "same")

    @property
    def renamed(self) -> bool:
        """Whether the block has another name, which means nothing to the network."""
        return self.before is not None and self.after is not None and self.before.name != self.after.name

    @property
    def status(self) -> Status:
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if self.changes or self.counts[0] != self.counts[1] else "same"

    def inverse(self) -> BlockChange:
        swapped = (self.counts[1], self.counts[0]), (self.costs[1], self.costs[0])
        return BlockChange(self.after, self.before, *swapped, in_order([op.inverse() for op in self.ops]))


@dataclass(frozen=True, slots=True)
class SectionChange:
    """A stage, the stem, a transition or the head, and what it corresponds to."""

    before: Stage | None
    after: Stage | None
    blocks: tuple[BlockChange, ...]

    @property
    def shown(self) -> Stage:
        """The one it is, or was."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def costs(self) -> tuple[Cost, Cost]:
        return (self.before.cost if self.before else Cost(), self.after.cost if self.after else Cost())

    @property
    def status(self) -> Status:
        if self.before is None:
            return "added"
        if self.after is None:
            return "removed"
        return "changed" if any(block.status != "same" for block in self.blocks) else "same"

    def inverse(self) -> SectionChange:
        return SectionChange(self.after, self.before, tuple(block.inverse() for block in self.blocks))


@dataclass(frozen=True, slots=True)
class DistinctChange:
    """A change of blocks in several places: the same but for numbers (`alike`), or, where several were merged, one in
    which the same ops came and went."""

    places: tuple[tuple[SectionChange, BlockChange], ...]
    alike: bool = True

    @property
    def example(self) -> BlockChange:
        """The block to show: of the most frequent kind, the first one."""
        return max((block for _, block in self.places), key=lambda block: block.counts[1])

    @property
    def counts(self) -> tuple[int, int]:
        """How many blocks of this kind there were and are."""
        old, new = zip(*(block.counts for _, block in self.places), strict=True)
        return sum(old), sum(new)

    def ops(self) -> tuple[tuple[OpChange, ...], ...]:
        """The ops that changed in the first place, each with its counterparts in all places."""
        first = self.places[0][1]
        both = zip(first.ops, self.counterparts(first), strict=True)
        return tuple(places for op, places in both if op.status != "same")

    def counterparts(self, block: BlockChange) -> list[tuple[OpChange, ...]]:
        """For each op of one of the blocks, that of every place; where blocks are not alike, the op of the same name,
        or of the same kind and with as many before it. What is the same in all places may be there once."""
        if self.alike:
            columns = zip(*(other.changes for _, other in self.places), strict=True)
            found = dict(zip(map(id, block.changes), columns, strict=True))
            return [found.get(id(op), (op,)) for op in block.ops]
        tables = [dict(zip(_keys(other), other.ops, strict=True)) for _, other in self.places]
        return [tuple(table[key] for table in tables if key in table) for key in _keys(block)]


def _keys(block: BlockChange) -> list[tuple[object, ...]]:
    """What tells the ops of a block apart: whether they came or went, and the label, or the op and how many like it
    are before."""
    seen: Counter[tuple[object, ...]] = Counter()
    keys: list[tuple[object, ...]] = []
    for op in block.ops:
        node, unit = (op.before, block.before) if op.after is None else (op.after, block.after)
        first = op.before or op.after
        assert node is not None
        assert unit is not None
        assert first is not None
        came = op.status if op.status in ("added", "removed") else ""
        key = (came, unit.inner(node)) if node.labelled else (came, first.op.name, seen[came, first.op.name])
        seen[came, first.op.name] += not node.labelled
        keys.append(key)
    return keys


@dataclass(frozen=True, slots=True)
class GraphDiff:
    """Two architectures, section by section.

    `image` is the change of the input's size; `outputs` are the names of what the graphs give, before and after, where
    these differ, or the paths, where these do not correspond; `renamed` are the paths of layers that correspond and
    are named otherwise. Names are not a difference of the networks, but of their weights' keys.
    """

    before: Graph
    after: Graph
    sections: tuple[SectionChange, ...]
    image: tuple[ParameterChange, ...] = ()
    outputs: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    renamed: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def equal(self) -> bool:
        """Whether both compute the same, layer by layer: apart from names of layers, nothing differs."""
        return not self.image and self.outputs is None and all(section.status == "same" for section in self.sections)

    @property
    def costs(self) -> tuple[Cost, Cost]:
        return _total(s.before for s in self.sections), _total(s.after for s in self.sections)

    def blocks(self) -> Iterator[tuple[SectionChange, BlockChange]]:
        """All blocks with the sections they are in."""
        return ((section, block) for section in self.sections for block in section.blocks)

    def __str__(self) -> str:
        """In a few lines: `~ conv2 out 64…512 → 128…1024, groups 1 → 32`; one line for equal networks."""
        from archdsl.graph.diff.brief import brief
        from archdsl.graph.diff.wording import SIGNS

        return shown("\n".join(f"{SIGNS[note.status]} {note.text}" for note in brief(self))) or "no difference"

    def inverse(self) -> GraphDiff:
        """The difference seen from the other side."""
        return GraphDiff(
            self.after,
            self.before,
            tuple(section.inverse() for section in self.sections),
            tuple(parameter.inverse() for parameter in self.image),
            None if self.outputs is None else (self.outputs[1], self.outputs[0]),
            tuple((new, old) for old, new in self.renamed),
        )


def _total(sections: Iterator[Stage | None]) -> Cost:
    return sum((section.cost for section in sections if section is not None), Cost())
