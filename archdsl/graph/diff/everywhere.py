"""What changed in all layers of a kind: takes a `GraphDiff`; gives these changes, and the difference without them.

`bn: eps 1e-05 → 0.001` of fifty layers is one fact; said fifty times it would hide the rest.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import Any

from archdsl.graph.diff.changes import BlockChange, GraphDiff, OpChange
from archdsl.graph.diff.facts import ParameterChange

LEAST = 3
"""Layers of a kind below which "everywhere" says too little."""


@dataclass(frozen=True, slots=True)
class Everywhere:
    """Every layer of a kind (`op`) that both networks have changed a parameter in the same way; `count` of them."""

    op: str
    parameter: ParameterChange
    count: int


def everywhere(difference: GraphDiff) -> tuple[list[Everywhere], GraphDiff]:
    """What changed everywhere, and the difference with these changes left out of its ops."""
    kinds: Counter[str] = Counter()
    seen: Counter[tuple[str, str, Any, Any]] = Counter()
    for _, block in difference.blocks():
        times = min(block.counts)
        for op in block.ops:
            if op.before is None or op.after is None or op.before.op is not op.after.op:
                continue
            kinds[op.before.op.name] += times
            for parameter in op.parameters:
                if len(parameter.values) == 1:
                    seen[op.before.op.name, parameter.name, *parameter.values[0]] += times
    found = [
        Everywhere(kind, ParameterChange(name, ((old, new),)), count)
        for (kind, name, old, new), count in seen.items()
        if count == kinds[kind] and count >= LEAST
    ]
    if not found:
        return found, difference
    said = {(item.op, item.parameter) for item in found}
    sections = tuple(
        replace(section, blocks=tuple(_without(block, said) for block in section.blocks))
        for section in difference.sections
    )
    return found, replace(difference, sections=sections)


def _without(block: BlockChange, said: set[tuple[str, ParameterChange]]) -> BlockChange:
    return replace(block, ops=tuple(_rest(op, said) for op in block.ops))


def _rest(op: OpChange, said: set[tuple[str, ParameterChange]]) -> OpChange:
    if op.before is None or not op.parameters:
        return op
    kept = tuple(parameter for parameter in op.parameters if (op.before.op.name, parameter) not in said)
    return replace(op, parameters=kept)
