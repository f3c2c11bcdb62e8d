"""Finding specs: takes a path, or the name of a shipped family or variant; gives its `Source`.

`use` may read files beside a spec and the shipped specs, never anything else. Raises ArchError E601, E602 and E618.
"""

from __future__ import annotations

import codecs
import os
import re
import stat
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path, PurePath

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.glyphs import shown
from archdsl.diagnostics.suggest import closest
from archdsl.resources import find, roots
from archdsl.source import Source, Unreadable
from archdsl.syntax import ast, parse
from archdsl.syntax.reading import MAX_TEXT

SUFFIX = ".arch"
MAX_BYTES = 4 * (MAX_TEXT + 1)
"""How much of a file is read: with this many bytes it has more characters than a spec may have."""

_FLAGS = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe, not a regular file; `-` reads standard input",
    stat.S_IFCHR: "a device, not a regular file; `-` reads standard input",
    stat.S_IFBLK: "a device, not a regular file",
    stat.S_IFSOCK: "a socket, not a regular file",
}
"""What is no spec."""


def families() -> list[str]:
    """Names of the shipped families: every shipped spec that has a model."""
    return [path.stem for path in shipped() if _variant_names(read(path))]


def variants() -> dict[str, Path]:
    """The shipped variants by name, each with the spec that the name alone means."""
    found: dict[str, Path] = {}
    for path in shipped():
        for name in _variant_names(read(path)):
            found.setdefault(name, path)
    return found


def shipped() -> list[Path]:
    """The shipped specs, in order."""
    for root in roots("specs"):
        if root.is_dir():
            return sorted(root.glob(f"*{SUFFIX}"))
    return []


def _variant_names(source: Source) -> tuple[str, ...]:
    return _declared(source.text)


@lru_cache(maxsize=64)
def _declared(text: str) -> tuple[str, ...]:
    """The variants a text declares, from its syntax alone."""
    syntax = parse(Source("", text), Bag())
    found: list[str] = []
    for item in syntax.items if syntax else ():
        if isinstance(item, ast.Variants):
            found += (row.name for row in item.rows)
        elif isinstance(item, ast.Variant):
            found.append(item.name)
    return tuple(found)


def locate(name: str, say: Callable[[str], None] | None = None) -> tuple[Source, str | None]:
    """The source for SPEC or SPEC:VARIANT, and the variant; raises ArchError E601, E602 or E618.

    SPEC is a path, the name of a shipped family (`resnet`) or of a shipped variant (`resnet50`). A file name alone that
    is not in the current folder means the shipped spec of that name, which is said: by `say`, or as a warning.
    """
    spec, colon, variant = name.rpartition(":") if ":" in name[2:] else (name, "", "")
    spec = spec or name
    if colon and not variant:
        raise ArchError.of("E618", name=name)
    is_path = spec.endswith(SUFFIX) or "/" in spec or "\\" in spec
    if is_path and os.path.lexists(spec):
        return read(Path(spec)), variant or None
    own = find("specs", spec if is_path else spec + SUFFIX)
    if own is not None:
        if is_path:
            (say or _warn)(f"there is no {spec} here: the shipped one is used")
        return read(own), variant or None
    if is_path:
        raise ArchError.of("E602", path=spec, detail=_missing(spec), hint=_near(spec, _names()))
    source = _declaring(spec)
    if source is None:
        raise ArchError.of("E601", name=spec, hint=_near(spec, _names()))
    if variant:
        family = PurePath(source.name).stem
        hint = f"`{spec}` is a variant already, of the shipped `{family}`: leave out `:{variant}`"
        raise ArchError.of("E601", name=spec, hint=hint)
    return source, spec


def _declaring(variant: str) -> Source | None:
    """The shipped spec that declares a variant. Only those in which its name stands are parsed: all take long."""
    word = re.compile(rf"\b{re.escape(variant)}\b")
    holding = (source for source in map(read, shipped()) if word.search(source.text))
    return next((source for source in holding if variant in _variant_names(source)), None)


