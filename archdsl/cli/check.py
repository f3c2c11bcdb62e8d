"""`archdsl check`: every finding about some files, or one line for each file that has none."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.options import json_option
from archdsl.cli.shared import ArchCommand, exit_code, locate, write_document
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic

if TYPE_CHECKING:
    from archdsl.cli.documents.files import CheckedJson
    from archdsl.graph.sizes import SizeDecision
    from archdsl.semantics.program import Definition


@click.command("check", cls=ArchCommand)
@click.argument("specs", metavar="[SPEC]...", nargs=-1)
@json_option
def command(specs: tuple[str, ...], as_json: bool) -> int:
    """Report every error in specs, with its place and a hint.

    Names, types, shapes and the figures that `expect` claims, of all variants of each file, and its recipes. Without
    SPEC, all shipped families are checked.
    """
    if not specs:
        from archdsl.library import families

        specs = tuple(families())
    every: list[Diagnostic] = []
    files: list[CheckedJson] = []
    for spec in specs:
        name, variants, recipes, spaces, unchecked, sizes, found = _check(spec)
        every += found
        ok = not any(d.severity == "error" for d in found)
        if as_json:
            files.append(_checked(name, ok, variants, recipes, unchecked, found))
            continue
        console.diagnose(found, sys.stdout)
        if ok:
            console.line(f"{name}: {_fine(len(variants), len(recipes), spaces)}")
            if unchecked:
                what = ", ".join(f"{definition.kind} {definition.name}" for definition in unchecked)
                console.line(f"  nothing uses {what}: only names were checked there")
            if sizes:
                asked = ", ".join(f"`{decision.text}` ({decision.place})" for decision in sizes)
                console.line(f"  asks about sizes, and holds only for images of which the answers are true: {asked}")
    if as_json:
        from archdsl.cli.documents.files import CheckDocument

        write_document(CheckDocument(files=files), every)
    elif every:
        console.note(console.tally(every))
    return exit_code(every)


def _check(
    spec: str,
) -> tuple[str, list[str], list[str], int, tuple[Definition, ...], tuple[SizeDecision, ...], tuple[Diagnostic, ...]]:
    """The name, variants, own recipes, number of spaces, unchecked definitions, decisions by size and diagnostics of
    the file that SPEC means."""
    from archdsl.api import ArchFile

    name = spec
    try:
        source, variant = locate(spec)
        name = source.name
        file = ArchFile(source)
        found = file.check()
        if variant is not None:
            file[variant]
        root = file.program.root
        spaces = sum(item.file is root for item in root.spaces.values())
        recipes = [name for name, recipe in root.recipes.items() if recipe.file is root]
        return name, list(file), recipes, spaces, file.unchecked, file.size_decisions, found
    except ArchError as error:
        return name, [], [], 0, (), (), error.diagnostics


def _checked(
    name: str,
    ok: bool,
    variants: list[str],
    recipes: list[str],
    unchecked: tuple[Definition, ...],
    found: tuple[Diagnostic, ...],
) -> CheckedJson:
    from archdsl.cli.documents.files import CheckedJson

    names = [definition.name for definition in unchecked]
    return CheckedJson.of(file=name, ok=ok, variants=variants, recipes=recipes, unchecked=names, diagnostics=found)


def _fine(variants: int, recipes: int, spaces: int) -> str:
    parts = [f"{variants or 'no'} variant{'s' * (variants != 1)}"]
    parts += [
        f"{count} {what}{'s' * (count != 1)}" for count, what in ((recipes, "recipe"), (spaces, "space")) if count
    ]
    return f"{', '.join(parts)}, no errors"
