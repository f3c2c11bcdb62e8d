"""Level overview: the network on one page.

Each segment (`segments`: a stage, a run of blocks, a layer) is a glyph of its output (`glyphs`): the square root of its
resolution one way, of its channels the other. Sizes stand on the arrows, shares of parameters and MACs beside or below.
`across` lays them out left to right, `down` top down.
"""

from __future__ import annotations

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Canvas
from archdsl.backends.diagram.drawing import Drawing, Options, bounded
from archdsl.backends.diagram.heading import heading
from archdsl.backends.diagram.overview import across, down
from archdsl.backends.diagram.overview.glyphs import Shares, glyphs_of, legend
from archdsl.backends.diagram.overview.segments import links, segments_of
from archdsl.backends.diagram.style import COLUMN, MARGIN, PAGE
from archdsl.graph.ir import Graph


def draw(graph: Graph, options: Options) -> Drawing:
    """The overview of a graph: left to right, or top down where there is one column only."""
    segments = segments_of(graph)
    bounded("overview", graph.name, "stages and layers", len(segments))
    glyphs = glyphs_of(graph, segments)
    shares = Shares.of(graph, segments)
    width = PAGE if options.columns == 2 else COLUMN
    room = width - 2 * MARGIN
    direction = options.direction or ("lr" if options.columns == 2 else "tb")
    canvas = Canvas(width)
    edges = {(tail + 1, head + 1): refs for (tail, head), refs in links(graph, segments).items()}  # 0 is the image
    for index, glyph in enumerate(glyphs):
        glyph.leaves = bool(glyph.outputs) and (index, index + 1) not in edges
    lay_out = across.lay_out if direction == "lr" else down.lay_out
    facts = f"{style.count_text(graph.params)} parameters, {style.count_text(graph.macs)} MACs at {graph.input_shape}"
    top = heading(canvas, graph, room, facts)
    bottom, reach = lay_out(canvas, glyphs, edges, shares, top, room)
    legend(canvas, bottom, max(reach, COLUMN - 2 * MARGIN), direction, glyphs)
    return canvas.drawing(graph.name, "overview", f"{graph.title}: overview")
