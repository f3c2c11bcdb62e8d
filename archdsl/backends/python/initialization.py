"""Weight initialization in generated source."""

from __future__ import annotations

from collections.abc import Iterator

from archdsl.graph.ir import Graph


def initialization(graph: Graph) -> Iterator[str]:
    """Statements at the end of the model's `__init__`."""
    return iter(())
