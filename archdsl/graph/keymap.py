"""Another library's names for the weights of a graph, and back: what a `checkpoint` item means.

A rule pairs a pattern of theirs with one of ours. A pattern is a key, or the beginning of keys up to a dot; a hole
in it (`{s}`, `{i + 1}`, `{2 * i}`) stands for a whole number. A counter numbers the paths of ours that match its
pattern in the order of the graph, so that `{n}` on their side can be a number that runs on over all stages. Of several
rules that match a key the last one counts; a key that none matches keeps its name.

Takes syntax, gives a `KeyMap`; applied to keys it gives a `Renaming`, which goes both ways. Reports E406 and E408.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from archdsl.diagnostics.core import Bag, Label
from archdsl.graph.ir import Graph
from archdsl.source import Span
from archdsl.syntax import ast

_T = TypeVar("_T")
_HOLE = re.compile(r"\s*(?:([0-9]{1,9})\s*\*\s*)?([A-Za-z_][A-Za-z0-9_]*)\s*(?:([+-])\s*([0-9]{1,9}))?\s*")
_PIECE = re.compile(r"\{([^{}]*)\}|([0-9]+)|([{}])|([^{}0-9]+)")
_NUMBER = re.compile(r"[0-9]+")
_MASK = "\0"
"""Stands for a number in a skeleton; no pattern and no path contains it."""
_LONGEST = 18
"""Digits of a number that a hole can stand for."""


class Hole(NamedTuple):
    """`{factor * name + offset}`"""

    name: str
    factor: int
    offset: int

    def value(self, number: int) -> int:
        return self.factor * number + self.offset

    def solve(self, digits: str) -> int | None:
        """The number for which the hole has these digits; None if there is no natural one."""
        if len(digits) > _LONGEST or (digits[0] == "0" and digits != "0"):
            return None
        quotient, remainder = divmod(int(digits) - self.offset, self.factor)
        return quotient if remainder == 0 and quotient >= 0 else None


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """Texts and, between them, numbers: digits as written, or holes."""

    texts: tuple[str, ...]
    numbers: tuple[str | Hole, ...]

    @property
    def skeleton(self) -> str:
        return _MASK.join(self.texts)

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


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One line of a map: their pattern, ours, and where it is written."""

    theirs: Pattern
    ours: Pattern
    syntax: ast.KeyRule


@dataclass(frozen=True, slots=True, eq=False)
class Counter:
    """`count name in "ours"`"""

    name: str
    ours: Pattern
    syntax: ast.Counter


@dataclass(frozen=True, eq=False)
class Renaming:
    """A map applied to the keys of one graph.

    `theirs` gives their name for every key of ours, in the order of the graph. `used` are the lines that had an
    effect, `clashes` the keys of theirs that two of ours would get, with both and the rules that gave it (None: the
    key kept its own name).
    """

    theirs: dict[str, str] = field(default_factory=dict)
    used: set[Rule | Counter] = field(default_factory=set)
    clashes: list[Clash] = field(default_factory=list)

    @property
    def ours(self) -> dict[str, str]:
        """The way back: our name for every key of theirs."""
        return {theirs: ours for ours, theirs in self.theirs.items()}


class Clash(NamedTuple):
    key: str
    first: tuple[str, Rule | None]
    second: tuple[str, Rule | None]


@dataclass(frozen=True, eq=False)
class KeyMap:
    """A `checkpoint` item, read. The map without rules (`DIRECT`) leaves every name as it is."""

    name: str
    rules: tuple[Rule, ...] = ()
    counters: tuple[Counter, ...] = ()
    syntax: ast.Checkpoint | None = None

    def apply(self, keys: Iterable[str]) -> Renaming:
        """Their name for each of our keys, which come in the order of the graph."""
        result = Renaming()
        rules = _by_skeleton((rule.ours, (index, rule)) for index, rule in enumerate(self.rules))
        counts: dict[Counter, dict[str, int]] = {counter: {} for counter in self.counters}
        counters = _by_skeleton((counter.ours, counter) for counter in self.counters)
        given: dict[str, tuple[str, Rule | None]] = {}
        for key in keys:
            numbers = _NUMBER.findall(key)
            counted: dict[str, int] = {}
            candidates: list[tuple[int, Rule, int]] = []
            for skeleton, end in _beginnings(key):
                for counter in counters.get(skeleton, ()):
                    if counter.ours.match(numbers) is not None:
                        known = counts[counter]
                        counted[counter.name] = known.setdefault(key[:end], len(known))
                        result.used.add(counter)
                candidates += [(index, rule, end) for index, rule in rules.get(skeleton, ())]
            theirs, used = _renamed(key, numbers, candidates, counted)
            if used is not None:
                result.used.add(used)
            result.theirs[key] = theirs
            if theirs in given:
                result.clashes.append(Clash(theirs, given[theirs], (key, used)))
            given.setdefault(theirs, (key, used))
        return result


DIRECT = KeyMap("")


def theirs_to_ours(graph: Graph, keymap: KeyMap) -> dict[str, str]:
    """Our name for every key that another library gives this graph's weights."""
    return keymap.apply(key for key, _, _ in graph.state()).ours


