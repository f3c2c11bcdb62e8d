"""By whose names weights go: a word (`timm`, `authors`, `own`) to a map of keys.

A `checkpoint` item has a name; a library that a `reference` names has those of the map of its name, or our own, as
`own` has. Torch-free. Raises ArchError E505, E516.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.suggest import closest
from archdsl.graph.keymap import DIRECT, KeyMap
from archdsl.graph.published import OWN
from archdsl.graph.reference import Reference


class NamedVariant(Protocol):
    """What is to be known of a variant (`archdsl.Variant`)."""

    @property
    def name(self) -> str: ...

    @property
    def keymaps(self) -> Mapping[str, KeyMap]: ...

    @property
    def compared(self) -> Sequence[Reference]:
        """Which models of libraries it equals, whatever is set of its parameters."""


def naming(variant: NamedVariant, name: str) -> KeyMap:
    """The map for the names of that library or item; raises ArchError."""
    known = namings(variant)
    for reference in variant.compared:
        if reference.refuses and reference.library == name and name not in known:
            reason = " ".join(reference.reason.split())
            raise ArchError.of("E516", library=name, model=reference.model, name=variant.name, reason=reason)
    if name not in known:
        near = OWN if name == "archdsl" else closest(name, known)
        raise ArchError.of("E505", name=name, suggestion=near, known=", ".join(known))
    return known[name]


def namings(variant: NamedVariant) -> dict[str, KeyMap]:
    """Every word for names of a variant's weights.

    Of a library that has the network under several names it is the map for the first; one whose network is another has
    none, even if a map has its name.
    """
    keymaps = variant.keymaps
    found: dict[str, KeyMap] = {OWN: DIRECT}
    for reference in variant.compared:
        if not reference.refuses:
            found.setdefault(reference.library, keymaps.get(map_name(reference), DIRECT))
    refused = {reference.library for reference in variant.compared if reference.refuses}
    others = {name: keymap for name, keymap in keymaps.items() if name not in {*found, *refused}}
    return {**found, **others}


def map_name(reference: Reference) -> str:
    """The `checkpoint` item for the names of the library's model, if there is one."""
    return reference.comparison.checkpoint or reference.library
