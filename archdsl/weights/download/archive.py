"""The one file in a zip archive, as pytorchcv publishes its weights."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from archdsl.weights.download.wanted import Wanted, amount

SUFFIX = ".zip"

LARGEST = 1 << 30
"""Bytes to which an archive may unpack, if that is more than 16 times its size, where the size is not stated."""

_CHUNK = 1 << 20


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
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        wanted.refuse("E531", detail=f"it is damaged ({str(error)[:120] or type(error).__name__})")
