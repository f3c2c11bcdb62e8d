"""Published weights by their names: takes the `PublishedFile`s of a variant, gives files.

A `PublishedWeights` is what `variant.weights` is: facts, without torch and without a network. `fetch` gets the file and
checks its hash before anything in it is read. Reports E519 to E521, and what `weights.download` reports.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.suggest import closest
from archdsl.graph.ir import Graph
from archdsl.graph.published import HUB_FILE, OWN, PublishedFile
from archdsl.transform import Transform, transform_of

if TYPE_CHECKING:
    from archdsl.weights.loading import Say

DEFAULT = "default"
"""The word for the file that a spec says is meant where none is named."""

_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt", ".tar", ".th", ".npz", ".pkl", ".h5")

_SHOWN = 12
"""Names of files in a hint."""


class WeightsOwner(Protocol):
    """What has published weights: a variant."""

    @property
    def name(self) -> str: ...

    @property
    def graph(self) -> Graph: ...

    @property
    def classes(self) -> int | None:
        """The value of its parameter of this name."""


@dataclass(frozen=True, kw_only=True)
class Published(PublishedFile):
    """A published file of a variant: where it is, what is known of it, and how to get it."""

    owner: WeightsOwner = field(repr=False, compare=False)

    @property
    def transform(self) -> Transform:
        """`preprocess` as a callable; raises ArchError E609 where nothing is said of pictures."""
        if self.preprocess is None:
            raise ArchError.of("E609", what="preprocess", name=self.owner.name)
        shape = self.owner.graph.input_shape
        return transform_of(self.preprocess, (shape.height, shape.width), shape.channels)

    @property
    def checkpoint(self) -> str:
        """The name of the key map to read it with; `own` where its names are the spec's."""
        return self.keymap or OWN

    def check_reading(self, checkpoint: str | None) -> None:
        """Raise TypeError where a key map is named to read it with."""
        if checkpoint is not None:
            raise TypeError(f"checkpoint = {checkpoint!r}: of {self.name} it is known how it is read")

    def settings(self, parameters: Mapping[str, Any], *, headless: bool = False) -> dict[str, Any]:
        """Parameters of the model that the file is of: its classes, where no others are given.

        Raises ArchError E521 where it has no classifier, one is needed, and no number of classes is given.
        """
        if "classes" in parameters or headless:
            return dict(parameters)
        if self.classes == 0:
            hint = "give `classes`, for a new classifier, or `features`, for feature maps"
            raise ArchError.of("E521", name=self.name, detail="it has no classifier", hint=hint)
        own = self.owner.classes
        return {**parameters, "classes": self.classes} if self.classes not in (None, own) else dict(parameters)

    def check(self) -> None:
        """Raise ArchError E521 for a file that is known not to load."""
        if self.refused is not None:
            raise ArchError.of("E521", name=self.name, detail=" ".join(self.refused.split()))

    @property
    def hash(self) -> tuple[str | None, str]:
        """The digits that are stated, and by which algorithm."""
        return (self.sha1, "sha1") if self.sha1 is not None else (self.sha256, "sha256")

    def fetch(self, *, progress: bool = True, say: Say | None = None) -> Path:
        """The file on this machine, fetched if it is not there; its hash is checked. Raises ArchError.

        `say` gets what is done unasked, which is a warning without it.
        """
        self.check()
        digits, algorithm = self.hash
        if self.hub is not None or self.url is not None:
            from archdsl.weights.download import fetch_hub, fetch_url
            from archdsl.weights.loading import warn

            said = say or warn
            if self.url is not None:
                return fetch_url(self.url, digits, algorithm=algorithm, shared=False, progress=progress, say=said)
            assert self.hub is not None
            file = self.file or HUB_FILE
            return fetch_hub(self.hub, file, self.revision, digits, algorithm=algorithm, progress=progress, say=said)
        path = self._in_package() if self.package is not None else self._beside()
        self._check_digest(path, digits, algorithm)
        return path

    def _in_package(self) -> Path:
        """A file that an installed package brings along. Nothing of the package is imported."""
        from importlib.metadata import PackageNotFoundError, distribution

        assert self.package is not None
        try:
            package = distribution(self.package)
        except PackageNotFoundError:
            detail = f"{self.file} is in the package {self.package}, which is not installed"
            raise ArchError.of("E521", name=self.name, detail=detail, hint=f"pip install {self.package}") from None
        found = [path for path in package.files or () if str(path).replace("\\", "/") == self.file]
        if not found:
            detail = f"the package {self.package} is installed, and has no {self.file} in its version {package.version}"
            raise ArchError.of("E521", name=self.name, detail=detail, hint="another version of it may have the file")
        return Path(str(found[0].locate()))

    def _beside(self) -> Path:
        """A file beside the spec, or below: a link out of that folder is not followed."""
        assert self.file is not None
        if self.folder is None:
            detail = f"{self.file} is beside the spec, which was read from no file"
            raise ArchError.of("E521", name=self.name, detail=detail)
        folder = os.path.realpath(self.folder)
        path = os.path.join(folder, self.file)
        real = os.path.realpath(path)
        if not real.startswith(os.path.join(folder, "")):
            detail = f"{path} is a link that leads out of the folder of the spec"
            raise ArchError.of("E521", name=self.name, detail=detail)
        if not os.path.isfile(real):
            raise ArchError.of("E521", name=self.name, detail=f"there is no file {path}")
        return Path(path)

    def _check_digest(self, path: Path, digits: str | None, algorithm: str) -> None:
        from archdsl.weights.download.digests import stated

        digest = stated(digits, algorithm)
        try:
            other = None if digest is None else digest.other(path)
        except OSError as error:
            detail = f"{path} cannot be read: {error.strerror or error}"
            raise ArchError.of("E521", name=self.name, detail=detail) from None
        if other is not None:
            detail = f"{path} has the {algorithm} {other}, and {digits} is what the spec says"
            raise ArchError.of("E521", name=self.name, detail=detail)


