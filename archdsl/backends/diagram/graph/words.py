"""What boxes and frames of level graph say: takes a part of a folded graph, gives its lines and its tooltip."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Line
from archdsl.backends.diagram.style import Look
from archdsl.backends.diagram.text import fit
from archdsl.graph.describe import describe_scope
from archdsl.graph.fold import Run
from archdsl.graph.ir import Node, Ref
from archdsl.graph.parts import OUTSIDE, Part
from archdsl.graph.receptive import Field, receptive_fields
from archdsl.graph.view import View, only_scope

WIDEST = 120.0
"""Of the words of a box."""


@dataclass(frozen=True, slots=True)
class Words:
    """A title, in bold, and what follows it on its line; how often; and a line below."""

    title: str
    rest: str = ""
    times: str = ""
    below: str = ""
    bold: bool = True

    @property
    def first(self) -> list[Line]:
        """The pieces of the first line, cut where they are too wide together."""
        title = Line(fit(self.title, WIDEST, style.SIZE, self.bold), style.SIZE, self.bold)
        pieces = [title]
        if self.rest:
            room = max(WIDEST - title.width, 30.0)
            pieces.append(Line("  " + fit(self.rest, room, style.SIZE), style.SIZE))
        if self.times:
            pieces.append(Line("  " + self.times, style.SIZE, True))
        return pieces

    @property
    def second(self) -> list[Line]:
        return [Line(fit(self.below, WIDEST, style.SMALL), style.SMALL)] if self.below else []

    @property
    def width(self) -> float:
        return max(sum(line.width for line in self.first), sum(line.width for line in self.second))


class Wording:
    """Words and tooltips of the parts of one view."""

    def __init__(self, view: View) -> None:
        self.view = view
        self.folded = view.folded
        self.graph = view.folded.graph

    @cached_property
    def fields(self) -> list[Field]:
        return receptive_fields(self.graph)

    def words(self, run: Run) -> Words:
        """Of the first of a run, that stands for all."""
        part, times = run.first, f"×{run.count}" if run.count > 1 else ""
        times += " side by side" if run.parallel else ""
        given = self.given(run)
        outputs = [f"→ {', '.join(given)}"] if given and (part.node or not self.view.is_open(part)) else []
        if part.node is not None:
            label = self.folded.label(part.node)
            title = "‖" if part.node.op.channels == "sum" else label
            return Words(title, times=times, below="".join(outputs), bold=False)
        chain = self.levels(part)
        definition = next((level.scope.definition for level in chain if level.scope and level.scope.definition), "")
        rest = definition or self._contents(chain[-1])
        costs = [f"{style.count_text(run.params)} params"] if run.params else []
        costs += [f"{style.count_text(run.macs)} MACs"] if run.macs else []
        return Words(".".join(level.name for level in chain), rest, times, " · ".join([*outputs, *costs]))

    @cached_property
    def outputs(self) -> dict[int, list[str]]:
        """The names of the outputs that nodes give, by their ids."""
        found: dict[int, list[str]] = {}
        for label, ref in zip(self.graph.output_labels, self.graph.outputs, strict=True):
            if label:
                found.setdefault(ref.node, []).append(label)
        return found

    def given(self, run: Run) -> list[str]:
        """The names of the outputs that a run gives, and what else it stands for."""
        if not self.outputs:
            return []
        nodes = self.folded.covered(run.first)
        return [label for node in nodes for label in self.outputs.get(node.id, ())]

    def levels(self, part: Part) -> list[Part]:
        """A scope, its only member if that is a scope, and so on: they are drawn as one."""
        chain = [part]
        while (inner := only_scope(self.folded, chain[-1])) is not None:
            chain.append(inner)
        return chain

    def _contents(self, part: Part) -> str:
        """What a sequence repeats: `3 × Bottleneck`."""
        names = {next((s.scope.definition for s in self.levels(m) if s.scope), "") for m in part.parts}
        (name,) = names if len(names) == 1 else ("",)
        return f"{len(part.parts)} × {name}" if name and len(part.parts) > 1 else ""

    def look(self, part: Part) -> Look:
        return style.look_of(part.node.op.role if part.node is not None else "block")

    def changes_shape(self, part: Part, tensor: Ref) -> bool:
        """Whether a tensor that leaves a part has a shape that none has that enters it, and no label tells it."""
        shape = self.graph.shape(tensor)
        node = part.node
        if node is not None:
            return bool(node.inputs) and shape != node.input_shapes[0]
        entering = {edge.tensor for edge in part.edges if edge.source == OUTSIDE}
        return shape not in {self.graph.shape(ref) for ref in entering}

    def tooltip(self, run: Run) -> str:
        part = run.first
        node = part.node
        lines = [self._name(run)]
        if node is not None:
            lines += self._facts(node)
        elif part.scope is not None and part.scope.definition:
            lines.append(describe_scope(part.scope).partition(" at ")[0])
        if given := self.given(run):
            lines.append(f"gives {', '.join(given)}")
        costs = f"{run.params:,} parameters, {run.macs:,} MACs"
        lines.append(costs + (f" in {run.count} together" if run.count > 1 else ""))
        span = part.item.span
        return "\n".join([*lines, f"{Path(span.source.name).name}:{span.line}"])

    def _name(self, run: Run) -> str:
        return run.first.path if run.count == 1 else f"{run.first.path} … {run.parts[-1].path}"

    def _facts(self, node: Node) -> list[str]:
        label = self.folded.label(node)
        shapes = " + ".join(map(str, node.input_shapes))
        out = ", ".join(map(str, node.outputs))
        return [f"{label}: {shapes} → {out}" if shapes else label, f"receptive field {self.fields[node.id]}"]


def is_joint(part: Part) -> bool:
    """Whether it is drawn as a sign: sums, differences, products, concatenations."""
    node = part.node
    if node is None or node.op.role != "merge":
        return False
    return node.op.channels == "sum" or (len(node.inputs) > 1 and len(node.label) == 1)
