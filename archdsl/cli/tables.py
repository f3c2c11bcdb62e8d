"""Tables and figures for readers; rich is imported by whoever calls this."""

from __future__ import annotations

import re
import shutil
import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from archdsl.cli import console, costing
from archdsl.cli.wording import arguments
from archdsl.diagnostics.glyphs import shown

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.cli.costing import CostOptions
    from archdsl.graph.costs import Costs
    from archdsl.graph.stages import Stage

_PAPER = re.compile(r".*?\(.*?\d{4}\)|.+?(?=[;.]( |$)|$)")
"""What a file's docstring begins with: a title and, in parentheses, who and when; else its first clause."""

PROSE = 100
"""Columns of running text."""

Column = tuple[str, Literal["left", "right"]]


def count(number: int) -> str:
    """`25,557,032`, a dash for none."""
    return f"{number:,}" if number else "–"


def macs(number: int) -> str:
    """`4.089 G`: four significant digits, as papers give them; a dash for none."""
    if not number:
        return "–"
    for factor, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "K")):
        if number >= factor:
            digits = len(str(number // factor))
            return f"{number / factor:.{max(0, 4 - digits)}f} {unit}"
    return str(number)


def top1(variant: Variant) -> str:
    """`76.13%`, the published accuracy; nothing where the spec records none."""
    return f"{variant.published['top1']}%" if "top1" in variant.published else ""


def title(variant: Variant) -> Text:
    """`resnet18 = ResNet(unit = Basic, depths = [2, 2, 2, 2])`, and what it maps to what."""
    graph = variant.graph
    given = ", ".join(f"{name} = {value}" for name, value in arguments(variant).items())
    sizes_of = [str(graph.shape(ref)) for ref in graph.outputs]
    named = zip(graph.output_names or [""] * len(sizes_of), sizes_of, strict=True)
    outputs = ", ".join(f"{name} {size}".strip() for name, size in named)
    stride = f", output stride {graph.output_stride}" if graph.output_stride else ""
    published = f", published top-1 {accuracy}" if (accuracy := top1(variant)) else ""
    sizes = f"input {graph.input_shape}, output {outputs}{stride}{published}\n"
    told = shown(f" = {graph.root.definition}({given})\n{sizes}")
    return Text.assemble((shown(variant.name), "bold cyan"), told, overflow="fold")


def heading(name: str, doc: str) -> Text:
    """A family's name and its paper."""
    paper = _PAPER.match(" ".join(shown(doc).split()))
    return Text.assemble((shown(name), "bold cyan"), f"  {paper.group() if paper else ''}", overflow="fold")


def prose(docs: str) -> list[Text]:
    """Paragraphs, filled to a width that reads well, a blank line after each."""
    width = max(20, min(PROSE, shutil.get_terminal_size((PROSE, 24)).columns))
    return [Text(textwrap.fill(part, width) + "\n") for part in shown(docs).split("\n\n") if part.strip()]


def stage_table(variant: Variant, wanted: CostOptions | None = None, costs: Costs | None = None) -> Table:
    """Stage, output size, blocks, layers, parameters and MACs, with totals; its costs where they are wanted."""
    table = variant.table
    blocks = any(row.repeats for row in table.rows)
    blocks_column: list[Column] = [("blocks", "left")] if blocks else []
    made = plain_table(
        ("stage" if any(row.kind == "stage" for row in table.rows) else "part", "left"),
        ("output", "right"),
        *blocks_column,
        ("layers", "right"),
        ("params", "right"),
        ("MACs", "right"),
        *costing.part_columns(wanted),
    )
    for row in table.rows:
        style = "" if row.kind in ("stage", "part") else "dim"
        cells = [row.name, str(row.output), *([_repeats(row)] if blocks else [])]
        cells += [count(row.layers), count(row.params), macs(row.macs), *costing.part_cells(costs, wanted, row.nodes)]
        made.add_row(*map(console.text, cells), style=style)
    total = ["total", "", *([""] if blocks else []), count(table.layers), count(table.params), macs(table.macs)]
    _close(made, [*total, *costing.part_cells(costs, wanted, variant.graph.nodes)])
    return made


def _close(table: Table, totals: Sequence[str]) -> None:
    """Add the last row."""
    for column, cell in zip(table.columns, totals, strict=True):
        column.footer = console.text(cell)
    table.show_footer = True


def _repeats(row: Stage) -> str:
    return ", ".join(f"{times} × {name}" for times, name in row.repeats)


def layer_table(variant: Variant, wanted: CostOptions | None = None, costs: Costs | None = None) -> Table:
    """Every node: path, what it is, output size, parameters and MACs; its costs where they are wanted."""
    from archdsl.ops.spec import LAYERS

    columns: list[Column] = [("path", "left"), ("layer", "left"), ("output", "right"), ("params", "right")]
    made = plain_table(*columns, ("MACs", "right"), *costing.part_columns(wanted))
    graph = variant.graph
    for node in graph.nodes:
        cells = [node.path, node.label, str(node.shape), count(node.trainable), macs(node.macs)]
        cells += costing.part_cells(costs, wanted, [node])
        made.add_row(*map(console.text, cells), style="" if node.op.role in LAYERS | {"input"} else "dim")
    total = ["total", f"{len(graph.nodes):,} layers", "", count(graph.params), macs(graph.macs)]
    _close(made, [*total, *costing.part_cells(costs, wanted, graph.nodes)])
    return made


class VariantRow(NamedTuple):
    """A variant in a table of several; `top1` is the published accuracy, nothing where there is none."""

    name: str
    input: str
    layers: int
    params: int
    macs: int
    top1: str

    @classmethod
    def of(cls, variant: Variant) -> VariantRow:
        graph = variant.graph
        return cls(variant.name, str(graph.input_shape), graph.layers, graph.params, graph.macs, top1(variant))


def variant_table(
    variants: Sequence[VariantRow],
    width: int = 0,
    header: bool = True,
    costs: tuple[Sequence[Column], Sequence[Sequence[str]]] = ((), ()),
) -> Table:
    """Several variants, one a row. `width` aligns several tables: the columns of the
    longest name, indented. `costs` are further columns, and their cells of each row.

    The column of accuracies is there where a variant has one; without variants all columns are.
    """
    accuracies = not variants or any(variant.top1 for variant in variants)
    columns: list[Column] = [("variant", "left"), ("input", "right"), ("layers", "right"), ("params", "right")]
    columns += [("MACs", "right"), ("top-1", "right")] if accuracies else [("MACs", "right")]
    made = plain_table(*columns, *costs[0])
    if width:
        for column, least in zip(made.columns, (width, 9, 6, 11, 7, 7), strict=False):
            column.min_width = least
    made.show_header = header
    for index, variant in enumerate(variants):
        further = costs[1][index] if costs[0] else ()
        name = ("  " if width else "") + variant.name
        figures = (count(variant.layers), count(variant.params), macs(variant.macs))
        accuracy = [variant.top1] if accuracies else []
        made.add_row(*map(console.text, [name, variant.input, *figures, *accuracy, *further]))
    return made


def published_table(rows: Sequence[Sequence[str]], width: int) -> Table:
    """Published weights, a file a row: name, top-1, at which size, classes, size, what else. `width` aligns several."""
    columns: list[Column] = [("weights", "left"), ("top-1", "right"), ("at", "right"), ("classes", "right")]
    made = plain_table(*columns, ("MiB", "right"), ("", "left"))
    for column, least in zip(made.columns, (width, 6, 3, 7, 5, 7), strict=True):
        column.min_width = least
    for cells in rows:
        style = "bold" if cells[-1] == "default" else "dim" if cells[-1] else ""
        made.add_row(*map(console.text, cells), style=style)
    return made


def sweep_table(points: Sequence[tuple[Mapping[str, str], Variant]], wanted: CostOptions | None = None) -> Table:
    """The points of a grid: the settings, the image where it varies, and the costs."""
    varies = len({variant.graph.input_shape for _, variant in points}) > 1
    settings: list[Column] = [(name, "right") for name in points[0][0] if name != "image"]
    sizes: list[Column] = [("input", "right")] if varies else []
    costs: list[Column] = [("layers", "right"), ("params", "right"), ("MACs", "right"), ("activations", "right")]
    made = plain_table(*settings, *sizes, *costs, *costing.columns(wanted))
    for values, variant in points:
        graph = variant.graph
        cells = [value for name, value in values.items() if name != "image"]
        cells += [str(graph.input_shape)] if varies else []
        cells += [count(graph.layers), count(graph.params), macs(graph.macs), count(graph.activations)]
        cells += costing.cells(variant, wanted)
        made.add_row(*map(console.text, cells))
    return made


def plain_table(*columns: Column) -> Table:
    table = Table(
        box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 0, 0, 1), header_style="bold", footer_style="bold"
    )
    for name, side in columns:
        table.add_column(console.text(name), justify=side, no_wrap=side == "right", overflow="fold")
    return table
