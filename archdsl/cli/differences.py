"""The tables and texts of `archdsl diff`; rich is imported by whoever calls this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from archdsl.cli import console
from archdsl.cli.tables import Column, count, macs, plain_table, top1
from archdsl.cli.wording import arguments, prepared
from archdsl.diagnostics.glyphs import shown
from archdsl.graph.diff import wording
from archdsl.graph.diff.brief import alone, brief
from archdsl.graph.diff.changes import GraphDiff, SectionChange, Status
from archdsl.graph.diff.compare import distinct
from archdsl.graph.diff.everywhere import everywhere
from archdsl.graph.diff.initial import initial
from archdsl.graph.diff.transfer import Transfer
from archdsl.graph.ir import Cost

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.steps import Step

_STYLES: dict[Status, str] = {"same": "dim", "added": "green", "removed": "red", "changed": "yellow"}
_UNBOUNDED = 1000
_SHOWN = 4
"""Renamings that are listed."""


def titles(before: Variant, after: Variant) -> Text:
    """Both variants as their specs configure them, the first with a minus, the second with a plus."""
    lines = []
    for sign, style, variant in (("−", "red", before), ("+", "green", after)):
        given = ", ".join(f"{name} = {text}" for name, text in arguments(variant).items())
        lines.append((shown(f"{sign} {variant.name}"), f"bold {style}"))
        lines.append((shown(f" = {variant.graph.root.definition}({given})\n"), ""))
    return Text.assemble(*lines, overflow="fold")


def section_table(difference: GraphDiff, width: int) -> Table:
    """Stage by stage: output size, blocks, parameters and MACs after, and how much these differ from before.

    Where `width` columns are too few, changes are in percent only, and what was before and after is on two lines.
    """
    table = _section_table(difference, compact=False)
    if Measurement.get(Console(width=_UNBOUNDED), Console(width=_UNBOUNDED).options, table).maximum <= width:
        return table
    return _section_table(difference, compact=True)


def _section_table(difference: GraphDiff, compact: bool) -> Table:
    rows = difference.sections
    blocks = any(wording.blocks_text(row) for row in rows)
    columns: list[Column] = [("", "left"), ("stage", "left"), ("output", "right")]
    columns += [("blocks", "left")] if blocks else []
    for name in ("params", "MACs"):
        columns += [(name, "right"), ("", "right")] if compact else [(name, "right"), ("Δ", "right"), ("", "right")]
    made = plain_table(*columns)
    for row in rows:
        texts = [_sides(row), wording.output_text(row), *([wording.blocks_text(row)] if blocks else [])]
        if compact:
            texts = [text.replace(wording.ARROW, f" {wording.ARROW.strip()}\n") for text in texts]
        cells = [wording.SIGNS[row.status], *texts, *_costs(row.costs, compact)]
        made.add_row(*map(console.text, cells), style=_STYLES[row.status])
    footer = ["", "total", "", *([""] if blocks else []), *_costs(difference.costs, compact)]
    for column, cell in zip(made.columns, footer, strict=True):
        column.footer = console.text(cell)
    made.show_footer = True
    return made


def _sides(row: SectionChange) -> str:
    """The name of a section, and the one it had."""
    return wording.changed_text((row.before or row.shown).name, row.shown.name)


def _costs(costs: tuple[Cost, Cost], compact: bool) -> Iterator[str]:
    old, new = costs
    change = new.params - old.params
    yield count(new.params)
    if not compact:
        yield wording.signed(change) if change else ""
    yield wording.percent(old.params, new.params)
    yield macs(new.macs)
    if not compact:
        yield _signed_macs(new.macs - old.macs)
    yield wording.percent(old.macs, new.macs)


def _signed_macs(number: int) -> str:
    return "" if not number else ("+" if number > 0 else "−") + macs(abs(number))


def changes(difference: GraphDiff) -> Iterator[Text | Table]:
    """What changed in all layers of a kind, then block by block; each change once for all places that share it."""
    common, rest = everywhere(difference)
    if common:
        yield Text.assemble("\n", ("everywhere", "bold"))
        rows = [
            (item.op, f"{wording.parameter_text(item.parameter)}, in all {item.count} of both networks")
            for item in common
        ]
        yield _grid([("changed", op, text) for op, text in rows])
    for change in distinct(rest):
        units = [unit.name for unit in (change.example.before, change.example.after) if unit is not None]
        count, _, where = wording.places_text(change).partition(" in ")
        if units[-1]:
            yield Text.assemble("\n", (shown(wording.changed_text(*units)), "bold"), shown(f", {count} in {where}"))
        else:
            yield Text.assemble("\n", (shown(where), "bold"))
        yield _grid([(line.status, line.label, line.text) for line in wording.lines_of(change)])
    loose = alone(rest, named=False)
    if loose:
        yield Text.assemble("\n", ("between blocks", "bold"))
        yield _grid([(note.status, "", note.text) for note in loose])


def _grid(lines: Sequence[tuple[Status, str, str]]) -> Table:
    """Signs, labels and texts in columns."""
    labels = any(label for _, label, _ in lines)
    made = Table.grid(padding=(0, 2, 0, 0))
    for _ in range(2 + labels):
        made.add_column(overflow="fold")
    for status, label, text in lines:
        cells = ("  " + wording.SIGNS[status], *([label] if labels else []), text)
        made.add_row(*map(console.text, cells), style=_STYLES[status])
    return made


def step_table(compared: Sequence[tuple[Step, GraphDiff | None]]) -> Table:
    """Steps of a chain, one row for each: what changes from the step that it amends, costs and published accuracies."""
    accuracies = any(top1(step.variant) for step, _ in compared)
    columns: list[Column] = [("step", "left"), ("what changes", "left"), ("params", "right"), ("MACs", "right")]
    columns += [("", "right"), ("top-1", "right")] if accuracies else [("", "right")]
    made = plain_table(*columns)
    made.columns[0].no_wrap = True
    for step, difference in compared:
        graph = step.variant.graph
        lines = brief(difference) if difference is not None else []
        notes = [(note.status, note.text) for note in lines]
        notes += [("changed", step.training)] if step.training else []
        told = Text("\n").join(console.text(f"{wording.SIGNS[kind]} {text}", _STYLES[kind]) for kind, text in notes)
        change = wording.percent(step.before.graph.macs, graph.macs) if step.before else ""
        costs = [count(graph.params), macs(graph.macs), change, *([top1(step.variant)] if accuracies else [])]
        made.add_row(
            console.text(step.variant.name), told, *map(console.text, costs), style="" if step.leads_on else "dim"
        )
    return made


def notes(before: Variant, after: Variant, difference: GraphDiff, weights: Transfer) -> Iterator[str]:
    """What does not fit the table: the image, outputs, accuracies, pictures, names and weights."""
    for parameter in difference.image:
        yield f"image: {wording.parameter_text(parameter)}"
    if difference.outputs:
        yield "outputs: " + wording.ARROW.join(", ".join(paths) for paths in difference.outputs)
    accuracies = [variant.published.get("top1") for variant in (before, after)]
    if accuracies[0] is not None and accuracies[1] is not None:
        change = wording.signed(float(accuracies[1] - accuracies[0]), 2)
        yield f"published top-1: {accuracies[0]} % → {accuracies[1]} % ({change})"
    yield from _pictures(before, after)
    begins = initial(difference, before.initializers, after.initializers)
    if begins:
        told = [f"{item.count} {item.weight} {item.before} → {item.after}" for item in begins[:_SHOWN]]
        yield "initial weights: " + "; ".join(told) + "; …" * (len(begins) > _SHOWN)
    if difference.renamed:
        found = wording.renamings(difference.renamed)
        some = ", ".join(f"{old} → {new}" for old, new, _ in found[:_SHOWN]) + ", …" * (len(found) > _SHOWN)
        yield f"names: {len(difference.renamed)} layers that correspond have other paths: {some}"
    yield f"weights: {_transfer(before, after, weights)}"


def _pictures(before: Variant, after: Variant) -> Iterator[str]:
    """How the preparation of pictures differs."""
    old, new = prepared(before), prepared(after)
    if old == new:
        return
    if old is None or new is None:
        yield f"pictures: only {(before if new is None else after).name} says how they become the input"
        return
    from archdsl.cli.documents.networks import PreprocessJson

    facts = zip(PreprocessJson.of(old), PreprocessJson.of(new), strict=True)
    both = [f"{key} {_plain(a)} → {_plain(b)}" for (key, a), (_, b) in facts if a != b]
    if both:
        yield f"pictures: {'; '.join(both)}"


def _plain(value: object) -> str:
    return " ".join(map(wording.value_text, value)) if isinstance(value, list) else wording.value_text(value)


def _transfer(before: Variant, after: Variant, weights: Transfer) -> str:
    """`all 320 entries of resnet50 fit`, or how many do, and what of the other network they fill."""
    total = len(weights.fits) + len(weights.resized) + len(weights.left)
    if len(weights.fits) == total and not weights.new:
        return f"all {total} entries of the state_dict of {before.name} fit {after.name}"
    rest = [
        (len(weights.resized), "have another shape"),
        (len(weights.left), f"are not in {after.name}"),
    ]
    fits = f"all {total}" if len(weights.fits) == total else f"{len(weights.fits)} of {total}"
    text = f"{fits} entries of the state_dict of {before.name} fit {after.name}"
    text += f" ({weights.covered:.0%} of its elements)" if weights.fits else ""
    text += "".join(f", {number} {what}" for number, what in rest if number)
    return text + (f"; {len(weights.new)} are new" if weights.new else "")
