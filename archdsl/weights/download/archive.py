"""The one file in a zip archive, as pytorchcv publishes its weights."""

from __future__ import annotations

import struct
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from archdsl.weights.download.wanted import Wanted, amount

SUFFIX = ".zip"

LARGEST = 1 << 30
"""Bytes to which an archive may unpack, if that is more than 16 times its size, where the size is not stated."""

_CHUNK = 1 << 20

_UNPACKING: tuple[type[Exception], ...] = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    RuntimeError,
    ValueError,
    MemoryError,
)
"""What is raised by bytes that no packer wrote; a Python may be built without LZMA."""
with suppress(ImportError):
    from lzma import LZMAError

    _UNPACKING = (*_UNPACKING, LZMAError)


def unpack(wanted: Wanted, archive: Path, target: Path) -> None:
    """Write the only file of an archive to `target`, whatever the archive calls it; raises E529, E531."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = [entry for entry in opened.infolist() if not entry.is_dir()]
            if len(members) != 1:
                wanted.refuse("E531", detail=f"it holds {len(members):,} files, not one")
            size = members[0].file_size
            most = wanted.size if wanted.size is not None else max(LARGEST, 16 * archive.stat().st_size)
            if size > most:
                wanted.refuse("E531", detail=f"it unpacks to {amount(size)}, and {amount(most)} are the most")
            try:
                out = open(target, "wb")  # noqa: SIM115  what fails inside is the archive's
            except OSError as error:
                wanted.refuse_folder(error)
            with out, opened.open(members[0]) as file:
                while chunk := file.read(_CHUNK):  # not more than `size`: zipfile sees to it
                    try:
                        out.write(chunk)
                    except OSError as error:
                        wanted.refuse_folder(error)
    except OSError as error:
        if error.errno is not None:
            raise
        _damaged(wanted, error)  # bzip2's
    except _UNPACKING as error:
        _damaged(wanted, error)


def _damaged(wanted: Wanted, error: Exception) -> NoReturn:
    wanted.refuse("E531", detail=f"it is damaged ({str(error)[:120] or type(error).__name__})")