class PublishedWeights(Mapping[str, Published]):
    """The published files of a variant by their whole names (`timm/resnet50.a1_in1k`), in the order of the spec.

    A tag alone is found, too, where only one has it, and `default`.
    """

    def __init__(self, owner: WeightsOwner, entries: Iterable[PublishedFile]) -> None:
        self._owner = owner
        self._entries = {
            entry.name: Published(**{f.name: getattr(entry, f.name) for f in fields(PublishedFile)}, owner=owner)
            for entry in entries
        }

    @property
    def default(self) -> Published | None:
        """The file that is meant where none is named."""
        return next((entry for entry in self._entries.values() if entry.default), None)

    def called(self, name: str) -> list[Published]:
        """All that a name can mean."""
        if name in self._entries:
            return [self._entries[name]]
        if name == DEFAULT:
            return [self.default] if self.default else []
        return [entry for entry in self._entries.values() if name in (entry.tag, f"{entry.model}.{entry.tag}")]

    def held_by(self, path: Path) -> list[Published]:
        """Those of which a file has the hash; raises OSError."""
        from archdsl.weights.download.digests import digest_of, stated

        digests = {entry.name: stated(*entry.hash) for entry in self._entries.values()}
        found = {kind: digest_of(path, kind) for kind in {digest.algorithm for digest in digests.values() if digest}}
        return [self._entries[name] for name, of in digests.items() if of and of.agrees(found[of.algorithm])]

    def __getitem__(self, name: str) -> Published:
        """Raises ArchError E519 for what none is called, E520 for what several are, and KeyError for no text."""
        if not isinstance(name, str):
            raise KeyError(name)
        found = self.called(name)
        if len(found) == 1:
            return found[0]
        if found:
            raise ArchError.of("E520", name=name, names=_listed(entry.name for entry in found))
        tags = [entry.tag for entry in self._entries.values()]
        candidates = [*self._entries, *dict.fromkeys(tags), *([DEFAULT] if self.default else [])]
        begun = [*tags, *(f"{entry.model}.{entry.tag}" for entry in self._entries.values())]
        near = closest(name, candidates) or min(
            (full for full in begun if name and full.startswith(name)), key=len, default=None
        )
        known = _listed(self._entries)
        raise ArchError.of("E519", name=name, variant=self._owner.name, suggestion=near, known=known)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and len(self.called(name)) == 1

    def __repr__(self) -> str:
        return f"<published weights of {self._owner.name}: {_listed(self._entries) or 'none'}>"


class Chooser(Protocol):
    """What weights are chosen for: a variant."""

    @property
    def weights(self) -> PublishedWeights: ...


def chosen(variant: Chooser, weights: str | os.PathLike[str]) -> Published | None:
    """The published weights that are meant, None for a file.

    A text is a name if it is one, and a file if there is one; where it is both it is neither (E520), and where it is
    nothing E519 says so. A path is a file, and so is a text that has the form of one (`./a`, `a.pth`).
    """
    if not isinstance(weights, str):
        return None
    weights = str.__str__(weights)  # a name is what it says, whatever its class prints
    if _is_path(weights):
        return None  # of a file that is missing the loader says why
    there = os.path.lexists(weights) and not os.path.isdir(weights)
    found = variant.weights.called(weights)
    if there and found:
        raise ArchError.of(
            "E520", name=weights, names=_listed([f"the file {weights}", *(entry.name for entry in found)])
        )
    return None if there else variant.weights[weights]


def _is_path(text: str) -> bool:
    """Whether a text has the form of a path."""
    name = os.path.basename(text)
    return not name or text.startswith((".", os.sep, "~")) or os.path.splitext(name)[1].lower() in _SUFFIXES


def _listed(names: Iterable[str]) -> str:
    known = list(names)
    return ", ".join([*known[:_SHOWN], *([f"… ({len(known)} in all)"] if len(known) > _SHOWN else [])])
