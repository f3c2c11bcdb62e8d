"""The boxes of a form with their sizes: takes a form and a limit of width, gives a `SizedUnit` for every unit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.backends.diagram import style
from archdsl.backends.diagram.blocks.definitions import Form
from archdsl.backends.diagram.blocks.units import Unit
from archdsl.backends.diagram.blocks.words import lines_of, terminal
from archdsl.backends.diagram.canvas import Box, Canvas, Line
from archdsl.backends.diagram.style import Look
from archdsl.backends.diagram.text import LINE
from archdsl.graph.ir import Cost, Graph

SIGN = 12.0
"""Diameter of a sign."""
BAR = 16.0
"""What each of many lines takes where they arrive."""
PADDING = (10.0, 7.0)
SPREAD = 0.9
"""Share of the top of a box on which lines arrive."""
PORT = 7.0
"""Height of the names of inputs."""


@dataclass(slots=True, eq=False)
class SizedUnit:
    """A unit with its words; `draw` puts it on a canvas."""

    unit: Unit
    lines: list[Line]
    look: Look
    wide: float
    high: float
    covers: list[int]
    tooltip: str
    ports: tuple[str, ...] = ()
    """Of an inner block with several inputs: what it calls each of them."""

    @property
    def is_bar(self) -> bool:
        """Whether it is a sign at which many lines arrive."""
        return self.unit.kind == "sign" and self.wide > SIGN

    def widen(self, lines: int) -> None:
        """Make a bar of a sign at which many lines arrive."""
        if self.unit.kind == "sign" and lines > 3:
            self.wide = BAR * lines

    def slots(self, x: float) -> list[float]:
        """Where on the top of a box around x its inputs arrive, each by itself: what meets is read as a sum."""
        count = len(self.unit.inputs)
        return [x + ((number + 1) / (count + 1) - 0.5) * self.wide * SPREAD for number in range(count)]

    def operand(self, canvas: Canvas, place: int, x: float, y: float) -> None:
        """Of a difference, say beside an arrow that arrives at x, y which of both it is."""
        if self.unit.kind == "sign" and sign(self.unit) == "−":
            canvas.text(x, y, Line("−" if place else "+", style.SMALL))

    def draw(self, canvas: Canvas, x: float, y: float, id: str, order: Sequence[int] = ()) -> Box:
        """Centred on x, y. `order` has the inputs as they arrive, from left to right."""
        kind = self.unit.kind
        if kind in ("input", "output"):
            name = canvas.anchor(x, y).name
            for line in self.lines:
                canvas.text(x, y, line)
            return Box(name, x, y, self.wide, self.high)
        box = canvas.box(
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
        for port, place in zip(order if self.ports else (), self.slots(x), strict=False):
            canvas.text(place, box.top[1] + PORT / 2 + 1, Line(self.ports[port], style.TINY, colour=style.SOFT))
        return box


def boxes_of(graph: Graph, form: Form, limit: float) -> list[SizedUnit]:
    """A box for each unit, those of layers of one width. `limit` is the width of a box's words."""
    made = [_box(graph, form, index, limit) for index in range(len(form.first.units))]
    widest = max((box.wide for box in made if box.unit.kind in ("op", "block")), default=0)
    for box in made:
        if box.unit.kind in ("op", "block"):
            box.wide = widest
    return made


def _box(graph: Graph, form: Form, index: int, limit: float) -> SizedUnit:
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
            return SizedUnit(unit, [line], style.LOOKS["merge"], SIGN, SIGN, covers, tooltip)
    lines = lines_of(form, index, limit)
    look = style.LOOKS["block"] if unit.kind == "block" else style.LOOKS[unit.lead.op.role]
    if look.text != style.INK:
        lines = [line._replace(colour=look.text) for line in lines]
    wide = max(line.width for line in lines) + PADDING[0]
    ports = _ports(unit)
    if ports:
        lines.insert(0, Line("", PORT / LINE))
        room = max(Line(port, style.TINY).width for port in ports) + 4
        wide = max(wide, (len(ports) + 1) * room / SPREAD)
    high = sum(line.height for line in lines) + PADDING[1]
    return SizedUnit(unit, lines, look, wide, high, covers, tooltip, ports)


def _ports(unit: Unit) -> tuple[str, ...]:
    """What an inner block calls its inputs, where there are several."""
    scope = unit.scope
    if scope is None or len(unit.inputs) < 2:
        return ()
    named = list(zip(scope.input_names, scope.inputs, strict=False))
    return tuple(", ".join(name for name, given in named if given == ref) for _, ref in unit.inputs)


def sign(unit: Unit) -> str:
    """What stands in a circle: +, ×, or ‖ for what lays channels side by side."""
    return "‖" if unit.lead.op.channels == "sum" else unit.lead.label


def _terminal(graph: Graph, form: Form, unit: Unit) -> SizedUnit:
    symbol, channels = terminal(graph, form, unit)
    several = sum(other.kind == unit.kind for other in form.first.units) > 1 or ", " in unit.name
    text = f"{symbol} = {channels}" if symbol else channels
    line = Line(f"{unit.name} ({channels})" if several and unit.name else text, style.SMALL, colour=style.INK)
    return SizedUnit(unit, [line], style.LOOKS["input"], line.width, line.height, [], "")


def _tooltip(unit: Unit) -> str:
    first = unit.scope.path if unit.scope else unit.lead.path
    cost = Cost.of(unit.nodes)
    return f"{first}: {unit.nodes[-1].shape}\n{cost.params:,} parameters, {cost.macs:,} MACs"
