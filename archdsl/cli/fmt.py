"""`archdsl fmt`: specs in the canonical layout."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.options import json_option
from archdsl.cli.shared import STDIN, ArchCommand, exit_code, fail, read_stdin, write_document
from archdsl.diagnostics.core import ArchError, errors_raised
from archdsl.diagnostics.diagnostic import Diagnostic

if TYPE_CHECKING:
    from archdsl.source import Source


@click.command("fmt", cls=ArchCommand)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option("--check", "only_check", is_flag=True, help="Write nothing; exit 1 if a file would change.")
@json_option
def command(files: tuple[str, ...], only_check: bool, as_json: bool) -> int:
    """Lay specs out in the canonical way, in place.

    `-` reads standard input and prints the result. A file with a syntax error is left as it is; the meaning of a spec
    never changes.
    """
    if as_json and "-" in files and not only_check:
        raise click.UsageError("`-` prints the text: no --json beside it, but for --check")
    results: list[tuple[str, bool]] = []
    every: list[Diagnostic] = []
    for name in files:
        try:
            results.append(_format(name, only_check, as_json))
        except ArchError as error:
            every += error.diagnostics
    if as_json:
        from archdsl.cli.documents.files import FmtDocument

        write_document(FmtDocument.of(files=[{"file": file, "changed": differs} for file, differs in results]), every)
    elif every:
        fail(every)
    changes = only_check and any(changed for _, changed in results)
    return exit_code(every) or int(changes)


def _format(name: str, only_check: bool, as_json: bool) -> tuple[str, bool]:
    """Format one file: its name, and whether its layout was another; raises ArchError."""
    from archdsl.syntax import format_file, parse

    source = _read(name)
    with errors_raised() as bag:
        syntax = parse(source, bag)
    assert syntax is not None
    text = format_file(syntax)
    changed = text != source.text
    if name == "-" and not only_check:
        console.write_data(text)
    elif changed and not only_check:
        from archdsl.files import Staged

        with Staged(Path(name), text) as staged:
            staged.commit()
    if changed and not as_json and (name != "-" or only_check):
        console.note(f"{'would format' if only_check else 'formatted'} {source.name}")
    return source.name, changed


def _read(name: str) -> Source:
    """A file by its path alone: no name of a shipped spec is rewritten by accident."""
    from archdsl.library import SUFFIX, locate

    if name in ("-", STDIN):
        return read_stdin()
    if not (os.path.lexists(name) or "/" in name or name.endswith(SUFFIX)):
        raise ArchError.of(
            "E602", path=name, detail="fmt needs a file, by its path", hint="give a path: archdsl fmt NAME.arch"
        )
    return locate(name if "/" in name else f"./{name}")[0]
