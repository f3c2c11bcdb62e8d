"""Where downloaded files lie, and one process at a time that puts one there."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlparse, urlsplit

LOCKS = ".locks"
"""The folder of locks, beside the files: a lock is a file that stays, held by whom the system knows to hold it."""

SHARED = (
    "https://download.pytorch.org/models/",
    "https://github.com/huggingface/pytorch-image-models/releases/download/",
    "https://github.com/rwightman/pytorch-image-models/releases/download/",
    "https://github.com/osmr/imgclsmob/releases/download/",
)
"""Where libraries publish what they, or we for them, keep in torch.hub's folder."""

_PLAIN = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)*", re.ASCII)
"""The rest of such an address: no part of it leads elsewhere."""


def checkpoints() -> Path:
    """torch.hub's folder for files: `torch.hub.get_dir()` and `checkpoints` in it, without importing torch."""
    hub = sys.modules.get("torch.hub")
    if hub is not None:
        return Path(hub.get_dir(), "checkpoints")  # torch.hub.set_dir may have been called
    cache = os.getenv("XDG_CACHE_HOME", "~/.cache")
    home = os.path.expanduser(os.getenv("TORCH_HOME", os.path.join(cache, "torch")))
    return Path(home, "hub", "checkpoints")


def file_name(url: str) -> str:
    """The name that torch.hub gives to the file of a URL: the last part of its path, as it stands there."""
    return posixpath.basename(urlparse(url).path)


def folder_of(url: str) -> Path:
    """The folder for the file of an address that a spec gives.

    A name in torch.hub's folder says nothing of where the file is from, and torchvision takes what lies there: only
    what is published where its name is from gets such a name. Anything else is put in a folder of its address.
    """
    if any(url.startswith(base) and _PLAIN.fullmatch(url[len(base) :]) for base in SHARED):
        return checkpoints()
    host = re.sub(r"[^a-z0-9.-]", "_", urlsplit(url).hostname or "")[:100]
    return checkpoints() / "archdsl" / f"{host}-{hashlib.sha256(url.encode()).hexdigest()[:16]}"


@contextmanager
def locked(path: Path, wait: Callable[[], None]) -> Iterator[bool]:
    """Be the only process that holds this lock; `wait` is called if another one has it. False where there are no locks.

    The system lets go of a lock when its process ends, however it does: what is left of it on disk holds nobody up.
    """
    from filelock import FileLock, Timeout

    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        wait()
        lock.acquire()
    except NotImplementedError:  # a file system without locks
        yield False
        return
    try:
        yield True
    finally:
        lock.release()