def _names() -> list[str]:
    """What is shipped, by name: families and their variants."""
    return [name for path in shipped() if (names := _variant_names(read(path))) for name in (path.stem, *names)]


def _missing(path: str) -> str:
    """Why there is no such file."""
    try:
        os.lstat(path)
    except (OSError, ValueError) as error:
        return _reason(error)
    return "it was made just now"


def _near(spec: str, names: list[str]) -> str:
    """The hint for what is not there: the file beside it, and what is shipped, that have nearly its name."""
    folder, name = os.path.split(spec)
    stem = name.removesuffix(SUFFIX)
    try:
        stems = [entry.removesuffix(SUFFIX) for entry in sorted(os.listdir(folder or ".")) if entry.endswith(SUFFIX)]
    except (OSError, ValueError):
        stems = []
    file = stem if stem in stems else closest(stem, stems)
    own = stem if stem in names else closest(stem, names)
    found = [f"`{os.path.join(folder, file + SUFFIX)}`"] if file else []
    found += [f"the shipped `{own}`" if name != stem or file else f"`{own}`"] if own else []
    return f"did you mean {', or '.join(found)}?" if found else ""


def _warn(text: str) -> None:
    """Warn whoever called this package."""
    import warnings

    depth, frame = 1, sys._getframe()
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == "archdsl":
        depth, frame = depth + 1, frame.f_back
    warnings.warn(shown(text), stacklevel=depth)


def read(path: str | os.PathLike[str]) -> Source:
    """The text of a spec; raises ArchError E602."""
    try:
        return _read(os.fspath(path), os.fspath(path))
    except Unreadable as error:
        raise ArchError.of("E602", path=os.fspath(path), detail=error.detail) from None


def used_file(source: Source, name: str) -> Source | None:
    """The file that `use "name"` in a source means: beside it, or among the shipped specs; raises Unreadable.

    What lies beside a source is what its real folder holds. A file that is there and may not be read is not passed over
    for a shipped one of its name. A text that was read from no file has no folder.
    """
    if source.path is not None:
        folder = os.path.dirname(source.path)
        if _is_there(beside := os.path.join(folder, name)):
            real = os.path.realpath(beside)
            if not real.startswith(os.path.join(folder, "")):
                raise Unreadable("it is a link that leads out of the folder of this file", outside=True)
            if not real.endswith(SUFFIX):
                raise Unreadable(f"only files called NAME{SUFFIX} are read")
            shown = os.path.dirname(source.name)
            is_own = os.path.realpath(shown) == folder
            return _read(real, os.path.join(shown, os.path.relpath(real, folder)) if is_own else real)
    own = find("specs", name, below=True)
    return _read(str(own), str(own)) if own else None


def _is_there(path: str) -> bool:
    """Whether a name is taken; raises Unreadable for what can be no name."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except (OSError, ValueError) as error:
        raise Unreadable(_reason(error)) from None
    return True


def _read(path: str, name: str) -> Source:
    """A regular file as a source that is shown as `name`; raises Unreadable. No more of it is read than may be."""
    try:
        real = os.path.realpath(path)
        kind = _KINDS.get(stat.S_IFMT(os.stat(path).st_mode))  # asked before it is opened: opening can do things, too
        if kind is not None:
            raise Unreadable(f"it is {kind}")
        if path.endswith(SUFFIX) and not real.endswith(SUFFIX):
            raise Unreadable(f"it is a link to a file that is not called NAME{SUFFIX}")
        with open(os.open(real, _FLAGS), "rb") as file:
            if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                raise Unreadable("it is no regular file")
            return Source(name, decoded(file.read(MAX_BYTES)), real)
    except (OSError, ValueError) as error:
        raise Unreadable(_reason(error)) from None


def decoded(content: bytes) -> str:
    """The text of a spec, of which no more than MAX_BYTES were read; raises UnicodeDecodeError.

    What is longer than a spec may be is found where it is parsed: bytes that are too many are too many characters.
    """
    return codecs.getincrementaldecoder("utf-8")().decode(content, final=len(content) < MAX_BYTES)


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
