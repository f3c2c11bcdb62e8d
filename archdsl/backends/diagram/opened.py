"""What a drawing shows open: takes a `FoldedGraph` and `Options`, gives a `View`; raises ArchError E614."""

from __future__ import annotations

from archdsl.backends.diagram.drawing import Options
from archdsl.diagnostics.core import errors_raised
from archdsl.diagnostics.suggest import closest
from archdsl.graph.fold import FoldedGraph
from archdsl.graph.view import View, view


def opened(folded: FoldedGraph, options: Options) -> View:
    """By `options.depth` levels and the parts of `options.expand`; else what can be read."""
    known = {part.path: part for part in folded.root.walk() if part is not folded.root} if options.expand else {}
    with errors_raised() as bag:
        for path in options.expand:
            if path not in known:
                bag.report("E614", None, path=path, name=folded.graph.name, suggestion=closest(path, known))
    return view(folded, options.depth, [known[path] for path in options.expand])
