"""Level blocks: one drawing for each block definition in use, its variants side by side.

`definitions` finds the definitions and the structures that their instances take; `units` fuses the nodes of one into
boxes; `words` says what is true of all instances, widths as `algebra` reads them. `tree` sees series and parallel
branches, which `spine` lays out with the main path straight; what is no such tree (a NASNet cell) `layered` draws
in layers. `panels` puts all on a page.
"""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.backends.diagram.blocks.definitions import Definition, definitions_of
from archdsl.backends.diagram.blocks.panels import Page
from archdsl.backends.diagram.drawing import Drawing, Options, bounded
from archdsl.diagnostics.core import errors_raised
from archdsl.diagnostics.suggest import closest
from archdsl.graph.ir import Graph


def draw(graph: Graph, options: Options) -> Drawing:
    """The blocks of a graph; symbolic sizes if it is a traced one. Raises ArchError E613."""
    page = Page(graph, options)
    chosen = _chosen(definitions_of(graph), options.only)
    bounded("blocks", graph.name, "blocks", len(chosen))
    for definition in chosen:
        page.add(definition)
    return page.finish()


def _chosen(definitions: list[Definition], only: Sequence[str]) -> list[Definition]:
    names = [definition.name for definition in definitions]
    with errors_raised() as bag:
        for name in only:
            if name not in names:
                bag.report("E613", None, name=name, suggestion=closest(name, names), names=", ".join(names))
    return [definition for definition in definitions if not only or definition.name in only]
