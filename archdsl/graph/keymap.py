"""Another library's names for the weights of a graph, and back: what a `checkpoint` item means.

A rule pairs a pattern of theirs with one of ours. A pattern is a key, or the beginning of keys up to a dot; a hole
in it (`{s}`, `{i + 1}`, `{2 * i}`, `{i in 4..8}`) stands for a whole number. Patterns that begin with `*.` are for what
is inside, after the part of a key that another rule renames or keeps. A counter numbers the paths of ours that match
its pattern in the order of the graph, so that `{n}` on their side can be a number that runs on over all stages. Of
several rules that match the last one counts; a key or a part that none matches keeps its name. A pattern of theirs for
`none` is of a part that some of our models do not have. A rule for one tensor can say that it has another shape there.

A `KeyMap`, which `read_keymap` makes of syntax, applied to keys gives a `Renaming`, which goes both ways. Reports E408,
and what `keypatterns` and `keyshapes` report.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Protocol, Self, TypeVar

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.graph.glob import Effort
from archdsl.graph.keypatterns import LINES, NUMBER, LineIndex, Pattern, beginning
from archdsl.graph.keyshapes import Reshape, Shape, report_misfit
from archdsl.source import Span
from archdsl.syntax import ast


@dataclass(frozen=True, slots=True, eq=False)
class Rule:
    """One line of a map: their pattern, ours, where it is written, whether both begin with `*.` (left out), and the
    shapes that it gives."""

    theirs: Pattern
    ours: Pattern
    syntax: ast.KeyRule
    inside: bool = False
    reshape: Reshape | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Counter:
    """`count name in "ours"`"""

    name: str
    ours: Pattern
    syntax: ast.Counter


@dataclass(frozen=True, eq=False)
class Renaming:
    """A map applied to the keys of one graph.

    `theirs` gives their name for every key of ours, in the order of the graph, `reshaped` the rule for each that has
    another shape there. `used` are the lines that had an effect, `clashes` the keys of theirs that two of ours would
    get, with both and the rules that gave it (None: the key kept its own name).
    """

    theirs: dict[str, str] = field(default_factory=dict)
    reshaped: dict[str, Reshaped] = field(default_factory=dict)
    used: set[Rule | Counter] = field(default_factory=set)
    clashes: list[Clash] = field(default_factory=list)

    @property
    def ours(self) -> dict[str, str]:
        """The way back: our name for every key of theirs."""
        return {theirs: ours for ours, theirs in self.theirs.items()}

    def shape(self, key: str, ours: Shape) -> Shape | None:
        """The shape there of a weight that has this one here; None if a rule says what does not fit."""
        if key not in self.reshaped:
            return ours
        rule, whole = self.reshaped[key]
        return rule.reshape.shape(ours) if whole and rule.reshape is not None else None

    def there(self, key: str, tensor: T, shape: Shape) -> T:
        """Our weight as it is there, where it has this shape."""
        if key not in self.reshaped:
            return tensor
        return self._turned(key, tensor).reshape(shape)

    def here(self, key: str, tensor: T, shape: Shape) -> T:
        """Their tensor as it is here, where it has this shape."""
        if key not in self.reshaped:
            return tensor
        return self._turned(key, tensor.reshape(shape))

    def reversed_at(self, key: str) -> int | None:
        """The dimension of our weight along which the numbers are in the other order there."""
        reshape = self.reshaped[key].rule.reshape if key in self.reshaped else None
        return None if reshape is None else reshape.reversed_at

    def _turned(self, key: str, tensor: T) -> T:
        at = self.reversed_at(key)
        return tensor if at is None else tensor.flip(at)

    def misfits(self, shapes: Mapping[str, Shape]) -> list[tuple[Rule, str]]:
        """The rules that give shapes which those of our weights are not, each with the first of them."""
        found: dict[Rule, str] = {}
        for key, (rule, _) in self.reshaped.items():
            if self.shape(key, shapes[key]) is None:
                found.setdefault(rule, key)
        return list(found.items())

    def report_misfits(self, shapes: Mapping[str, Shape], name: str, bag: Bag) -> None:
        """E415 for each of them; the weights are those of the network `name`."""
        for rule, key in self.misfits(shapes):
            place = rule.syntax.our_shape
            assert place is not None
            assert rule.reshape is not None
            got = shapes[key] if self.reshaped[key].whole else None
            report_misfit(place.span, bag, key=key, wanted=rule.reshape.ours, got=got, of=name)


class WeightTensor(Protocol):
    """What this module does with tensors, without torch."""

    def reshape(self, shape: Shape, /) -> Self: ...

    def flip(self, dimension: int, /) -> Self: ...


T = TypeVar("T", bound=WeightTensor)


class Reshaped(NamedTuple):
    """The rule that gives a weight another shape; `whole`: its pattern ends where the key does, as it must."""

    rule: Rule
    whole: bool


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
    """Keys of theirs that a model without such a part leaves out."""

    @property
    def span(self) -> Span | None:
        """Its name in the spec."""
        return self.syntax.name_span if self.syntax else None

    @property
    def turns(self) -> bool:
        """Whether a line says that the numbers of a weight are in the other order there."""
        return any(rule.reshape is not None and rule.reshape.reversed_at is not None for rule in self.rules)

    @cached_property
    def lines(self) -> _Indexed:
        """Its lines by what they may match; made once for all graphs."""
        rules = [(rule.ours, rule) for rule in self.rules if not rule.inside]
        inner = [(rule.ours, rule) for rule in self.rules if rule.inside]
        counters = [(counter.ours, counter) for counter in self.counters]
        ends = {pattern.skeleton.rpartition(".")[2] for pattern, _ in (*rules, *inner, *counters)}
        return _Indexed(
            LineIndex(counters, self.span), LineIndex(rules, self.span), LineIndex(inner, self.span), ends, {}, {}, {}
        )

    def amended(self, other: KeyMap) -> KeyMap:
        """This map with the lines of another after its own."""
        counters = {counter.name: counter for counter in (*self.counters, *other.counters)}
        rules, absent = self.rules + other.rules, self.absent + other.absent
        return KeyMap(self.name, rules, tuple(counters.values()), other.syntax, absent)

    def ignored(self, keys: Iterable[str], known: Collection[str]) -> tuple[str, ...]:
        """Those keys of theirs that have no counterpart here by intention.

        `known` are their names for our weights: of a part that our model has, even if with other weights, no key is
        left out.
        """
        if not self.absent:
            return ()
        effort = Effort()
        every = LineIndex([(pattern, pattern) for pattern in self.absent], self.span)
        needed = {pattern for key in known for pattern, _ in every.fitting(key, effort)}
        absent = LineIndex([(p, p) for p in self.absent if p not in needed], self.span)
        return tuple(key for key in keys if key not in known and next(absent.fitting(key, Effort()), None))

    def apply(self, keys: Iterable[str], effort: Effort | None = None) -> Renaming:
        """Their name for each of our keys, which come in the order of the graph; raises ArchError E514."""
        return _Application(self, effort or Effort()).run(tuple(keys))

    def matching(self, keys: Iterable[str], effort: Effort | None = None) -> set[Rule]:
        """The rules that would have an effect if no others were there."""
        application = _Application(self, effort or Effort())
        found: set[Rule] = set()
        for key in keys:
            found |= application.alone(key)
        return found


class _Renamed(NamedTuple):
    """Their name for a key or the rest of one, the last rule that says so, all that do, and the one for its shape."""

    name: str
    rule: Rule | None = None
    used: tuple[Rule, ...] = ()
    reshaped: Reshaped | None = None


class _Indexed(NamedTuple):
    """The counters and rules of a map, those for what is inside apart, and the last parts of all their patterns.

    What was found is kept, since graphs of one model share most keys, and most blocks have the same insides: names of
    keys, by what their counters say; those of rests of keys; the counters of keys, each with the path that it numbers.
    """

    counters: LineIndex[Counter]
    rules: LineIndex[Rule]
    inner: LineIndex[Rule]
    ends: set[str]
    known: dict[tuple[object, ...], _Renamed]
    insides: dict[str, _Renamed]
    counted: dict[str, tuple[tuple[Counter, str], ...]]


class _Application:
    """A map at work on the keys of one graph."""

    def __init__(self, keymap: KeyMap, effort: Effort) -> None:
        self.span = keymap.span
        self.effort = effort
        if "lines" not in vars(keymap):
            effort.spend(len(keymap.rules) + len(keymap.counters), self.span, LINES)
        self.lines = keymap.lines
        self.rules, self.inner = self.lines.rules, self.lines.inner
        self.result = Renaming()
        self.counts: dict[Counter, dict[str, int]] = {}

    def run(self, keys: Sequence[str]) -> Renaming:
        self.effort.spend(len(keys), self.span, LINES)
        result, theirs = self.result, self.result.theirs
        named, plain = self.lines.ends, set[str]()
        given: dict[str, tuple[str, Rule | None]] = {}
        layer = their_layer = ""
        of_layer: Rule | None = None
        for key in keys:
            head, _, weight = key.rpartition(".")
            if weight not in plain and not (weight in named or NUMBER.search(weight)):
                plain.add(weight)
            if weight not in plain or not head:
                name, used = self._renamed(key)
            else:  # no line is for this weight alone: its layer's others have the same beginning
                if head != layer:
                    name, of_layer = self._renamed(key)
                    layer, their_layer = head, name[: -len(weight)]
                name, used = their_layer + weight, of_layer
            theirs[key] = name
            first = given.get(name)
            if first is None:
                given[name] = (key, used)
            elif first[0] != key:
                result.clashes.append(Clash(name, first, (key, used)))
        return result

    def alone(self, key: str) -> set[Rule]:
        """The rules that rename something of a key, whichever come later."""
        counted = self._counted(key)
        found = {
            rule
            for rule, bound in self.rules.fitting(key, self.effort)
            if rule.theirs.fill({**bound, **counted}) is not None
        }
        _, _, rest = key.partition(".")
        while rest and self.inner.most:
            found |= {
                rule for rule, bound in self.inner.fitting(rest, self.effort) if rule.theirs.fill(bound) is not None
            }
            _, _, rest = rest.partition(".")
        return found

    def _counted(self, key: str) -> dict[str, int]:
        """The numbers of a key by the counters that are for it."""
        counted: dict[str, int] = {}
        if not self.lines.counters.most:
            return counted
        found = self.lines.counted.get(key)
        if found is None:
            fitting = self.lines.counters.fitting(key, self.effort)
            found = self.lines.counted[key] = tuple((c, beginning(key, c.ours.parts)) for c, _ in fitting)
        for counter, path in found:
            known = self.counts.setdefault(counter, {})
            counted[counter.name] = known.setdefault(path, len(known))
            self.result.used.add(counter)
        return counted

    def _renamed(self, key: str) -> tuple[str, Rule | None]:
        """Their name for one key, and the rule that says so: the last that fits."""
        counted = self._counted(key)
        at = (key, *counted.items())
        found = self.lines.known.get(at)
        if found is None:
            found = self.lines.known[at] = self._name(key, counted)
        self.result.used.update(found.used)
        if found.reshaped is not None:
            self.result.reshaped[key] = found.reshaped
        return found.name, found.rule

    def _name(self, key: str, counted: Mapping[str, int]) -> _Renamed:
        for rule, bound in self.rules.fitting(key, self.effort):
            filled = rule.theirs.fill({**bound, **counted})
            if filled is not None:
                inside = key[len(beginning(key, rule.ours.parts)) + 1 :]
                rest = self._inside(inside)
                reshaped = rest.reshaped if rule.reshape is None else Reshaped(rule, not inside)
                return _Renamed(filled + rest.name, rest.rule or rule, (rule, *rest.used), reshaped)
        first, _, inside = key.partition(".")
        rest = self._inside(inside)
        return rest._replace(name=first + rest.name)

    def _inside(self, rest: str) -> _Renamed:
        """Their name for the rest of a key, with a dot before it unless it is empty."""
        if not self.inner.most or not rest:
            return _Renamed(rest and "." + rest)
        insides = self.lines.insides
        if rest not in insides:
            insides[rest] = self._name_inside(rest)
        return insides[rest]

    def _name_inside(self, rest: str) -> _Renamed:
        parts: list[str] = []
        used: list[Rule] = []
        reshaped: Reshaped | None = None
        while rest:
            name, _, after = rest.partition(".")
            for rule, bound in self.inner.fitting(rest, self.effort):
                filled = rule.theirs.fill(bound)
                if filled is not None:
                    used.append(rule)
                    name, after = filled, rest[len(beginning(rest, rule.ours.parts)) + 1 :]
                    if rule.reshape is not None:
                        reshaped = Reshaped(rule, not after)
                    break
            parts.append(f".{name}")
            rest = after
        return _Renamed("".join(parts), used[-1] if used else None, tuple(used), reshaped)


DIRECT = KeyMap("")


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
