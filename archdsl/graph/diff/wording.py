"""A difference in words: takes what `archdsl.graph.diff.changes` holds, gives short texts for tables and drawings."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from archdsl.graph.describe import describe_value
from archdsl.graph.diff.changes import BlockChange, DistinctChange, OpChange, SectionChange, Status
from archdsl.graph.diff.facts import ParameterChange
from archdsl.graph.ir import Node

SIGNS: dict[Status, str] = {"same": " ", "added": "+", "removed": "−", "changed": "~"}
"""What stands before what came, went and changed: colour is never the only cue."""

ARROW = " → "
_LISTED = 4
"""Values that are listed; of more, the first and the last are given."""
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e-?\d+)?")


@dataclass(frozen=True, slots=True)
class ChangeLine:
    """What happened to one op, or to several in a row that came or went together."""

    status: Status
    label: str
    text: str


def lines_of(change: DistinctChange) -> list[ChangeLine]:
    """A change of blocks, op by op; ops in a row that came, or went, are one line, and ops that changed alike too."""
    block = change.places[0][1]
    lines: list[ChangeLine] = []
    run: list[tuple[OpChange, ...]] = []
    for op in [*change.ops(), None]:
        status = op[0].status if op is not None else None
        if run and status != run[0][0].status:
            lines.append(_run(run, block))
            run = []
        if op is not None and status in ("added", "removed"):
            run.append(op)
        elif op is not None:
            lines.append(ChangeLine(op[0].status, label_in(op[0], block), op_text(op)))
    return _alike(lines)


def _run(run: Sequence[tuple[OpChange, ...]], block: BlockChange) -> ChangeLine:
    """`se.fc1 … se.fc2`, `global avg pool, 1×1 conv, 16…128, …`"""
    labels = [label for op in run if (label := label_in(op[0], block))]
    names = labels[:1] + ([labels[-1]] if len(labels) > 1 else [])
    return ChangeLine(run[0][0].status, " … ".join(names), "; ".join(map(op_text, run)))


def label_in(op: OpChange, block: BlockChange) -> str:
    """The op's label below its block, of what was removed the one it had; nothing for an op without one."""
    node, unit = (op.before, block.before) if op.after is None else (op.after, block.after)
    return unit.inner(node) if node is not None and unit is not None and node.labelled else ""


def _alike(lines: Sequence[ChangeLine]) -> list[ChangeLine]:
    """Lines of changed ops with the same text as one."""
    labels: dict[tuple[Status, str, int], list[str]] = {}
    for i, line in enumerate(lines):
        labels.setdefault((line.status, line.text, -1 if line.status == "changed" else i), []).append(line.label)
    return [ChangeLine(status, ", ".join(filter(None, names)), text) for (status, text, _), names in labels.items()]


def op_text(places: Sequence[OpChange]) -> str:
    """What happened to an op in all places: `conv: out 64, 128 → 128, 256; groups 1 → 32`, `relu → gelu`."""
    first = places[0]
    if first.before is None or first.after is None:
        return merged_label(node for op in places if (node := op.after or op.before) is not None)
    name = changed_text(first.before.word, first.after.word)
    notes = [parameter_text(parameter) for parameter in parameters_of(places)]
    notes += ["moved"] if first.moved else []
    if first.rewired:
        notes.append("reads " + ARROW.join(", ".join(map(_tail, paths)) for paths in first.rewired))
    return f"{name}: {'; '.join(notes)}" if notes else name


def _tail(path: str) -> str:
    """The last two levels of a path."""
    return ".".join(path.split(".")[-2:])


def parameters_of(places: Sequence[OpChange]) -> list[ParameterChange]:
    """The parameters that changed in some place, each with its values in all of them."""
    values: dict[str, dict[tuple[Any, Any], None]] = {}
    for op in places:
        for parameter in op.parameters:
            values.setdefault(parameter.name, {}).update(dict.fromkeys(parameter.values))
    return [ParameterChange(name, tuple(pairs)) for name, pairs in values.items()]


def parameter_text(parameter: ParameterChange) -> str:
    """`kernel 3 → 7`"""
    return f"{parameter.name} {values_text(parameter.before)}{ARROW}{values_text(parameter.after)}"


def values_text(values: Sequence[Any], listed: int = _LISTED) -> str:
    """`64, 128, 256`; of many the first and the last."""
    texts = list(dict.fromkeys(map(value_text, values)))
    if len(texts) <= listed:
        return ", ".join(texts)
    first, last = ends(values)
    return f"{value_text(first)} … {value_text(last)}"


