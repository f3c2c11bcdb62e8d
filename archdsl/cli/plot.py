"""`archdsl plot`: networks as points, published accuracy or a cost against another; one network along its depth."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.backends.diagram.choices import ENGINES, Engine, Picture
from archdsl.cli import console
from archdsl.cli.costing import CostOptions, costs_options
from archdsl.cli.options import force_option, json_option
from archdsl.cli.shared import (
    ArchCommand,
    exit_code,
    find_variant,
    may_replace,
    open_spec,
    picture_file,
    write_document,
    write_output,
)
from archdsl.cli.sweep import combinations, grid_option
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.space import ASKED, SECONDS

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.cli.documents.drawings import PlotDocument
    from archdsl.plots import Plot, PlotPoint

_NAMED = 12


@click.command("plot", cls=ArchCommand, short_help="Draw accuracy against cost, costs of many networks, or of one.")
@click.argument("specs", metavar="SPEC...", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE", help="Where to write: .svg, .png, .pdf, .dot; `-` prints SVG.")
@click.option("--x", "across", type=click.Choice([*ASKED, "top1"]), help="What goes right. [macs; with --set its knob]")
@click.option("--y", "up", type=click.Choice([*ASKED, "top1"]), help="What goes up. [top1; with --set macs]")
@click.option("--weights", "files", is_flag=True, help="Every published file with an accuracy, not one of a network.")
@grid_option("One network at values of a knob, as `sweep` takes them: --set compound.phi=0..8.")
@click.option("--depth", "deep", is_flag=True, help="One network along its depth: costs of each layer.")
@click.option("--join", is_flag=True, help="A line through the points of each file, in order.")
@click.option("--columns", type=click.IntRange(1, 2), default=2, help="As wide as so many columns of a paper. [2]")
@click.option("--engine", type=click.Choice(ENGINES), default="auto", help="As of `draw`. [auto]")
@costs_options
@force_option("a file that is no picture which archdsl drew")
@json_option
def command(
    specs: tuple[str, ...],
    output: str | None,
    across: str | None,
    up: str | None,
    files: bool,
    grid: dict[str, list[str]],
    deep: bool,
    join: bool,
    columns: int,
    engine: Engine,
    wanted: CostOptions | None,
    force: bool,
    as_json: bool,
) -> int:
    """Draw networks as points: published top-1 accuracy against MACs, or any figure against another.

    SPEC is a file, all of whose variants are drawn, or one of them. A colour is a file; an axis whose values range over
    more than 8-fold is logarithmic. An accuracy stands at the costs of the images that it was measured with. Networks
    without a published accuracy are left out, and names that have no room, which is said.
    """
    from archdsl import plots
    from archdsl.backends.diagram.provenance import is_ours

    wanted = wanted or CostOptions(1, "float32", None)
    _refuse_idle(across, up, files, grid, deep, join, wanted)
    kind, path = _target(output, specs[0], deep)
    if path is not None:
        may_replace(path, is_ours, force)
    plot = plots.Plot(across or "macs", up or plots.TOP1, wanted.batch, wanted.dtype, wanted.device)
    spots: list[PlotPoint] = []
    problems: list[Diagnostic] = []
    unnamed: list[str] = []
    with console.busy("drawing …"):
        if deep:
            drawing = plots.depth(_only(specs), wanted.batch, wanted.dtype)
        else:
            if grid:
                plot, spots, problems = _knob(plot, specs, grid, across, up)
            else:
                spots = plot.spots(_variants(specs), files)
            drawing, unnamed = plots.draw(plot, spots, "plot", columns=columns, joined=join or bool(grid))
        content = drawing.render(kind, engine)
    write_output(content, path, as_json)
    _say_unnamed(unnamed)
    if as_json:
        write_document(_document(None if deep else plot, spots, unnamed, kind, path, content), problems)
    else:
        console.diagnose(problems, sys.stderr)
    return exit_code(problems)


def _document(
    plot: Plot | None, spots: list[PlotPoint], unnamed: list[str], kind: Picture, path: Path | None, content: bytes
) -> PlotDocument:
    from archdsl.cli.documents.drawings import PlotDocument

    x, y = (None, None) if plot is None else (plot.x, plot.y)
    place, text = (None, content.decode()) if path is None else (str(path), None)
    return PlotDocument.of(x=x, y=y, points=spots, unnamed=unnamed, format=kind, path=place, text=text)


def _say_unnamed(names: Sequence[str]) -> None:
    if names:
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        console.note(f"without a name, for want of room: {', '.join(names[:_NAMED])}{more}")


def _refuse_idle(
    across: str | None,
    up: str | None,
    files: bool,
    grid: dict[str, list[str]],
    deep: bool,
    join: bool,
    wanted: CostOptions,
) -> None:
    """Raise UsageError for what does not go together, or would do nothing."""
    given = {"--x": across, "--y": up, "--weights": files, "--set": grid, "--join": join, "--device": wanted.device}
    if deep:
        idle = [name for name, value in given.items() if value]
        if idle:
            raise click.UsageError(f"{idle[0]} does nothing with --depth")
        return
    axes = (across or "macs", up or "top1")
    if SECONDS in axes and wanted.device is None:
        raise click.UsageError("seconds are those of a device: give --device")
    if wanted.device is not None and SECONDS not in axes:
        raise click.UsageError("--device does nothing without --x seconds or --y seconds")
    if files and (grid or "top1" not in axes):
        raise click.UsageError("--weights does nothing without an axis of accuracies")
    if grid and "top1" in (across, up):
        raise click.UsageError("no accuracy is published of networks whose parameters were set")
    if grid and join:
        raise click.UsageError("--join does nothing with --set, whose points are always joined")
    if not grid and axes[0] == axes[1]:
        raise click.UsageError(f"both axes are {axes[0]}")


def _target(output: str | None, spec: str, deep: bool) -> tuple[Picture, Path | None]:
    """The format, and where to write; None to print."""
    stem = Path(spec.rpartition(":")[2] or "plot").stem if deep else "plot"
    return picture_file(output or f"{stem}.svg")


def _only(specs: tuple[str, ...]) -> Variant:
    if len(specs) > 1:
        raise click.UsageError("--depth and --set are about one network")
    return find_variant(specs[0], {})


def _variants(specs: tuple[str, ...]) -> list[Variant]:
    """All that the texts mean, each network once."""
    found: dict[tuple[str, str], Variant] = {}
    for spec in specs:
        file, named = open_spec(spec)
        for variant in file.values() if named is None else [file.only(named)]:
            found.setdefault((file.name, variant.name), variant)
    return list(found.values())


def _knob(
    plot: Plot, specs: tuple[str, ...], grid: dict[str, list[str]], across: str | None, up: str | None
) -> tuple[Plot, list[PlotPoint], list[Diagnostic]]:
    """One network at values of knobs: along the only one that varies, or along a cost."""
    from archdsl.plots import Plot, PlotPoint, bounded

    base = _only(specs)
    varying = [name for name, values in grid.items() if len(values) > 1]
    if across is None and len(varying) != 1:
        raise click.UsageError("several knobs vary, or none: say what goes right with --x")
    made = Plot(across or varying[0], up or "macs", plot.batch, plot.dtype, plot.device)
    bounded(math.prod(map(len, grid.values())))
    points, problems = combinations(base, grid)
    if not points:
        raise ArchError(problems)
    spots = []
    for settings, variant in points:
        x = _number(varying[0], settings[varying[0]]) if across is None else made.value(across, variant)
        name = ", ".join(f"{key.rpartition('.')[2]} = {settings[key]}" for key in varying)
        spots.append(PlotPoint(name, variant, None, x, made.value(made.y, variant)))
    return made, spots, problems


def _number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise click.UsageError(f"{name} = {text} is no number to go right: say what does with --x") from None
