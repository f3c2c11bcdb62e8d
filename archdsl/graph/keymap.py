"""Another library's names for the weights of a graph, and back: what a `checkpoint` item means.

A rule pairs a pattern of theirs with one of ours. A pattern is a key, or the beginning of keys up to a dot; a hole
in it (`{s}`, `{i + 1}`, `{2 * i}`, `{i in 4..8}`) stands for a whole number. Patterns that begin with `*.` are for what
is inside, after the part of a key that another rule renames or keeps. A counter numbers the paths of ours that match
its pattern in the order of the graph, so that `{n}` on their side can be a number that runs on over all stages. Of
several rules that match the last one counts; a key or a part that none matches keeps its name. A pattern of theirs for
`none` is of a part that some of our models do not have.

Takes syntax, gives a `KeyMap`; applied to keys it gives a `Renaming`, which goes both ways. Reports E406 and E408.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import accumulate
from typing import NamedTuple

from archdsl.diagnostics.core import Bag, Label
from archdsl.graph.ir import Graph
from archdsl.source import Span
from archdsl.syntax import ast

_HOLE = re.compile(
    r"\s*(?:([0-9]{1,9})\s*\*\s*)?([A-Za-z_][A-Za-z0-9_]*)\s*(?:([+-])\s*([0-9]{1,9}))?"
    r"(?:\s+in\s+([0-9]{1,9})\s*\.\.\s*([0-9]{1,9}))?\s*"
)
_PIECE = re.compile(r"\{([^{}]*)\}|([0-9]+)|([{}])|([^{}0-9]+)")
_NUMBER = re.compile(r"([0-9]+)")
_INSIDE = "*."
_MASK = "\0"
"""Stands for a number in a skeleton; no pattern and no path contains it."""
_LONGEST = 18
"""Digits of a number that a hole can stand for."""


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
    """One line of a map: their pattern, ours, where it is written, and whether both begin with `*.` (left out)."""

    theirs: Pattern
    ours: Pattern
    syntax: ast.KeyRule
    inside: bool = False


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
    absent: tuple[Pattern, ...] = ()
    """Keys of theirs that a model without such a part leaves aside."""

    def amended(self, other: KeyMap) -> KeyMap:
        """This map with the lines of another after its own."""
        counters = {counter.name: counter for counter in (*self.counters, *other.counters)}
        rules, absent = self.rules + other.rules, self.absent + other.absent
        return KeyMap(self.name, rules, tuple(counters.values()), other.syntax, absent)

    def left_aside(self, keys: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
        """Those keys of theirs that have no counterpart here by intention.

        `known` are their names for our weights: of a part that our model has, even if with other weights, no key is
        left aside.
        """
        absent = [pattern for pattern in self.absent if not any(_covers(pattern, key) for key in known)]
        return tuple(key for key in keys if key not in known and any(_covers(pattern, key) for pattern in absent))

    def apply(self, keys: Iterable[str]) -> Renaming:
        """Their name for each of our keys, which come in the order of the graph."""
        return _Application(self).run(keys)


class _Application:
    """A map at work on the keys of one graph."""

    def __init__(self, keymap: KeyMap) -> None:
        self.counters = keymap.counters
        self.rules = [rule for rule in reversed(keymap.rules) if not rule.inside]
        self.inner = [rule for rule in reversed(keymap.rules) if rule.inside]
        self.result = Renaming()
        self.counts: dict[Counter, dict[str, int]] = {counter: {} for counter in self.counters}
        # Most keys differ from others in their numbers only, and most insides are those of another block.
        self.plans: dict[str, _Plan] = {}
        self.insides: dict[str, tuple[str, Rule | None]] = {}

    def run(self, keys: Iterable[str]) -> Renaming:
        result = self.result
        given: dict[str, tuple[str, Rule | None]] = {}
        lines: list[Rule | Counter] = [*self.rules, *self.inner, *self.counters]
        named = {line.ours.skeleton.rpartition(".")[2] for line in lines}
        layer = their_layer = ""
        of_layer: Rule | None = None
        for key in keys:
            head, _, weight = key.rpartition(".")
            if weight in named or _NUMBER.search(weight) or not head:
                theirs, used = self._renamed(key)
            else:  # no line is for this weight alone: its layer's others have the same beginning
                if head != layer:
                    theirs, of_layer = self._renamed(key)
                    layer, their_layer = head, theirs[: -len(weight)]
                theirs, used = their_layer + weight, of_layer
            result.theirs[key] = theirs
            first = given.setdefault(theirs, (key, used))
            if first[0] != key:
                result.clashes.append(Clash(theirs, first, (key, used)))
        return result

    def _renamed(self, key: str) -> tuple[str, Rule | None]:
        """Their name for one key, and the rule that says so: the last that fits."""
        pieces = _NUMBER.split(key)
        numbers = pieces[1::2]
        skeleton = _MASK.join(pieces[::2])
        plan = self.plans.get(skeleton)
        if plan is None:
            plan = self.plans[skeleton] = self._plan(skeleton)
        counted: dict[str, int] = {}
        for counter, length in plan.counters:
            if counter.ours.match(numbers) is not None:
                known = self.counts[counter]
                counted[counter.name] = known.setdefault(_beginning(key, length), len(known))
                self.result.used.add(counter)
        for rule, length in plan.rules:
            bound = rule.ours.match(numbers)
            filled = None if bound is None else rule.theirs.fill({**bound, **counted})
            if filled is not None:
                self.result.used.add(rule)
                rest, inner = self._inside(key[len(_beginning(key, length)) + 1 :])
                return filled + rest, inner or rule
        first, _, rest = key.partition(".")
        renamed, inner = self._inside(rest)
        return first + renamed, inner

    def _inside(self, rest: str) -> tuple[str, Rule | None]:
        """Their name for the rest of a key, with a dot before it unless it is empty, and the last rule that says so."""
        if not self.inner or not rest:
            return rest and "." + rest, None
        if rest in self.insides:
            return self.insides[rest]
        pieces = _NUMBER.split(rest)
        beginnings = {beginning: beginning.count(".") + 1 for beginning in _beginnings(_MASK.join(pieces[::2]))}
        name, _, after = rest.partition(".")
        used = None
        for rule in self.inner:
            length = beginnings.get(rule.ours.skeleton)
            bound = None if length is None else rule.ours.match(pieces[1::2])
            filled = None if bound is None else rule.theirs.fill(bound)
            if filled is not None and length is not None:
                self.result.used.add(rule)
                name, after, used = filled, rest[len(_beginning(rest, length)) + 1 :], rule
                break
        renamed, inner = self._inside(after)
        self.insides[rest] = f".{name}{renamed}", inner or used
        return self.insides[rest]

    def _plan(self, skeleton: str) -> _Plan:
        """What may be for the keys of a skeleton."""
        lengths = {beginning: beginning.count(".") + 1 for beginning in _beginnings(skeleton)}
        return _Plan(
            tuple((c, lengths[c.ours.skeleton]) for c in self.counters if c.ours.skeleton in lengths),
            tuple((r, lengths[r.ours.skeleton]) for r in self.rules if r.ours.skeleton in lengths),
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


def _covers(pattern: Pattern, key: str) -> bool:
    """Whether a pattern is a key, or the beginning of it up to a dot."""
    pieces = _NUMBER.split(_beginning(key, pattern.skeleton.count(".") + 1))
    return _MASK.join(pieces[::2]) == pattern.skeleton and pattern.match(pieces[1::2]) is not None


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
    absent = [_read_absent(line, bag) for line in item.rules if isinstance(line, ast.Absent)]
    if len(bag) != before:
        return None
    known = tuple(rule for rule in rules if rule)
    return KeyMap(item.name, known, tuple(counters.values()), item, tuple(pattern for pattern in absent if pattern))


def _read_absent(line: ast.Absent, bag: Bag) -> Pattern | None:
    if line.theirs.value.startswith(_INSIDE):
        bag.report("E406", line.theirs.span, detail="what has no counterpart is named from its beginning")
        return None
    return _read_pattern(line.theirs, bag, matched=True)


def _read_rule(line: ast.KeyRule, counted: set[str], bag: Bag) -> Rule | None:
    inside = line.ours.value.startswith(_INSIDE)
    if inside != line.theirs.value.startswith(_INSIDE):
        bag.report("E406", (line.theirs if inside else line.ours).span, detail="both sides begin with `*.`, or none")
        return None
    theirs = _read_pattern(line.theirs, bag, matched=False, skip=len(_INSIDE) if inside else 0)
    ours = _read_pattern(line.ours, bag, matched=True, skip=len(_INSIDE) if inside else 0)
    if theirs is None or ours is None:
        return None
    known = {hole.name for hole in ours.holes}
    for name in sorted(known & counted):
        bag.report("E406", line.ours.span, detail=f"`{name}` is a counter, which only their side can use")
        return None
    for hole in theirs.holes:
        if hole.name in counted and inside:
            bag.report("E406", line.theirs.span, detail=f"`{hole.name}` counts whole paths, and this is a part of one")
            return None
        if hole.name not in known | counted:
            bag.report("E406", line.theirs.span, detail=f"our side does not say what `{hole.name}` is")
            return None
        if hole.within is not None:
            bag.report("E406", line.theirs.span, detail="a range belongs to our side")
            return None
    return Rule(theirs, ours, line, inside)


def _read_pattern(string: ast.String, bag: Bag, *, matched: bool, skip: int = 0) -> Pattern | None:
    """Read one pattern from its character `skip` on; `matched`: keys are compared with it, so that its numbers must be
    told apart."""
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
