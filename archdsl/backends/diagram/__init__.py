"""Pictures of a graph, as Graphviz draws them; no torch.

A level (`overview`, `blocks`, …: one module each, `drawing.LEVELS`) takes a `Graph` and gives a `Drawing`: DOT, written
through `dot`, in the colours and sizes of `style`, with text measured by `text`. `render` makes SVG, PNG or PDF
of it. `page` gives HTML.
"""

from archdsl.backends.diagram.drawing import FORMATS, LEVELS, Drawing, Options, draw, page

__all__ = ["FORMATS", "LEVELS", "Drawing", "Options", "draw", "page"]
