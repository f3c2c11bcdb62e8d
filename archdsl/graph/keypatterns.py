"""Patterns of keys in a `checkpoint`: reading them, and finding those that a key fits.

A pattern is a key, or the beginning of keys up to a dot, in which holes (`{i + 1}`) stand for whole numbers. Reports
E406 and E514.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from heapq import merge
from itertools import accumulate, chain
from operator import itemgetter
from typing import Generic, NamedTuple, TypeVar

from archdsl.diagnostics.core import Bag
from archdsl.graph.glob import Effort
from archdsl.source import Span
from archdsl.syntax import ast

_HOLE = re.compile(  # after every run of spaces became one
    r"(?:([0-9]{1,9}) ?\* ?)?([A-Za-z_][A-Za-z0-9_]*)(?: ?([+-]) ?([0-9]{1,9}))?"
    r"(?: in ([0-9]{1,9}) ?\.\. ?([0-9]{1,9}))?"
)
_PIECE = re.compile(r"\{([^{}]*)\}|([0-9]+)|([{}])|([^{}0-9]+)")
NUMBER = re.compile(r"([0-9]+)")
_MASK = "\0"
"""Stands for a number in a skeleton; no pattern and no path contains it."""
_LONGEST = 18
"""Digits of a number that a hole can stand for."""
_LONGEST_PATTERN = 1000
"""Characters of a pattern."""


class Hole(NamedTuple):
    """`{factor * name + offset in first..stop}`; `within` is the range of its numbers, None: any."""

    name: str
    factor: int
    offset: int
    within: range | None = None

    def value(self, number: int) -> int:
        return self.factor * number + self.offset

    def solve(self, digits: str) -> int | None:
        """The number for which the hole has these digits; None if there is no natural one."""
        if len(digits) > _LONGEST or (digits[0] == "0" and digits != "0"):
            return None
        if self.within is not None and int(digits) not in self.within:
            return None
        quotient, remainder = divmod(int(digits) - self.offset, self.factor)
        return quotient if remainder == 0 and quotient >= 0 else None


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Texts and, between them, numbers: digits as written, or holes."""

    texts: tuple[str, ...]
    numbers: tuple[str | Hole, ...]
    skeleton: str
    """The texts with a mask for each number: keys that may match begin with the same."""

    @property
    def parts(self) -> int:
        """How many parts of a key it is for."""
        return self.skeleton.count(".") + 1

    @property
    def text(self) -> str | None:
        """What it matches and nothing else; None if it has holes."""
        return self.fill({}) if all(isinstance(number, str) for number in self.numbers) else None

    @property
    def holes(self) -> Iterator[Hole]:
        return (number for number in self.numbers if isinstance(number, Hole))

    def match(self, numbers: list[str]) -> dict[str, int] | None:
        """The values of the holes where the numbers of a key are these; None if they do not fit."""
        bound: dict[str, int] = {}
        for wanted, digits in zip(self.numbers, numbers, strict=False):
            if isinstance(wanted, str):
                if wanted != digits:
                    return None
                continue
            value = wanted.solve(digits)
            if value is None or bound.setdefault(wanted.name, value) != value:
                return None
        return bound

    def fill(self, bound: Mapping[str, int]) -> str | None:
        """The text with the holes filled; None if one is unknown or negative."""
        parts = [self.texts[0]]
        for number, text in zip(self.numbers, self.texts[1:], strict=True):
            if isinstance(number, Hole):
                if number.name not in bound or (value := number.value(bound[number.name])) < 0:
                    return None
                parts.append(str(value))
            else:
                parts.append(number)
            parts.append(text)
        return "".join(parts)


L = TypeVar("L")

LINES = "the lines of `checkpoint`"
"""What costs so much, in E514."""


