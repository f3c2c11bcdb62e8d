"""`archdsl sweep`: what a network costs over a grid of its parameters."""

from __future__ import annotations

import csv
import io
import itertools
import math
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.costing import CostOptions, costs_options, csv_names, csv_values
from archdsl.cli.options import TEXT, F, image_of, json_option, split_setting
from archdsl.cli.shared import ArchCommand, changed, exit_code, find_variant, write_document
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.image import AS_WRITTEN

if TYPE_CHECKING:
    from archdsl.api import Variant

IMAGE = "image"
"""What the sizes of `--image` are called among the settings."""

MOST = 10_000
NAMED = 10
"""Combinations that are named where an error is said; JSON names all."""

_RANGE = re.compile(r"(-?[0-9]{1,6})\.\.(-?[0-9]{1,6})")
_CLOSED = {"(": ")", "[": "]", "{": "}"}


def _grid_of(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, list[str]]:
    """Each setting with its values: texts in the language, or sizes of the image."""
    grid: dict[str, list[str]] = {}
    for value in values:
        name, text = split_setting(value, ctx, option)
        if name in grid:
            raise click.BadParameter(f"{name!r} is set twice", ctx, option)
        grid[name] = list(_values(text))
        if not grid[name]:
            raise click.BadParameter(f"{value!r} is empty: {name}=0..8 is 0 to 7", ctx, option)
        if not all(grid[name]):
            raise click.BadParameter(f"{value!r} has an empty value", ctx, option)
    return grid


def grid_option(help_: str) -> Callable[[F], F]:
    """`--set NAME=VALUE,…`, any number of times: each setting with its values."""
    return click.option(
        "--set", "grid", metavar="NAME=VALUE,…", type=TEXT, multiple=True, callback=_grid_of, help=help_
    )


def _images(ctx: click.Context, option: click.Parameter, value: str | None) -> list[str]:
    sizes = [size.strip() for size in value.split(",")] if value else []
    for size in sizes:
        image_of(ctx, option, size)
    return sizes


def _values(text: str) -> Iterator[str]:
    """`0.5, 1.0` is two values, `[3, 4], [2, 2]` too, `0..4` are four, as in the language."""
    whole = _RANGE.fullmatch(text)
    if whole is not None:
        yield from map(str, range(int(whole[1]), min(int(whole[2]), int(whole[1]) + MOST + 1)))
        return
    start, open_, quoted = 0, list[str](), False
    for place, character in enumerate(text):
        if character == '"':
            quoted = not quoted
        elif not quoted and character in _CLOSED:
            open_.append(_CLOSED[character])
        elif open_ and not quoted and character == open_[-1]:
            open_.pop()
        elif character == "," and not quoted and not open_:
            yield text[start:place].strip()
            start = place + 1
    yield text[start:].strip()


@click.command("sweep", cls=ArchCommand)
@click.argument("spec")
@grid_option("A parameter and its values: --set width=0.5,1.0; or the knob of a scaling: --set compound.phi=0..8.")
@click.option("--image", "images", metavar="SIZE,…", callback=_images, help="Sizes of the image: --image 160,192,224.")
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@costs_options
@json_option
def command(
    spec: str,
    grid: dict[str, list[str]],
    images: list[str],
    as_csv: bool,
    wanted: CostOptions | None,
    as_json: bool,
) -> int:
    """Print what a network costs over a grid of its parameters.

    Every combination of the values is one row: layers, parameters, MACs and activations, all exact. With
    `NAME.KNOB=VALUES` the knobs of a scaling rule of the spec are varied, whose results are parameters of the model.
    Combinations that the spec refuses are reported, and left out.
    """
    axes = {**grid, **({IMAGE: images} if images else {})}
    if as_csv and as_json:
        raise click.UsageError("--csv and --json are two forms of the same: give one")
    if not axes:
        raise click.UsageError("nothing varies: give --set NAME=VALUE,VALUE or --image SIZE,SIZE")
    _bounded(axes)
    base = find_variant(spec, {})
    points, said = combinations(base, axes)
    _print(base, points, said, as_csv, as_json, wanted)
    return exit_code(said)


def _bounded(axes: Mapping[str, Sequence[str]]) -> int:
    """How many combinations there are; raises UsageError for more than a run should take."""
    count = math.prod(map(len, axes.values()))
    if count > MOST:
        raise click.UsageError(f"{count:,} combinations are more than {MOST:,}")
    return count


def combinations(
    base: Variant, axes: Mapping[str, Sequence[str]]
) -> tuple[list[tuple[dict[str, str], Variant]], list[Diagnostic]]:
    """The networks of all combinations, with their settings; and why the spec refuses others. Raises UsageError."""
    points: list[tuple[dict[str, str], Variant]] = []
    refused: dict[tuple[str, str], tuple[Diagnostic, list[str]]] = {}
    with console.busy(f"{_bounded(axes):,} combinations of {base.name} …"):
        for combination in itertools.product(*axes.values()):
            settings = dict(zip(axes, combination, strict=True))
            try:
                points.append((settings, _point(base, settings)))
            except ArchError as error:
                combined = ", ".join(f"{name} = {text}" for name, text in settings.items())
                for found in error.diagnostics:
                    refused.setdefault((found.code, found.message), (found, []))[1].append(combined)
    return points, [_left_out(*same) for same in refused.values()]


def _left_out(found: Diagnostic, combinations: list[str]) -> Diagnostic:
    """An error with every combination that has it; it is said once."""
    distinct = list(dict.fromkeys(combinations))
    names = "; ".join(distinct[:NAMED]) + (f"; and {len(distinct) - NAMED:,} more" if len(distinct) > NAMED else "")
    count = "1 combination" if len(distinct) == 1 else f"{len(distinct):,} combinations"
    return replace(found, notes=(*found.notes, f"left out: {count}: {names}"), items=tuple(distinct))


def _point(base: Variant, settings: Mapping[str, str]) -> Variant:
    """The variant at one point of the grid, its graph made; raises ArchError."""
    image = image_of(None, None, settings[IMAGE]) if IMAGE in settings else AS_WRITTEN
    variant = changed(base, {name: text for name, text in settings.items() if name != IMAGE}, image)
    assert variant.graph.nodes
    return variant


def _print(
    base: Variant,
    points: list[tuple[dict[str, str], Variant]],
    refused: list[Diagnostic],
    as_csv: bool,
    as_json: bool,
    wanted: CostOptions | None,
) -> None:
    if as_json:
        from archdsl.cli.documents.exploring import SweepDocument
        from archdsl.cli.documents.networks import VariantJson

        found = [{"settings": given, "variant": VariantJson.costed(variant, wanted)} for given, variant in points]
        write_document(SweepDocument.of(base=base.name, points=found), refused)
        return
    if as_csv:
        console.write_data(_csv(points, wanted))
    elif points:
        from archdsl.cli.tables import sweep_table

        console.show(sweep_table(points, wanted))
    if refused:
        console.diagnose(refused, sys.stderr)


def _csv(points: list[tuple[dict[str, str], Variant]], wanted: CostOptions | None) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    costs = ("layers", "params", "macs", "activations")
    writer.writerow([*(points[0][0] if points else ()), *costs, *csv_names(wanted)])
    for settings, variant in points:
        figures = [getattr(variant.graph.cost, cost) for cost in costs]
        writer.writerow([*settings.values(), *figures, *csv_values(variant, wanted)])
    return text.getvalue()
