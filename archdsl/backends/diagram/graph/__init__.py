"""Level graph: every op in nested frames by path, equal neighbours folded. Takes a `Graph`, gives a `Drawing`.

`opened` says what is open, `frames` where things are (in `columns`, if they are a page), `words` what they say, `paint`
puts them on a canvas. The id of every element is the path of its op or block, where what may not stand in an XML name
is `_`.
"""

from __future__ import annotations

from archdsl.backends.diagram.drawing import Drawing, Options, bounded
from archdsl.backends.diagram.graph.frames import Frames
from archdsl.backends.diagram.graph.paint import Painter
from archdsl.backends.diagram.graph.words import Wording
from archdsl.backends.diagram.opened import opened
from archdsl.graph.fold import fold
from archdsl.graph.ir import Graph


def draw(graph: Graph, options: Options) -> Drawing:
    """The picture; raises ArchError E614 where `options.expand` names what is not there, E617 where it has too much."""
    folded = fold(graph)
    view = opened(folded, options)
    bounded("graph", graph.name, "boxes", len(view.boxes))
    wording = Wording(view)
    return Painter(wording).paint(Frames(wording).frame(folded.root))
