"""The stages of two networks, cut alike: takes and gives `Stage`s."""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.graph.stages import Stage


def alike(first: Sequence[Stage], second: Sequence[Stage]) -> tuple[list[Stage], list[Stage]]:
    """The stages of two networks, cut alike: where one has transitions between its stages and the other begins its
    stages with layers outside any block, these are transitions, too."""
    both = [list(first), list(second)]
    have = [any(stage.kind == "transition" for stage in side) for side in both]
    if have[0] != have[1]:
        side = have.index(False)
        both[side] = [part for stage in both[side] for part in _cut(stage)]
    return both[0], both[1]


def _cut(stage: Stage) -> list[Stage]:
    """A stage without the layers before its first block, and these in front of it."""
    first, *rest = stage.units
    if stage.kind != "stage" or first.name or not rest:
        return [stage]
    paths = [node.path.split(".") for node in first.nodes]
    same = [steps[0] for steps in zip(*paths, strict=False) if len(set(steps)) == 1]
    entry = Stage(".".join(same) or stage.name, "transition", first.nodes, stage.scope)
    return [entry, Stage(stage.name, stage.kind, tuple(node for unit in rest for node in unit.nodes), stage.scope)]
