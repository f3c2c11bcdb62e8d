"""A `checkpoint` item -> its `KeyMap`. Reports E406, and what `keypatterns` and `keyshapes` report."""

from __future__ import annotations

from archdsl.diagnostics.core import Bag
from archdsl.graph.keymap import Counter, KeyMap, Rule
from archdsl.graph.keypatterns import Pattern, read_pattern
from archdsl.graph.keyshapes import read_reshape
from archdsl.source import Span
from archdsl.syntax import ast

INSIDE = "*."
"""What a rule for the inside of other parts begins with."""

_FAULTS = {
    "counted": ("`{}` is counted twice", "give each `count` a name of its own"),
    "absent": (
        "it has no counterpart and begins with `*.`",
        'write the whole key, "AuxLogits.fc.weight" = none, or the level that is gone, "AuxLogits" = none',
    ),
    "inside": (
        "both sides begin with `*.`, or none",
        'write "*.norm.weight" = "*.bn.weight", or no `*.` on either side',
    ),
    "counter": ("`{}` is a counter, which only their side can use", "give the number on our side another name"),
    "part": ("`{}` counts whole paths, and this is a part of one", "write whole paths on both sides, without `*.`"),
    "unknown": ("our side does not say what `{}` is", "put `{{{}}}` on our side, too, or let `count` number it"),
    "range": ("a range belongs to our side", 'write it on the right: "blocks.{{i}}" = "stages.{{i in 4..8}}"'),
}
"""What is wrong with a line, and what to write instead."""


def _report(bag: Bag, span: Span, fault: str, name: str = "") -> None:
    detail, help_ = _FAULTS[fault]
    bag.report("E406", span, detail=detail.format(name), help=help_.format(name))


def read_map(item: ast.Checkpoint, bag: Bag) -> KeyMap | None:
    """The map that a `checkpoint` item means; None after E406."""
    before = len(bag)
    counters: dict[str, Counter] = {}
    for line in item.rules:
        if isinstance(line, ast.Counter):
            pattern = read_pattern(line.ours, bag, matched=True)
            if line.name in counters:
                _report(bag, line.name_span, "counted", line.name)
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
    if line.theirs.value.startswith(INSIDE):
        _report(bag, line.theirs.span, "absent")
        return None
    return read_pattern(line.theirs, bag, matched=True)


def _read_rule(line: ast.KeyRule, counted: set[str], bag: Bag) -> Rule | None:
    inside = line.ours.value.startswith(INSIDE)
    if inside != line.theirs.value.startswith(INSIDE):
        _report(bag, (line.theirs if inside else line.ours).span, "inside")
        return None
    theirs = read_pattern(line.theirs, bag, matched=False, skip=len(INSIDE) if inside else 0)
    ours = read_pattern(line.ours, bag, matched=True, skip=len(INSIDE) if inside else 0)
    if theirs is None or ours is None:
        return None
    known = {hole.name for hole in ours.holes}
    for name in sorted(known & counted):
        _report(bag, line.ours.span, "counter", name)
        return None
    for hole in theirs.holes:
        if hole.name in counted and inside:
            _report(bag, line.theirs.span, "part", hole.name)
            return None
        if hole.name not in known | counted:
            _report(bag, line.theirs.span, "unknown", hole.name)
            return None
        if hole.within is not None:
            _report(bag, line.theirs.span, "range")
            return None
    before = len(bag)
    reshape = read_reshape(line, bag)
    return Rule(theirs, ours, line, inside, reshape) if len(bag) == before else None
