"""What a dense block does: layers along a rail, each taking all that is on it and laying its own channels beside.

Of a row of blocks that concatenate what they make to what they take, three are drawn, however long the row is: every
layer sees the rail, so that no line from each to each is needed.
"""

from __future__ import annotations

from archdsl.backends.diagram import style
from archdsl.backends.diagram.blocks.boxes import SIGN
from archdsl.backends.diagram.blocks.definitions import Definition
from archdsl.backends.diagram.blocks.tree import Parallel, tree_of
from archdsl.backends.diagram.canvas import Box, Canvas, Line
from archdsl.graph.ir import Graph
from archdsl.graph.scopes import BlockScope

SHORTEST = 3
"""Blocks in a row that make a rail."""
STEP = 46.0
OFFSET = 26.0
"""From the rail to a layer."""


def rail_of(graph: Graph, definition: Definition) -> Rail | None:
    """The rail of a definition; None if its instances do not extend one."""
    if len(definition.run) < SHORTEST or not _extends(definition):
        return None
    return Rail(graph, definition.name, definition.run)


def _extends(definition: Definition) -> bool:
    """Whether the block ends in the concatenation of its input and what it makes of it."""
    body = definition.forms[0].first
    tree = tree_of(body)
    if tree is None or len(tree) != 4 or not isinstance(tree[1], Parallel):
        return False
    lead = body.units[tree[1].sink].lead
    return lead.op.channels == "sum" and any(not branch for branch in tree[1].branches)


class Rail:
    """A row of blocks. `width` and `height` are those of the drawing."""

    def __init__(self, graph: Graph, name: str, run: list[BlockScope]) -> None:
        first, second, last = run[0], run[1], run[-1]
        widths = [graph.shape(ref).channels for ref in (first.inputs[0], first.outputs[0], second.outputs[0])]
        self.sums = [f"{width}" for width in widths]
        self.end = str(graph.shape(last.outputs[0]).channels)
        self.count = len(run)
        self.place = run[0].path.rpartition(".")[0]
        self.words = [Line(f"{name} {text}", style.SIZE - 0.5, True) for text in ("1", "2", str(self.count))]
        self.box = max(line.width for line in self.words) + 12
        self.left = max(Line(text, style.SMALL).width for text in [*self.sums, self.end]) + 8
        self.width = self.left + OFFSET + self.box + 4
        self.height = 3 * STEP + 44

    def caption(self) -> str:
        where = f" in {self.place}" if self.place else ""
        return f"{self.count} in a row{where}: each takes all channels made before it"

    def draw(self, canvas: Canvas, left: float, top: float) -> None:
        """The rail from top to bottom, its channels on the left, the layers on the right."""
        x, y = left + self.left, top + 4
        start = canvas.anchor(x, y)
        signs = []
        for index, line in enumerate(self.words):
            gap = 16 if index == 2 else 0
            middle = y + STEP * index + 22 + gap
            layer = canvas.box(
                x + OFFSET + self.box / 2,
                middle,
                self.box,
                20,
                style.LOOKS["block"],
                lines=[line],
                rounded=True,
                kind="hint",
            )
            sign = canvas.box(
                x, middle + 22, SIGN, SIGN, style.LOOKS["merge"], lines=[Line("‖", style.SIZE)], shape="circle",
                kind="hint", legend=False,
            )  # fmt: skip
            canvas.arrow(start, layer, [(x, middle), layer.left], radius=4)
            canvas.arrow(layer, sign, [layer.bottom, (layer.x, sign.y), sign.right], radius=4)
            signs.append(sign)
            if index < 2:
                canvas.text(x - 5, middle - 4, Line(self.sums[index], style.SMALL), "right")
        self._draw_rail(canvas, start, signs, x)

    def _draw_rail(self, canvas: Canvas, start: Box, signs: list[Box], x: float) -> None:
        first, second, last = signs
        canvas.arrow(start, first, [(x, start.y), first.top], wide=True)
        canvas.arrow(first, second, [first.bottom, second.top], wide=True)
        canvas.text(x - 5, second.y + 17, Line(self.sums[2], style.SMALL), "right")
        canvas.arrow(second, last, [second.bottom, last.top], wide=True)
        canvas.text(x - 7, second.y + 30, Line("…", style.SIZE, True), "right")
        end = canvas.anchor(x, last.y + 26)
        canvas.arrow(last, end, [last.bottom, (x, last.y + 26)], wide=True)
        canvas.text(x - 5, last.y + 18, Line(self.end, style.SMALL), "right")
