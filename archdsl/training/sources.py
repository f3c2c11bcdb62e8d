"""Pictures that timm's readers open: tar files, torchvision's data sets, Hugging Face's.

`DATA.tar`; `torch/NAME@ROOT` (`torch/cifar10@pictures`), where ROOT holds the files already; `hfds/NAME`, which the
library `datasets` fetches. Readers that stream (`wds/`, `tfds/`, `hfids/`) give no picture by its number, so that no
training could go on where it was: they are refused.

Raises ArchError E648, and E646 where timm is not there.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics.core import ArchError
from archdsl.training.folders import ENDINGS, SPLITS, UNKNOWN, VALIDATION, spread
from archdsl.training.libraries import import_timm
from archdsl.transform import Unusable

if TYPE_CHECKING:
    from PIL import Image

NAMED = ("torch/", "hfds/")
_FOLDERS = ("torch/image_folder", "torch/folder")
"""Of these there is one part, whatever it is called."""
STREAMED = ("wds/", "tfds/", "hfids/")
MOST_COMPARED = 1000
"""Pictures of which the contents are compared before a training goes on: they have to be decoded. Of a tar
archive: blocks of the file."""
_BLOCK = 1 << 16


def is_opened(path: str) -> bool:
    """Whether timm is to open it: it looks like one of these, and is no folder."""
    return not os.path.isdir(path) and (path.startswith((*NAMED, *STREAMED)) or path.lower().endswith(".tar"))


class NoSplit(ArchError):
    """Among the pictures there is no such part."""


class Opened:
    """One split: a `Pictured`."""

    def __init__(self, path: str, split: str) -> None:
        import_timm()
        from timm.data import create_dataset

        self.path, self.split = path, split
        if path.startswith(STREAMED):
            raise _unusable(path, "it is read as a stream, in which no training can go on from where it was")
        name, _, root = path.partition("@") if path.startswith(NAMED) else ("", "", path)
        try:
            more = {} if name else {"cache_tarinfo": False}  # it would be a pickle
            with _endings():
                self.dataset: Any = create_dataset(name, root or None, split, search_split=False, **more)
        except ArchError:
            raise
        except Exception as error:  # readers, files and libraries can raise anything
            detail = str(error).splitlines()[0] if str(error) else type(error).__name__
            if not name and detail.startswith("not enough values"):
                detail = f"it holds no pictures ({', '.join(sorted(ENDINGS))})"
            kind = NoSplit if detail.startswith(("Unknown split", "Unknown value")) else ArchError
            raise _unusable(f"{path} ({split})", detail, kind) from None
        self.reader: Any = getattr(self.dataset, "reader", None)
        self.numbers: Sequence[int] = range(len(self.dataset))
        if not name:
            self.numbers = self._of_split()

    def _of_split(self) -> Sequence[int]:
        """The pictures of an archive that are this split's: of one without folders `train`, all are of `train`."""
        folders = [_split_of(sample[0].path) for sample in self.reader.samples]
        if "train" not in folders:
            if self.split != "train":
                raise _unusable(self.path, f"there is no folder `{self.split}` in it", NoSplit)
            if folders and None not in folders:
                detail = f"`{folders[0]}` looks like a part of them, and there is no folder `train`"
                raise _unusable(self.path, detail)
            return self.numbers
        found = [number for number, folder in enumerate(folders) if folder == self.split]
        if not found:
            raise _unusable(self.path, f"there is no folder `{self.split}` in it", NoSplit)
        return found

    def __len__(self) -> int:
        return len(self.numbers)

    @cached_property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes in the order of their numbers."""
        owner = self.dataset if self.reader is None else self.reader
        numbers = getattr(owner, "class_to_idx", None) or getattr(owner, "class_name_to_idx", None)
        if not isinstance(numbers, dict) or not numbers:
            raise _unusable(self.path, "it does not say what its classes are")
        return tuple(str(name) for name, _ in sorted(numbers.items(), key=lambda item: item[1]))

    @cached_property
    def _numbers(self) -> list[int]:
        """The class of each picture, where that is known without reading them."""
        targets = getattr(self.dataset if self.reader is None else self.reader, "targets", ())
        found = [int(number) for number in targets]
        return [found[number] for number in self.numbers] if found else []

    @cached_property
    def counts(self) -> dict[str, int]:
        found = Counter(self._numbers)
        return {name: found[number] for number, name in enumerate(self.classes)}

    @cached_property
    def digest(self) -> str:
        made = hashlib.sha256(repr((self.path, self.split, len(self), self.classes, self._numbers)).encode())
        if self._file is not None:
            size = os.path.getsize(self._file)
            made.update(str(size).encode())
            with open(self._file, "rb") as file:
                for place in spread(-(-size // _BLOCK), MOST_COMPARED):
                    file.seek(place * _BLOCK)
                    made.update(file.read(_BLOCK))
        return made.hexdigest()

    @cached_property
    def contents(self) -> dict[int, str]:
        """Of the pixels of pictures."""
        if self._file is not None:
            return {}  # the digest is of it; and processes forked from this one would share where in it they read
        return {number: self._content(number) for number in spread(len(self), MOST_COMPARED)}

    @property
    def _file(self) -> str | None:
        """The file of a tar archive."""
        return None if self.path.startswith(NAMED) else self.path

    def _content(self, number: int) -> str:
        try:
            image, target = self.image(number)
        except Unusable:
            return UNKNOWN
        facts = repr((image.mode, image.size, target)).encode()
        return hashlib.sha256(facts + image.tobytes()).hexdigest()[:12]

    def name(self, number: int) -> str:
        return f"{self.path} ({self.split}), picture {number}"

    def image(self, number: int) -> tuple[Image.Image, int]:
        """A picture, its pixels read, and its class; raises Unusable."""
        from PIL import Image, ImageOps

        try:
            place = self.numbers[number]
            found = self.dataset[place] if self.reader is None else self.reader[place]
            image, target = found[0], int(found[1])
            if not isinstance(image, Image.Image):
                image = Image.open(image)
            image.load()
            return ImageOps.exif_transpose(image), target
        except Exception as error:  # a damaged file can raise anything
            raise Unusable(str(error).splitlines()[0] if str(error) else type(error).__name__) from None


def open_sources(path: str) -> tuple[Opened, Opened | None]:
    """What is trained with, and what is tested on, where there is such a part."""
    train = Opened(path, "train")
    if path.lower().startswith(_FOLDERS):
        if all(name.lower() in SPLITS for name in train.classes):
            raise _unusable(
                path, f"`{train.classes[0]}` is a part of them and no class: without torch/, it is taken so"
            )
        return train, None  # whatever split is asked for, these are all pictures
    for split in ("validation", "test") if path.startswith(NAMED) else VALIDATION:
        try:
            test = Opened(path, split)
        except NoSplit:
            continue
        _check_classes(train, test)
        return train, test
    return train, None


def _check_classes(train: Opened, test: Opened) -> None:
    """Raise E648 where numbers of classes would not mean the same in both."""
    if test.classes != train.classes:
        unknown = [name for name in test.classes if name not in train.classes]
        what = f"`{unknown[0]}` is no class of the training pictures" if unknown else "there are other classes in it"
        raise _unusable(f"{test.path} ({test.split})", what)
    trained = {name for name, count in train.counts.items() if count}
    for name, count in test.counts.items():
        if count and trained and name not in trained:
            raise _unusable(f"{test.path} ({test.split})", f"`{name}` is no class of the training pictures")


def _split_of(path: str) -> str | None:
    """The folder in a path that is a part of the pictures: `val` in `pictures/val/cat/1.png`."""
    return next((part for part in path.split("/")[:-2] if part == "train" or part in VALIDATION), None)


@contextmanager
def _endings() -> Iterator[None]:
    """Within it, timm's readers take the same files for pictures as folders do."""
    from timm.data import readers

    before = readers.get_img_extensions()
    readers.set_img_extensions(sorted(ENDINGS))
    try:
        yield
    finally:
        readers.set_img_extensions(before)


def _unusable(path: str, detail: str, kind: type[ArchError] = ArchError) -> ArchError:
    return kind.of("E648", path=path, detail=detail)
