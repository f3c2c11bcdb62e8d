"""Level blocks: one drawing for each block definition in use, its variants side by side.

`definitions` finds the definitions and the structures that their instances take; `units` fuses the nodes of one into
boxes; `tree` sees series and parallel branches, which `spine` lays out with the main path straight; what is no such
tree (a NASNet cell) `layers` lays out rank by rank. `panels` puts all on a page.
"""

from __future__ import annotations

from archdsl.backends.diagram.blocks.definitions import definitions_of
from archdsl.backends.diagram.blocks.panels import Page
from archdsl.backends.diagram.drawing import Drawing, Options
from archdsl.graph.ir import Graph


def draw(graph: Graph, options: Options) -> Drawing:
    """The blocks of a graph; symbolic sizes if it is a traced one."""
    page = Page(graph, options)
    for definition in definitions_of(graph):
        page.add(definition)
    return page.finish()