def ends(values: Sequence[Any]) -> tuple[Any, Any]:
    """The smallest and the largest of some numbers; the first and the last of other values."""
    if all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        return min(values), max(values)
    return values[0], values[-1]


def span_text(values: Sequence[Any]) -> str:
    """`64…512`: the smallest and the largest, where values differ."""
    first, last = map(value_text, ends(values))
    return first if len(set(map(value_text, values))) == 1 else f"{first}…{last}"


def value_text(value: Any) -> str:
    """A value as a spec would write it, floats with three digits."""
    if isinstance(value, float):
        return f"{value:.3g}"
    return "–" if value is None else describe_value(value)


def label_of(node: Node) -> str:
    """The op's label, or its name where that is only a sign."""
    label = node.label
    return label if any(map(str.isalpha, label)) else node.op.name


def merged_label(nodes: Iterable[Node]) -> str:
    """The label of like ops, with the smallest and the largest of numbers that differ: `1×1 conv, 16…128`."""
    labels = list(dict.fromkeys(map(label_of, nodes)))
    if len({_NUMBER.sub("#", label) for label in labels}) > 1:
        return " or ".join(labels if len(labels) <= 2 else dict.fromkeys(label.partition(",")[0] for label in labels))
    columns = zip(*(_NUMBER.findall(label) for label in labels), strict=True)
    numbers = iter([_range(column) for column in map(list, columns)])
    return _NUMBER.sub(lambda _: next(numbers), labels[0])


def _range(numbers: list[str]) -> str:
    if len(set(numbers)) == 1:
        return numbers[0]
    return f"{_short(min(numbers, key=float))}…{_short(max(numbers, key=float))}"


def _short(number: str) -> str:
    return number if number.isdigit() else f"{float(number):.3g}"


def places_text(change: DistinctChange) -> str:
    """How many blocks, and where: `16 in layer1, layer2, layer3, layer4`, `5 → 22 in layer3`."""
    names = list(dict.fromkeys(section_name(section) for section, _ in change.places))
    where = ", ".join(names) if len(names) <= _LISTED else f"{names[0]} … {names[-1]}"
    return f"{counts_text(change.counts)} in {where}"


def counts_text(counts: tuple[int, int]) -> str:
    """`16`, or `9 → 27`."""
    return changed_text(*map(str, counts))


def changed_text(before: str, after: str) -> str:
    """One text where both are the same."""
    return before if before == after else f"{before}{ARROW}{after}"


def section_name(section: SectionChange) -> str:
    """The name it has, or had."""
    return section.shown.name


def blocks_text(section: SectionChange) -> str:
    """`3 × Bottleneck`, `9 → 27 × Block`, or `3 × Bottleneck → 3 × Block`."""
    sides = [side.blocks for side in (section.before, section.after) if side is not None]
    if not any(sides):
        return ""
    first, last = sides[0], sides[-1]
    if [name for _, name in first] == [name for _, name in last]:
        return ", ".join(f"{counts_text((a, b))} × {name}" for (a, name), (b, _) in zip(first, last, strict=True))
    texts = [", ".join(f"{count} × {name}" for count, name in side) or "layers" for side in (first, last)]
    return changed_text(texts[0], texts[1])


def output_text(section: SectionChange) -> str:
    """`256×56×56 → 96×56×56`"""
    sides = [str(side.output) for side in (section.before, section.after) if side is not None]
    return changed_text(sides[0], sides[-1])


def percent(before: float, after: float) -> str:
    """`+3.4 %`; `=` where nothing changed, nothing where there was nothing before."""
    if before == after:
        return "="
    if not before or not after:
        return ""
    share = 100 * (after - before) / before
    digits = 0 if abs(share) >= 99.5 else 1 if abs(share) >= 0.095 else min(4, 1 - math.floor(math.log10(abs(share))))
    return signed(share, digits) + " %"


def signed(number: float, digits: int = 0) -> str:
    """A number with its sign, a real minus."""
    return f"{number:+,.{digits}f}".replace("-", "−")


def renamings(renamed: Sequence[tuple[str, str]]) -> list[tuple[str, str, int]]:
    """Renamed paths by what differs at their beginning, with how many paths each stands for."""
    counts: dict[tuple[str, str], int] = {}
    for old, new in renamed:
        before, after = old.split("."), new.split(".")
        while len(before) > 1 and len(after) > 1 and before[-1] == after[-1]:
            before.pop()
            after.pop()
        key = (".".join(before), ".".join(after))
        counts[key] = counts.get(key, 0) + 1
    return [(old, new, count) for (old, new), count in counts.items()]
