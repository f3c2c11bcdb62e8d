"""The stages of two networks on one line: takes a `GraphDiff`, draws boxes from left to right and a table of costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Box, Canvas, Line
from archdsl.backends.diagram.diff.looks import AFTER, BEFORE, LOOKS
from archdsl.backends.diagram.text import fit, wrap
from archdsl.graph.diff import wording
from archdsl.graph.diff.brief import contents
from archdsl.graph.diff.changes import GraphDiff, SectionChange
from archdsl.graph.ir import Cost

_CAMEL = re.compile(r"([a-z])([A-Z])")
_HEADS = 42.0
"""Width of the names of the table's rows."""
_TOTAL = 44.0
_NARROWEST, _WIDEST = 46.0, 84.0
_BAR = 24.0
_HIGH = 30.0


def draw_strip(canvas: Canvas, difference: GraphDiff, y: float, width: float) -> float:
    """Draw the stages, in as many rows as the width asks for; gives the y of the end."""
    sections = difference.sections
    room = width - _HEADS
    fits = max(1, int((room - _TOTAL) // _NARROWEST))
    count = -(-len(sections) // fits)
    each = -(-len(sections) // count)
    column = min(_WIDEST, (room - _TOTAL) / each)
    largest = [
        max((max(getattr(c, what) for c in s.costs) for s in sections), default=1) or 1 for what in ("params", "macs")
    ]
    for start in range(0, len(sections), each):
        part = sections[start : start + each]
        last = start + each >= len(sections)
        y = _line(canvas, part, y, column, largest, difference.costs if last else None) + 14
    return y - 14


def _line(
    canvas: Canvas, sections: Sequence[SectionChange], y: float, column: float, largest: list[int],
    total: tuple[Cost, Cost] | None,
) -> float:  # fmt: skip
    names = [_names(section, column) for section in sections]
    top = y + 8.0 * max(map(len, names))
    axis = top + _HIGH / 2 + 2
    boxes = []
    for i, (section, lines) in enumerate(zip(sections, names, strict=True)):
        x = _HEADS + column * (i + 0.5)
        for k, line in enumerate(reversed(lines)):
            canvas.text(x, top - 4 - 8 * k, line)
        boxes.append(_box(canvas, section, x, axis, column - 10))
    for (tail, _), (head, section) in pairwise(zip(boxes, sections, strict=True)):
        if section.shown.kind != "aux":
            canvas.arrow(tail, head, [tail.right, head.left])
    if total:
        canvas.text(_HEADS + column * len(sections) + _TOTAL / 2, axis, Line("total", style.SMALL, True))
    y = axis + _HIGH / 2 + 8
    rows = max(len(_output(section, column)) for section in sections)
    canvas.text(0, y, Line("output", style.SMALL, colour=style.FAINT), "left")
    for i, section in enumerate(sections):
        for k, line in enumerate(_output(section, column)):
            canvas.text(_HEADS + column * (i + 0.5), y + 7.5 * k, line)
    y += 7.5 * rows + 3
    for title, what, most in (("parameters", "params", largest[0]), ("MACs", "macs", largest[1])):
        costs = [(getattr(s.costs[0], what), getattr(s.costs[1], what)) for s in sections]
        sums = (getattr(total[0], what), getattr(total[1], what)) if total else None
        y = _costs(canvas, title, costs, sums, y, column, most)
    return y


def _names(section: SectionChange, column: float) -> list[Line]:
    """The name it has, and small the one it had."""
    now = wording.section_name(section)
    lines = [Line(_short(now, column - 4, style.SMALL, True), style.SMALL, True)]
    if section.before is not None and section.before.name != now:
        room = column - 4 - Line("was ", style.TINY).width
        old = _short(section.before.name, room, style.TINY, False)
        lines.append(Line(f"was {old}", style.TINY, colour=style.FAINT))
    return lines


def _short(name: str, room: float, size: float, bold: bool) -> str:
    """A name that fits: the end of its path, if all of it does not."""
    steps = name.split(".")
    end = ".".join(steps[-2:] if steps[-1].isdigit() else steps[-1:])
    return name if Line(name, size, bold).width <= room else fit(end, room, size, bold)


def _box(canvas: Canvas, section: SectionChange, x: float, y: float, wide: float) -> Box:
    covers = [] if section.after is None else [node.id for node in section.after.nodes]
    name = wording.section_name(section)
    return canvas.box(
        x, y, wide, _HIGH, LOOKS[section.status],
        lines=_words(section, wide - 5), covers=covers, id=f"stage-{name}", rounded=True,
        tooltip=f"{name}: {wording.output_text(section)}",
    )  # fmt: skip


def _words(section: SectionChange, room: float) -> list[Line]:
    """What a section is made of, in the largest size in which it fits, behind the sign of what happened to it."""
    changed = section.status != "same"
    sign = wording.SIGNS[section.status] + " " if changed else ""
    text = sign + (wording.blocks_text(section) or contents(section))
    for size, most in ((style.SMALL, 3), (style.TINY, 3)):
        lines = wrap(text, room, size, changed)
        if len(lines) <= most and not any("…" in line for line in lines):
            return [Line(line, size, changed) for line in lines]
    lines = wrap(_CAMEL.sub(r"\1 \2", text), room, style.TINY, changed)
    lines = lines if len(lines) <= 4 else [*lines[:3], "…"]
    return [Line(line, style.TINY, changed) for line in lines]


def _output(section: SectionChange, column: float) -> list[Line]:
    sides = list(dict.fromkeys(str(side.output) for side in (section.before, section.after) if side is not None))
    if len(sides) == 2:
        sides[0] += " →"
    return [Line(fit(text, column, style.TINY), style.TINY, bool(k)) for k, text in enumerate(sides)]


def _costs(
    canvas: Canvas, title: str, costs: Sequence[tuple[int, int]], total: tuple[int, int] | None, y: float,
    column: float, most: int,
) -> float:  # fmt: skip
    """Bars before and after, with the number after and the change in percent below."""
    base = y + _BAR
    canvas.text(0, base + 5, Line(title, style.SMALL, True), "left")
    for i, (old, new) in enumerate(costs):
        x = _HEADS + column * (i + 0.5)
        for value, look, side in ((old, BEFORE, -1), (new, AFTER, 1)):
            high = value / most * (_BAR - 4)
            if value:
                canvas.box(x + side * 5, base - max(high, 0.6) / 2, 9, max(high, 0.6), look, kind="bar", legend=False)
        _numbers(canvas, x, base, old, new)
    if total:
        _numbers(canvas, _HEADS + column * len(costs) + _TOTAL / 2, base, *total, bold=True)
    return base + 22


def _numbers(canvas: Canvas, x: float, base: float, old: int, new: int, bold: bool = False) -> None:
    canvas.text(x, base + 5, Line(style.count_text(new) if new else "–", style.SMALL, bold))
    change = wording.percent(old, new) or ("new" if new else "gone" if old else "")
    colour = style.FAINT if old == new else style.INK
    canvas.text(x, base + 13, Line(change, style.TINY, old != new, colour))
