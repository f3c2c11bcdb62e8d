"""The page of level blocks: a panel for each definition, its forms side by side in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from archdsl.backends.diagram import style
from archdsl.backends.diagram.blocks.boxes import SizedUnit, boxes_of
from archdsl.backends.diagram.blocks.definitions import Definition, Form
from archdsl.backends.diagram.blocks.layered import Layered
from archdsl.backends.diagram.blocks.rail import rail_of
from archdsl.backends.diagram.blocks.spine import Spine
from archdsl.backends.diagram.blocks.tree import tree_of
from archdsl.backends.diagram.blocks.words import meanings
from archdsl.backends.diagram.canvas import Canvas, Line
from archdsl.backends.diagram.drawing import Drawing, Options
from archdsl.backends.diagram.heading import heading
from archdsl.backends.diagram.text import fit, wrap
from archdsl.graph.ir import Graph

LIMITS = (100.0, 84.0, 70.0, 58.0, 48.0)
"""Widths of a box's words, the first that fits the page being taken."""
MARGIN = 10.0
NOTE = 110.0
"""Least width of a panel that says what names mean."""
BETWEEN = 22.0
"""Between two forms of a panel."""


class Figure(Protocol):
    """A form that knows its size."""

    width: float
    height: float

    def draw(self, canvas: Canvas, left: float, top: float) -> None: ...


class Page:
    """Collects panels, on shelves as wide as the page."""

    def __init__(self, graph: Graph, options: Options) -> None:
        self.graph = graph
        width = style.PAGE if options.columns == 2 else style.COLUMN
        self.width = width - 2 * style.MARGIN
        self.canvas = Canvas(width)
        self.panels: list[BlockPanel] = []

    def add(self, definition: Definition) -> None:
        captions = [_caption(definition, form) for form in definition.forms]
        figures: list[Figure] = []
        notes: dict[str, dict[str, None]] = {}
        for index, form in enumerate(definition.forms):
            figure, boxes = self._figure(definition, index)
            figures.append(figure)
            for name, text in meanings(form.algebra, [line for box in boxes for line in box.lines]):
                notes.setdefault(name, {})[text] = None
        rail = rail_of(self.graph, definition)
        if rail is not None:
            figures.append(rail)
            captions.append(rail.caption())
        lines = [f"{name} = {' or '.join(texts)}" for name, texts in notes.items()]
        self.panels.append(BlockPanel(definition.name, lines, list(zip(figures, captions, strict=True)), self.width))

    def finish(self) -> Drawing:
        y = heading(self.canvas, self.graph, self.width, "")
        for shelf in self._shelves():
            height = max(panel.height for panel in shelf)
            x = 0.0
            for panel in shelf:
                panel.draw(self.canvas, x, y, height)
                x += panel.width + MARGIN
            y += height + MARGIN
        if not self.panels:
            line = Line("no blocks of more than one layer", style.SIZE)
            self.canvas.text(0, y, line._replace(text=fit(line.text, self.width, line.size)), "left")
        self.canvas.legend(y + 4, self.width)
        return self.canvas.drawing(self.graph.name, "blocks", f"{self.graph.title}: blocks")

    def _shelves(self) -> list[list[BlockPanel]]:
        shelves: list[list[BlockPanel]] = []
        used = 0.0
        for panel in self.panels:
            if shelves and used + MARGIN + panel.width <= self.width:
                shelves[-1].append(panel)
                used += MARGIN + panel.width
            else:
                shelves.append([panel])
                used = panel.width
        return shelves

    def _figure(self, definition: Definition, index: int) -> tuple[Figure, list[SizedUnit]]:
        form = definition.forms[index]
        name = f"{definition.name}-{index + 1}"
        tree = tree_of(form.first)
        figure: Figure
        for limit in LIMITS:
            boxes = boxes_of(self.graph, form, limit)
            figure = Layered(form.first, boxes, name) if tree is None else Spine(tree, boxes, name)
            if figure.width <= self.width - 2 * MARGIN:
                break
        return figure, boxes


def _caption(definition: Definition, form: Form) -> str:
    """How many blocks have this form, and the first of them."""
    total = sum(len(other.bodies) for other in definition.forms)
    scopes = [body.scope for body in form.bodies]
    share = f"{len(scopes)} of {total}" if len(definition.forms) > 1 else f"{total}"
    names = ", ".join(scope.path for scope in scopes[:2]) + (",\N{NO-BREAK SPACE}…" if len(scopes) > 2 else "")
    return f"{share} block{'s' * (total > 1)}: {names}"


class BlockPanel:
    """A framed definition: its name and what the names in it mean, its forms in rows, what each stands for."""

    def __init__(self, name: str, notes: Sequence[str], figures: Sequence[tuple[Figure, str]], limit: float) -> None:
        room = limit - 2 * MARGIN
        self.rows: list[list[tuple[Figure, list[Line], float]]] = []
        used = 0.0
        for figure, words in figures:
            lines = wrap(words, min(room, max(figure.width, 80.0)), style.SMALL - 0.5)[:3]
            caption = [Line(text, style.SMALL - 0.5, colour=style.FAINT) for text in lines]
            wide = max([figure.width, *(line.width for line in caption)])
            if self.rows and used + BETWEEN + wide <= room:
                self.rows[-1].append((figure, caption, wide))
                used += BETWEEN + wide
            else:
                self.rows.append([(figure, caption, wide)])
                used = wide
        self.title = Line(fit(name, room, style.TITLE - 1, True), style.TITLE - 1, True)
        widest = max(self._row_width(row) for row in self.rows)
        self.width = max(widest, self.title.width, min(room, NOTE if notes else 0)) + 2 * MARGIN
        spare = self.width - 2 * MARGIN
        lines = [line for note in notes for line in wrap(note, spare, style.SMALL - 0.5)]
        self.notes = [Line(text, style.SMALL - 0.5, colour=style.FAINT) for text in lines]
        self.head = 22 + sum(line.height for line in self.notes) + (4 if notes else 0)
        self.height = self.head + sum(self._row_height(row) + 10 for row in self.rows) + 2

    def _row_width(self, row: Sequence[tuple[Figure, list[Line], float]]) -> float:
        return sum(wide for _, _, wide in row) + BETWEEN * (len(row) - 1)

    def _row_height(self, row: Sequence[tuple[Figure, list[Line], float]]) -> float:
        return max(figure.height + 6 + sum(line.height for line in caption) for figure, caption, _ in row)

    def draw(self, canvas: Canvas, left: float, top: float, height: float) -> None:
        look = style.Look(style.PANEL, style.FRAME, "panel")
        canvas.frame(left + self.width / 2, top + height / 2, self.width, height, look)
        canvas.text(left + MARGIN, top + 11, self.title, "left")
        y = top + 18
        for line in self.notes:
            canvas.text(left + MARGIN, y + line.height / 2, line, "left")
            y += line.height
        y = top + self.head
        for row in self.rows:
            x = left + (self.width - self._row_width(row)) / 2
            bottom = y + self._row_height(row)
            for figure, caption, wide in row:
                figure.draw(canvas, x + (wide - figure.width) / 2, y)
                line_y = bottom - sum(line.height for line in caption)
                for line in caption:
                    canvas.text(x + wide / 2, line_y + line.height / 2, line)
                    line_y += line.height
                x += wide + BETWEEN
            y = bottom + 10
