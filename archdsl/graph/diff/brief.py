"""A difference in a few lines: takes a `GraphDiff`; gives what changed, one line for what is the same everywhere.

Finer than a table of stages, coarser than `wording.lines_of`: a layer that changed in all blocks is one line, whichever
stage it is in, and all that was added is one line too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

from archdsl.graph.diff import wording
from archdsl.graph.diff.changes import DistinctChange, GraphDiff, OpChange, SectionChange, Status
from archdsl.graph.diff.compare import distinct
from archdsl.graph.diff.everywhere import everywhere
from archdsl.graph.ir import Node
from archdsl.graph.stages import Stage
from archdsl.ops.spec import LAYERS

_FEW = 4
"""Layers of a section of which norms are named, too."""


class Note(NamedTuple):
    """What happened, and the words for it."""

    status: Status
    text: str


def brief(difference: GraphDiff) -> list[Note]:
    """The image, the depth, what changed in all layers of a kind, in some, and what came and went."""
    common, rest = everywhere(difference)
    changes = distinct(rest)
    return [
        *(Note("changed", f"image {wording.parameter_text(parameter)}") for parameter in difference.image),
        *_depth(difference),
        *(
            Note("changed", f"{op} {', '.join(wording.parameter_text(item.parameter) for item in items)}")
            for op, items in groupby(common, key=lambda item: item.op)
        ),
        *_changed(changes),
        *_sections(difference),
        *(note for status in ("added", "removed") for note in _came_or_went(changes, status)),
        *alone(difference, named=True),
        *alone(difference, named=False),
    ]


def _depth(difference: GraphDiff) -> Iterator[Note]:
    """`blocks 3, 4, 6, 3 → 3, 3, 9, 3`"""
    both = [(s.before, s.after) for s in difference.sections if s.before is not None and s.after is not None]
    counts = [(_depth_of(old), _depth_of(new)) for old, new in both if old.blocks and new.blocks]
    if any(old != new for old, new in counts):
        before, after = (", ".join(map(str, side)) for side in zip(*counts, strict=True))
        yield Note("changed", f"blocks {before}{wording.ARROW}{after}")


def _depth_of(section: Stage) -> int:
    return sum(count for count, _ in section.blocks)


def _changed(changes: Iterable[DistinctChange]) -> Iterator[Note]:
    """Ops that changed, by their labels; those that changed alike together."""
    found: dict[_Key, list[OpChange]] = {}
    for key, places in _ops(changes):
        if places[0].before is not None and places[0].after is not None:
            found.setdefault(key, []).extend(places)
    texts: dict[tuple[str, str], list[str]] = {}
    for key, merged in found.items():
        name = "" if key.label and wording.ARROW not in key.op else key.op
        text = f"{name} {', '.join(_notes(merged))}".strip()
        texts.setdefault((key.where, text), []).append(key.label)
    for (where, text), labels in texts.items():
        named = ", ".join(dict.fromkeys(filter(None, labels)))
        yield Note("changed", " ".join(filter(None, (where, named, text))))


def _notes(places: Sequence[OpChange]) -> Iterator[str]:
    for parameter in wording.parameters_of(places):
        old, new = wording.span_text(parameter.before), wording.span_text(parameter.after)
        yield f"{parameter.name} {old}{wording.ARROW}{new}"
    if any(op.moved for op in places):
        yield "moved"
    if any(op.rewired for op in places):
        yield "reads another layer"


def _came_or_went(changes: Iterable[DistinctChange], status: Status) -> Iterator[Note]:
    """All ops that were added, or removed, on one line for blocks and one for each other section."""
    found: dict[str, dict[_Key, list[Node]]] = {}
    for key, places in _ops(changes):
        if places[0].status == status:
            nodes = [node for op in places if (node := op.after or op.before) is not None]
            found.setdefault(key.where, {}).setdefault(key, []).extend(nodes)
    for where, ops in found.items():
        texts = [wording.merged_label(nodes) for nodes in ops.values()]
        listed = ", ".join(f"{n} × {text}" if (n := texts.count(text)) > 1 else text for text in dict.fromkeys(texts))
        yield Note(status, f"{where} {listed}".strip())


class _Key(NamedTuple):
    """What is the same for an op in all blocks: the section it is in, if in no block, its label, the op, or both where
    another one stands in its place, and of ops without a label the how manieth it is."""

    where: str
    label: str
    op: str
    number: int


def _ops(changes: Iterable[DistinctChange]) -> Iterator[tuple[_Key, tuple[OpChange, ...]]]:
    """Every op that changed, in all places."""
    for change in changes:
        section, block = change.places[0]
        where = "" if block.name else wording.section_name(section)
        seen: Counter[tuple[str, Status]] = Counter()
        for places in change.ops():
            first = places[0]
            names = [node.op.name for node in (first.before, first.after) if node is not None]
            op, label = wording.changed_text(names[0], names[-1]), wording.label_in(first, block)
            seen[op, first.status] += not label
            number = 0 if label else seen[op, first.status]
            yield _Key(where, label.removeprefix(f"{where}.") if where else label, op, number), places


def _sections(difference: GraphDiff) -> Iterator[Note]:
    """Sections that came or went, those with the same layers together."""
    found: dict[tuple[Status, str], list[str]] = {}
    for section in difference.sections:
        if section.status in ("added", "removed"):
            found.setdefault((section.status, contents(section)), []).append(wording.section_name(section))
    for (status, text), names in found.items():
        yield Note(status, f"{', '.join(names)}: {text}")


def alone(difference: GraphDiff, *, named: bool) -> list[Note]:
    """What has no counterpart in a section that has one: blocks (`named`), or layers outside any block, which come and
    go where a loop has more turns, or fewer."""
    counts: Counter[tuple[Status, str, str]] = Counter()
    for section, block in difference.blocks():
        unit = block.after or block.before
        if section.status == "changed" and block.status in ("added", "removed") and bool(block.name) is named and unit:
            text = block.name or "(" + ", ".join(wording.label_of(node) for node in unit.nodes) + ")"
            counts[block.status, text, wording.section_name(section)] += sum(block.counts)
    return [Note(status, f"{count} × {text} in {where}") for (status, text, where), count in counts.items()]


def contents(section: SectionChange) -> str:
    """What a section is made of: its blocks, or what its layers are known by (`7×7 conv, 3×3 max pool`)."""
    found = section.shown
    if found.blocks:
        return ", ".join(f"{count} × {name}" for count, name in found.blocks)
    nodes = list(found.nodes)
    roles = LAYERS | ({"pool", "norm"} if len(nodes) <= _FEW else {"pool"})
    nodes = [node for node in nodes if node.op.role in roles] or nodes
    return ", ".join(dict.fromkeys(wording.label_of(node).partition(",")[0] for node in nodes))
