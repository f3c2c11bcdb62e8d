"""A URL's file into torch.hub's folder."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from archdsl import arguments
from archdsl.diagnostics.core import ArchError
from archdsl.weights.download import archive
from archdsl.weights.download.digests import Digest, named_by, stated
from archdsl.weights.download.opening import address_fault
from archdsl.weights.download.places import LOCKS, checkpoints, file_name, folder_of, locked
from archdsl.weights.download.progress import Meter
from archdsl.weights.download.transfer import PartialFile, Patience, transfer
from archdsl.weights.download.wanted import Wanted
from archdsl.weights.loading import Say, warn

_LONGEST = 200
"""Characters of a file's name: with `.part.json` after it, it is one on every file system."""


def fetch_url(
    url: str,
    sha256: str | None = None,
    *,
    algorithm: str = "sha256",
    size: int | None = None,
    shared: bool = True,
    progress: bool = True,
    patience: Patience = Patience(),  # noqa: B008  it is frozen
    say: Say = warn,
) -> Path:
    """The file of a URL in torch.hub's folder, fetched if it is not there; its hash is checked in any case.

    `sha256` is the file's hash, or its first eight or more digits; `algorithm` says so where it is another hash, `size`
    how many bytes the file has. Of a URL that ends in `.zip` the file is the only one in the archive, and hash and size
    are that one's. A file of that name with another hash is replaced once the right one is there. `say` gets what is
    done unasked; `progress` shows on standard error how far it is.

    Raises ArchError: E522 for what is no address, E523 to E529 and E531 for what stands in the way; ValueError for what
    is no hash.
    """
    url = arguments.text("url", url)
    folder = checkpoints if shared else partial(folder_of, url)
    wanted = _wanted(url, stated(arguments.optional_text("sha256", sha256), algorithm), size, folder)
    found = _found(wanted, say)
    if isinstance(found, Path):
        return found
    place = wanted.place
    lock = place.parent / LOCKS / f"{place.name}.lock"
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        with Meter(wanted, progress) as meter, locked(lock, meter.wait) as alone:
            found = _found(wanted, say)
            if isinstance(found, Path):
                return found
            part = place.with_name(f"{place.name}.part" if alone else f"{place.name}.{os.getpid()}.part")
            _fetch(replace(wanted, remarks=found), PartialFile(part), patience, meter)
    except OSError as error:
        wanted.refuse_folder(error, None if error.filename is None else Path(str(error.filename)))
    if found:
        say(str(place), [*found, "it was replaced by the one that is stated"])
    if wanted.digest is None:
        say(str(place), ["no hash is stated for it, so it was not checked"])
    return place


def _wanted(url: str, digest: Digest | None, size: int | None, folder: Callable[[], Path]) -> Wanted:
    """The file of a URL; raises ArchError E522."""
    fault = address_fault(url)
    if fault is None:
        name = file_name(url)
        packed = name.lower().endswith(archive.SUFFIX)
        name = name[: -len(archive.SUFFIX)] if packed else name
        if name.strip(".") and "\\" not in name and ":" not in name and len(name) <= _LONGEST:
            return Wanted(url, folder() / name, digest, size, packed)
        fault = "its path does not end in the name of a file"
    raise ArchError.of("E522", what=url, detail=fault)


def _found(wanted: Wanted, say: Say) -> Path | tuple[str, ...]:
    """The file in its place, if it is the wanted one; else what is to be said of what lies there."""
    place = wanted.place
    try:
        if not place.exists():
            return ()
        if not place.is_file():
            wanted.refuse_folder("what lies there is no file", place)
        if wanted.size is not None and place.stat().st_size != wanted.size:
            _check_other(wanted)
            return (f"the file in its place has {place.stat().st_size:,} bytes, not {wanted.size:,}",)
        other = wanted.digest.other(place) if wanted.digest else None
    except OSError as error:
        wanted.refuse_folder(error, place)
    if other is not None:
        assert wanted.digest is not None
        _check_other(wanted)
        return (f"the file in its place has another hash ({wanted.digest.algorithm} {other})",)
    if wanted.digest is None:
        say(str(place), [f"it was taken as it lay there: no hash is stated for {wanted.address}"])
    return place


def _check_other(wanted: Wanted) -> None:
    """Raise ArchError E529 if what is in its place is what the name says, though it is not what is stated."""
    try:
        named = named_by(wanted.place)
    except OSError as error:
        wanted.refuse_folder(error, wanted.place)
    if named is not None:
        wanted.refuse_folder(f"the file there has the hash that its name carries ({named}), and is not replaced")


def _fetch(wanted: Wanted, part: PartialFile, patience: Patience, meter: Meter) -> None:
    """Fetch the file, check it, and put it in its place."""
    by_hand = wanted.place.with_name(wanted.name + archive.SUFFIX)
    if wanted.packed and by_hand.is_file() and _placed(wanted, by_hand) is None:
        return
    for again in (False, True):
        resumed = transfer(wanted, part, patience, meter)
        try:
            other = _placed(wanted, part.path)
        except ArchError:
            part.drop()
            raise
        part.drop()
        if other is None:
            return
        if again or not resumed:
            assert wanted.digest is not None
            wanted.refuse("E527", expected=str(wanted.digest), got=other)
        meter.say("what was there before does not belong to it: fetching all of it")


def _placed(wanted: Wanted, fetched: Path) -> str | None:
    """Put what was fetched in the place of the file, or out of its archive; its hash, if that is another one."""
    ready = fetched
    if wanted.packed:
        ready = wanted.place.with_name(wanted.name + ".part.unpacked")
    try:
        if wanted.packed:
            archive.unpack(wanted, fetched, ready)
        size = ready.stat().st_size
        if wanted.size is not None and size != wanted.size:
            wanted.refuse("E528", detail=f"it has {size:,} bytes, and {wanted.size:,} are stated")
        other = wanted.digest.other(ready) if wanted.digest else None
        if other is None:
            os.replace(ready, wanted.place)
        elif wanted.packed and wanted.digest is not None and wanted.digest.other(fetched) is None:
            wanted.refuse("E531", detail="the hash that is stated is the archive's: state that of the file in it")
        return other
    finally:
        if wanted.packed:
            with suppress(OSError):
                ready.unlink()
