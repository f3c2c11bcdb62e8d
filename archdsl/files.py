"""Writing files: whole or not at all."""

from __future__ import annotations

import os
import re
import stat
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import IO

from archdsl.diagnostics.core import ArchError

if sys.platform != "win32":
    import fcntl

_PREFIX, _SUFFIX = ".archdsl-", ".tmp"
_TEMPORARY = re.compile(re.escape(_PREFIX) + r"[a-z0-9_]{8}" + re.escape(_SUFFIX))
_OLD = 60.0
"""Seconds after which a temporary file that nobody has locked is of a run that was killed."""


class Staged:
    """Content under a temporary name beside its destination. `commit` puts it in place; leaving without deletes it.

    A text is written as UTF-8; a function writes to the file that it gets the name of. What runs that were killed left
    in the folder is deleted. What is `durable` is on the disk when it is in place, also if the power fails then.
    A symbolic link is followed; a device or pipe (`/dev/null`) is written to, not replaced. Raises ArchError E607.
    """

    def __init__(
        self, path: str | os.PathLike[str], content: str | bytes | Callable[[str], object], *, durable: bool = False
    ) -> None:
        self.shown, self.durable = path, durable
        try:
            self.path = os.path.realpath(path)
        except OSError:  # it asks for the current folder
            raise self._refusal("the current folder does not exist any more") from None
        self.content = content
        self.temporary: str | None = None
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Staged:
        # os.path says no where a Path raises: a name that is too long.
        if os.path.isdir(self.path):
            raise self._refusal("it is a folder")
        if os.path.exists(self.path) and not os.path.isfile(self.path):
            return self
        folder = os.path.dirname(self.path)
        sweep(folder)
        try:
            with suppress(FileNotFoundError):
                os.lstat(self.path)  # a name that is too long is refused here, not when the work is done
            handle, self.temporary = tempfile.mkstemp(prefix=_PREFIX, suffix=_SUFFIX, dir=folder)
            self._file = os.fdopen(handle, "wb")
            _lock(self._file)
            self._write(self.temporary)
            if self.durable:
                os.fsync(self._file.fileno())
            os.chmod(self.temporary, self._mode())
        except OSError as error:
            self._clean()
            raise self._refusal(error) from None
        except BaseException:
            self._clean()
            raise
        return self

    def text(self) -> str:
        """The text that was written, read back; that is to be written, where it goes to a device."""
        return Path(self.temporary).read_text(encoding="utf-8") if self.temporary else str(self.content)

    def commit(self) -> None:
        try:
            if self.temporary is not None:
                os.replace(self.temporary, self.path)
                if self.durable:
                    _sync_folder(os.path.dirname(self.path))
            else:
                self._write(self.path)
        except OSError as error:
            raise self._refusal(error) from None

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._clean()

    def _write(self, path: str) -> None:
        if isinstance(self.content, str | bytes):
            data = self.content.encode() if isinstance(self.content, str) else self.content
            Path(path).write_bytes(data)
        else:
            self.content(path)

    def _clean(self) -> None:
        if self.temporary is not None:
            with suppress(OSError):
                os.unlink(self.temporary)
        if self._file is not None:
            with suppress(OSError):
                self._file.close()

    def _mode(self) -> int:
        """That of the file to be replaced; that of a new file, which the umask decides."""
        if os.path.exists(self.path):
            return os.stat(self.path).st_mode & 0o777
        mask = os.umask(0)
        os.umask(mask)
        return 0o666 & ~mask

    def _refusal(self, reason: OSError | str) -> ArchError:
        detail = reason if isinstance(reason, str) else reason.strerror or str(reason)
        return ArchError.of("E607", path=os.fspath(self.shown), detail=detail)


def _lock(file: IO[bytes]) -> None:
    """Show other processes that this one is at work; the system takes the lock away when it ends, however it does."""
    if sys.platform != "win32":
        with suppress(OSError):  # not every file system has locks
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _sync_folder(path: str) -> None:
    """Have the names in a folder written to the disk."""
    with suppress(OSError):  # not every system can
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def sweep(folder: str) -> None:
    """Delete the temporary files that killed runs left in a folder: our own, old, and locked by nobody."""
    if sys.platform == "win32":
        return
    try:
        names = [name for name in os.listdir(folder) if _TEMPORARY.fullmatch(name)]
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            path = os.path.join(folder, name)
            with open(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK), "rb+") as file:
                found = os.fstat(file.fileno())
                ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.getuid()
                if ours and time.time() - found.st_mtime > _OLD:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    os.unlink(path)
