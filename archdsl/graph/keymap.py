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
from itertools import accumulate
from typing import NamedTuple

from archdsl.diagnostics.core import Bag, Label
from archdsl.graph.ir import Graph
from archdsl.source import Span
from archdsl.syntax import ast

_HOLE = re.compile(r"\s*(?:([0-9]{1,9})\s*\*\s*)?([A-Za-z_][A-Za-z0-9_]*)\s*(?:([+-])\s*([0-9]{1,9}))?\s*")
_PIECE = re.compile(r"\{([^{}]*)\}|([0-9]+)|([{}])|([^{}0-9]+)")
_NUMBER = re.compile(r"([0-9]+)")
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
    skeleton: str
    """The texts with a mask for each number: keys that may match begin with the same."""

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
        plans: dict[str, _Plan] = {}  # most keys differ from others in their numbers only
        counts: dict[Counter, dict[str, int]] = {counter: {} for counter in self.counters}
        given: dict[str, tuple[str, Rule | None]] = {}
        patterns = [*(rule.ours for rule in self.rules), *(counter.ours for counter in self.counters)]
        lengths = {pattern.skeleton.count(".") for pattern in patterns}
        used: Rule | None = None
        last = theirs = ""
        for key in keys:
            head = key.rpartition(".")[0]
            if head and last.startswith(head + ".") and last.count(".") == key.count(".") not in lengths:
                # Another weight of the same layer, which no line is for alone.
                theirs = theirs[: len(theirs) - len(last) + len(head)] + key[len(head) :]
            else:
                theirs, used = self._renamed(key, plans, counts, result)
            last = key
            result.theirs[key] = theirs
            first = given.setdefault(theirs, (key, used))
            if first[0] != key:
                result.clashes.append(Clash(theirs, first, (key, used)))
        return result

    def _renamed(
        self, key: str, plans: dict[str, _Plan], counts: dict[Counter, dict[str, int]], result: Renaming
    ) -> tuple[str, Rule | None]:
        """Their name for one key by the last rule that fits, and that rule."""
        pieces = _NUMBER.split(key)
        numbers = pieces[1::2]
        skeleton = _MASK.join(pieces[::2])
        plan = plans.get(skeleton)
        if plan is None:
            plan = plans[skeleton] = self._plan(skeleton)
        counted: dict[str, int] = {}
        for counter, length in plan.counters:
            if counter.ours.match(numbers) is not None:
                known = counts[counter]
                counted[counter.name] = known.setdefault(_beginning(key, length), len(known))
                result.used.add(counter)
        for rule, length in plan.rules:
            bound = rule.ours.match(numbers)
            filled = None if bound is None else rule.theirs.fill({**bound, **counted})
            if filled is not None:
                result.used.add(rule)
                return filled + key[len(_beginning(key, length)) :], rule
        return key, None

    def _plan(self, skeleton: str) -> _Plan:
        """What may be for the keys of a skeleton."""
        lengths = {beginning: beginning.count(".") + 1 for beginning in _beginnings(skeleton)}
        return _Plan(
            tuple((c, lengths[c.ours.skeleton]) for c in self.counters if c.ours.skeleton in lengths),
            tuple((r, lengths[r.ours.skeleton]) for r in reversed(self.rules) if r.ours.skeleton in lengths),
        )


class _Plan(NamedTuple):
    """The lines whose texts agree with a skeleton, each with how many parts of a key it is for; the last rule first."""

    counters: tuple[tuple[Counter, int], ...]
    rules: tuple[tuple[Rule, int], ...]


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


def _beginning(key: str, length: int) -> str:
    """The first parts of a key."""
    return ".".join(key.split(".", length)[:length])


def _beginnings(key: str) -> Iterator[str]:
    """`a`, `a.b`, `a.b.c` of the key `a.b.c`."""
    return accumulate(key.split("."), "{}.{}".format)


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
    pattern = Pattern(tuple(texts), tuple(numbers), _MASK.join(texts))
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
