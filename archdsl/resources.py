"""Finds the data files that come with the package: the grammar and the shipped specs."""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path

_PACKAGE = Path(__file__).parent


def roots(kind: str) -> tuple[Path, ...]:
    """Where files of a kind (`grammar`, `specs`) may be: in a wheel inside the package, in a checkout beside it."""
    return _PACKAGE / "_data" / kind, _PACKAGE.parent / kind


@lru_cache(maxsize=1)
def label_lists() -> tuple[str, ...]:
    """The names of the shipped lists of classes (`imagenet1k`)."""
    return tuple(sorted(path.stem for root in roots("specs") for path in root.glob("*.txt")))


def find(kind: str, name: str, *, below: bool = False) -> Path | None:
    """The data file `name` of a kind, or None. A name is one file name, or, `below`, such names with `/` between them:
    nothing outside the folder is ever found."""
    parts = name.split("/") if below else [name]
    if any(not part or part in (".", "..") or any(c in part for c in "/\\\0:") for part in parts):
        return None
    for root in roots(kind):
        path = root / name
        if os.path.isfile(path):  # False, where a Path raises: a name that is too long
            return path
    return None
