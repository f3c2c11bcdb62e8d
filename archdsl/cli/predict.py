"""`archdsl predict`: what published weights see in pictures."""

from __future__ import annotations

import click

from archdsl.arguments import LARGEST
from archdsl.cli import console
from archdsl.cli.options import TEXT, image_option, json_option, prefix_option, set_option, weights_set_option
from archdsl.cli.shared import ArchCommand, find_variant, write_document
from archdsl.graph.image import Image


@click.command("predict", cls=ArchCommand)
@click.argument("spec", metavar="SPEC[:VARIANT]")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option(
    "--weights",
    metavar="FILE|NAME",
    type=TEXT,
    help="A .safetensors or .pth file, or the name of published weights. [those that the spec says are the default]",
)
@click.option(
    "--checkpoint", metavar="NAME", type=TEXT, help="The spec's key map to read the weights with. [the one that fits]"
)
@weights_set_option
@prefix_option
@click.option("--top", type=click.IntRange(1, LARGEST), default=5, show_default=True, help="How many classes to print.")
@set_option
@image_option
@json_option
def command(
    spec: str,
    images: tuple[str, ...],
    weights: str | None,
    checkpoint: str | None,
    weights_set: str | None,
    prefixes: tuple[str, ...],
    top: int,
    settings: dict[str, str],
    image: Image,
    as_json: bool,
) -> int:
    """Print the most likely classes of pictures.

    The pictures are resized, cropped and normalized as the spec's `preprocess` says, or as published weights want it;
    with --image for that size, of which the crop keeps the same share.
    Published weights are fetched once, and their hash is checked. Only tensors are read from the weights file: nothing
    in it is executed.
    """
    from archdsl.predict import classifier, source_of

    variant = find_variant(spec, settings, image)
    source = source_of(variant, weights)
    used = source if isinstance(source, str) else source.name
    if not isinstance(source, str):
        if checkpoint is not None:
            raise click.UsageError(f"--checkpoint does nothing: of {used} it is known how it is read")
        console.note(f"weights: {used} ({'the default, ' if weights is None else ''}{source.place})")
    notes: list[str] = []
    said = lambda path, texts: notes.extend(f"{path}: {note}" for note in texts)  # noqa: E731
    made = classifier(variant, source, checkpoint, weights_set=weights_set, prefix=prefixes, say=said)
    with console.busy(f"running {variant.name} …"):
        predictions = made.predict(list(images), top)
    for note in notes:
        console.note(f"note: {note}")
    if as_json:
        from archdsl.cli.documents.weights import PredictDocument

        told = PredictDocument.of(variant=variant.name, weights=used, notes=notes, predictions=predictions)
        write_document(told)
    else:
        for index, prediction in enumerate(predictions):
            console.line(("\n" if index else "") + str(prediction.path))
            for label, probability in prediction.classes:
                console.line(f"  {probability:7.2%}  {label}")
    return 0
