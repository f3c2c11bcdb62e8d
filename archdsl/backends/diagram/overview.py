"""Level overview: the network on one page.

Each part (a stage, a run of blocks, a layer) is a glyph of its output: the square root of its resolution one way, of
its channels the other. Sizes stand on the arrows, the shares of parameters and MACs below.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Box, Canvas, Line
from archdsl.backends.diagram.drawing import Drawing, Options
from archdsl.backends.diagram.parts import Part, parts_of
from archdsl.backends.diagram.style import Look
from archdsl.backends.diagram.text import fit, wrap
from archdsl.graph.ir import Graph
from archdsl.ops.spec import Shape

TALLEST, LOWEST, FLAT = 84.0, 11.0, 7.0
"""The height of the input's glyph; the least height; the width of a vector."""
LABEL = 52.0
"""Width of the text below a glyph."""
GAP = 5.0
SHEET = 2.0
BARS = 26.0
"""Height of a share of 100 %."""


@dataclass(slots=True)
class Column:
    """A glyph and what stands below it."""

    part: Part | None
    shape: Shape
    look: Look
    title: list[str]
    path: str
    wide: float = 0
    high: float = 0
    x: float = 0
    box: Box | None = None
    feeds: list[int] = field(default_factory=list)

    @property
    def sheets(self) -> int:
        """How many more are hinted at behind the glyph."""
        times = max([times for times, _ in self.part.blocks], default=1) if self.part else 1
        return min(2, times - 1)

    @property
    def reach(self) -> float:
        """How far the glyph goes to the right of its x."""
        return self.wide / 2 + SHEET * self.sheets

    @property
    def label(self) -> float:
        lines = [Line(text, style.SMALL, True) for text in self.title] + [Line(self.path, style.SMALL)]
        return max([line.width for line in lines] + [26.0 if self.part else 0])

    @property
    def size(self) -> tuple[str, str]:
        """What stands above and below the arrow to the next."""
        dims = self.shape.dims
        if len(dims) == 1:
            return str(dims[0]), ""
        return f"{self.shape.channels}×", f"{self.shape.height}×{self.shape.width}"


def draw(graph: Graph, options: Options) -> Drawing:
    """The overview of a graph."""
    columns = _columns(graph)
    canvas = Canvas()
    width = style.PAGE if options.columns == 2 else style.COLUMN
    rows = _rows(columns, width)
    y = _heading(canvas, graph)
    previous: Column | None = None
    for row in rows:
        y = _row(canvas, graph, row, y, previous)
        previous = row[-1]
    _legend(canvas, columns, y + 4, width)
    return canvas.drawing(graph.name, "overview", f"{graph.name}: overview")


def _heading(canvas: Canvas, graph: Graph) -> float:
    name = Line(graph.name, style.TITLE, True)
    canvas.text(0, 6, name, "left")
    facts = f"{style.count_text(graph.params)} parameters, {style.count_text(graph.macs)} MACs at {graph.input_shape}"
    canvas.text(name.width + 8, 6.5, Line(facts, style.SIZE, colour=style.FAINT), "left")
    return 20


def _columns(graph: Graph) -> list[Column]:
    parts = parts_of(graph)
    looks = _block_looks(parts)
    image = graph.input_shape
    columns = [Column(None, image, style.LOOKS["input"], ["input"], "")]
    for part in parts:
        look = looks[_main_block(part)] if part.blocks else style.LOOKS[part.category]
        columns.append(Column(part, part.output, look, _title(part), _path(part)))
    for column in columns:
        column.wide, column.high = _extent(column.shape, image)
    return columns


def _extent(shape: Shape, image: Shape) -> tuple[float, float]:
    if shape.height == shape.width == 1:
        return FLAT, min(60.0, max(14.0, 1.2 * shape.channels**0.5))
    share = (shape.height * shape.width / (image.height * image.width)) ** 0.25
    return min(56.0, max(6.0, 1.1 * shape.channels**0.5)), max(LOWEST, TALLEST * share)


def _main_block(part: Part) -> str:
    return max(part.blocks, key=lambda block: block[0])[1]


def _block_looks(parts: Sequence[Part]) -> dict[str, Look]:
    names = dict.fromkeys(_main_block(part) for part in parts if part.blocks)
    return {name: style.block_look(index, name) for index, name in enumerate(names)}


def _title(part: Part) -> list[str]:
    if part.lead is not None and not part.blocks:
        head, *details = part.lead.op.label(part.lead.params).split(", ")
        strides = [detail for detail in details if detail.startswith("/")]
        return wrap(" ".join([head, *strides]), LABEL, style.SMALL, True)[:3]
    text = " + ".join(f"{times} × {name}" if times > 1 else name for times, name in part.blocks)
    lines = wrap(text, LABEL + 6, style.SMALL, True)
    return lines if len(lines) <= 3 else [*lines[:2], "…"]


def _path(part: Part) -> str:
    """The part's name in the spec, unless it is only a number or one that was made up."""
    if part.lead is not None and not part.lead.labelled:
        return ""
    first, last = (path.rpartition(".")[2] for path in (part.path, part.last or part.path))
    if first.isdigit():
        first, last = part.path, part.last.rpartition(".")[2]
    text = first if part.count == 1 else f"{first} … {last}"
    return fit(text, LABEL + 4, style.SMALL)


# --- rows ------------------------------------------------------------------------------------


