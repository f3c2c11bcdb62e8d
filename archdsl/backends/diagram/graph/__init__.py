"""Level graph: every op in nested frames by path, equal neighbours folded. Takes a `Graph`, gives a `Drawing`.

`view` says what is open, `nest` where things are, `words` what they say, `paint` puts them on a canvas. The id of every
element is the path of its op or block, where what may not stand in an XML name is `_`.
"""

from __future__ import annotations

from archdsl.backends.diagram.drawing import Drawing, Options
from archdsl.backends.diagram.graph.nest import Nest
from archdsl.backends.diagram.graph.paint import Painter
from archdsl.backends.diagram.graph.words import Wording
from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.suggest import closest
from archdsl.graph.fold import FoldedGraph, fold
from archdsl.graph.ir import Graph
from archdsl.graph.parts import Part
from archdsl.graph.view import view


def draw(graph: Graph, options: Options) -> Drawing:
    """The picture; raises ArchError E614 where `options.expand` names what is not there."""
    folded = fold(graph)
    shown = view(folded, options.depth, _parts(folded, options.expand))
    wording = Wording(shown)
    frame = Nest(shown, wording).frame(folded.root)
    return Painter(wording).paint(frame)


def _parts(folded: FoldedGraph, paths: tuple[str, ...]) -> list[Part]:
    """The parts at paths."""
    bag = Bag()
    known = {part.path: part for part in folded.root.walk() if part is not folded.root}
    for path in paths:
        if path not in known:
            bag.report("E614", None, path=path, name=folded.graph.name, suggestion=closest(path, known))
    bag.raise_errors()
    return [known[path] for path in paths]
