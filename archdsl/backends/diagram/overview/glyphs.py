"""The glyphs of an overview: their sizes, words and colours; and what both layouts share: bars, legend."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Box, Canvas, Line
from archdsl.backends.diagram.overview.segments import Segment, ends, kind_of
from archdsl.backends.diagram.style import Look
from archdsl.backends.diagram.text import fit, wrap
from archdsl.graph.ir import Graph
from archdsl.ops.spec import Shape

LABEL = 52.0
"""Width of the words of a glyph."""
WIDTHS = (LABEL + 4, 2 * LABEL, 4 * LABEL)
"""To which a path is cut: the first that still tells it from the others."""
MOST = 3
"""Lines for the kinds of blocks of one stage."""
LENGTH = 0.75
"""Of a vector, for the square root of its channels: 4096 are 48 points."""
SHEET = 2.0
"""How far the sheets behind a repeated glyph stand out."""
_NUMBERED = re.compile(r"(.*?)([0-9]*)\Z", re.DOTALL)


@dataclass(slots=True, eq=False)
class Glyph:
    """A segment, or the image (`segment` None); the layouts give it its sides."""

    segment: Segment | None
    shape: Shape
    scale: float
    """The highest resolution is 1."""
    look: Look
    title: list[str]
    path: str
    outputs: list[str] = field(default_factory=list)
    """What the outputs of the network are called that it gives; an empty name where there is one alone."""
    leaves: bool = False
    """Whether an arrow without an end says so: where none to the next glyph is in its way."""
    box: Box | None = None

    @property
    def times(self) -> int:
        """How often the segment's block follows itself; 1 where there are several kinds."""
        return self.segment.blocks[0][0] if self.segment and len(self.segment.blocks) == 1 else 1

    @property
    def sheets(self) -> int:
        """How many more are hinted at behind the glyph."""
        times = max([times for times, _ in self.segment.blocks], default=1) if self.segment else 1
        return min(2, times - 1)

    @property
    def is_vector(self) -> bool:
        return self.shape.height == self.shape.width == 1

    @property
    def words(self) -> list[Line]:
        """What is written at the glyph: what it is, where it is, and which outputs it gives."""
        lines = [Line(text, style.SMALL, True) for text in self.title]
        lines += [Line(self.path, style.SMALL, colour=style.FAINT)] if self.path else []
        return [*lines, *(Line(tag, style.SMALL) for tag in self.tags)]

    @property
    def tags(self) -> list[str]:
        """The names of its outputs."""
        return [f"→ {fit(name, 1.5 * LABEL, style.SMALL)}" for name in self.outputs if name]

    @property
    def label(self) -> float:
        """Width of its words."""
        return max(line.width for line in self.words)

    def draw(self, canvas: Canvas, x: float, y: float, wide: float, high: float) -> Box:
        """Put it on the canvas, with sheets and `×3`."""
        for sheet in range(self.sheets, 0, -1):
            off = SHEET * sheet
            canvas.box(x + off, y - off, wide, high, self.look, kind="sheet", legend=False)
        name = (self.segment.path or self.segment.nodes[0].path) if self.segment else "input"
        tip = f"{name}: {self.shape}"
        if self.segment:
            tip += f"\n{self.segment.params:,} parameters, {self.segment.macs:,} MACs"
        covers = [node.id for node in self.segment.nodes] if self.segment else [0]
        self.box = canvas.box(x, y, wide, high, self.look, covers=covers, id=f"segment-{name}", tooltip=tip)
        return self.box


class Shares(NamedTuple):
    """What the bars measure: totals of the graph, and the largest share of any segment."""

    params: int
    macs: int
    largest: float = 1.0

    @classmethod
    def of(cls, graph: Graph, segments: Sequence[Segment]) -> Shares:
        whole = cls(graph.params, graph.macs)
        return whole._replace(
            largest=max((share for segment in segments for share in whole.both(segment)), default=0) or 1
        )

    def both(self, segment: Segment) -> tuple[float, float]:
        """The shares of a segment, 0 to 1."""
        return segment.params / (self.params or 1), segment.macs / (self.macs or 1)


