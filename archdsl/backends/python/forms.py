"""Names for the forms of a block: where one definition needs several classes, each says how it differs from the first.

Takes the classes of a file; gives the name that each should have. The first form has the block's own name; the others
add what is so in all their instances and in none of the first: `InvertedSe`, `BottleneckWithoutProject`, `UnitStride2`,
`BottleneckWithoutDownsample`. Where nothing short tells them apart, they are numbered as they come.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from archdsl.backends.python.parameters import ClassDef

_LONGEST = 24
"""Characters that are added to a name, at most."""
_CALLED = re.compile(r"([A-Za-z_]\w*)(\(.*\))?", re.DOTALL | re.ASCII)
_OWN_LABEL = re.compile(r"[A-Za-z]\w*[A-Za-z]", re.ASCII)
"""A label that an author gave: what is named by its position ends with a number."""


def wanted_names(classes: Sequence[ClassDef]) -> list[tuple[ClassDef, str]]:
    """The classes, each with the name it should have: the model first, then what the spec names so, then the others.

    Another class may want the same name: the first that comes has it.
    """
    forms: dict[tuple[Any, ...], list[ClassDef]] = {}
    for known in classes:
        scope = known.body.scope
        forms.setdefault((known.name, scope.kind, scope.site), []).append(known)
    firsts: list[tuple[ClassDef, str]] = []
    rest: list[tuple[ClassDef, str]] = []
    for first, *others in forms.values():
        (firsts if first.body.scope.definition else rest).append((first, first.name))
        rest += [(known, first.name + words) for known, words in zip(others, _told_apart(first, others), strict=True)]
    return sorted(firsts, key=lambda pair: not pair[0].is_model) + rest


def _told_apart(first: ClassDef, others: Sequence[ClassDef]) -> list[str]:
    """What tells the other forms from the first and from each other; empty words where nothing does."""
    for say in (_by_choice, _by_number, _by_member):
        words = [say(first, known) for known in others]
        if all(0 < len(word) <= _LONGEST for word in words) and len(set(words)) == len(words):
            return words
    return [""] * len(others)


def _by_choice(first: ClassDef, other: ClassDef) -> str:
    """By what is on or off, and by layers and texts that were given: `Se`, `WithoutProject`, `Hardswish`."""
    return "".join(_word(name, before, after) for name, before, after in _differing(first, other))


def _word(name: str, before: Any, after: Any) -> str:
    if isinstance(after, bool):
        return _camel(name) if after else f"Without{_camel(name)}"
    if isinstance(after, int | float | tuple | list):
        return ""
    old, new = _called(before), _called(after)
    if old == new:
        return ""
    if new == "id":
        return f"Without{_camel(name)}"
    return _camel(name) if old == "id" else _camel(new)


def _called(value: Any) -> str:
    """What a text is, or the name of a layer as the spec writes it; "" for another value."""
    if not isinstance(value, str) and not hasattr(value, "span"):
        return ""
    match = _CALLED.fullmatch(value if isinstance(value, str) else repr(value))
    return match[1] if match else ""


def _by_number(first: ClassDef, other: ClassDef) -> str:
    """By the only number that differs: `Stride2`."""
    numbers = [(name, after) for name, _, after in _differing(first, other) if type(after) is int]
    return f"{_camel(numbers[0][0])}{numbers[0][1]}" if len(numbers) == 1 and numbers[0][1] >= 0 else ""


def _by_member(first: ClassDef, other: ClassDef) -> str:
    """By the only member that one of them has and the other has not: `WithoutDownsample`."""
    ours, theirs = ({name for name, _ in known.body.members if _OWN_LABEL.fullmatch(name)} for known in (first, other))
    if len(ours ^ theirs) != 1:
        return ""
    (name,) = ours ^ theirs
    return f"{'With' if name in theirs else 'Without'}{_camel(name)}"


def _differing(first: ClassDef, other: ClassDef) -> Iterator[tuple[str, Any, Any]]:
    """Parameters with one value in all instances of each class, and another in the other, in the spec's order."""
    for name in first.body.scope.frame.arguments:
        before, after = (_constant(name, known) for known in (first, other))
        if before is None or after is None:
            continue
        if _called(after) or (type(before) is type(after) and before != after):
            yield name, before, after


def _constant(name: str, known: ClassDef) -> Any:
    """The value of a parameter in all instances; None where they have several, or it is missing."""
    values = [environment.get(name) for environment in known.environments]
    if any(isinstance(value, bool | int | float | tuple | list) for value in values):
        alike = all(type(value) is type(values[0]) and value == values[0] for value in values)
    else:
        alike = bool(_called(values[0])) and len(set(map(_called, values))) == 1
    return values[0] if alike else None


def _camel(name: str) -> str:
    """`identity_conv` as `IdentityConv`"""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))
