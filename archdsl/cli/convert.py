"""`archdsl convert`: a weights file under another library's names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.options import (
    TEXT,
    force_option,
    image_option,
    json_option,
    prefix_option,
    set_option,
    weights_set_option,
)
from archdsl.cli.shared import ArchCommand, find_variant, write_document
from archdsl.diagnostics.core import ArchError
from archdsl.graph.image import Image

if TYPE_CHECKING:
    from archdsl.weights.convert import Conversion


@click.command("convert", cls=ArchCommand, short_help="Write a weights file by another library's names.")
@click.argument("file")
@click.option("--of", "spec", metavar="SPEC[:VARIANT]", required=True, help="The network whose weights they are.")
@click.option(
    "--to",
    metavar="NAME",
    type=TEXT,
    required=True,
    help="Whose names to write: a library that has the network, a key map of the spec, or `own`, the spec's.",
)
@click.option("-o", "--output", metavar="FILE", required=True, help="Where to write: .safetensors, .pth, .pt or .bin.")
@click.option("--from", "checkpoint", metavar="NAME", type=TEXT, help="Whose names FILE has. [those that fit]")
@weights_set_option
@prefix_option
@set_option
@image_option
@force_option("a file that is there")
@json_option
def command(
    file: str,
    spec: str,
    to: str,
    output: str,
    checkpoint: str | None,
    weights_set: str | None,
    prefixes: tuple[str, ...],
    settings: dict[str, str],
    image: Image,
    force: bool,
    as_json: bool,
) -> int:
    """Write a weights file of a network by the names of another library, tensor for tensor: no number changes.

    FILE is a file, or the name of published weights (`archdsl weights SPEC`), which are fetched. The file must fit the
    network completely, whichever names it has. Only tensors are read from it: nothing in it is executed.
    """
    from archdsl.published import chosen

    variant = find_variant(spec, settings, image)
    if os.path.isfile(output) and not force:
        raise ArchError.of("E607", path=output, detail="there is such a file; --force replaces it")
    if checkpoint is not None and (entry := chosen(variant, file)) is not None:
        raise click.UsageError(f"--from does nothing: of {entry.name} it is known how it is read")
    fetched: list[str] = []
    done = variant.convert(
        file,
        to,
        output,
        checkpoint,
        weights_set=weights_set,
        prefix=prefixes,
        say=lambda path, notes: fetched.extend(f"{path}: {note}" for note in notes),
    )
    _say(variant.name, done, fetched)
    if as_json:
        from archdsl.cli.documents.weights import ConvertDocument

        write_document(ConvertDocument.of(done, variant=variant.name, file=done.path, notes=[*fetched, *done.notes]))
    return 0


def _say(name: str, done: Conversion, fetched: Sequence[str]) -> None:
    """What was read and written, and what was done that nobody asked for."""
    for note in fetched:
        console.note(f"note: {note}")
    for note in done.notes:
        console.note(f"note: {done.path}: {note}")
    console.note(f"{done.path}: {done.tensors:,} weights of {name} by the names of {done.names}")
    if done.left_out:
        first, more = done.left_out[0], len(done.left_out) - 1
        others = f" and {more:,} more" if more else ""
        console.note(f"left out, as {name} has no such part: {first}{others}")
    changed = [
        f"{count:,} have another {what}"
        for count, what in ((done.renamed, "name"), (done.reshaped, "shape"), (done.turned, "order of colours"))
        if count
    ]
    console.note(f"{done.output}: by the names of {done.to} ({', '.join(changed) or 'the same'})")
