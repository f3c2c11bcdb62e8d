"""The door: what callers give from Python, as plain values of Python's own, or a TypeError that says what was expected.

A network is made of plain numbers, strings and lists. Whatever else behaves like one (numpy's integers, members of
enumerations, classes derived from `int` or `str` that print as they like) is converted here, once; nothing behind the
door sees it.
"""

from __future__ import annotations

import math
import numbers
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, NoReturn, TypeVar

LARGEST = 10**18
"""The largest whole number of the language."""

MOST = 100_000
"""Values in one argument, those in lists in it included."""

DEEPEST = 32
"""Lists in lists."""

LONGEST = 100_000
"""Characters of a string."""

T = TypeVar("T")


class NotPlain(Exception):
    """A value that the language does not have; the text says what it is."""


def plain(value: object) -> Any:
    """A parameter's value: an int, float, bool or str of Python's own, or a tuple of such; raises NotPlain."""
    return _plain(value, 0, [MOST])


def _plain(value: object, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise NotPlain(f"more than {MOST:,} values")
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, list | tuple | range):
        if depth == DEEPEST:
            raise NotPlain("lists that hold lists, deeper than 32")
        kind: Any = next(kind for kind in (list, tuple, range) if isinstance(value, kind))
        return tuple([_plain(item, depth + 1, left) for item in kind.__iter__(value)])
    return _number(value)


def _text(value: str) -> str:
    text = str.__str__(value)
    if len(text) > LONGEST:
        raise NotPlain(f"a string of {len(text):,} characters")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise NotPlain("a string that is no Unicode text") from None
    return text


def _number(value: object) -> int | float | bool:
    if isinstance(value, bool) or (type(value).__module__, type(value).__name__[:4]) == ("numpy", "bool"):
        return bool(value)
    whole = index(value)
    if whole is not None:
        if abs(whole) > LARGEST:
            raise NotPlain("a number beyond 10^18")
        return whole
    if isinstance(value, float):
        number = float.__pos__(value)
    elif isinstance(value, numbers.Real) and not isinstance(value, numbers.Rational):  # float32 and the like of numpy
        try:
            number = float(value)
        except Exception:  # it is anybody's number
            raise NotPlain(shown(value)) from None
    else:
        raise NotPlain(shown(value))
    if not math.isfinite(number):
        raise NotPlain(f"{number}, which is no number of the language")
    return number


def index(value: object) -> int | None:
    """A whole number as an int, whatever its class; None for what is none, and for a bool."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return int.__index__(value)
    try:
        return int.__index__(operator.index(value))  # type: ignore[arg-type]
    except Exception:  # it is anybody's code that says no
        return None


def shown(value: object) -> str:
    """A value in a message: what it is, never what its own `__repr__` says."""
    if value is None or type(value) in (bool, int, float, str):
        try:
            text = repr(value)
        except ValueError:  # an int of more digits than Python prints
            return "a number of thousands of digits"
        return text if len(text) <= 60 else f"{text[:60]}…"
    return f"of the type {type(value).__name__}"


def wrong(name: str, expected: str, value: object) -> NoReturn:
    """Raise TypeError: `variant is a name, not 3`."""
    raise TypeError(f"{name} is {expected}, not {shown(value)}")


def text(name: str, value: object) -> str:
    if not isinstance(value, str):
        wrong(name, "a string", value)
    try:
        return _text(value)
    except NotPlain as reason:
        raise TypeError(f"{name} is a name, not {reason}") from None


def optional_text(name: str, value: object) -> str | None:
    return None if value is None else text(name, value)


def path(name: str, value: object, expected: str = "a path") -> str:
    """A path as a string."""
    if not isinstance(value, str | os.PathLike):
        wrong(name, expected, value)
    try:
        found = os.fspath(value)
    except Exception:  # it is anybody's code that makes the path
        found = value
    if not isinstance(found, str):
        wrong(name, expected, found)
    return str.__str__(found)


def whole(name: str, value: object) -> int:
    """A whole number."""
    number = index(value)
    if number is None:
        wrong(name, "a whole number", value)
    if abs(number) > LARGEST:
        raise TypeError(f"{name} is a whole number, not one beyond 10^18")
    return number


def optional_whole(name: str, value: object) -> int | None:
    return None if value is None else whole(name, value)


def positive(name: str, value: object) -> int:
    number = whole(name, value)
    if number < 1:
        raise ValueError(f"{name} must be positive, not {number}")
    return number


def size(name: str, value: object) -> tuple[int | None, int | None]:
    """Height and width from one number, or two."""
    if value is None:
        return None, None
    if isinstance(value, list | tuple):
        sides = several(name, value, "one number, or height and width")
        if len(sides) != 2:
            plain_numbers = len(sides) < 5 and all(type(side) is int for side in sides)
            found = repr(sides) if plain_numbers else f"{len(sides):,} values"
            raise ValueError(f"{name} of an image is one number, or its height and width, not {found}")
        height, width = sides
        return whole(name, height), whole(name, width)
    both = index(value)
    if both is None:
        wrong(name, "one number, or height and width", value)
    return whole(name, both), whole(name, both)


def several(name: str, value: object, expected: str) -> tuple[Any, ...]:
    """The members of a list or tuple; other iterables may have no end."""
    if not isinstance(value, list | tuple | range):
        wrong(name, expected, value)
    found = _members(name, value, expected)
    if len(found) > MOST:
        raise TypeError(f"{name} has more than {MOST:,} members")
    return tuple(found)


def texts(name: str, value: object) -> tuple[str, ...]:
    """One text or a list of them; none for None."""
    if value is None:
        return ()
    given = (value,) if isinstance(value, str) else several(name, value, "a text or a list of texts")
    return tuple(text(name, one) for one in given)


def paths(name: str, value: object, expected: str) -> list[str]:
    """The paths of a list, or of anything that gives paths and comes to an end."""
    if isinstance(value, str | bytes | os.PathLike) or not isinstance(value, Iterable):
        wrong(name, expected, value)
    found = _members(name, value, expected)
    if len(found) > MOST:
        raise TypeError(f"{name} are more than {MOST:,}")
    return [path(f"one of {name}", item) for item in found]


def _members(name: str, value: Iterable[T], expected: str) -> list[T]:
    """The members of what comes to an end, no more than one above MOST."""
    try:
        return list(islice(value, MOST + 1))
    except Exception:  # it is anybody's iterator
        wrong(name, expected, value)


def assigned(name: str, value: object) -> dict[str, Any]:
    """A mapping by names."""
    expected = "a mapping from names to values"
    if not isinstance(value, Mapping):
        wrong(name, expected, value)
    try:
        found = [(key, item) for key, item in islice(value.items(), MOST + 1)]
    except Exception:  # it is anybody's mapping
        wrong(name, expected, value)
    if len(found) > MOST:
        raise TypeError(f"{name} has more than {MOST:,} names")
    return {text(f"a key of {name}", key): item for key, item in found}


def instance(name: str, value: object, kind: type[T], expected: str) -> T:
    if not isinstance(value, kind):
        wrong(name, expected, value)
    return value


def one_of(name: str, value: object, known: Sequence[str]) -> str:
    found = text(name, value)
    if found not in known:
        raise ValueError(f"{name} is one of {', '.join(known)}, not {found!r}")
    return found
