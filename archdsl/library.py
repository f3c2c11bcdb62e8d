"""Finding specs: takes a path, or the name of a shipped family or variant; gives its `Source`.

`use` may read files beside a spec and the shipped specs, never anything else. Raises ArchError E601 and E602.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.suggest import closest
from archdsl.resources import find, roots
from archdsl.source import Source
from archdsl.syntax import ast, parse

SUFFIX = ".arch"
MAX_BYTES = 1_000_000


def families() -> list[str]:
    """Names of the shipped families: every shipped spec that has a model."""
    return [path.stem for path in _shipped() if _variant_names(read(path))]


def _shipped() -> list[Path]:
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


def locate(name: str) -> tuple[Source, str | None]:
    """The source for SPEC or SPEC:VARIANT, and the variant; raises ArchError E601 or E602.

    SPEC is a path, the name of a shipped family (`resnet`) or of a shipped variant (`resnet50`).
    """
    spec, _, variant = name.rpartition(":") if ":" in name[2:] else (name, "", "")
    spec = spec or name
    path = Path(spec)
    if path.suffix == SUFFIX or "/" in spec or "\\" in spec:
        return read(path), variant or None
    shipped = find("specs", spec + SUFFIX)
    if shipped is not None:
        return read(shipped), variant or None
    known: list[str] = []
    for path in _shipped():
        source = read(path)
        names = _variant_names(source)
        if spec in names and not variant:
            return source, spec
        known += [path.stem, *names] if names else []
    bag = Bag()
    bag.report("E601", None, name=spec, suggestion=closest(spec, known))
    raise ArchError(bag)


def read(path: Path) -> Source:
    """The text of a spec; raises ArchError E602."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise OSError(f"larger than {MAX_BYTES:,} bytes")
        return Source(str(path), path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        detail = getattr(error, "strerror", None) or str(error)
        bag = Bag()
        bag.report("E602", None, path=str(path), detail=detail)
        raise ArchError(bag) from None


def used_file(source: Source, name: str) -> Source | None:
    """The file that `use "name"` in a source means: beside it, or among the shipped specs."""
    own = Path(source.name)
    if own.is_file():
        folder = own.resolve().parent
        beside = (folder / name).resolve()
        if beside.is_relative_to(folder) and beside.is_file():
            return read(beside if own.is_absolute() else own.parent / name)
    shipped = find("specs", name)
    return read(shipped) if shipped else None
