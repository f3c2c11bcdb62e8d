"""`archdsl recipe`: lists, shows and compares recipes, writes them for other trainers, draws them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.codes import COULD_NOT_RUN, FINDINGS
from archdsl.cli.options import TEXT, force_option, json_option
from archdsl.cli.shared import ArchCommand, may_replace, open_spec, write_document, write_output
from archdsl.diagnostics.core import ArchError

if TYPE_CHECKING:
    from archdsl.api import ArchFile, Variant
    from archdsl.backends.trainers import Exported, TrainedNetwork
    from archdsl.graph.recipe import Recipe
    from archdsl.graph.reference import Reference

TRAINERS = ("timm", "torchvision")
_MARK = "written by archdsl"
"""In the first line of what is written for a trainer."""
_IDLE = {"devices": "exported", "output": "written", "force": "written"}


class RecipeCommand(ArchCommand):
    """Of two recipes that are compared, 1 means that they differ: whatever is wrong with one of them is 2."""

    def invoke(self, ctx: click.Context) -> int:
        code: int = super().invoke(ctx)
        compares = ctx.params.get("other") is not None and not ctx.meta.get("compared")
        return COULD_NOT_RUN if code == FINDINGS and compares else code


@dataclass(frozen=True)
class Found:
    """A recipe, the file that has it, and, where SPEC names one, the variant."""

    recipe: Recipe
    file: ArchFile
    variant: Variant | None

    @property
    def title(self) -> str:
        return f"{self.recipe.name} of {Path(self.file.name).name}"


@click.command("recipe", cls=RecipeCommand, short_help="Show how networks are trained: their recipes.")
@click.argument("spec")
@click.argument("name", metavar="[NAME]", type=TEXT, default="")
@click.option("--diff", "other", metavar="NAME", type=TEXT, help="Compare with another recipe: NAME, or SPEC:NAME.")
@click.option("--as", "trainer", type=click.Choice(TRAINERS), help="Write it for timm's or torchvision's trainer.")
@click.option("--devices", type=click.IntRange(1, 100_000), default=1, help="--as: how many share the batch. [1]")
@click.option("--plot", is_flag=True, help="Draw learning rate, size and regularization over the epochs, as SVG.")
@click.option("-o", "--output", metavar="FILE", help="--as, --plot: where to write; `-` prints it.")
@force_option()
@json_option
def command(
    spec: str,
    name: str,
    other: str | None,
    trainer: str | None,
    devices: int,
    plot: bool,
    output: str | None,
    force: bool,
    as_json: bool,
) -> int:
    """Show how networks are trained.

    SPEC alone lists the recipes of a file, SPEC:VARIANT those for one network; with NAME one of them is shown, with its
    source. For other trainers (--as) it is written as the file or the flags that they take, and what they cannot say is
    said there and on standard error.

    With --diff the exit codes are 0: equal, 1: different, 2: could not compare.
    """
    _refuse_idle(name, other, trainer, plot)
    file, variant = open_spec(spec)
    chosen = file[variant] if variant is not None else None
    known = chosen.recipes if chosen is not None else file.recipes
    if not name:
        return _list(file, chosen, known, as_json)
    found = Found(_recipe(known, name), file, chosen)
    if other is not None:
        return _compare(found, _other(file, other), as_json)
    if trainer is not None:
        return _export(found, trainer, devices, output, force, as_json)
    if plot:
        return _plot(found, output, force, as_json)
    return _show(found, as_json)


def _refuse_idle(name: str, other: str | None, trainer: str | None, plot: bool) -> None:
    """Raise UsageError for options that exclude each other, or change nothing."""
    from click.core import ParameterSource

    context = click.get_current_context()
    wanted = [flag for flag, given in (("--diff", other), ("--as", trainer), ("--plot", plot)) if given]
    if len(wanted) > 1:
        raise click.UsageError(f"{' and '.join(wanted)} are not for one run")
    if wanted and not name:
        raise click.UsageError(f"{wanted[0]} is about one recipe: archdsl recipe SPEC NAME {wanted[0]}")
    does = {"exported": trainer is not None, "written": trainer is not None or plot}
    for option, kind in _IDLE.items():
        if not does[kind] and context.get_parameter_source(option) is ParameterSource.COMMANDLINE:
            flag = "-o" if option == "output" else f"--{option}"
            raise click.UsageError(f"{flag} does nothing without {'--as' if kind == 'exported' else '--as or --plot'}")


def _recipe(known: Mapping[str, Recipe], name: str) -> Recipe:
    """The recipe of this name; raises ArchError E432."""
    from archdsl.diagnostics.suggest import closest

    if name not in known:
        raise ArchError.of("E432", name=name, suggestion=closest(name, known), known=", ".join(known) or None)
    return known[name]


def _other(file: ArchFile, name: str) -> Found:
    """The recipe to compare with: of the same file, or SPEC:NAME."""
    spec, colon, own = name.rpartition(":")
    if colon:
        file, variant = open_spec(spec)
        if variant is not None:
            raise click.UsageError(f"{name} is no SPEC:NAME of a recipe")
    return Found(_recipe(file.recipes, own), file, None)


# --- what is printed -------------------------------------------------------------------------


def _list(file: ArchFile, variant: Variant | None, known: Mapping[str, Recipe], as_json: bool) -> int:
    if as_json:
        _json(file, [*known.values()])
        return 0
    from archdsl.cli.recipe_tables import recipe_table

    if not known:
        console.note(f"{variant.name if variant else file.name} has no recipe")
        return 0
    console.show(recipe_table([*known.values()]))
    return 0


def _show(found: Found, as_json: bool) -> int:
    if as_json:
        _json(found.file, [found.recipe])
        return 0
    from archdsl.cli.recipe_tables import settings_table, stages_table, title
    from archdsl.cli.tables import prose

    recipe = found.recipe
    console.show(title(recipe), *prose(recipe.source), settings_table(recipe))
    if recipe.progressive is not None:
        console.line()
        console.show(stages_table(recipe))
    return 0


def _compare(found: Found, other: Found, as_json: bool) -> int:
    from archdsl.graph.recipe_words import differences

    changes = differences(found.recipe, other.recipe)
    click.get_current_context().meta["compared"] = True
    if as_json:
        _json(found.file, [found.recipe, other.recipe], differences=changes)
    elif not changes:
        console.line("The recipes are equal.")
    else:
        from archdsl.cli.recipe_tables import difference_table

        console.show(difference_table(found.recipe, other.recipe, changes))
    return FINDINGS if changes else 0


def _json(file: ArchFile, recipes: list[Recipe], path: Path | None = None, **more: object) -> None:
    from archdsl.cli.documents.training import RecipeDocument

    told = {"differences": None, "exported": None, "path": None if path is None else str(path), **more}
    write_document(RecipeDocument.of(file=file.name, recipes=recipes, **told))


# --- what is written -------------------------------------------------------------------------


def _export(found: Found, trainer: str, devices: int, output: str | None, force: bool, as_json: bool) -> int:
    """The recipe for another trainer: YAML for timm's, flags for torchvision's."""
    from archdsl.backends.trainers import for_timm, for_torchvision

    make = for_timm if trainer == "timm" else for_torchvision
    variant = _variant(found)
    reference = next((one for one in variant.references if one.library == trainer), None) if variant else None
    network = _network(variant, found.recipe, reference) if variant else None
    out = make(found.recipe, reference.model if reference else None, devices, network=network)
    title = f"Recipe {found.title} for {trainer}'s train.py, {_MARK}"
    text = out.yaml(title) if trainer == "timm" else out.flags(title)
    path = None if output in (None, "-") else Path(str(output))
    if path is not None:
        _write(path, text.encode(), force)
    if as_json:
        told = {"trainer": trainer, "settings": out.settings, "missing": out.missing, "text": text}
        _json(found.file, [found.recipe], exported=told, path=path)
        return 0
    if path is None:
        console.write_data(text)
    _say_missing(out)
    return 0


def _say_missing(out: Exported) -> None:
    for what in out.missing:
        console.note(f"{out.trainer} cannot say: {what}")


def _variant(found: Found) -> Variant | None:
    """The network that is trained: that of SPEC:VARIANT, or the only one that the recipe is for."""
    targets = found.recipe.targets
    if found.variant is None and len(targets) == 1 and targets[0] in found.file:
        return found.file[targets[0]]
    return found.variant


def _network(variant: Variant, recipe: Recipe, reference: Reference | None) -> TrainedNetwork:
    """It as it is trained and tested here."""
    from archdsl.backends.trainers import TrainedNetwork
    from archdsl.training.pieces import Pieces
    from archdsl.training.transforms import tested

    pictures = tested(variant, recipe) if variant.pictures is not None else None
    return TrainedNetwork(Pieces(variant, recipe).variant.graph, reference.arguments if reference else {}, pictures)


def _plot(found: Found, output: str | None, force: bool, as_json: bool) -> int:
    from archdsl.backends.diagram.recipe import recipe_chart

    svg = recipe_chart(found.recipe, found.title)
    path = None if output == "-" else Path(output or f"{found.recipe.name}.svg")
    if path is not None and path.suffix.lower() != ".svg":
        raise click.UsageError(f"{path} is no name of an SVG, and recipes are drawn as nothing else")
    if path is not None:
        _write(path, svg.encode(), force)
    if as_json:
        _json(found.file, [found.recipe], path=path)
    elif path is None:
        console.write_data(svg)
    return 0


def _write(path: Path, content: bytes, force: bool) -> None:
    from archdsl.backends.diagram.provenance import is_ours

    may_replace(path, lambda old: is_ours(old) or _MARK.encode() in old.partition(b"\n")[0], force)
    write_output(content, path)
