"""`archdsl weights`: the published weights of one variant, of a file, or of all that is shipped."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.options import TEXT, json_option
from archdsl.cli.shared import ArchCommand, open_spec, write_document

if TYPE_CHECKING:
    from archdsl.api import ArchFile, Variant
    from archdsl.published import Published


@click.command("weights", cls=ArchCommand)
@click.argument("spec", metavar="[SPEC[:VARIANT]]", required=False)
@click.option(
    "--fetch",
    "names",
    metavar="NAME",
    type=TEXT,
    multiple=True,
    help="Fetch these of SPEC:VARIANT (`default` too), check their hash, and print where they lie.",
)
@json_option
def command(spec: str | None, names: tuple[str, ...], as_json: bool) -> int:
    """List the published weights of networks, by the names that `predict --weights` and archdsl.load take.

    Top-1 is the published accuracy on ImageNet-1k, with pictures of the size that stands beside it. The size of a file
    is as published; with a `~` it follows from the number of weights. The one that is marked as default is meant where
    none is named. Nothing is fetched without --fetch. Without SPEC, all shipped families are listed.
    """
    if names:
        return _fetch(spec, names, as_json)
    variants = _all() if spec is None else _those(*open_spec(spec), spec)
    if as_json:
        _json([entry for variant in variants for entry in variant.weights.values()])
        return 0
    _print([variant for variant in variants if variant.weights or spec is not None])
    return 0


def _fetch(spec: str | None, names: tuple[str, ...], as_json: bool) -> int:
    """Fetch weights of one network, and say where they lie."""
    file, named = (None, None) if spec is None else open_spec(spec)
    if file is None or spec is None or len(_those(file, named, spec)) != 1:
        raise click.UsageError("--fetch wants one network: SPEC:VARIANT")
    weights = file.only(named, spec).weights
    entries = list(dict.fromkeys(weights[name] for name in names))

    def say(path: str, notes: Sequence[str]) -> None:
        for note in notes:
            console.note(f"note: {path}: {note}")

    paths = [str(entry.fetch(say=say)) for entry in entries]
    if as_json:
        _json(entries, paths)
        return 0
    for path in paths:
        console.line(path)
    return 0


def _all() -> list[Variant]:
    from archdsl.api import open_source
    from archdsl.library import read, shipped

    return [variant for path in shipped() for variant in open_source(read(path)).values()]


def _those(file: ArchFile, named: str | None, spec: str) -> list[Variant]:
    """The variant that is named, or all of the file."""
    if named is None and (len(file) > 1 or spec not in file):
        return list(file.values())
    return [file.only(named, spec)]


def _print(variants: list[Variant]) -> None:
    from archdsl.cli.tables import heading, published_table

    rows = {variant.name: [_cells(entry) for entry in variant.weights.values()] for variant in variants}
    width = max((len(cells[0]) for of_one in rows.values() for cells in of_one), default=0)
    for name, cells in rows.items():
        if cells:
            console.show(heading(name, ""), published_table(cells, width))
            console.line()
        else:
            console.line(f"{name}: no weights are listed")


def _cells(entry: Published) -> tuple[str, str, str, str, str, str]:
    """Name, top-1, size, classes, size of the file, what else is to be said."""
    top1 = "" if entry.top1 is None else f"{entry.top1:.2f}%"
    at = "" if entry.top1 is None else str(entry.top1_size or _side(entry))
    classes = "–" if entry.classes is None else f"{entry.classes:,}" if entry.classes else "none"
    mib = f"~{_estimated(entry):.0f}" if entry.mib is None else f"{entry.mib:.1f}"
    said = "default" if entry.default else "refused" if entry.refused is not None else ""
    return entry.name, top1, at, classes, mib, said


def _side(entry: Published) -> int:
    """Of the pictures that are prepared for it."""
    if entry.preprocess is not None and entry.preprocess.size is not None:
        return entry.preprocess.size
    shape = entry.owner.graph.input_shape
    return max(shape.height, shape.width)


def _estimated(entry: Published) -> float:
    """The size of the file in MiB: four bytes for each weight of the network, with the classifier of the spec."""
    from math import prod

    return sum(4 * prod(weight.shape) for _, weight, _ in entry.owner.graph.state()) / 2**20


def _json(entries: Sequence[Published], paths: Sequence[str] = ()) -> None:
    """The entries, and where they lie if they were fetched."""
    from archdsl.cli.documents.weights import WeightsDocument

    fetched = [{"name": entry.name, "path": path} for entry, path in zip(entries, paths, strict=False)]
    write_document(WeightsDocument.of(published=entries, fetched=fetched))
