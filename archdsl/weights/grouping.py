"""Many keys in few lines, with none left out: `layer{1,2}.{0-3}.bn{1,2}.{bias,weight}`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeVar

_PARTS = re.compile(r"[0-9]+|[^0-9.]+|\.")
_Parts = tuple[tuple[str, ...], ...]
"""A key in parts (names, numbers, dots), each with its alternatives."""
_Facts = TypeVar("_Facts", bound=tuple[str, ...])


def grouped(keys: Iterable[tuple[str, _Facts]]) -> list[tuple[str, _Facts]]:
    """Pairs of a key and facts: those with the same facts whose keys differ in one part only become one pair.

    Merged from the last part to the first; the order is that of the first key of each group.
    """
    groups: list[tuple[_Parts, _Facts]] = [(tuple((part,) for part in _split(key)), facts) for key, facts in keys]
    for position in range(max((len(parts) for parts, _ in groups), default=0) - 1, -1, -1):
        groups = _merged(groups, position)
    return [("".join(map(_alternatives, parts)), facts) for parts, facts in groups]


def _split(key: str) -> list[str]:
    return _PARTS.findall(key)


def _merged(groups: list[tuple[_Parts, _Facts]], position: int) -> list[tuple[_Parts, _Facts]]:
    """Join the groups that differ only at a position, where both have a number or both a name."""
    found: dict[tuple[object, ...], dict[str, None]] = {}  # in order, and each value once
    order: dict[tuple[object, ...], tuple[_Parts, _Facts]] = {}
    for parts, facts in groups:
        at = position if position < len(parts) else None
        rest = parts if at is None else (*parts[:at], (), *parts[at + 1 :])
        kind = None if at is None else (parts[at][0].isdigit(), parts[at][0] == ".")
        key = (rest, kind, facts)
        order.setdefault(key, (parts, facts))
        if at is not None:
            found.setdefault(key, {}).update(dict.fromkeys(parts[at]))
    return [
        ((*parts[:position], tuple(found[key]), *parts[position + 1 :]) if key in found else parts, facts)
        for key, (parts, facts) in order.items()
    ]


def _alternatives(values: tuple[str, ...]) -> str:
    """`a`, `{a,b}`, and for numbers that follow each other `{0-3}`."""
    if len(values) == 1:
        return values[0]
    pieces: list[str] = []
    if all(value.isdigit() for value in values):
        run: list[int] = []
        for number in [*sorted(map(int, values)), -1]:
            if run and number != run[-1] + 1:
                pieces.append(str(run[0]) if len(run) == 1 else f"{run[0]}{'-' if len(run) > 2 else ','}{run[-1]}")
                run = []
            run.append(number)
    else:
        pieces = list(values)
    return "{" + ",".join(pieces) + "}"
