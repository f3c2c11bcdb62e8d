"""`archdsl draw`: a network as a picture."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click

from archdsl.backends.diagram.choices import ENGINES, FORMATS, LEVELS, Engine, Format, Level
from archdsl.cli import console
from archdsl.cli.options import TEXT, force_option, image_option, json_option, output_stride_option, set_option
from archdsl.cli.shared import (
    ArchCommand,
    exit_code,
    find_next,
    find_variant,
    may_replace,
    open_spec,
    write_document,
    write_output,
)
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.image import Image

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.backends.diagram import Drawing, Options
    from archdsl.steps import Step

_TEXTS = ("svg", "dot", "html")
_CONCERNS = {
    "columns": ("overview", "blocks", "diff", "steps"),
    "direction": ("overview", "diff"),
    "depth": ("graph", "page"),
    "expand": ("graph", "page"),
    "only": ("blocks",),
    "engine": ("overview", "blocks", "graph", "diff", "steps"),
}
"""Which pictures each option has a say in."""


@click.command("draw", cls=ArchCommand, short_help="Draw a network: overview, blocks, graph, diff.")
@click.argument("spec")
@click.argument("others", metavar="[SPEC]...", nargs=-1)
@click.option("-o", "--output", metavar="FILE", help="Where to write; the suffix is the format; `-` prints SVG.")
@click.option("--level", type=click.Choice(LEVELS), help="What to draw. [overview; of two networks, their diff]")
@click.option("--format", type=click.Choice(FORMATS), help="The format, where the suffix does not say it.")
@click.option("--columns", type=click.IntRange(1, 2), default=2, help="Lay out for so many columns of a paper. [2]")
@click.option("--direction", type=click.Choice(["lr", "tb"]), help="Overview, diff: left to right or top down.")
@click.option("--depth", type=click.IntRange(0), help="Level graph, HTML: how many levels of the tree are open.")
@click.option(
    "--expand", metavar="PATH", type=TEXT, multiple=True, help="Level graph, HTML: open this part, wherever it is."
)
@click.option("--block", "only", metavar="NAME", type=TEXT, multiple=True, help="Level blocks: draw this one only.")
@click.option(
    "--engine",
    type=click.Choice(ENGINES),
    default="auto",
    help="The engine that comes with archdsl, or the system's Graphviz. [auto]",
)
@set_option
@image_option
@output_stride_option
@force_option("a file that is no picture which archdsl drew")
@json_option
def command(
    spec: str,
    others: tuple[str, ...],
    output: str | None,
    level: Level | None,
    format: Format | None,
    columns: int,
    direction: str | None,
    depth: int | None,
    expand: tuple[str, ...],
    only: tuple[str, ...],
    engine: Engine,
    settings: dict[str, str],
    image: Image,
    output_stride: int | None,
    force: bool,
    as_json: bool,
) -> int:
    """Draw a network, or what differs between two.

    \b
    overview  stages as glyphs scaled by resolution and channels, on one page
    blocks    one drawing for each block definition in use
    graph     every layer, in nested boxes
    diff      two networks in one picture: what came, went and changed
    A further SPEC may be `:VARIANT`, another variant of the file of the one before it. Several networks are drawn step
    by step, and so is a spec whose variants amend each other: draw --level diff FAMILY.
    A file FILE.html is a page with the whole graph, to be unfolded and searched. A picture that archdsl drew before is
    replaced, any other file only with --force.
    """
    from archdsl.backends.diagram import Options

    chosen = level or ("diff" if others else "overview")
    if others and chosen != "diff":
        raise click.UsageError("level diff compares networks, every other level draws one")
    if force and output == "-":
        raise click.UsageError("--force does nothing with `-o -`, which replaces no file")
    kind = _format(format, output, chosen)
    find = _compared if chosen == "diff" else _single
    subject = find((spec, *others), settings, image, output_stride)
    _refuse_idle(click.get_current_context(), "page" if kind == "html" else "steps" if subject.steps else chosen)
    options = Options(cast(Any, columns), cast(Any, direction), depth, expand, only)
    path = None if output == "-" else Path(output or f"{subject.name}.{kind}")
    return _draw(subject, chosen, kind, options, engine, path, force, as_json)


def _draw(
    subject: _Subject,
    level: Level,
    kind: Format,
    options: Options,
    engine: Engine,
    path: Path | None,
    force: bool,
    as_json: bool,
) -> int:
    """Draw, and write or print the picture; gives the exit code."""
    from archdsl.backends.diagram.provenance import is_ours

    if path is not None:
        may_replace(path, is_ours, force)
    content, found, problems = _content(subject, level, kind, options, engine, path)
    if found != kind and path is not None:
        path = path.with_suffix(f".{found}")
        may_replace(path, is_ours, force)
    write_output(content, path, as_json)
    if as_json:
        from archdsl.cli.documents.drawings import DrawDocument

        names = [variant.name for variant in subject.variants]
        place, text = (None, content.decode()) if path is None else (str(path), None)
        told = DrawDocument(variants=names, level=level, format=found, path=place, text=text, bytes=len(content))
        write_document(told, problems)
    else:
        console.diagnose(problems, sys.stderr)
    return exit_code(problems)


def _refuse_idle(context: click.Context, picture: str) -> None:
    """Raise UsageError for an option that was given and would change nothing in this picture."""
    from click.core import ParameterSource

    for option in context.command.params:
        pictures = _CONCERNS.get(option.name or "", (picture,))
        if picture not in pictures and context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE:
            names = {"page": "an HTML page", "steps": "a picture of steps"}
            raise click.UsageError(f"{option.opts[0]} does nothing for {names.get(picture, f'level {picture}')}")


@dataclass(frozen=True, slots=True)
class _Subject:
    """What to draw: one variant, two to compare, or the steps of a chain. `name` is that of a file to write."""

    variants: list[Variant]
    name: str
    steps: Sequence[Step] = ()
    title: str = ""

    def drawing(self, level: Level, options: Options) -> Drawing:
        if self.steps:
            from archdsl.steps import draw_steps

            return draw_steps(self.steps, self.title, options)
        return self.variants[0].drawing(level, options, self.variants[1] if len(self.variants) > 1 else None)


def _single(specs: Sequence[str], settings: dict[str, str], image: Image, output_stride: int | None) -> _Subject:
    """The one network of every other level."""
    variant = find_variant(specs[0], settings, image, output_stride)
    return _Subject([variant], variant.name)


def _compared(specs: Sequence[str], settings: dict[str, str], image: Image, output_stride: int | None) -> _Subject:
    """The networks that level diff compares. What is set is about the last one, as with `archdsl diff`."""
    from archdsl.steps import amendments, chain

    if len(specs) == 1 and not settings and not image and not output_stride:
        file, named = open_spec(specs[0])
        steps = amendments(file) if named is None else []
        if not steps:
            raise click.UsageError(f"level diff compares networks: {specs[0]} is one, and no variant amends another")
        name = Path(file.name).stem
        return _Subject([step.variant for step in steps], name, steps, name)
    if len(specs) == 1:
        specs = [specs[0], specs[0]]
    variants = [find_variant(specs[0], {})]
    for name in specs[1:-1]:
        variants.append(find_next(variants[-1], name, {}))
    variants.append(find_next(variants[-1], specs[-1], settings, image, output_stride))
    name = f"{variants[0].name}-{variants[-1].name}"
    if len(variants) == 2:
        return _Subject(variants, name)
    return _Subject(variants, name, chain(variants), " → ".join(variant.name for variant in variants))


def _format(format: Format | None, output: str | None, level: Level) -> Format:
    """The format asked for; raises UsageError where the options do not agree on one."""
    suffix = Path(output).suffix.lower().removeprefix(".") if output and output != "-" else ""
    if format is None and suffix and suffix not in FORMATS:
        raise click.UsageError(f"unknown format {suffix!r}: it is one of {', '.join(FORMATS)}")
    if format is None and output and output != "-" and not suffix:
        raise click.UsageError(f"{output} has no suffix that says the format: {', '.join(FORMATS)}")
    kind: Format = format or cast("Format", suffix or "svg")
    if output == "-" and kind not in _TEXTS:
        raise click.UsageError(f"{kind} is not printed: give a file with -o")
    if kind == "html" and level in ("blocks", "diff"):
        raise click.UsageError("an HTML page shows one whole network: leave out --level")
    return kind


def _content(
    subject: _Subject, level: Level, kind: Format, options: Options, engine: Engine, path: Path | None
) -> tuple[bytes, Format, tuple[Diagnostic, ...]]:
    """The file's content and format: DOT, and why, where no engine can be run for the one that is wanted."""
    if kind == "html":
        return subject.variants[0].page(options).encode(), kind, ()
    with console.busy(f"drawing {subject.name} …"):
        drawing = subject.drawing(level, options)
        try:
            return drawing.render(kind, engine), kind, ()
        except ArchError as error:
            if path is None or engine != "auto" or error.diagnostics[0].code != "E610":
                raise
            return drawing.render("dot"), "dot", error.diagnostics
