"""DOT, written through the graphviz package so that text is only ever text.

Every value of every attribute is escaped: backslashes (`\\N`, `\\G`), entities and what looks like HTML lose their
meaning. Names of nodes are ours. Attributes that could make a link or read a file are refused.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Literal, NamedTuple

from archdsl.backends.diagram.text import clean


class Markup(str):
    """An HTML-like label, made by `rich` only."""

    __slots__ = ()


Justify = Literal["center", "left", "right"]
_ENDS = {"center": r"\n", "left": r"\l", "right": r"\r"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_REFUSED = re.compile(
    r"(.*(url|href|target)|image|shapefile|imagepath|fontpath|stylesheet|_background)\Z", re.IGNORECASE
)


BACKSLASH = "\u29f5"
"""Stands for a backslash where Graphviz expands `\\N`, `\\G` and the like however they are escaped: in tooltips and
HTML-like labels. It looks the same, and `svg` makes a backslash of it again."""


class Run(NamedTuple):
    """A piece of one line of a label. `size` 0 and `colour` "" are those of the label."""

    text: str
    size: float = 0
    bold: bool = False
    colour: str = ""


def rich(lines: Sequence[Run | Sequence[Run]], justify: Justify = "center") -> Markup:
    """A label whose lines or pieces differ in size, weight or colour."""
    side = justify.upper()
    rows = ["".join(map(_run, [line] if isinstance(line, Run) else line)) for line in lines]
    return Markup("<" + "".join(f'{row}<BR ALIGN="{side}"/>' for row in rows[:-1]) + _last(rows, side) + ">")


def _last(rows: list[str], side: str) -> str:
    last = rows[-1] if rows else ""
    return last if side == "CENTER" else f'{last}<BR ALIGN="{side}"/>'


def _run(run: Run) -> str:
    text = html.escape(clean(run.text).replace("\\", BACKSLASH), quote=True) or " "
    attributes = f' POINT-SIZE="{number(run.size)}"' if run.size else ""
    attributes += f' COLOR="{html.escape(run.colour)}"' if run.colour else ""
    text = f"<B>{text}</B>" if run.bold else text
    return f"<FONT{attributes}>{text}</FONT>" if attributes else text


def number(value: float) -> str:
    """A number with at most two decimals: the same text on every machine."""
    return f"{value + 0.0:.2f}".rstrip("0").rstrip(".") if value else "0"


class Dot:
    """A directed graph in DOT. Attributes are keyword arguments; labels are texts or lists of lines."""

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

    def node(
        self, name: str, label: str | Sequence[str] | Markup = "", justify: Justify = "center", **attributes: Any
    ) -> None:
        """A node; `label` is a text, its lines, or what `rich` made. `class_` and the like lose their underscore."""
        self._graph.node(_checked(name), label=self.label(label, justify), _attributes=self._escaped(attributes))

    def edge(self, tail: str, head: str, label: str | Sequence[str] | Markup = "", **attributes: Any) -> None:
        """An edge. Ports are attributes (`tailport="s"`)."""
        words = {"label": self.label(label, "center")} if label else {}
        self._graph.edge(_checked(tail), _checked(head), _attributes=words | self._escaped(attributes))

    @contextmanager
    def subgraph(self, name: str, label: str | Sequence[str] | Markup = "", **attributes: Any) -> Iterator[Dot]:
        """A subgraph to be filled; a cluster if its name begins with `cluster_`."""
        inner = object.__new__(Dot)
        inner._nohtml = self._nohtml
        with self._graph.subgraph(name=_checked(name)) as graph:
            inner._graph = graph
            words = {"label": self.label(label, "left")} if label else {}
            graph.attr(_attributes=words | self._escaped(attributes))
            yield inner

    def label(self, label: str | Sequence[str] | Markup, justify: Justify) -> str:
        """A label as the graphviz package is to get it."""
        if isinstance(label, Markup):
            return label
        lines = label.split("\n") if isinstance(label, str) else label
        end = _ENDS[justify]
        return self._nohtml(end.join(map(_escape, lines)) + (end if justify != "center" else ""))  # type: ignore[no-any-return]

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
