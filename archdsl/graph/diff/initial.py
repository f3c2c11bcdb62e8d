"""Weights that begin otherwise: takes a `GraphDiff` and the initializers of both networks; gives what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from archdsl.graph.describe import describe_value
from archdsl.graph.diff.changes import GraphDiff
from archdsl.graph.settings import InitRule

DEFAULT = "torch's own"
"""What is said where no rule is about a weight."""


@dataclass(frozen=True, slots=True)
class InitialChange:
    """`count` tensors of a kind (`conv.weight`) that both networks have, and how they begin in each."""

    weight: str
    before: str
    after: str
    count: int


def initial(
    difference: GraphDiff, before: Mapping[str, InitRule], after: Mapping[str, InitRule]
) -> list[InitialChange]:
    """Which of the trainable tensors of layers that correspond begin otherwise; the most frequent kinds first."""
    renamed = dict(difference.renamed)
    have = {key for key, _, _ in difference.after.state()}
    counts: Counter[tuple[str, str, str]] = Counter()
    for key, weight, node in difference.before.state():
        path = renamed.get(node.path, node.path)
        other = f"{path}.{weight.name}" if weight.name else path
        if weight.trainable and other in have:
            old, new = _text(before.get(key)), _text(after.get(other))
            if old != new:
                counts[f"{node.op.name}.{weight.name}" if weight.name else node.op.name, old, new] += 1
    return [InitialChange(*kind, count) for kind, count in counts.most_common()]


def _text(rule: InitRule | None) -> str:
    """A rule as a spec writes it: `normal(std = 0.01)`."""
    if rule is None:
        return DEFAULT
    given = ", ".join(f"{name} = {describe_value(value)}" for name, value in rule.arguments.items())
    return f"{rule.initializer}({given})" if given else rule.initializer
