"""The stage table: output size, layers, parameters and MACs, stage by stage. Takes a `Graph`; gives a `StageTable`."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.graph.ir import Cost, Costed, Graph
from archdsl.graph.stages import Stage, stages
from archdsl.ops.spec import Shape


@dataclass(frozen=True, slots=True)
class StageTable(Costed):
    """The stages are its rows, in order of execution and those of further outputs last; `cost` is that of all."""

    name: str
    input: Shape
    rows: tuple[Stage, ...]

    @property
    def cost(self) -> Cost:
        return sum((row.cost for row in self.rows), Cost())

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
    """The table of a graph."""
    return StageTable(graph.name, graph.input_shape, stages(graph))
