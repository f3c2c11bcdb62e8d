"""The file that is wanted, and what is said when it cannot be had: always where it is, its hash, where it would lie."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from archdsl.diagnostics.core import ArchError
from archdsl.weights.download.digests import Digest


@dataclass(frozen=True)
class Wanted:
    """A file by its address, what is known of its bytes, and its place on this machine."""

    address: str
    place: Path
    digest: Digest | None = None
    size: int | None = None
    packed: bool = False
    """Whether it comes in an archive. Hash and size are those of the file in it."""
    remarks: tuple[str, ...] = ()
    """What is in its place and is not the file."""

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def size_sent(self) -> int | None:
        """Bytes that are to come, where that is known."""
        return None if self.packed else self.size

    def refuse(
        self, code: str, *, remarks: Iterable[str] = (), facts: Mapping[str, object] | None = None, **more: object
    ) -> NoReturn:
        """Raise ArchError, with all that somebody without a network needs to put the file there by hand."""
        stated = str(self.digest) if self.digest else "none is stated, so it would be taken unchecked"
        notes = [
            *remarks,
            *self.remarks,
            f"address: {self.address}",
            f"hash: {stated}",
            f"place: {self.place} (a file that is put there by hand is used)",
        ]
        raise ArchError.of(code, notes=notes, facts={**(facts or {}), **more, "name": self.name})

    def refuse_folder(self, error: OSError | str, folder: Path | None = None) -> NoReturn:
        """Raise E529."""
        detail = error if isinstance(error, str) else error.strerror or str(error)
        self.refuse("E529", folder=folder or self.place.parent, detail=detail)


def amount(size: float) -> str:
    """Bytes as people read them: `97.8 MB`, in powers of ten as disks and networks count."""
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