def _rows(columns: list[Column], width: float) -> list[list[Column]]:
    """The columns in as few rows as the width allows, of about equal length."""
    for count in range(1, len(columns) + 1):
        total = _place(columns)
        target = max(total / count, 40)
        while target <= width:
            rows = _broken(columns, target)
            if len(rows) <= count:
                return rows
            target += 4
    return [[column] for column in columns]


def _broken(columns: list[Column], limit: float) -> list[list[Column]]:
    rows: list[list[Column]] = []
    for column in columns:
        if rows and _place([*rows[-1], column]) <= limit:
            rows[-1].append(column)
        else:
            rows.append([column])
    return rows


def _place(row: Sequence[Column]) -> float:
    """Set the columns' x; gives the row's length."""
    x = 0.0
    for before, column in zip([None, *row], row, strict=False):
        if before is None:
            x = max(column.label, column.wide) / 2
        else:
            gap = max(Line(text, style.SMALL).width for text in before.size) + 11
            x += max(before.reach + gap + column.wide / 2, (before.label + column.label) / 2 + GAP)
        column.x = x
    last = row[-1]
    return x + max(last.reach + 4, last.label / 2)


def _row(canvas: Canvas, graph: Graph, row: list[Column], top: float, previous: Column | None) -> float:
    """Draw one row; gives the y of its end."""
    _place(row)
    high = max(column.high for column in row)
    axis = top + high / 2 + 6
    for column in row:
        _glyph(canvas, column, axis)
    for before, after in pairwise(row):
        _arrow(canvas, before, after, axis)
    if previous is not None:
        _return(canvas, previous, row[0], top)
    y = axis + high / 2 + 6
    lines = max(len(column.title) for column in row)
    for column in row:
        _caption(canvas, column, y)
    y += (lines + 1) * style.SMALL * 1.2 + 4
    _bars(canvas, graph, row, y)
    return y + BARS + 26


def _glyph(canvas: Canvas, column: Column, axis: float) -> None:
    part = column.part
    for sheet in range(column.sheets, 0, -1):
        off = SHEET * sheet
        canvas.box(column.x + off, axis - off, column.wide, column.high, column.look, kind="sheet", legend=False)
    covers = [node.id for node in part.nodes] if part else [0]
    name = part.path if part else "input"
    tip = f"{name}: {column.shape}"
    if part:
        tip += f"\n{part.params:,} parameters, {part.macs:,} MACs"
    column.box = canvas.box(
        column.x, axis, column.wide, column.high, column.look, covers=covers, id=f"part-{name}", tooltip=tip
    )


def _arrow(canvas: Canvas, before: Column, after: Column, axis: float) -> None:
    assert before.box is not None
    assert after.box is not None
    start, end = before.x + before.reach, after.box.left[0]
    canvas.arrow(before.box, after.box, [(start + 1, axis), (end - 1, axis)])
    _size(canvas, before, (start + end) / 2 - 1.5, axis)


def _size(canvas: Canvas, column: Column, x: float, axis: float) -> None:
    above, below = column.size
    canvas.text(x, axis - 5.5, Line(above, style.SMALL))
    canvas.text(x, axis + 5.5, Line(below, style.SMALL))


def _return(canvas: Canvas, before: Column, after: Column, top: float) -> None:
    """The line from the end of a row to the beginning of the next."""
    assert before.box is not None
    assert after.box is not None
    x0, y0 = before.x + before.reach, before.box.y
    x1, y1 = after.box.left
    out = x0 + max(Line(text, style.SMALL).width for text in before.size) + 12
    back = min(x1 - 14, -8)
    _size(canvas, before, (x0 + out) / 2, y0)
    canvas.arrow(
        before.box, after.box, [(x0 + 1, y0), (out, y0), (out, top - 8), (back, top - 8), (back, y1), (x1 - 1, y1)]
    )


def _caption(canvas: Canvas, column: Column, y: float) -> None:
    lines = [Line(text, style.SMALL, True) for text in column.title]
    lines.append(Line(column.path, style.SMALL, colour=style.FAINT))
    for line in lines:
        canvas.text(column.x, y + line.height / 2, line)
        y += line.height


def _bars(canvas: Canvas, graph: Graph, row: Sequence[Column], top: float) -> None:
    """The shares of all parameters and MACs of each part."""
    base = top + BARS + 8
    for column in row:
        if column.part is None:
            continue
        shares = ((column.part.params, graph.params), (column.part.macs, graph.macs))
        for (value, whole), look, side in zip(shares, style.BARS, (-1, 1), strict=True):
            share = value / whole if whole else 0
            x = column.x + side * 7
            high = max(0.6, share * BARS)
            canvas.box(x, base - high / 2, 9, high, look, kind="bar", legend=bool(share))
            canvas.text(x, base - high - 4, Line(style.share_text(share), 5.5, colour=style.FAINT))


# --- legend ----------------------------------------------------------------------------------


def _legend(canvas: Canvas, columns: Sequence[Column], y: float, width: float) -> None:
    x = 0.0
    for look in canvas.looks:
        line = Line(look.name, style.SMALL)
        if x and x + 12 + line.width > width:
            x, y = 0, y + 11
        canvas.box(x + 4, y, 8, 7, look, kind="key", legend=False)
        canvas.text(x + 11, y, line, "left")
        x += line.width + 22
    note = "Glyphs: height by √resolution, width by √channels; on the arrows: channels × height × width."
    for text in wrap(note, width, style.SMALL):
        y += 11
        canvas.text(0, y, Line(text, style.SMALL, colour=style.FAINT), "left")
