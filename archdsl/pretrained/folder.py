"""The folder of a model: which of its files are read, and how it is written, whole or not at all.

Reports E607, E633, E636 and E639.
"""

from __future__ import annotations

import hashlib
import json
import os
import posixpath
import shutil
import stat
import tempfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from archdsl.diagnostics.core import ArchError, errors_raised
from archdsl.library import MAX_BYTES, decoded
from archdsl.pretrained import config
from archdsl.source import Source, Unreadable

WEIGHTS = "model.safetensors"
CARD = "README.md"

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class ModelFolder:
    """A folder that somebody else may have made. Only regular files that really are in it are read.

    In the cache of huggingface_hub files are links into the folder `blobs` of the same repository: these are followed.
    """

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.real = os.path.realpath(shown)
        self._roots = [os.path.join(self.real, "")]
        snapshots = os.path.dirname(self.real)
        if os.path.basename(snapshots) == "snapshots":
            repository = os.path.dirname(snapshots)
            if os.path.basename(repository).startswith("models--"):
                self._roots.append(os.path.join(repository, "blobs", ""))

    def path(self, name: str) -> str:
        """What a file is shown as."""
        return os.path.join(self.shown, *name.split("/"))

    def real_path(self, name: str) -> str:
        """Where a file really is; raises Unreadable for what is no regular file of this folder."""
        path = os.path.join(self.real, *name.split("/"))
        try:
            real = os.path.realpath(path)
            if not os.path.lexists(path):
                raise Unreadable("there is no such file")
            if not any(real.startswith(root) for root in self._roots):
                raise Unreadable("it is a link that leads out of the folder", outside=True)
            if not stat.S_ISREG(os.stat(real).st_mode):
                raise Unreadable("it is no regular file")
        except (OSError, ValueError) as error:
            raise Unreadable(getattr(error, "strerror", None) or str(error)) from None
        return real

    def text(self, name: str, longest: int) -> str:
        """A text of no more than so many bytes; raises Unreadable."""
        real = self.real_path(name)
        try:
            with open(os.open(real, _FLAGS), "rb") as file:
                content = file.read(longest + 1)
            if len(content) > longest:
                raise Unreadable(f"it has more than {longest:,} bytes")
            return decoded(content) if longest == MAX_BYTES else content.decode()
        except (OSError, ValueError) as error:
            raise Unreadable(getattr(error, "strerror", None) or str(error)) from None

    def source(self, name: str) -> Source:
        """A text of the spec; raises Unreadable."""
        return Source(self.path(name), self.text(name, MAX_BYTES - 1))

    def checked(self, name: str, read: Callable[[str], Any]) -> Any:
        """What `read` gives for a file; raises ArchError E636."""
        try:
            return read(name)
        except Unreadable as error:
            raise ArchError.of("E636", path=self.path(name), detail=error.detail) from None


def place(by: str, path: str) -> str:
    """Where a text is in a folder, which the one at `by` uses as `path`."""
    return posixpath.normpath(posixpath.join(posixpath.dirname(by), path))


class FolderTexts:
    """Finds the file that a `use` means: beside the one that says it, in the folder, and named by the config."""

    def __init__(self, folder: ModelFolder, names: list[str]) -> None:
        self.folder = folder
        self.names = {folder.path(name): name for name in names}

    def find(self, source: Source, path: str) -> Source | None:
        """Raises Unreadable for what is there and may not be read."""
        name = place(self.names[source.name], path)
        if name not in self.names.values():
            return None
        return self.folder.source(name)


class _EarlierSave:
    """What an earlier save left in a folder; empty where there was none."""

    def __init__(self, target: str) -> None:
        self.texts: list[str] = []
        self.written: dict[str, str] = {}
        self.is_ours = False
        with suppress(OSError, ValueError, RecursionError):
            with open(os.path.join(target, config.NAME), "rb") as file:
                found = json.loads(file.read(config.LONGEST))
            if isinstance(found, dict) and found.get("library_name") == config.LIBRARY:
                self.is_ours = True
                written = found.get("written")
                if isinstance(written, dict):
                    self.written = {k: v for k, v in written.items() if isinstance(k, str) and isinstance(v, str)}

    def unchanged(self, target: str, name: str) -> bool:
        try:
            with open(os.path.join(target, *name.split("/")), "rb") as file:
                return digest(file.read()) == self.written.get(name)
        except OSError:
            return False


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def write(shown: str, files: Mapping[str, bytes | Callable[[str], object]], overwrite: bool) -> None:
    """Write files into a folder: all of them or none, the config last, without which it is no model.

    A folder that is not there appears whole. In one that is, only what an earlier save wrote is replaced, and what it
    wrote and is not needed any more removed, unless `overwrite`; a card that a person has changed is kept. Raises
    ArchError E607 and E639.
    """
    staging: str | None = None
    try:
        target = os.path.realpath(shown)
        if os.path.lexists(target) and not os.path.isdir(target):
            raise NotADirectoryError(0, "it is a file, not a folder")
        is_new = not os.path.isdir(target)
        kept, stale = ([], []) if is_new else _check(shown, target, files, overwrite)
        os.makedirs(os.path.dirname(target) if is_new else target, exist_ok=True)
        staging = tempfile.mkdtemp(prefix=".archdsl-", suffix=".tmp", dir=os.path.dirname(target) if is_new else target)
        for name, content in files.items():
            path = os.path.join(staging, *name.split("/"))
            os.makedirs(os.path.dirname(path), exist_ok=True)
            if isinstance(content, bytes):
                with open(path, "wb") as file:
                    file.write(content)
            else:
                content(path)
            os.chmod(path, 0o666 & ~_umask())
        if is_new:
            os.chmod(staging, 0o777 & ~_umask())
            os.rename(staging, target)
            staging = None
            return
        _replace(staging, target, [name for name in files if name not in kept], stale)
    except OSError as error:
        raise ArchError.of("E607", path=shown, detail=error.strerror or str(error)) from None
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _check(shown: str, target: str, files: Mapping[str, object], overwrite: bool) -> tuple[list[str], list[str]]:
    """The files that are kept as they are, and those to remove; raises ArchError E639."""
    old = _EarlierSave(target)
    kept: list[str] = []
    with errors_raised() as bag:
        for name in files:
            path = os.path.join(target, *name.split("/"))
            if not os.path.lexists(path) or overwrite:
                continue
            if name in (config.NAME, WEIGHTS):
                if not old.is_ours:
                    bag.report("E639", None, path=os.path.join(shown, name), detail="archdsl did not write it")
            elif not old.unchanged(target, name):
                if name == CARD:
                    kept.append(name)
                    continue
                detail = "it was changed since archdsl wrote it" if name in old.written else "archdsl did not write it"
                bag.report("E639", None, path=os.path.join(shown, *name.split("/")), detail=detail)
    stale = [
        name
        for name in old.written
        if name not in files and config.TEXT_PATH.fullmatch(name) and old.unchanged(target, name)
    ]
    return kept, stale


def _replace(staging: str, target: str, names: list[str], stale: list[str]) -> None:
    """Put files in the place of old ones. Without a config the folder is no model: it goes first and comes last."""
    with suppress(FileNotFoundError):
        os.unlink(os.path.join(target, config.NAME))
    for name in sorted(names, key=lambda name: name == config.NAME):
        path = os.path.join(target, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.replace(os.path.join(staging, *name.split("/")), path)
    for name in stale:
        with suppress(OSError):
            os.unlink(os.path.join(target, *name.split("/")))
