"""Files of weights: `weights`, `predict`, `convert`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from archdsl.cli.documents.base import Document, Shape, Text
from archdsl.cli.documents.networks import PreprocessJson

if TYPE_CHECKING:
    from archdsl.published import Published


class PublishedJson(Shape):
    """A published file of weights, as a row of [`weights`](language.md#weights) states it; what is unknown is null."""

    name: Text
    """The whole name."""
    variant: Text
    library: Text
    model: Text
    tag: Text
    url: Text | None
    hub: Text | None
    package: Text | None
    file: Text | None
    revision: Text | None
    sha256: Text | None
    sha1: Text | None
    mib: float | None
    """The size in units of 2^20 bytes."""
    classes: int | None
    label_offset: int
    checkpoint: Text | None
    """The key map with which it is read; null: its names are the spec's own."""
    top1: float | None
    top1_size: int | None
    top1_crop: float | None
    test_size: int | None
    test_crop: float | None
    recipe: Text | None
    licence: Text | None
    refused: Text | None
    """Why it cannot be loaded."""
    default: bool
    preprocess: PreprocessJson | None

    @classmethod
    def differs(cls, entry: Published) -> dict[str, Any]:
        return {"checkpoint": entry.keymap, "preprocess": None if entry.preprocess is None else entry.transform}


class FetchedJson(Shape):
    """Published weights that are on this machine now."""

    name: Text
    path: Text


class WeightsDocument(Document):
    """Published weights: all, or, with `--fetch`, those that were fetched."""

    command: ClassVar[str] = "weights"
    published: list[PublishedJson]
    fetched: list[FetchedJson]
    """With `--fetch`: where they lie now."""


class ClassJson(Shape):
    """A class that may be in a picture."""

    label: Text
    probability: float
    """0 to 1."""

    @classmethod
    def differs(cls, pair: tuple[str, float]) -> dict[str, Any]:
        return {"label": pair[0], "probability": pair[1]}


class PredictionJson(Shape):
    """What is in one picture."""

    path: Text
    classes: list[ClassJson]
    """The most likely ones, the best first."""


class PredictDocument(Document):
    """What weights see in pictures."""

    command: ClassVar[str] = "predict"
    variant: Text
    """Its name."""
    weights: Text
    """The whole name of published ones, or the file as it was given."""
    notes: list[Text]
    """What was done to the weights that nobody asked for, in sentences."""
    predictions: list[PredictionJson]


class ConvertDocument(Document):
    """A file of weights that was written by other names."""

    command: ClassVar[str] = "convert"
    variant: Text
    """Its name."""
    file: Text
    output: Text
    names: Text
    """Whose names are in `file`."""
    to: Text
    """Whose names are in `output`."""
    tensors: int
    """How many there are."""
    renamed: int
    """How many have another key in `output`."""
    reshaped: int
    """How many have another shape."""
    turned: int
    """How many have another order of colours."""
    left_out: list[Text]
    """Keys of the file without a counterpart, as the spec's map says."""
    notes: list[Text]
    """As of `predict`."""
