"""The boxes of a form with their sizes: takes a form and a limit of width, gives a `Sized` for every unit."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.backends.diagram import style
from archdsl.backends.diagram.blocks.definitions import Form
from archdsl.backends.diagram.blocks.units import Unit
from archdsl.backends.diagram.blocks.words import lines_of, terminal
from archdsl.backends.diagram.canvas import Box, Canvas, Line
from archdsl.backends.diagram.style import Look
from archdsl.graph.ir import Graph

SIGN = 12.0
"""Diameter of a sign."""
BAR = 16.0
"""What each of many lines takes where they arrive."""
PADDING = (10.0, 7.0)


@dataclass(slots=True, eq=False)
class Sized:
    """A unit with its words; `draw` puts it on a canvas."""

    unit: Unit
    lines: list[Line]
    look: Look
    wide: float
    high: float
    covers: list[int]
    tooltip: str

    @property
    def is_bar(self) -> bool:
        """Whether it is a sign at which many lines arrive."""
        return self.unit.kind == "sign" and self.wide > SIGN

    def widen(self, lines: int) -> None:
        """Make a bar of a sign at which many lines arrive."""
        if self.unit.kind == "sign" and lines > 3:
            self.wide = BAR * lines

    def draw(self, canvas: Canvas, x: float, y: float, id: str) -> Box:
        """Centred on x, y."""
        kind = self.unit.kind
        if kind in ("input", "output"):
            name = canvas.anchor(x, y).name
            for line in self.lines:
                canvas.text(x, y, line)
            return Box(name, x, y, self.wide, self.high)
        return canvas.box(
            x,
            y,
            self.wide,
            self.high,
            self.look,
            lines=self.lines,
            covers=self.covers,
            tooltip=self.tooltip,
            id=id,
            shape="circle" if kind == "sign" and not self.is_bar else "box",
            rounded=kind == "block",
            kind=kind,
            legend=kind != "sign",
        )


def boxes_of(graph: Graph, form: Form, limit: float) -> list[Sized]:
    """A box for each unit, those of layers of one width. `limit` is the width of a box's words."""
    made = [_box(graph, form, index, limit) for index in range(len(form.first.units))]
    widest = max((box.wide for box in made if box.unit.kind in ("op", "block")), default=0)
    for box in made:
        if box.unit.kind in ("op", "block"):
            box.wide = widest
    return made


def _box(graph: Graph, form: Form, index: int, limit: float) -> Sized:
    body = form.first
    unit = body.units[index]
    if unit.kind in ("input", "output"):
        return _terminal(graph, form, unit)
    covers = [node.id for other in form.bodies for node in other.units[index].nodes]
    tooltip = _tooltip(unit)
    if unit.kind == "sign":
        text = sign(unit)
        if len(text) == 1:
            line = Line(text, style.SIZE + 1.5)
            return Sized(unit, [line], style.LOOKS["merge"], SIGN, SIGN, covers, tooltip)
    lines = lines_of(form.bodies, index, limit)
    look = style.LOOKS["block"] if unit.kind == "block" else style.LOOKS[unit.lead.op.role]
    if look.text != style.INK:
        lines = [line._replace(colour=look.text) for line in lines]
    wide = max(line.width for line in lines) + PADDING[0]
    high = sum(line.height for line in lines) + PADDING[1]
    return Sized(unit, lines, look, wide, high, covers, tooltip)


def sign(unit: Unit) -> str:
    """What stands in a circle: +, ×, or ‖ for what lays channels side by side."""
    return "‖" if unit.lead.op.channels == "sum" else unit.lead.label


def _terminal(graph: Graph, form: Form, unit: Unit) -> Sized:
    body = form.first
    ref = unit.inputs[0][1] if unit.inputs else list(dict.fromkeys(body.scope.inputs))[unit.index]
    shape = graph.shape(ref)
    symbol = terminal(body, unit)
    several = sum(other.kind == unit.kind for other in body.units) > 1
    text = f"{symbol} = {shape.channels}" if symbol else f"{shape.channels}"
    words = f"{unit.name} ({shape.channels})" if several and unit.name else text
    line = Line(words, style.SMALL, colour=style.INK)
    return Sized(unit, [line], style.LOOKS["input"], line.width, line.height, [], "")


def _tooltip(unit: Unit) -> str:
    first = unit.scope.path if unit.scope else unit.lead.path
    params = sum(weight.elements for node in unit.nodes for weight in node.weights if weight.trainable)
    macs = sum(node.macs for node in unit.nodes)
    return f"{first}: {unit.nodes[-1].shape}\n{params:,} parameters, {macs:,} MACs"
