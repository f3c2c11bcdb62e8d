"""`archdsl predict`: what published weights see in pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archdsl.arguments import LARGEST
from archdsl.cli import console
from archdsl.cli.shared import TEXT, ArchCommand, document, find_variant, json_option, set_option

if TYPE_CHECKING:
    from archdsl.cli.schema import PredictionJson
    from archdsl.predict import Prediction


@click.command("predict", cls=ArchCommand)
@click.argument("spec", metavar="SPEC[:VARIANT]")
@click.argument("images", metavar="IMAGE...", nargs=-1, required=True)
@click.option("--weights", metavar="FILE", required=True, help="A .safetensors or .pth file.")
@click.option(
    "--checkpoint", metavar="NAME", type=TEXT, help="The spec's key map to read the weights with. [the one that fits]"
)
@click.option(
    "--weights-set",
    metavar="NAME",
    type=TEXT,
    help="Which of several sets in the file: its name, or a word of it (ema).",
)
@click.option("--top", type=click.IntRange(1, LARGEST), default=5, show_default=True, help="How many classes to print.")
@set_option
@json_option
def command(
    spec: str,
    images: tuple[str, ...],
    weights: str,
    checkpoint: str | None,
    weights_set: str | None,
    top: int,
    settings: dict[str, str],
    as_json: bool,
) -> int:
    """Print the most likely classes of pictures.

    The pictures are resized, cropped and normalized as the spec's `preprocess` says. Only tensors are read from the
    weights file: nothing in it is executed.
    """
    variant = find_variant(spec, settings)
    with console.busy(f"running {variant.name} …"):
        from archdsl.predict import predict

        notes: list[str] = []
        predictions = predict(
            variant,
            weights,
            list(images),
            checkpoint=checkpoint,
            weights_set=weights_set,
            top=top,
            say=lambda path, said: notes.extend(f"{path}: {note}" for note in said),
        )
    for note in notes:
        console.note(f"note: {note}")
    if as_json:
        found = [_data(prediction) for prediction in predictions]
        console.write_json(document("predict", (), variant=variant.name, notes=notes, predictions=found))
    else:
        for index, prediction in enumerate(predictions):
            console.line(("\n" if index else "") + str(prediction.path))
            for label, probability in prediction.classes:
                console.line(f"  {probability:7.2%}  {label}")
    return 0


def _data(prediction: Prediction) -> PredictionJson:
    classes = prediction.classes
    return {
        "path": str(prediction.path),
        "classes": [{"label": label, "probability": float(probability)} for label, probability in classes],
    }
