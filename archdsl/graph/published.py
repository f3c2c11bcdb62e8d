"""What is published for a variant: files of weights, and what is known of each before it is fetched.

Data only, as a `weights` item states it. `semantics.published` reads the items, `archdsl.published` fetches the files.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from archdsl.graph.settings import LARGEST_SIDE, Preprocess
from archdsl.ops.spec import contradiction

OWN = "own"
"""The word for a file whose names are those of the spec itself."""

HUB_FILE = "model.safetensors"
"""The file of a hub repository that is meant where none is named."""

_Side = Annotated[int, Field(gt=0, le=LARGEST_SIDE)]
_Crop = Annotated[float, Field(gt=0, le=1)]


class ModelFacts(BaseModel):
    """What a row of a `weights` item says of a file, but for the keys that are those of `preprocess`.

    Where it is: `url`; or `hub`, a repository of the Hugging Face hub, with `file` in it and `revision`; or `package`,
    a Python package, with `file` in it; or `file` alone, beside the spec. `sha256` and `sha1`: the digest or its first
    digits. `mib`: the size of the file in units of 2^20 bytes. `classes`: those of the file, after the first
    `label_offset` are dropped; 0 where it has no classifier. `top1`: the published accuracy on ImageNet-1k in percent,
    of pictures of `top1_size` with the crop `top1_crop`. `refused`: why the file cannot be loaded.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)

    url: str | None = None
    hub: str | None = None
    package: str | None = None
    file: str | None = None
    revision: str | None = None
    sha256: str | None = None
    sha1: str | None = None
    mib: Annotated[float, Field(gt=0, le=10**6)] | None = None
    classes: Annotated[int, Field(ge=0, le=10**6)] | None = None
    label_offset: Annotated[int, Field(ge=0, le=1000)] = 0
    checkpoint: str | None = None
    top1: Annotated[float, Field(ge=0, le=100)] | None = None
    top1_size: _Side | None = None
    top1_crop: _Crop | None = None
    test_size: _Side | None = None
    test_crop: _Crop | None = None
    recipe: str | None = None
    licence: str | None = None
    refused: str | None = None
    default: bool = False

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for key, needs in (("top1_size", "top1"), ("top1_crop", "top1"), ("revision", "hub")):
            if getattr(self, key) is not None and getattr(self, needs) is None:
                raise contradiction(key, f"{key} says something about {needs}, which is not given")
        if self.refused is not None and self.default:
            raise contradiction("default", "a file that is refused cannot be the default")
        if self.refused is not None and not self.refused.strip():
            raise contradiction("refused", "refused is the reason why the file cannot be loaded, in words")
        return self


@dataclass(frozen=True, kw_only=True)
class PublishedFile:
    """One published file of a variant, everything resolved.

    `keymap`: the checkpoint map with which its names are read, None where they are the spec's own. `classes`: those of
    the network that has its classifier, 0 where it has none, None where that is not known. `preprocess`: how pictures
    become its input, None where neither the spec nor the row says. `folder`: where a file beside the spec lies.
    """

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
    keymap: str | None
    top1: float | None
    top1_size: int | None
    top1_crop: float | None
    test_size: int | None
    test_crop: float | None
    recipe: str | None
    licence: str | None
    refused: str | None
    default: bool
    preprocess: Preprocess | None
    folder: str | None

    @property
    def name(self) -> str:
        """`timm/resnet50.a1_in1k`: the library, its name for the model, the tag."""
        return f"{self.library}/{self.model}.{self.tag}"

    @property
    def place(self) -> str:
        """Where it is, in words."""
        if self.hub is not None:
            at = f"@{self.revision}" if self.revision else ""
            return f"{self.hub}{at}: {self.file or HUB_FILE} (Hugging Face hub)"
        if self.package is not None:
            return f"{self.file} of the Python package {self.package}"
        return self.url or f"{self.file} beside the spec"
