"""`archdsl list`: the shipped families and their variants."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.shared import ArchCommand, document, json_option

if TYPE_CHECKING:
    from archdsl.api import ArchFile
    from archdsl.cli.schema import FamilyJson


_NAMES = 30
"""Columns to align names in: the whole table then has 80. A family with longer names is wider by what they need."""


@click.command("list", cls=ArchCommand)
@json_option
def command(as_json: bool) -> int:
    """List the shipped families and their variants.

    Any of these names may stand for SPEC in the other commands.
    """
    from archdsl import api
    from archdsl.library import families

    files = {name: api.open(name) for name in families()}
    if as_json:
        console.write_json(document("list", (), families=[_data(name, file) for name, file in files.items()]))
        return 0
    width = min(_NAMES, 2 + max((len(variant) for file in files.values() for variant in file), default=0))
    from archdsl.cli.tables import variant_table

    console.show(variant_table([], width))
    for name, file in files.items():
        _print(name, file, width)
    return 0


def _data(name: str, file: ArchFile) -> FamilyJson:
    from archdsl.cli.facts import variant_json

    return {"name": name, "file": file.name, "doc": file.docstring, "variants": list(map(variant_json, file.values()))}


def _print(name: str, file: ArchFile, width: int) -> None:
    from archdsl.cli.tables import heading, variant_table

    console.show(heading(name, file.docstring), variant_table(list(file.values()), width, header=False))
    console.line()
