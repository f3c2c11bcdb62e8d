"""What a file's hash must be: all of its digits, or the first of them, as file names carry them."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

LENGTHS = {"sha256": 64, "sha1": 40, "md5": 32}
"""Hexadecimal digits of the hashes that libraries publish."""

SHORTEST = 8
"""Digits of torch.hub's file names: fewer would hold for another file too often."""

_CHUNK = 1 << 20

_NAMED = re.compile(r"-([0-9a-f]{8,64})\.")
"""The first digits of a file's hash in its name: sha256 as torch.hub has it, or sha1."""


@dataclass(frozen=True)
class Digest:
    """A hash that is stated for a file: its algorithm and its first digits, or all."""

    algorithm: str
    digits: str

    def __str__(self) -> str:
        whole = len(self.digits) == LENGTHS[self.algorithm]
        return f"{self.algorithm} {self.digits}{'' if whole else '…'}"

    def agrees(self, digits: str) -> bool:
        """Whether a hash, or the beginning of one, can be of the same file."""
        shorter = min(len(self.digits), len(digits))
        return self.digits[:shorter] == digits[:shorter].lower()

    def other(self, path: Path) -> str | None:
        """The hash of a file, if it is another one."""
        found = digest_of(path, self.algorithm)
        return None if self.agrees(found) else found


def stated(digits: str | None, algorithm: str = "sha256") -> Digest | None:
    """The hash that a caller states; raises ValueError for what is none."""
    if digits is None:
        return None
    if algorithm not in LENGTHS:
        raise ValueError(f"the algorithm of a hash is one of {', '.join(LENGTHS)}, not {algorithm!r}")
    found = digits.strip().lower().removeprefix(f"{algorithm}:")
    if not re.fullmatch(r"[0-9a-f]+", found) or not SHORTEST <= len(found) <= LENGTHS[algorithm]:
        raise ValueError(
            f"a {algorithm} has {SHORTEST} to {LENGTHS[algorithm]} hexadecimal digits, not {digits[:100]!r}"
        )
    return Digest(algorithm, found)


def digest_of(path: Path, algorithm: str) -> str:
    """The hash of a file; raises OSError."""
    digest = hashlib.new(algorithm, usedforsecurity=False)
    with open(path, "rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def named_by(path: Path) -> Digest | None:
    """The hash that a file's name carries, if it is the file's; raises OSError."""
    found = _NAMED.search(path.name)
    digests = [Digest(kind, found[1]) for kind in ("sha256", "sha1") if len(found[1]) <= LENGTHS[kind]] if found else []
    return next((digest for digest in digests if digest.other(path) is None), None)
