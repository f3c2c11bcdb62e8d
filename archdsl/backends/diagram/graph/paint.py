"""Puts a laid-out `Frame` on a canvas: frames, boxes, words, links, heading and legend."""

from __future__ import annotations

from collections.abc import Iterable

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Box, Canvas, Line
from archdsl.backends.diagram.drawing import Drawing
from archdsl.backends.diagram.graph.frames import HEADER, PADDING, SIGN, Frame, Item, Route
from archdsl.backends.diagram.graph.words import Wording, is_joint
from archdsl.backends.diagram.heading import heading
from archdsl.backends.diagram.style import Look
from archdsl.graph.ir import Ref

_BEHIND = 2.5
"""How far the sheet behind something that is there several times sticks out."""
_FRAMES = (Look("#FAFAFA", style.FRAME, "frame"), Look("#F3F3F3", style.FRAME, "frame"))


class Painter:
    """Draws one picture."""

    def __init__(self, wording: Wording) -> None:
        self.wording = wording
        self.graph = wording.graph
        self.canvas = Canvas()

    def paint(self, frame: Frame) -> Drawing:
        top = self._heading(frame.wide)
        self._frames(frame, 0, top, 0)
        self._boxes(frame, 0, top)
        self._links(frame, 0, top)
        self.canvas.legend(top + frame.high + 12, max(frame.wide, style.COLUMN))
        return self.canvas.drawing(self.graph.name, "graph", f"{self.graph.title}: graph")

    def _heading(self, width: float) -> float:
        """Name, sizes and costs; gives where the picture begins."""
        root = self.wording.folded.root
        outputs = self.graph.outputs
        gives = str(self.graph.output_shape) if len(outputs) == 1 else f"{len(outputs)} outputs"
        sizes = f"{self.graph.input_shape} → {gives}"
        facts = f"{sizes},  {style.count_text(root.params)} params,  {style.count_text(root.macs)} MACs"
        return heading(self.canvas, self.graph, max(width, style.COLUMN), facts)

    # --- frames and boxes --------------------------------------------------------------------

    def _frames(self, frame: Frame, left: float, top: float, depth: int) -> None:
        for item in frame.items:
            if item.frame is None:
                continue
            x, y = left + item.x, top + item.y
            look = _FRAMES[depth % 2]
            self._sheet(item, x, y, look)
            self._box(item, x, y, look, "frame")
            self._header(item, x, y)
            self._frames(item.frame, x, y, depth + 1)

    def _header(self, item: Item, x: float, y: float) -> None:
        self._pieces(item.words.first, x + PADDING, y + HEADER / 2 + 0.5)
        scope = item.part.scope
        if item.frame is None or scope is None or len(scope.input_names) < 2:
            return
        names: dict[Ref, list[str]] = {}
        for name, ref in zip(scope.input_names, scope.inputs, strict=False):
            names.setdefault(ref, []).append(name)
        free = PADDING + sum(line.width for line in item.words.first)  # beside the title, where no links are
        for ref, at in item.frame.ins.items():
            line = Line(", ".join(names.get(ref, ())), style.SMALL, colour=style.FAINT)
            left = at + 4 if at + 4 + line.width < item.wide else at - 4 - line.width
            middle = HEADER / 2 + 0.5 if left > free else HEADER + 2
            self.canvas.text(x + left, y + middle, line, "left")

    def _boxes(self, frame: Frame, left: float, top: float) -> None:
        for item in frame.items:
            x, y = left + item.x, top + item.y
            if item.frame is not None:
                self._boxes(item.frame, x, y)
                continue
            look = self.wording.look(item.part)
            self._sheet(item, x, y, look)
            self._box(item, x, y, look, "op" if item.part.node is not None else "block")
            self._words(item, x, y, look)

    def _sheet(self, item: Item, x: float, y: float, look: Look) -> None:
        """A second sheet behind something that is there several times."""
        if item.run.count > 1:
            middle = x + item.wide / 2 + _BEHIND, y + item.high / 2 + _BEHIND
            self.canvas.box(*middle, item.wide, item.high, look, rounded=True, kind="behind", legend=False)

    def _box(self, item: Item, x: float, y: float, look: Look, kind: str) -> Box:
        part = item.part
        joint = part.node is not None and is_joint(part) and item.wide == SIGN
        covers = [node.id for node in self.wording.folded.covered(part)] if kind != "frame" else []
        return self.canvas.box(
            x + item.wide / 2,
            y + item.high / 2,
            item.wide,
            item.high,
            look,
            covers=covers,
            tooltip=self.wording.tooltip(item.run),
            id=part.path,
            shape="circle" if joint else "box",
            rounded=part.node is None,
            kind=kind,
            legend=kind != "frame" and not joint,
        )

    def _words(self, item: Item, x: float, y: float, look: Look) -> None:
        words = item.words
        rows = [words.first, words.second] if words.second else [words.first]
        high = [max(line.height for line in row) for row in rows]
        row_y = y + (item.high - sum(high)) / 2
        for row, height in zip(rows, high, strict=True):
            if item.wide == SIGN:
                row = [row[0]._replace(size=style.SIZE + 1)]
            coloured = [line._replace(colour=look.text) for line in row]
            self._pieces(coloured, x + (item.wide - sum(line.width for line in row)) / 2, row_y + height / 2)
            row_y += height

    def _pieces(self, pieces: Iterable[Line], x: float, y: float) -> None:
        for line in pieces:
            indent = len(line.text) - len(line.text.lstrip())
            text = line._replace(text=line.text.lstrip())
            self.canvas.text(x + line.width - text.width if indent else x, y, text, "left")
            x += line.width

    # --- links -------------------------------------------------------------------------------

    def _links(self, frame: Frame, left: float, top: float) -> None:
        for item in frame.items:
            if item.frame is not None:
                self._links(item.frame, left + item.x, top + item.y)
        for route in frame.routes:
            self._link(route, left, top)

    def _link(self, route: Route, left: float, top: float) -> None:
        points = [(x + left, y + top) for x, y in route.points]
        tail, head = self.canvas.anchor(*points[0]), self.canvas.anchor(*points[-1])
        self.canvas.curve(tail, head, points, plain=not route.arrow)
        if route.label:
            (x, y), text = route.label
            self.canvas.text(x + left, y + top, Line(text, style.SMALL, colour=style.FAINT))
