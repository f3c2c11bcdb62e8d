"""The stage table: output size, layers, parameters and MACs, stage by stage."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from archdsl.graph.ir import Graph, Node, Scope
from archdsl.ops.spec import Shape

_WEIGHTED = frozenset({"conv", "linear"})


@dataclass(slots=True)
class StageRow:
    """One row: `layers` counts convolutions and linear layers, as papers do; `activations` are elements."""

    name: str
    output: Shape
    repeats: list[tuple[int, str]] = field(default_factory=list)
    layers: int = 0
    params: int = 0
    macs: int = 0
    activations: int = 0

    def add(self, node: Node) -> None:
        self.output = node.shape
        self.layers += node.op.role in _WEIGHTED
        self.params += sum(weight.elements for weight in node.weights if weight.trainable)
        self.macs += node.macs
        self.activations += node.activations


@dataclass(frozen=True, slots=True)
class StageTable:
    """All rows, in order of execution, and the totals."""

    name: str
    input: Shape
    rows: tuple[StageRow, ...]

    @property
    def layers(self) -> int:
        return sum(row.layers for row in self.rows)

    @property
    def params(self) -> int:
        return sum(row.params for row in self.rows)

    @property
    def macs(self) -> int:
        return sum(row.macs for row in self.rows)

    @property
    def activations(self) -> int:
        return sum(row.activations for row in self.rows)


def stage_table(graph: Graph) -> StageTable:
    """The table of a graph: marked stages are rows; what lies before is `stem`, after the last `head`.

    Layers between two stages (transitions) belong to a row of their own, named by their first member.
    """
    rows: list[StageRow] = []
    current: Scope | str | None = None
    last = max((node.id for node in graph.nodes if node.stage is not None), default=-1)
    for node in graph.nodes[1:]:
        stage = node.stage
        key: Scope | str = stage if stage is not None else _between(node, rows, last)
        if key is not current and not (isinstance(key, str) and key == current):
            name = stage.path if stage is not None else str(key)
            rows.append(StageRow(name, node.shape))
            if stage is not None:
                rows[-1].repeats = list(_repeats(stage))
            current = key
        rows[-1].add(node)
    return StageTable(graph.name, graph.input_shape, tuple(rows))


def _between(node: Node, rows: list[StageRow], last: int) -> str:
    if node.id > last:
        return "head" if last >= 0 else "all"
    if not rows or rows[0].name == "stem" and len(rows) == 1:
        return "stem"
    return f"→ {_outermost(node)}" if rows[-1].name != f"→ {_outermost(node)}" else rows[-1].name


def _outermost(node: Node) -> str:
    return node.path


def _repeats(stage: Scope) -> Iterator[tuple[int, str]]:
    """What a stage repeats: (3, Bottleneck)."""
    previous, count = "", 0
    for member in stage.members:
        name = member.definition if isinstance(member, Scope) else member.op.name
        if name == previous:
            count += 1
            continue
        if previous:
            yield count, previous
        previous, count = name, 1
    if previous:
        yield count, previous
