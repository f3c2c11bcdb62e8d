"""Pictures of networks: takes graphs, or what is plotted of them; gives drawings, a page, a notebook's view. No torch.

A level (`overview`, `blocks`, `graph`, `diff`: a package each) puts a graph on a `canvas`, in the colours and sizes of
`style`, with text measured by `text`; what is no figure of its own is placed by Graphviz (`layout`). That is a
`Drawing`: DOT in which every place is given, of which `render` makes SVG, PNG or PDF. `plot` and `chart` draw numbers,
`html_page` gives HTML.
"""

from archdsl.backends.diagram.choices import FORMATS, LEVELS
from archdsl.backends.diagram.drawing import Drawing, Options
from archdsl.backends.diagram.levels import draw, page

__all__ = ["FORMATS", "LEVELS", "Drawing", "Options", "draw", "page"]
