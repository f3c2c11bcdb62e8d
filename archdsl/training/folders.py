"""Pictures in folders by class: which there are, without torch and without opening one.

Classes are numbered in the order of their names, numbers in them by value, as timm
does it. Raises ArchError E648.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from archdsl.diagnostics.core import ArchError

if TYPE_CHECKING:
    from PIL import Image

ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".ppm", ".pgm", ".tif", ".tiff"})
VALIDATION = ("val", "valid", "validation", "test")
SPLITS = frozenset({"train", "training", *VALIDATION})
_NUMBER = re.compile(r"(\d+)")


MOST_COMPARED = 10_000
"""Pictures of which the contents are compared before a training goes on; of more some are, evenly spread."""
UNKNOWN = "-"
"""In place of a digest: of what cannot be read. Once repaired it is what it should have been."""
_ENDS = 1 << 16


def spread(count: int, most: int) -> range | list[int]:
    """So many numbers below `count` at most, evenly spread."""
    return range(count) if count <= most else [place * count // most for place in range(most)]


class Pictured(Protocol):
    """Pictures with classes: by their number from 0, the class numbered too. `digest` is the same for the same ones."""

    @property
    def classes(self) -> tuple[str, ...]: ...

    @property
    def counts(self) -> dict[str, int]:
        """Pictures of each class; 0, where that is not known before they are read."""

    @property
    def digest(self) -> str: ...

    @property
    def contents(self) -> dict[int, str]:
        """Digests of what is in pictures, by their numbers; UNKNOWN for what cannot be read."""

    def __len__(self) -> int: ...

    def name(self, number: int) -> str:
        """What to call a picture for people."""

    def image(self, number: int) -> tuple[Image.Image, int]:
        """A picture, its pixels read, and its class; raises `archdsl.transform.Unusable`."""


@dataclass(frozen=True)
class PictureFolder:
    """A folder of folders: classes, and for every picture its path in the folder, its class's number, its bytes."""

    path: str
    classes: tuple[str, ...]
    files: tuple[tuple[str, int, int], ...]
    left: Mapping[str, int] = field(default_factory=dict)
    """Files beside the pictures, by their endings."""

    def __len__(self) -> int:
        return len(self.files)

    @cached_property
    def counts(self) -> dict[str, int]:
        """Pictures of each class."""
        found = Counter(number for _, number, _ in self.files)
        return {name: found[number] for number, name in enumerate(self.classes)}

    @cached_property
    def digest(self) -> str:
        """The same for the same pictures: by their paths and sizes."""
        made = hashlib.sha256()
        for name, _, size in self.files:
            made.update(f"{name}\0{size}\n".encode(errors="surrogateescape"))
        return made.hexdigest()

    @cached_property
    def contents(self) -> dict[int, str]:
        """Of each file the beginning and the end."""
        return {number: _content(self.name(number)) for number in spread(len(self), MOST_COMPARED)}

    def name(self, number: int) -> str:
        return os.path.join(self.path, self.files[number][0])

    def image(self, number: int) -> tuple[Image.Image, int]:
        from archdsl.pictures import picture

        with picture(self.name(number)) as image:
            image.load()  # what goes wrong later is no fault of the picture
            return image, self.files[number][1]


def find_pictures(path: str, classes: tuple[str, ...] | None = None) -> PictureFolder:
    """The classes in a folder and their pictures; with `classes`, numbered as these are."""
    try:
        present = sorted((entry.name for entry in os.scandir(path) if entry.is_dir()), key=_natural)
    except OSError as error:
        raise unusable(path, error.strerror or str(error)) from None
    present = [name for name in present if not name.startswith(".")]
    if not present:
        raise unusable(path, "it holds no folders, which would be the classes")
    if classes is not None and (unknown := [name for name in present if name not in classes]):
        raise unusable(path, f"`{unknown[0]}` is no class of the training pictures")
    numbers = {name: number for number, name in enumerate(classes if classes is not None else present)}
    seen: dict[tuple[int, int], str] = {}
    left: Counter[str] = Counter()
    files = [(name, numbers[kind], size) for kind in present for name, size in _pictures(path, kind, seen, left)]
    filled = {number for _, number, _ in files}
    if classes is None and (empty := [name for name in present if numbers[name] not in filled]):
        raise unusable(path, f"`{empty[0]}` holds no pictures ({', '.join(sorted(ENDINGS))})")
    if not files:
        raise unusable(path, f"it holds no pictures ({', '.join(sorted(ENDINGS))})")
    return PictureFolder(path, tuple(numbers), tuple(files), dict(sorted(left.items())))


def _pictures(path: str, kind: str, seen: dict[tuple[int, int], str], left: Counter[str]) -> list[tuple[str, int]]:
    """The paths of a class's pictures in the folder, in order, and their sizes. Links are followed, to each folder
    once; `seen` and `left` get the folders, and the endings of files that are left out."""
    found = []
    for around, folders, files in os.walk(os.path.join(path, kind), followlinks=True):
        folders.sort()
        place = os.stat(around)
        first = seen.setdefault((place.st_dev, place.st_ino), around)
        if first != around and place.st_ino:
            raise unusable(path, f"{around} is a link to {first}: its pictures would count twice")
        inside = os.path.relpath(around, path)
        for name in files:
            ending = os.path.splitext(name)[1].lower()
            if ending in ENDINGS:
                found.append((Path(inside, name).as_posix(), _size(os.path.join(around, name))))
            elif not name.startswith("."):
                left[ending] += 1
    return sorted(found, key=lambda file: _natural(file[0]))


def _size(path: str) -> int:
    """The bytes of a file; raises E648 where it is none, as of a link that leads nowhere."""
    try:
        return os.path.getsize(path)
    except OSError as error:
        raise unusable(path, error.strerror or str(error)) from None


def _content(path: str) -> str:
    """A digest of the beginning and the end of a file."""
    if not os.path.isfile(path):
        return UNKNOWN
    try:
        with open(path, "rb") as file:
            made = hashlib.sha256(file.read(_ENDS))
            file.seek(max(_ENDS, os.fstat(file.fileno()).st_size - _ENDS))  # of a short one nothing is left
            made.update(file.read())
    except OSError:
        return UNKNOWN
    return made.hexdigest()[:12]


def _natural(name: str) -> list[tuple[int, int, str]]:
    """A key by which `9` comes before `10`."""
    parts = _NUMBER.split(name.lower())
    return [(1, int(part), "") if index % 2 else (0, 0, part) for index, part in enumerate(parts)] + [(2, 0, name)]


def unusable(path: str, detail: str) -> ArchError:
    return ArchError.of("E648", path=path, detail=detail)
