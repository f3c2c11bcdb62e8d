"""From picture files to named classes, by what a spec's `preprocess` says.

torch and Pillow are imported when `predict` is called. Raises ArchError: E608 for every picture that cannot be read,
E609 where the spec does not say how, E515 where what comes out are no probabilities, and what loading weights raises.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from archdsl import arguments
from archdsl.diagnostics.core import Bag
from archdsl.graph.settings import Preprocess
from archdsl.pictures import picture
from archdsl.quiet import import_torch
from archdsl.resources import find
from archdsl.transform import Transform, Unusable
from archdsl.variant import Variant

if TYPE_CHECKING:
    import torch

    from archdsl.weights.loading import Say

BATCH = 16
"""Pictures that go through the network together."""


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one picture, the best first: label and probability."""

    path: str
    classes: tuple[tuple[str, float], ...]


def predict(
    variant: Variant,
    weights: str | os.PathLike[str],
    images: Iterable[str | os.PathLike[str]],
    checkpoint: str | None = None,
    *,
    weights_set: str | None = None,
    top: int = 5,
    batch: int = BATCH,
    device: torch.device | str | None = None,
    say: Say | None = None,
) -> list[Prediction]:
    """Classify picture files with the weights of a file; `checkpoint` names the map to read them with, `weights_set`
    one of several sets in the file; `say` gets what is done to the weights unasked, which is a warning without it."""
    import_torch()
    import torch

    from archdsl.weights.loading import load_weights, warn

    arguments.instance("variant", variant, Variant, "a variant")
    weights = arguments.path("weights", weights)
    checkpoint = arguments.optional_text("checkpoint", checkpoint)
    weights_set = arguments.optional_text("weights_set", weights_set)
    top, batch = arguments.positive("top", top), arguments.positive("batch", batch)
    files = arguments.paths("images", images, "a list of files")
    transform = variant.transform
    settings = transform.settings
    if settings.size is not None and variant.graph.size_decisions:
        variant = variant.for_image(size=settings.size)  # what the spec asks about sizes is asked of these pictures
    labels = _labels_of(variant, settings)
    said = say or warn
    model = load_weights(variant, weights, checkpoint, weights_set=weights_set, device=device, say=said).eval()
    bag = Bag()
    predictions: list[Prediction] = []
    for paths, pixels in _batches(files, transform, batch, bag):
        if not bag.errors:
            with torch.inference_mode():
                output = model(pixels.to(device or "cpu"))
                logits = output.logits if variant.graph.form == "named" else output
                probabilities = logits.float().softmax(1)
                best = probabilities.topk(min(top, len(labels)), dim=1)
            for path, usable in zip(paths, probabilities.isfinite().all(dim=1).tolist(), strict=True):
                if not usable:
                    bag.report("E515", None, name=variant.name, path=path)
            for path, values, indices in zip(paths, best.values.tolist(), best.indices.tolist(), strict=True):
                named = zip((labels[index] for index in indices), values, strict=True)
                predictions.append(Prediction(path, tuple(named)))
    bag.raise_errors()
    return predictions


@cache
def class_labels(name: str) -> tuple[str, ...] | None:
    """The shipped class names `name` (`imagenet1k`), in the order of a model's outputs; None if there are none."""
    path = find("specs", f"{name}.txt")
    if path is None:
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def _labels_of(variant: Variant, settings: Preprocess) -> tuple[str, ...]:
    bag = Bag()
    graph = variant.graph
    shape = ", ".join(graph.output_labels) if graph.result is None else graph.shape(graph.result)
    labels = None if settings.labels is None else class_labels(settings.labels)
    if labels is None:
        bag.report("E609", None, what="labels", name=variant.name)
    elif isinstance(shape, str) or shape.dims != (len(labels),):
        expected = f"{len(labels)} numbers, one for each class of {settings.labels}"
        bag.report("E302", None, what=f"the output of `{variant.name}`", expected=expected, got=str(shape))
    bag.raise_errors()
    assert labels is not None
    return labels


def _batches(
    paths: Sequence[str], transform: Transform, batch: int, bag: Bag
) -> Iterator[tuple[Sequence[str], torch.Tensor]]:
    """The pictures, some at a time; those that cannot be read are reported, and only the rest is given."""
    import torch

    for start in range(0, len(paths), batch):
        read = [(path, _read(path, transform, bag)) for path in paths[start : start + batch]]
        good = [(path, pixels) for path, pixels in read if pixels is not None]
        if good:
            yield [path for path, _ in good], torch.stack([pixels for _, pixels in good])


def _read(path: str, transform: Transform, bag: Bag) -> torch.Tensor | None:
    try:
        with picture(path) as image:
            return transform(image)
    except Unusable as error:
        bag.report("E608", None, path=path, detail=str(error))
    return None
