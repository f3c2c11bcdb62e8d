"""How a notebook shows a network: its overview and its stage table, as HTML without scripts or outside files."""

from __future__ import annotations

import html
from collections.abc import Sequence

from archdsl.backends.diagram import style
from archdsl.backends.diagram.levels import draw
from archdsl.backends.diagram.text import clean
from archdsl.graph.ir import Graph
from archdsl.graph.table import StageTable, stage_table

_CELL = "padding: 0.1em 0.8em; text-align:"


def network(graph: Graph) -> str:
    """One network: picture and table."""
    svg = draw("overview", graph).svg
    return f'<div style="background: white; color: black; max-width: 60em">{svg}{_stages(stage_table(graph))}</div>'


def networks(title: str, graphs: Sequence[Graph]) -> str:
    """Several networks of one file, a row each."""
    rows = [
        (graph.title, str(graph.input_shape), f"{graph.params:,}", style.count_text(graph.macs)) for graph in graphs
    ]
    caption = f"<p>{html.escape(clean(title))}</p>" if title else ""
    return f"<div>{caption}{table(('variant', 'input', 'params', 'MACs'), rows)}</div>"


def _stages(found: StageTable) -> str:
    rows = [
        (
            row.name,
            str(row.output),
            ", ".join(f"{times} × {name}" for times, name in row.repeats),
            str(row.layers),
            f"{row.params:,}",
            style.count_text(row.macs),
        )
        for row in found.rows
    ]
    total = ("total", "", "", str(found.layers), f"{found.params:,}", style.count_text(found.macs))
    return table(("stage", "output", "blocks", "layers", "params", "MACs"), [*rows, total])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table of texts, its first column on the left, the others on the right."""

    def line(cells: Sequence[str], tag: str) -> str:
        sides = ["left"] + ["right"] * (len(cells) - 1)
        parts = zip(cells, sides, strict=True)
        return "".join(f'<{tag} style="{_CELL} {side}">{html.escape(clean(cell))}</{tag}>' for cell, side in parts)

    body = "".join(f"<tr>{line(row, 'td')}</tr>" for row in rows)
    return f"<table><thead><tr>{line(head, 'th')}</tr></thead><tbody>{body}</tbody></table>"
