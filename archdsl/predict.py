"""From picture files to named classes, by what a spec's `preprocess` says.

torch and Pillow are imported when `predict` is called. Raises ArchError: E608 for every picture that cannot be read,
E609 where the spec does not say how, E515 where what comes out are no probabilities, E532 where no weights are meant,
and what loading weights raises.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from archdsl import arguments
from archdsl.diagnostics.core import ArchError, Bag, errors_raised
from archdsl.graph.settings import Preprocess
from archdsl.modules import pretrained
from archdsl.pictures import picture
from archdsl.published import Published, chosen
from archdsl.quiet import import_torch
from archdsl.resources import find
from archdsl.transform import Transform, Unusable
from archdsl.variant import Variant
from archdsl.weights.labels import class_names

if TYPE_CHECKING:
    import torch
    from torch import nn

    from archdsl.weights.loading import Say

_SHOWN = 12
"""Names of published weights in an error."""

BATCH = 16
"""Pictures that go through the network together."""


@dataclass(frozen=True)
class Prediction:
    """The most probable classes of one picture, the best first: label and probability."""

    path: str
    classes: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class Classifier:
    """A network with weights, and what its pictures and its classes are."""

    name: str
    model: nn.Module
    transform: Transform
    labels: tuple[str, ...]
    named: bool
    """Whether the network gives its outputs by names."""
    device: torch.device | str | None = None

    def predict(self, images: Iterable[str | os.PathLike[str]], top: int = 5, batch: int = BATCH) -> list[Prediction]:
        """Classify picture files, the most probable classes first; raises ArchError E608 and E515."""
        import torch

        top, batch = arguments.positive("top", top), arguments.positive("batch", batch)
        files = arguments.paths("images", images, "a list of files")
        predictions: list[Prediction] = []
        with errors_raised() as bag:
            for paths, pixels in _batches(files, self.transform, batch, bag):
                if bag.errors:
                    continue
                with torch.inference_mode():
                    output = self.model(pixels.to(self.device or "cpu"))
                    probabilities = (output.logits if self.named else output).float().softmax(1)
                    best = probabilities.topk(min(top, len(self.labels)), dim=1)
                for path, usable in zip(paths, probabilities.isfinite().all(dim=1).tolist(), strict=True):
                    if not usable:
                        bag.report("E515", None, name=self.name, path=path)
                for path, values, indices in zip(paths, best.values.tolist(), best.indices.tolist(), strict=True):
                    named = zip((self.labels[index] for index in indices), values, strict=True)
                    predictions.append(Prediction(path, tuple(named)))
        return predictions


def predict(
    variant: Variant,
    weights: str | os.PathLike[str] | Published | None,
    images: Iterable[str | os.PathLike[str]],
    checkpoint: str | None = None,
    *,
    weights_set: str | None = None,
    prefix: str | Sequence[str] | None = None,
    top: int = 5,
    batch: int = BATCH,
    device: torch.device | str | None = None,
    say: Say | None = None,
) -> list[Prediction]:
    """Classify picture files: `classifier` and its `predict` in one."""
    top, batch = arguments.positive("top", top), arguments.positive("batch", batch)
    files = arguments.paths("images", images, "a list of files")
    made = classifier(variant, weights, checkpoint, weights_set=weights_set, prefix=prefix, device=device, say=say)
    return made.predict(files, top, batch)


def source_of(variant: Variant, weights: str | os.PathLike[str] | None) -> str | Published:
    """What weights are meant: a file, published ones by their name, or, without either, those that the spec says are
    the default. Raises ArchError: E519 and E520 for a name, E532 where there is no default."""
    if weights is not None:
        return chosen(variant, weights) or arguments.path("weights", weights)
    default = variant.weights.default
    if default is not None and not variant.changes:
        return default
    why = f"those that are published are of `{variant.name}` as it is written, without what was set"
    if default is None:
        known = len(variant.weights)
        why = f"none of the {known} published ones is the default" if known else "the spec lists none"
    raise ArchError.of("E532", name=variant.name, why=why, known=", ".join(islice(variant.weights, _SHOWN)))


def classifier(
    variant: Variant,
    weights: str | os.PathLike[str] | Published | None = None,
    checkpoint: str | None = None,
    *,
    weights_set: str | None = None,
    prefix: str | Sequence[str] | None = None,
    device: torch.device | str | None = None,
    say: Say | None = None,
) -> Classifier:
    """A variant with weights: of a file, of published ones by their name, or of the default ones of the spec.

    Published weights bring their number of classes and their preprocessing. Of a file `checkpoint` names the map to
    read it with, `weights_set` one of several sets in it, `prefix` what its keys begin with; `say` gets what is done to
    the weights unasked, which is a warning without it. Raises ArchError.
    """
    from archdsl.weights.loading import Reading, warn

    arguments.instance("variant", variant, Variant, "a variant")
    checkpoint = arguments.optional_text("checkpoint", checkpoint)
    weights_set = arguments.optional_text("weights_set", weights_set)
    reading = Reading(checkpoint, weights_set, arguments.texts("prefix", prefix))
    source = weights if isinstance(weights, Published) else source_of(variant, weights)
    transform = variant.transform
    if isinstance(source, Published):
        source.check_reading(checkpoint)
        transform = source.transform
        given = variant.assigned
        own = source.settings(given)
        variant = variant.override({"classes": own["classes"]}) if "classes" in own.keys() - given.keys() else variant
    else:
        _say_whose(variant, source, transform, say or warn)
    settings = transform.settings
    if settings.size is not None and variant.graph.size_decisions:
        variant = variant.for_image(size=settings.size)  # what the spec asks about sizes is asked of these pictures
    import_torch()
    if weights is None and isinstance(source, Published):
        (say or warn)(variant.name, [f"the weights are {source.name}, those that the spec says are the default"])
    place = source.fetch(say=say) if isinstance(source, Published) else source
    labels = _labels_of(variant, settings, class_names(os.fspath(place)))
    model = pretrained(variant, source, device, new_head=False, reading=reading, say=say, place=place).eval()
    return Classifier(variant.name, model, transform, labels, variant.graph.form == "named", device)


def _say_whose(variant: Variant, path: str, transform: Transform, say: Say) -> None:
    """Say of a file that is a published one, for pictures that are prepared otherwise than the spec says."""
    try:
        held = variant.weights.held_by(Path(path)) if os.path.isfile(path) else []
    except OSError:
        return  # the loader says why
    others = [entry for entry in held if entry.preprocess is not None and repr(entry.transform) != repr(transform)]
    if others and len(others) == len(held):
        name, theirs = others[0].name, others[0].transform
        say(path, [f"it is {name}: with that name for it pictures are prepared as they were for it, {theirs}"])


@cache
def class_labels(name: str) -> tuple[str, ...] | None:
    """The shipped class names `name` (`imagenet1k`), in the order of a model's outputs; None if there are none."""
    path = find("specs", f"{name}.txt")
    if path is None:
        return None
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def _labels_of(variant: Variant, settings: Preprocess, trained: tuple[str, ...] | None) -> tuple[str, ...]:
    """The names of the classes: those that the weights were trained with here, else those that the spec names."""
    graph = variant.graph
    shape = ", ".join(graph.output_labels) if graph.result is None else graph.shape(graph.result)
    labels = trained or (None if settings.labels is None else class_labels(settings.labels))
    if labels is None:
        raise ArchError.of("E609", what="labels", name=variant.name)
    if isinstance(shape, str) or shape.dims != (len(labels),):
        expected = f"{len(labels)} numbers, one for each class of {'the weights' if trained else settings.labels}"
        settable = trained is not None and "classes" in variant.parameters
        help_ = f"set it: --set classes={len(labels)}, in Python classes = {len(labels)}" if settable else None
        what = f"the output of `{variant.name}`"
        raise ArchError.of("E302", help=help_, what=what, expected=expected, got=str(shape))
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
