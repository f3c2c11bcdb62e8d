"""From networks to a `Drawing` of a level, or to the HTML page."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from archdsl.backends.diagram.drawing import Drawing, Options

if TYPE_CHECKING:
    from archdsl.backends.diagram.choices import Level
    from archdsl.graph.ir import Graph


def draw(level: Level, *graphs: Graph, options: Options | None = None) -> Drawing:
    """Draw one graph, or with level `diff` two (before, after). `blocks` wants a traced graph."""
    module: Any = import_module(f"{__package__}.{level}")
    drawing: Drawing = module.draw(*graphs, options or Options())
    return drawing


def page(graph: Graph, options: Options | None = None) -> str:
    """One network as a self-contained HTML page; `depth` and `expand` of the options say what is open at first."""
    from archdsl.backends.diagram.html_page import page

    return page(graph, options or Options())
