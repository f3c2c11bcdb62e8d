"""Level diff: two architectures in one picture. Takes two graphs; gives a `Drawing`.

`strip` shows the stages of both with what they cost, before and after; below it stands each block that changed, once
for all the places where it changed alike: `rows` says what there is to see, `across` and `down` where.
"""

from __future__ import annotations

from itertools import groupby

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Canvas, Line
from archdsl.backends.diagram.choices import Direction
from archdsl.backends.diagram.diff.across import Across
from archdsl.backends.diagram.diff.down import Down
from archdsl.backends.diagram.diff.listed import ChangeList
from archdsl.backends.diagram.diff.looks import LOOKS, legend
from archdsl.backends.diagram.diff.strip import draw_strip
from archdsl.backends.diagram.drawing import Drawing, Options, bounded
from archdsl.backends.diagram.style import COLUMN, MARGIN, PAGE
from archdsl.backends.diagram.text import fit, wrap
from archdsl.graph.diff import wording
from archdsl.graph.diff.brief import alone
from archdsl.graph.diff.changes import DistinctChange, GraphDiff
from archdsl.graph.diff.compare import diff, distinct, merged
from archdsl.graph.diff.everywhere import Everywhere, everywhere
from archdsl.graph.ir import Graph

_APART = 18.0
_MOST = 4
"""Blocks to show above which those that differ in details are one."""


def draw(before: Graph, after: Graph, options: Options) -> Drawing:
    """What came, went and changed from one graph to another."""
    difference = diff(before, after)
    bounded("diff", after.name, "stages that came, went or changed", len(difference.sections))
    common, rest = everywhere(difference)
    width = (PAGE if options.columns == 2 else COLUMN) - 2 * MARGIN
    canvas = Canvas()
    y = _heading(canvas, difference, width)
    y = draw_strip(canvas, difference, y, width) + 12
    y = _common(canvas, common, y, width)
    y = _loose(canvas, difference, y, width)
    direction = options.direction or ("lr" if options.columns == 2 else "tb")
    changes = distinct(rest, whole=True)
    changes = merged(changes) if len(changes) > _MOST else changes
    bounded("diff", after.name, "changes", len(changes))
    y = _panels(canvas, changes, y, width, direction)
    legend(canvas, 0, y + 4, width)
    name = f"{before.name}-{after.name}"
    return canvas.drawing(name, "diff", f"{before.title} and {after.title}: what differs")


def _heading(canvas: Canvas, difference: GraphDiff, width: float) -> float:
    """The names, and what both cost."""
    title = wording.changed_text(difference.before.title, difference.after.title)
    name = Line(fit(title, width, style.TITLE, True), style.TITLE, True)
    canvas.text(0, 6, name, "left")
    old, new = difference.costs
    facts = [_cost_text("parameters", old.params, new.params), _cost_text("MACs", old.macs, new.macs)]
    facts += [wording.parameter_text(parameter) for parameter in difference.image]
    line = Line(", ".join(facts), style.SMALL + 0.5, colour=style.FAINT)
    if name.width + 10 + line.width <= width:
        canvas.text(name.width + 10, 6.7, line, "left")
        return 22
    y = 18.0
    for text in wrap(line.text, width, line.size):
        canvas.text(0, y, line._replace(text=text), "left")
        y += line.height
    return y + 5


def _cost_text(what: str, old: int, new: int) -> str:
    """`25.6M → 25.0M parameters (−2.1 %)`"""
    text = f"{wording.changed_text(style.count_text(old), style.count_text(new))} {what}"
    return text if old == new else f"{text} ({wording.percent(old, new)})"


def _common(canvas: Canvas, common: list[Everywhere], y: float, width: float) -> float:
    """What changed in all layers of a kind, in a line for each kind."""
    for op, items in groupby(common, key=lambda item: item.op):
        found = list(items)
        text = ", ".join(wording.parameter_text(item.parameter) for item in found)
        for line in wrap(f"In all {found[0].count} {op}: {text}", width, style.SMALL):
            canvas.text(0, y, Line(line, style.SMALL), "left")
            y += 9
    return y + 6 if common else y


def _loose(canvas: Canvas, difference: GraphDiff, y: float, width: float) -> float:
    """Layers outside any block that came and went between the blocks of a stage."""
    notes = alone(difference, named=False)
    for note in notes:
        sign = Line(wording.SIGNS[note.status], style.SMALL, True, LOOKS[note.status].line)
        canvas.text(0, y, sign, "left")
        for line in wrap(note.text, width - 9, style.SMALL):
            canvas.text(9, y, Line(line, style.SMALL), "left")
            y += 9
    return y + 6 if notes else y


def _panels(canvas: Canvas, changes: list[DistinctChange], y: float, width: float, direction: Direction) -> float:
    """The blocks that changed, side by side, in as many rows as the width asks for."""
    rows: list[list[_Panel]] = []
    x = 0.0
    for change in changes:
        panel = _Panel(change, _block(change, width, direction), width)
        if not rows or x + panel.wide > width:
            rows.append([])
            x = 0.0
        rows[-1].append(panel)
        x += panel.wide + _APART
    for index, row in enumerate(rows):
        x, title = 0.0, max(panel.title for panel in row)
        for number, panel in enumerate(row):
            panel.draw(canvas, x, y, title, f"block{index}.{number}")
            x += panel.wide + _APART
        y += title + max(panel.block.high for panel in row) + 15
    return y


def _block(change: DistinctChange, width: float, direction: Direction) -> Across | Down | ChangeList:
    """The block laid out as asked for if that shows it and the page has room, else in the other way, or in words."""
    for layout in (Across, Down) if direction == "lr" else (Down, Across):
        block = layout(change)
        if block.wide <= width and block.is_plain:
            return block
    return ChangeList(DistinctChange(change.places[:1]), width)


class _Panel:
    """A block that changed, with its name, how many there are and where."""

    def __init__(self, change: DistinctChange, block: Across | Down | ChangeList, width: float) -> None:
        self.block = block
        units = [unit.name for unit in (change.example.before, change.example.after) if unit is not None]
        count, _, where = wording.places_text(change).partition(" in ")
        name = wording.changed_text(units[0] or units[-1], units[-1]) or where
        places = f"{count} in {where}" if units[-1] else ""
        self.name = Line(fit(name, width, style.SIZE, True), style.SIZE, True)
        self.places = Line(fit(places, width, style.SMALL), style.SMALL, colour=style.FAINT)
        self.beside = self.name.width + 8 + self.places.width <= max(block.wide, 100)

    @property
    def wide(self) -> float:
        return max(self.block.wide, self.name.width, self.places.width)

    @property
    def title(self) -> float:
        """What stands above the block."""
        return 13.0 if self.beside or not self.places.text else 22.0

    def draw(self, canvas: Canvas, x: float, y: float, title: float, prefix: str) -> None:
        canvas.text(x, y + 4, self.name, "left")
        if self.beside:
            canvas.text(x + self.name.width + 8, y + 4.4, self.places, "left")
        else:
            canvas.text(x, y + 13, self.places, "left")
        self.block.draw(canvas, x, y + title, prefix)
