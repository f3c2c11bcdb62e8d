"""Several sets of weights in one file: which there are, and which one is meant.

Training scripts keep a model's weights beside the optimizer's state, and often twice: as trained, and as averages over
steps (EMA). One is never taken in silence where there are two. Torch-free. Reports E511 and E512.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import count
from typing import Any

from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.suggest import closest

CONTAINERS = (
    "state_dict", "state_dict_ema", "model", "model_ema", "model_state_dict", "model_state", "ema", "module", "net",
    "network", "params", "weights",
)  # fmt: skip
"""Names under which training scripts keep a model's weights."""

_DEEPEST = 8
"""Entries inside entries that are looked into: names grow with them."""

NAME = 100
"""Characters of a name that are shown."""

SHOWN = 20
"""Names that are."""

_WORD = re.compile(r"[a-z0-9]+")


def sets_in(content: Mapping[Any, Any], tensor: type[Any]) -> dict[str, Mapping[str, Any]]:
    """Every set of weights in what a file holds, by its name: of one inside another entry `state_dict.model`.

    A set is an entry that holds named tensors and nothing else, whatever it is called and wherever it lies; of an
    optimizer's state, which holds tensors for each weight, nothing is one. Each entry is looked at once: one may hold
    itself, or others thousands of levels deep.
    """
    found: dict[str, Mapping[str, Any]] = {}
    seen = {id(content)}
    stack: list[tuple[str, Iterable[tuple[object, Any]], int]] = [("", content.items(), 1)]
    while stack:
        around, entries, depth = stack.pop()
        inner: list[tuple[str, Iterable[tuple[object, Any]], int]] = []
        for name, value in entries:
            if not isinstance(value, Mapping | list | tuple) or not value or id(value) in seen:
                continue
            seen.add(id(value))
            place = f"{around}.{name}" if around else str(name)
            if not isinstance(value, Mapping):
                inside: Iterable[tuple[object, Any]] = enumerate(value)
            elif all(isinstance(key, str) and isinstance(item, tensor) for key, item in value.items()):
                found[_unlike(place, found)] = value
                continue
            elif "param_groups" in value:
                continue
            else:
                inside = value.items()
            if depth < _DEEPEST:
                inner.append((place, inside, depth + 1))
        stack += reversed(inner)
    return found


def _unlike(place: str, others: Mapping[str, object]) -> str:
    """The name of a place, with a number where others have it: the entry `a.b` and `b` in the entry `a`."""
    names = (place if number == 1 else f"{place}#{number}" for number in count(1))
    return next(name for name in names if name not in others)


def chosen_set(sets: Iterable[str], name: str | None, path: str) -> str:
    """The set that a name means: exactly this one, or the only one with these words in its name (`ema`).

    Without a name it is the only one; "" where the file is one set without a name. Raises ArchError E511 where there
    are several, E512 where none or more than one is named so.
    """
    known = list(sets)
    if name is None:
        if len(known) > 1:
            raise ArchError.of("E511", path=path, names=_listed(known))
        return known[0] if known else ""
    words = set(_words(name))
    for fitting in (
        [place for place in known if place == name],
        [place for place in known if place.rpartition(".")[2] == name],
        [place for place in known if words and words <= set(_words(place))],
    ):
        if len(fitting) == 1:
            return fitting[0]
        if fitting:
            break
    known_text = _listed(known) or None
    raise ArchError.of("E512", path=path, name=name, known=known_text, suggestion=closest(name, known))


def cut(text: str, length: int = NAME) -> str:
    """A text of a file, which may be of any length, as it is shown."""
    return text if len(text) <= length else f"{text[:length]}…"


def _listed(names: list[str]) -> str:
    return ", ".join([*(cut(name) for name in names[:SHOWN]), *([f"… ({len(names):,})"] if len(names) > SHOWN else [])])


def _words(name: str) -> list[str]:
    """`params_ema` is params and ema."""
    return _WORD.findall(name.lower())
