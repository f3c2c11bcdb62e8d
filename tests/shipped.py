"""The shipped specs, each opened once in a process: their names, their variants.

Not checked, which takes a network of every variant: that none has a finding is held by tests/semantics/test_shipped.py.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator

from archdsl import library
from archdsl.api import ArchFile, Variant, open_source


@functools.cache
def opened(family: str) -> ArchFile:
    return open_source(library.locate(family)[0])


@functools.cache
def families() -> tuple[str, ...]:
    """Those that have networks; the others are parts of them."""
    return tuple(name for name in library.families() if opened(name))


def variants() -> Iterator[tuple[str, Variant]]:
    """Every variant, with its family."""
    for family in families():
        for variant in opened(family).values():
            yield family, variant


@functools.cache
def cheapest(family: str) -> Variant:
    return min(opened(family).values(), key=lambda variant: variant.graph.macs)


@functools.cache
def named(name: str) -> Variant:
    """The variant of this name, or the first of the family."""
    if name in families():
        return next(iter(opened(name).values()))
    return opened(library.variants()[name].stem)[name]
