"""What the tests of files of URLs share: a file, how it is fetched, and how that is refused."""

from __future__ import annotations

import hashlib
import random
from pathlib import Path
from typing import Any

import pytest

from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.weights.download import Patience, fetch_url

DATA = random.Random(1).randbytes(300_000)
SHA = hashlib.sha256(DATA).hexdigest()
QUICK = Patience(tries=3, timeout=5.0, delay=0.01, longest=0.5)
Notes = list[tuple[str, str]]


def fetched(url: str, sha256: str | None = SHA, notes: Notes | None = None, **options: Any) -> Path:
    options.setdefault("patience", QUICK)
    said: Notes = [] if notes is None else notes
    return fetch_url(url, sha256, say=lambda path, texts: said.extend((path, text) for text in texts), **options)


def refused(code: str, url: str, sha256: str | None = SHA, **options: Any) -> Diagnostic:
    with pytest.raises(ArchError) as caught:
        fetched(url, sha256, **options)
    (diagnostic,) = caught.value.diagnostics
    assert diagnostic.code == code
    return diagnostic


def left_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".locks"}
