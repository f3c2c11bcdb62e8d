"""Through a piece of syntax: every node of it, every name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from functools import cache
from typing import Any

from archdsl.syntax import ast


def walk(value: Any) -> Iterator[Any]:
    """Every node of a piece of syntax, or of a tuple of such; of None, none."""
    if isinstance(value, tuple):
        for item in value:
            yield from walk(item)
    elif isinstance(value, ast.Syntax):
        yield value
        kind: type = type(value)
        for name in _parts(kind):
            yield from walk(getattr(value, name))


def names_in(value: Any) -> frozenset[str]:
    """The names that a piece of syntax may read."""
    return frozenset(node.name for node in walk(value) if isinstance(node, ast.Name))


@cache
def _parts(kind: type) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind) if f.compare)
