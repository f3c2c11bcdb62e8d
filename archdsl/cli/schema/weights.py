"""Files of weights: `weights`, `predict`, `convert`."""

from __future__ import annotations

from typing import TypedDict

from archdsl.cli.schema.common import Document, PreprocessJson


class PublishedJson(TypedDict):
    """A published file of weights, as a row of `weights` states it; what is not known is null.

    `name` is the whole name, `checkpoint` the key map with which it is read (null: its names are the spec's own), `mib`
    its size in units of 2^20 bytes, `refused` why it cannot be loaded.
    """

    name: str
    variant: str
    library: str
    model: str
    tag: str
    url: str | None
    hub: str | None
    package: str | None
    file: str | None
    revision: str | None
    sha256: str | None
    sha1: str | None
    mib: float | None
    classes: int | None
    label_offset: int
    checkpoint: str | None
    top1: float | None
    top1_size: int | None
    top1_crop: float | None
    test_size: int | None
    test_crop: float | None
    recipe: str | None
    licence: str | None
    refused: str | None
    default: bool
    preprocess: PreprocessJson | None


class FetchedJson(TypedDict):
    """Published weights that are on this machine now."""

    name: str
    path: str


class WeightsDocument(Document):
    """`archdsl weights --json`; with `--fetch` of those that are fetched"""

    published: list[PublishedJson]
    fetched: list[FetchedJson]


class ClassJson(TypedDict):
    """A class and its probability, 0 to 1."""

    label: str
    probability: float


class PredictionJson(TypedDict):
    """The most likely classes of one picture, the best first."""

    path: str
    classes: list[ClassJson]


class PredictDocument(Document):
    """`archdsl predict --json`"""

    variant: str
    weights: str
    notes: list[str]
    predictions: list[PredictionJson]


class ConvertDocument(Document):
    """`archdsl convert --json`; `names` are those in the file, `to` those written."""

    variant: str
    file: str
    output: str
    names: str
    to: str
    tensors: int
    renamed: int
    reshaped: int
    turned: int
    left_out: list[str]
    notes: list[str]
