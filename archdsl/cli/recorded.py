"""What `archdsl list` shows of the shipped specs, recorded beside them: to elaborate them all takes seconds.

`specs/facts.json` holds the figures of each family and the digests of the texts they were computed from. They are shown
only where this version reads exactly these texts; a spec that was edited, or uses one that was, is elaborated.
`python -m docs.generate_facts` writes the file, and a test compares it with the specs.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypedDict

from archdsl import __version__
from archdsl.library import read, shipped
from archdsl.resources import find

if TYPE_CHECKING:
    from archdsl.source import Source

FILE = "facts.json"


class Family(TypedDict):
    """A shipped spec: digests of its text and of those it uses, by file name, and its variants; none of a library.

    `variants` are as `VariantJson` says, `top1` the published accuracies as the spec writes them, "" where it has none.
    """

    files: dict[str, str]
    doc: str
    variants: list[dict[str, Any]]
    top1: list[str]


def families() -> Iterator[tuple[Source, Family]]:
    """Every shipped family; raises ArchError where one that must be elaborated has errors."""
    known = _recorded()
    sources = {path.name: read(path) for path in shipped()}
    digests = {name: digest(source.text) for name, source in sources.items()}
    for name, source in sources.items():
        family = known.get(name)
        if family is None or not all(digests.get(file) == text for file, text in family["files"].items()):
            family = computed(source)
        if family["variants"]:
            yield source, family


def computed(source: Source) -> Family:
    """A family's facts, by elaborating it; raises ArchError."""
    from archdsl.api import open_source
    from archdsl.cli.documents.networks import VariantJson
    from archdsl.cli.tables import top1

    file = open_source(source)
    file.check()
    file.bag.raise_errors()
    files = [used.source for used in file.program.files.values()]
    return {
        "files": {used.name.replace("\\", "/").rpartition("/")[2]: digest(used.text) for used in files},
        "doc": file.docstring,
        "variants": [_without_folders(VariantJson.of(variant).plain()) for variant in file.values()],
        "top1": list(map(top1, file.values())),
    }


def _without_folders(variant: dict[str, Any]) -> dict[str, Any]:
    """The same wherever the specs are: places are said by the names of files alone."""
    return {**variant, "sizes": [{**size, "file": PurePath(size["file"]).name} for size in variant["sizes"]]}


def in_folder(variant: dict[str, Any], source: Source) -> dict[str, Any]:
    """A variant as the other commands give it: with the files of places beside its spec."""
    beside = PurePath(source.name).with_name
    return {**variant, "sizes": [{**size, "file": str(beside(size["file"]))} for size in variant["sizes"]]}


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def document() -> dict[str, Any]:
    """The content of the file, computed."""
    return {"version": __version__, "families": {path.name: computed(read(path)) for path in shipped()}}


def _recorded() -> Mapping[str, Family]:
    """The families of the file by the names of their specs; none where it is not this version's."""
    path = find("specs", FILE)
    try:
        content = json.loads(path.read_text(encoding="utf-8")) if path is not None else {}
        return content["families"] if content["version"] == __version__ else {}
    except (OSError, ValueError, KeyError, TypeError):
        return {}