class LineIndex(Generic[L]):
    """Lines of a map, found by what their patterns may match; of those that fit a key the last comes first.

    A pattern without holes is found by its text, others by the texts between their numbers, so that few lines are
    compared with a key; how many is counted first.
    """

    def __init__(self, lines: Sequence[tuple[Pattern, L]], span: Span | None) -> None:
        self.span = span
        self.most = max((pattern.parts for pattern, _ in lines), default=0)
        self._exact: dict[str, list[_Candidate[L]]] = {}
        self._open: dict[str, list[_Candidate[L]]] = {}
        self._plans: dict[str, list[_Candidate[L]]] = {}
        for number in range(len(lines) - 1, -1, -1):
            pattern, line = lines[number]
            text = pattern.text
            known, at = (self._open, pattern.skeleton) if text is None else (self._exact, text)
            known.setdefault(at, []).append(_Candidate(-number, pattern, line))

    def fitting(self, key: str, effort: Effort) -> Iterator[tuple[L, dict[str, int]]]:
        """The lines that are for a key, the last one first, each with the values of its holes."""
        if not self.most:
            return
        pieces = NUMBER.split(key)
        skeleton = _MASK.join(pieces[::2])
        plan = self._plans.get(skeleton)
        if plan is None:  # most keys differ from others in their numbers only
            plan = self._plans[skeleton] = self._known(self._open, skeleton)
        exact = self._known(self._exact, key)
        effort.spend(len(plan) + len(exact) + 1, self.span, LINES)
        for candidate in merge(plan, exact, key=itemgetter(0)) if exact else plan:
            bound = candidate.pattern.match(pieces[1::2])
            if bound is not None:
                yield candidate.line, bound

    def _known(self, lines: Mapping[str, list[_Candidate[L]]], key: str) -> list[_Candidate[L]]:
        """The lines for a key and for its beginnings, the last one first."""
        if not lines:
            return []
        found = [lines[beginning] for beginning in _beginnings(key, self.most) if beginning in lines]
        return found[0] if len(found) == 1 else sorted(chain.from_iterable(found), key=itemgetter(0))


class _Candidate(NamedTuple, Generic[L]):
    """A line, with a number by which the last line comes first."""

    order: int
    pattern: Pattern
    line: L


def beginning(key: str, length: int) -> str:
    """The first parts of a key."""
    return ".".join(key.split(".", length)[:length])


def _beginnings(key: str, most: int) -> Iterator[str]:
    """`a`, `a.b`, `a.b.c` of the key `a.b.c`, of at most so many parts."""
    return accumulate(key.split(".", most)[:most], "{}.{}".format)


# --- reading ---------------------------------------------------------------------------------


def read_pattern(string: ast.String, bag: Bag, *, matched: bool, skip: int = 0) -> Pattern | None:
    """Read one pattern from its character `skip` on; `matched`: keys are compared with it, so that its numbers must be
    told apart."""
    if len(string.value) > _LONGEST_PATTERN:
        bag.report(
            "E406", string.span, detail=f"it is longer than {_LONGEST_PATTERN:,} characters", help="cut it into levels"
        )
        return None
    texts, numbers = [""], list[str | Hole]()
    for piece in _PIECE.finditer(string.value, skip):
        inside, digits, brace, plain = piece.groups()
        if plain is not None:
            texts[-1] += plain
            continue
        detail, number = "its braces do not match", digits
        if inside is not None:
            number = _read_hole(inside)
            detail = f"`{{{inside}}}` is not a name, a name and a number added, a multiple of a name, or a range of it"
        if brace or number is None:
            bag.report("E406", _place(string, piece.start(), piece.end()), detail=detail)
            return None
        if matched and numbers and not texts[-1]:
            place = _place(string, piece.start(), piece.end())
            bag.report(
                "E406", place, detail="two numbers touch each other", help="put a dot or a letter between the two"
            )
            return None
        numbers.append(number)
        texts.append("")
    pattern = Pattern(tuple(texts), tuple(numbers), _MASK.join(texts))
    if any(not component or component.split() != [component] for component in pattern.skeleton.split(".")):
        detail = "a part between its dots is empty or has spaces"
        bag.report("E406", string.span, detail=detail, help="write names with one dot between two")
        return None
    return pattern


def _read_hole(text: str) -> Hole | None:
    match = _HOLE.fullmatch(" ".join(text.split()))
    if match is None:
        return None
    factor, name, sign, offset, first, stop = match.groups()
    if factor is not None and int(factor) == 0:
        return None
    number = int(offset or 0)
    within = None if first is None else range(int(first), int(stop))
    return Hole(name, int(factor or 1), -number if sign == "-" else number, within)


def _place(string: ast.String, start: int, end: int) -> Span:
    """The place of a part of a string; all of it where escapes move the characters."""
    span = string.span
    if span.text != f'"{string.value}"':
        return span
    return Span(span.source, span.start + 1 + start, span.start + 1 + end)
