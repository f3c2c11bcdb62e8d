"""The stage table: output size, layers, parameters and MACs, stage by stage. Takes a `Graph`; gives a `StageTable`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal, TypeAlias

from archdsl.garbage import collector_paused
from archdsl.graph.ir import Graph, Node
from archdsl.graph.scopes import TRANSPARENT, Scope
from archdsl.ops.spec import LAYERS, Shape

RowKind: TypeAlias = Literal["stage", "stem", "transition", "head", "part", "aux"]


@dataclass(slots=True)
class StageRow:
    """One row: `layers` counts convolutions and linear layers, as papers do; `activations` are elements.

    `kind` says what the row is: a marked `stage`, what lies before the first (`stem`), between two (`transition`) or
    after the last (`head`); a model without stages is shown by its top-level `part`s. What only a further output needs
    is a row of its own, named as the output is (`aux`).
    """

    name: str
    kind: RowKind
    output: Shape
    repeats: list[tuple[int, str]] = field(default_factory=list)
    layers: int = 0
    params: int = 0
    macs: int = 0
    activations: int = 0
    nodes: list[Node] = field(default_factory=list, repr=False)

    def add(self, node: Node) -> None:
        self.nodes.append(node)
        self.output = node.shape
        self.layers += node.op.role in LAYERS
        self.params += node.trainable
        self.macs += node.macs
        self.activations += node.activations


@dataclass(frozen=True, slots=True)
class StageTable:
    """All rows, in order of execution and those of further outputs last, and the totals."""

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

    def __str__(self) -> str:
        """The table as plain text, exact numbers in aligned columns."""
        lines = [("stage", "output", "layers", "params", "MACs")]
        lines += [(r.name, str(r.output), f"{r.layers:,}", f"{r.params:,}", f"{r.macs:,}") for r in self.rows]
        lines.append(("total", "", f"{self.layers:,}", f"{self.params:,}", f"{self.macs:,}"))
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        return "\n".join(
            "  ".join(
                [line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))]
            )
            for line in lines
        )


def stage_table(graph: Graph) -> StageTable:
    """The table of a graph: every marked stage is a row, even if other nodes run in the midst of it.

    What lies between two stages is one row, named by the scope that holds it (`features.transition1`).
    """
    with collector_paused():
        return _table(graph)


def _table(graph: Graph) -> StageTable:
    nodes = [node for node in graph.nodes[1:] if node.id not in graph.aux]
    rows = _rows(nodes, graph.aux)
    further = {}
    for number, name in sorted(graph.aux.items()):
        if name not in further:
            further[name] = StageRow(name, "aux", graph.nodes[number].shape)
        further[name].add(graph.nodes[number])
    return StageTable(graph.name, graph.input_shape, (*rows, *further.values()))


def _rows(nodes: Sequence[Node], aux: Collection[int]) -> list[StageRow]:
    stages = [node.stage for node in nodes]
    if not any(stages):
        return _parts(nodes)
    last = max(index for index, stage in enumerate(stages) if stage is not None)
    around = {id(scope) for stage in set(stages) if stage is not None for scope in stage.ancestors()}
    rows: list[StageRow] = []
    of_stage: dict[int, StageRow] = {}
    for stage, members in groupby(zip(stages, nodes, range(len(nodes)), strict=True), key=lambda item: item[0]):
        found = list(members)
        run = [node for _, node, _ in found]
        if stage is not None:
            row = of_stage.get(id(stage))
            if row is None:
                row = of_stage[id(stage)] = StageRow(stage.stage_name, "stage", run[0].shape, _repeats(stage, aux))
                rows.append(row)
        else:
            kind: RowKind = "head" if found[0][2] > last else "transition" if rows else "stem"
            row = StageRow(_between(run, around) if kind == "transition" else kind, kind, run[0].shape)
            rows.append(row)
        for node in run:
            row.add(node)
    return rows


def _parts(nodes: Sequence[Node]) -> list[StageRow]:
    """Rows of a model without stages: its top-level labels; layers without one go with what is before them.

    Unless they change the size: a row's output is that of what its name says.
    """
    rows: list[StageRow] = []
    for node in nodes:
        name = node.path.partition(".")[0]
        unlabelled = not node.labelled and "." not in node.path and _sizes(node.shape) == _sizes(node.input_shapes[0])
        if not rows or not (unlabelled or rows[-1].name == name):
            rows.append(StageRow(name, "part", node.shape))
        rows[-1].add(node)
    return rows


def _sizes(shape: Shape) -> tuple[int, int, int]:
    return shape.channels, shape.height, shape.width


def _between(nodes: Sequence[Node], around: set[int]) -> str:
    """A name for a run of nodes: their innermost common scope if no stage is in it, else the first and the last."""
    common = _common(nodes)
    if common is not None and common.path and id(common) not in around:
        return common.path
    first, last = nodes[0].path, nodes[-1].path
    return first if first == last else f"{first} … {last}"


def _common(nodes: Sequence[Node]) -> Scope | None:
    others = [{id(scope) for scope in node.scope.ancestors()} for node in nodes[1:]]
    for scope in nodes[0].scope.ancestors():
        if scope.kind not in TRANSPARENT and all(id(scope) in around for around in others):
            return scope
    return None


def _repeats(stage: Scope, aux: Collection[int]) -> list[tuple[int, str]]:
    """What a stage repeats: (3, Bottleneck); (1, Cell) if it is a block itself. `aux` are nodes of other rows."""
    names = [stage.definition] if stage.definition else _definitions(stage, aux)
    return [(len(list(same)), name) for name, same in groupby(names)]


def _definitions(scope: Scope, aux: Collection[int]) -> Iterator[str]:
    """The blocks in a scope, and its convolutions and linear layers that are in none."""
    for member in scope.members:
        if isinstance(member, Node):
            if member.op.role in LAYERS and member.id not in aux:
                yield member.word
        elif not member.definition:
            yield from _definitions(member, aux)
        elif not aux or any(node.id not in aux for node in member.nodes()):
            yield member.definition
