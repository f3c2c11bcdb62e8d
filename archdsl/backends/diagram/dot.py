"""DOT, written through the graphviz package so that text is only ever text.

Every value of every attribute is escaped: backslashes (`\\N`, `\\G`), entities and what looks like HTML lose their
meaning. Names of nodes are ours. Attributes that could make a link or read a file are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from archdsl.backends.diagram.text import clean


class Markup(str):
    """An HTML-like label. It holds no text of a spec."""

    __slots__ = ()


_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_REFUSED = re.compile(
    r"(.*(url|href|target)|image|shapefile|imagepath|fontpath|stylesheet|_background)\Z", re.IGNORECASE
)


BACKSLASH = "\u29f5"
"""Stands for a backslash where Graphviz expands `\\N`, `\\G` and the like however they are escaped: in tooltips.
It looks the same, and `svg` makes a backslash of it again."""


def number(value: float) -> str:
    """A number with at most two decimals: the same text on every machine."""
    return f"{value + 0.0:.2f}".rstrip("0").rstrip(".") if value else "0"


class Dot:
    """A directed graph in DOT. Attributes are keyword arguments."""

    def __init__(self, **attributes: Any) -> None:
        import graphviz

        self._nohtml = graphviz.nohtml
        self._graph: Any = graphviz.Digraph("archdsl")
        self.attributes("graph", **attributes)

    @property
    def source(self) -> str:
        return str(self._graph.source)

    def attributes(self, kind: Literal["graph", "node", "edge"], **attributes: Any) -> None:
        """Defaults of all graphs, nodes or edges that follow, in this graph or subgraph."""
        if attributes:
            self._graph.attr(kind, _attributes=self._escaped(attributes))

    def node(self, name: str, label: str = "", **attributes: Any) -> None:
        """A node; its label is one line of text, or `Markup`. `class_` and the like lose their underscore."""
        text = label if isinstance(label, Markup) else self._nohtml(_escape(label))
        self._graph.node(_checked(name), label=text, _attributes=self._escaped(attributes))

    def edge(self, tail: str, head: str, **attributes: Any) -> None:
        """An edge. Ports are attributes (`tailport="s"`)."""
        self._graph.edge(_checked(tail), _checked(head), _attributes=self._escaped(attributes))

    @contextmanager
    def subgraph(self, name: str, **attributes: Any) -> Iterator[Dot]:
        """A subgraph to be filled."""
        inner = object.__new__(Dot)
        inner._nohtml = self._nohtml
        with self._graph.subgraph(name=_checked(name)) as graph:
            inner._graph = graph
            graph.attr(_attributes=self._escaped(attributes))
            yield inner

    def _escaped(self, attributes: dict[str, Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        for name, value in attributes.items():
            key = name.rstrip("_")
            if _REFUSED.match(key):
                raise ValueError(f"{key} is no attribute for a picture of data")
            if isinstance(value, bool):
                found[key] = str(value).lower()
            elif isinstance(value, int | float):
                found[key] = number(value)
            else:
                lines = str(value).replace("\\", BACKSLASH).split("\n")
                found[key] = self._nohtml(r"\n".join(map(_escape, lines)))
        return found


def _escape(text: str) -> str:
    return clean(text).replace("\\", "\\\\").replace("&", "&amp;")


def _checked(name: str) -> str:
    if not _NAME.match(name):
        raise ValueError(f"{name!r} is no name for a node: names are ours, texts are labels")
    return name