def ours_to_theirs(graph: Graph, keymap: KeyMap) -> dict[str, str]:
    """Another library's name for every weight of this graph."""
    return keymap.apply(key for key, _, _ in graph.state()).theirs


def report_clash(clash: Clash, bag: Bag) -> None:
    """E408, at the later of the two rules."""
    (first_key, first), (second_key, second) = clash.first, clash.second
    if second is None:
        first, second = None, first
    if second is None:
        return
    secondary = [] if first is None or first is second else [Label(first.syntax.theirs.span, "given here")]
    note = f"`{first_key}` and `{second_key}` of the model would both be `{clash.key}`"
    bag.report("E408", second.syntax.theirs.span, secondary=secondary, key=clash.key, notes=[note])


def _renamed(
    key: str, numbers: list[str], candidates: list[tuple[int, Rule, int]], counted: Mapping[str, int]
) -> tuple[str, Rule | None]:
    """Their name by the last candidate that fits, and that rule."""
    for _, rule, end in sorted(candidates, key=lambda candidate: -candidate[0]):
        bound = rule.ours.match(numbers)
        filled = None if bound is None else rule.theirs.fill({**bound, **counted})
        if filled is not None:
            return filled + key[end:], rule
    return key, None


def _by_skeleton(pairs: Iterable[tuple[Pattern, _T]]) -> dict[str, list[_T]]:
    found: dict[str, list[_T]] = {}
    for pattern, value in pairs:
        found.setdefault(pattern.skeleton, []).append(value)
    return found


def _beginnings(key: str) -> Iterator[tuple[str, int]]:
    """The skeletons of `a`, `a.b` … of the key `a.b…`, each with its length in the key."""
    skeleton, end = "", 0
    for component in key.split("."):
        skeleton += _NUMBER.sub(_MASK, component)
        end += len(component)
        yield skeleton, end
        skeleton, end = skeleton + ".", end + 1


# --- reading patterns ------------------------------------------------------------------------


def read_map(item: ast.Checkpoint, bag: Bag) -> KeyMap | None:
    """The map that a `checkpoint` item means; None after E406."""
    before = len(bag)
    counters: dict[str, Counter] = {}
    for line in item.rules:
        if isinstance(line, ast.Counter):
            pattern = _read_pattern(line.ours, bag, matched=True)
            if line.name in counters:
                bag.report("E406", line.name_span, detail=f"`{line.name}` is counted twice")
            elif pattern is not None:
                counters[line.name] = Counter(line.name, pattern, line)
    names = {line.name for line in item.rules if isinstance(line, ast.Counter)}
    rules = [_read_rule(line, names, bag) for line in item.rules if isinstance(line, ast.KeyRule)]
    if len(bag) != before:
        return None
    return KeyMap(item.name, tuple(rule for rule in rules if rule), tuple(counters.values()), item)


def _read_rule(line: ast.KeyRule, counted: set[str], bag: Bag) -> Rule | None:
    theirs = _read_pattern(line.theirs, bag, matched=False)
    ours = _read_pattern(line.ours, bag, matched=True)
    if theirs is None or ours is None:
        return None
    known = {hole.name for hole in ours.holes}
    for name in sorted(known & counted):
        bag.report("E406", line.ours.span, detail=f"`{name}` is a counter, which only their side can use")
        return None
    for hole in theirs.holes:
        if hole.name not in known | counted:
            bag.report("E406", line.theirs.span, detail=f"our side does not say what `{hole.name}` is")
            return None
    return Rule(theirs, ours, line)


def _read_pattern(string: ast.String, bag: Bag, *, matched: bool) -> Pattern | None:
    """Read one pattern; `matched`: keys are compared with it, so that its numbers must be told apart."""
    text = string.value
    texts, numbers = [""], list[str | Hole]()
    for piece in _PIECE.finditer(text):
        inside, digits, brace, plain = piece.groups()
        if plain is not None:
            texts[-1] += plain
            continue
        detail, number = "its braces do not match", digits
        if inside is not None:
            number = _read_hole(inside)
            detail = f"`{{{inside}}}` is not a name, a name and a number added, or a multiple of a name"
        if brace or number is None:
            bag.report("E406", _place(string, piece.start(), piece.end()), detail=detail)
            return None
        if matched and numbers and not texts[-1]:
            bag.report("E406", _place(string, piece.start(), piece.end()), detail="two numbers touch each other")
            return None
        numbers.append(number)
        texts.append("")
    pattern = Pattern(tuple(texts), tuple(numbers))
    if any(not component or component.split() != [component] for component in pattern.skeleton.split(".")):
        bag.report("E406", string.span, detail="a part between its dots is empty or has spaces")
        return None
    return pattern


def _read_hole(text: str) -> Hole | None:
    match = _HOLE.fullmatch(text)
    if match is None:
        return None
    factor, name, sign, offset = match.groups()
    if factor is not None and int(factor) == 0:
        return None
    number = int(offset or 0)
    return Hole(name, int(factor or 1), -number if sign == "-" else number)


def _place(string: ast.String, start: int, end: int) -> Span:
    """The place of a part of a string; all of it where escapes move the characters."""
    span = string.span
    if span.text != f'"{string.value}"':
        return span
    return Span(span.source, span.start + 1 + start, span.start + 1 + end)
