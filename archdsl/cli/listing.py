"""`archdsl list`: the shipped families and their variants."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.options import json_option
from archdsl.cli.shared import ArchCommand, write_document

if TYPE_CHECKING:
    from archdsl.cli.recorded import Family
    from archdsl.source import Source


_NAMES = 30
"""Columns to align names in: the whole table then has 80. A family with longer names is wider by what they need."""


@click.command("list", cls=ArchCommand)
@json_option
def command(as_json: bool) -> int:
    """List the shipped families and their variants.

    Any of these names may stand for SPEC in the other commands.
    """
    from archdsl.cli.recorded import families

    found = list(families())
    if as_json:
        from archdsl.cli.documents.networks import ListDocument

        write_document(ListDocument.of(families=[_family(source, family) for source, family in found]))
        return 0
    from archdsl.cli.tables import VariantRow, heading, variant_table

    longest = max((len(variant["name"]) for _, family in found for variant in family["variants"]), default=0)
    width = min(_NAMES, 2 + longest)
    console.show(variant_table([], width))
    for source, family in found:
        rows = [
            VariantRow(v["name"], "×".join(map(str, v["input"])), v["layers"], v["params"], v["macs"], top1)
            for v, top1 in zip(family["variants"], family["top1"], strict=True)
        ]
        console.show(heading(_name(source), family["doc"]), variant_table(rows, width, header=False))
        console.line()
    return 0


def _family(source: Source, family: Family) -> dict[str, object]:
    from archdsl.cli.recorded import in_folder

    variants = [in_folder(variant, source) for variant in family["variants"]]
    return {"name": _name(source), "file": source.name, "doc": family["doc"], "variants": variants}


def _name(source: Source) -> str:
    return PurePath(source.name).stem
