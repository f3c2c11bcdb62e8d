"""The texts that a program was read from: enough to read it again in another process, where the files are not.

Takes a `Source` and a function that finds used files; gives `Texts`, which can be pickled and have a digest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from archdsl.source import Source


class Used(NamedTuple):
    """The file that `use "path"` means in the file shown as `by`: its name and its text."""

    by: str
    path: str
    name: str
    text: str


@dataclass(frozen=True)
class Texts:
    """A spec and every file that it uses, in the order in which they were asked for."""

    name: str
    text: str
    uses: tuple[Used, ...] = ()

    @property
    def source(self) -> Source:
        return Source(self.name, self.text)

    def find(self, source: Source, path: str) -> Source | None:
        """The file that a `use` means, from these texts and nowhere else."""
        found = self._found.get((source.name, path))
        return None if found is None else self._sources.setdefault(found.name, Source(found.name, found.text))

    @cached_property
    def _found(self) -> dict[tuple[str, str], Used]:
        return {(used.by, used.path): used for used in self.uses}

    @cached_property
    def _sources(self) -> dict[str, Source]:
        return {self.name: self.source}

    @cached_property
    def digest(self) -> str:
        """The same for the same texts, in every process; what the files are called does not matter."""
        parts = (self.text, [(used.path, used.text) for used in self.uses])
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def __reduce__(self) -> tuple[object, ...]:
        return Texts, (self.name, self.text, self.uses)


class Recorder:
    """Finds used files, and remembers them."""

    def __init__(self, find: Callable[[Source, str], Source | None]) -> None:
        self._find = find
        self.uses: list[Used] = []

    def __call__(self, source: Source, path: str) -> Source | None:
        found = self._find(source, path)
        if found is not None:
            self.uses.append(Used(source.name, path, found.name, found.text))
        return found