def glyphs_of(graph: Graph, segments: Sequence[Segment]) -> list[Glyph]:
    """The image, then the segments."""
    names = dict.fromkeys(segment.main for segment in segments if segment.main)
    looks = {name: style.block_look(index, name) for index, name in enumerate(names)}
    image = graph.input_shape
    largest = max(shape.height * shape.width for shape in (image, *(segment.output for segment in segments)))
    last = ends(graph, segments)
    found = [Glyph(None, image, _scale(image, largest), style.LOOKS["input"], ["input"], "", last.get(-1, []))]
    paths = _names(segments)
    for index, segment in enumerate(segments):
        look = looks[segment.main] if segment.main else style.LOOKS[segment.category]
        shape = segment.output
        found.append(
            Glyph(segment, shape, _scale(shape, largest), look, _title(segment), paths[index], last.get(index, []))
        )
    return found


def _scale(shape: Shape, largest: int) -> float:
    return float((shape.height * shape.width / largest) ** 0.25)


def _title(segment: Segment) -> list[str]:
    if segment.lead is not None and not segment.blocks:
        return wrap(kind_of(segment.lead), LABEL, style.SMALL, True)[:3]
    if len(segment.blocks) == 1:
        return [fit(segment.blocks[0][1], 1.5 * LABEL, style.SMALL, True)]
    pieces = [f"{times} × {name}" if times > 1 else name for times, name in segment.blocks]
    if len(pieces) > MOST:
        pieces = [*pieces[: MOST - 2], "…", pieces[-1]]
    return [fit(f"{piece} +", 1.5 * LABEL, style.SMALL, True) for piece in pieces[:-1]] + [pieces[-1]]


def _names(segments: Sequence[Segment]) -> list[str]:
    """The segments' names in the spec: as much of each path as tells them apart; that of several as `cell_6–11`."""
    paths = {segment.path for segment in segments}
    counts = Counter(tail for path in paths for tail in _tails(path))
    names = [_name(segment, counts) for segment in segments]
    found = [fit(name, WIDTHS[0], style.SMALL) for name in names]
    for width in WIDTHS[1:]:  # what was cut must not be what tells them apart
        taken = Counter({text: len({n for n, t in zip(names, found, strict=True) if t == text}) for text in found})
        found = [fit(n, width, style.SMALL) if taken[t] > 1 else t for n, t in zip(names, found, strict=True)]
    return found


def _name(segment: Segment, counts: Counter[str]) -> str:
    tails = (tail for tail in _tails(segment.path) if counts[tail] == 1 and not tail.partition(".")[0].isdigit())
    first = next(tails, segment.path)
    if segment.count > 1:
        shared = _shared(segment.path, segment.last)
        rest = segment.last[len(shared) :]
        first += f"–{rest}" if shared and len(rest) < 4 else f" … {segment.last.rpartition('.')[2]}"
    return first


def _tails(path: str) -> Iterator[str]:
    """The ends of a path, the shortest first: `c`, `b.c`, `a.b.c`."""
    parts = path.split(".")
    return (".".join(parts[start:]) for start in reversed(range(len(parts))))


def _shared(a: str, b: str) -> str:
    """What two paths begin with, cut before a number that is not the same."""
    count = next((index for index, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))
    found = _NUMBERED.match(a[:count])
    return found[1] if found else ""


# --- what both layouts share -----------------------------------------------------------------


def legend(canvas: Canvas, y: float, width: float, direction: str, glyphs: Sequence[Glyph]) -> None:
    """The looks in use and how to read the glyphs, from y on."""
    y = canvas.legend(y, width, style.BARS)
    along, across = ("height", "width") if direction == "lr" else ("width", "height")
    vectors = f" ({along} of vectors by √channels)" if any(glyph.is_vector for glyph in glyphs) else ""
    note = f"Glyphs: {along} by √resolution{vectors}, {across} by √channels; on the arrows: channels × height × width."
    for text in wrap(note, width, style.SMALL):
        y += 11
        canvas.text(0, y, Line(text, style.SMALL, colour=style.FAINT), "left")
