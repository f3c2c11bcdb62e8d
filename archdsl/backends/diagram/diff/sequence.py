"""A chain of networks, each compared with the one that it amends: takes `ChainStep`s, gives one row for each.

What changed stands in words beside the MACs, as bars, and the published accuracy, as a line through all steps that led
on. Steps that did not lead on, tried and left, are hollow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil, floor

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Box, Canvas, Line
from archdsl.backends.diagram.diff.looks import AFTER, LOOKS
from archdsl.backends.diagram.drawing import Drawing
from archdsl.backends.diagram.style import COLUMN, MARGIN, PAGE, Look
from archdsl.backends.diagram.text import LINE, fit, wrap
from archdsl.graph.diff import wording
from archdsl.graph.diff.brief import brief
from archdsl.graph.diff.changes import GraphDiff, Status
from archdsl.graph.diff.compare import diff
from archdsl.graph.ir import Graph

_PAD = 5.0
"""Above and below the words of a row."""
_MOST, _EACH = 16, 5
"""Lines in a row, and of one change."""
_BAR, _THIN = 9.0, 4.0
"""The height of a bar beside its number, and below it."""
_LEAST = 18.0
"""Width of bars for which a number beside them leaves room."""
_DOT = 5.5
_RULE = Look("#DCDCDC", "transparent", "rule")
LEFT = Look("#FFFFFF", style.FAINT, "tried and left")


@dataclass(frozen=True, slots=True)
class ChainStep:
    """A network of a chain: what it was made of (None for the first), its name there, what the spec says, and its
    published top-1 accuracy in percent. `leads_on`: the last network of the chain comes from it; `training`: in words,
    how it is trained otherwise."""

    graph: Graph
    before: Graph | None
    name: str
    note: str = ""
    accuracy: Decimal | None = None
    leads_on: bool = True
    training: str = ""


class _Row:
    """A step with its words and its place."""

    def __init__(self, step: ChainStep, widths: tuple[float, float], least: float) -> None:
        self.step = step
        self.title = [Line(text, style.SMALL, True) for text in wrap(step.name, widths[0], style.SMALL, True)[:2]]
        self.note = [
            Line(text, style.TINY, colour=style.FAINT) for text in wrap(step.note, widths[0], style.TINY) if text
        ]
        self.changes = _changes(diff(step.before, step.graph), widths[1]) if step.before is not None else []
        trained = _cut(wrap(step.training, widths[1], style.SMALL), widths[1]) if step.training else []
        self.changes += [("changed" if k == 0 else None, Line(text, style.SMALL)) for k, text in enumerate(trained)]
        words = sum(line.height for line in (*self.title, *self.note))
        self.high = max(words, len(self.changes) * style.SMALL * LINE, least) + 2 * _PAD
        self.y = 0.0


def draw_sequence(steps: Sequence[ChainStep], name: str, columns: int = 2) -> Drawing:
    """One picture of all steps, a row for each."""
    canvas = Canvas()
    width = (PAGE if columns == 2 else COLUMN) - 2 * MARGIN
    accuracies = any(step.accuracy is not None for step in steps)
    names, macs, top1 = (104.0, 104.0, 92.0) if columns == 2 else (60.0, 30.0, 56.0)
    top1 = top1 if accuracies else 0.0
    words = width - names - macs - top1 - 16
    beside = macs - 56 >= _LEAST
    rows = [_Row(step, (names, words - 12), 12.0 if beside else 20.0) for step in steps]
    x_macs, x_top1 = width - top1 - macs, width - top1 + 8
    y = _head(canvas, name, width, [0.0, names + 8, x_macs, *([x_top1] if accuracies else [])])
    first = y
    for row in rows:
        row.y = y + row.high / 2
        _rule(canvas, width / 2, y, width, 0.5)
        _words(canvas, row, names + 8)
        y += row.high
    _rule(canvas, width / 2, y, width, 0.5)
    _bars(canvas, rows, x_macs, macs - 56 if beside else macs - 4, beside)
    if accuracies:
        _line(canvas, rows, x_top1, top1 - 12, first, y)
    _legend(canvas, y + 10, any(not step.leads_on for step in steps))
    return canvas.drawing(name, "diff", f"{name}: what changes from step to step")


def _head(canvas: Canvas, name: str, width: float, columns: Sequence[float]) -> float:
    """The name of the chain and of the columns from their x on; gives the y below."""
    canvas.text(0, 6, Line(fit(name, width, style.TITLE, True), style.TITLE, True), "left")
    for x, text in zip(columns, ("step", "what changes", "MACs", "top-1, published"), strict=False):
        canvas.text(x, 24, Line(text, style.SMALL, colour=style.FAINT), "left")
    return 31.0


def _rule(canvas: Canvas, x: float, y: float, wide: float, high: float) -> None:
    canvas.box(x, y, wide, high, _RULE, kind="rule", legend=False)


def _words(canvas: Canvas, row: _Row, x: float) -> None:
    y = row.y - sum(line.height for line in (*row.title, *row.note)) / 2
    for line in (*row.title, *row.note):
        shown = line if row.step.leads_on or not line.bold else line._replace(colour=style.FAINT)
        canvas.text(0, y + line.height / 2, shown, "left")
        y += line.height
    high = style.SMALL * LINE
    y = row.y - len(row.changes) * high / 2
    for status, line in row.changes:
        if status:
            canvas.text(x + 3, y + high / 2, Line(wording.SIGNS[status], style.SMALL, True, LOOKS[status].line))
        canvas.text(x + 9, y + high / 2, line, "left")
        y += high


def _changes(difference: GraphDiff, width: float) -> list[tuple[Status | None, Line]]:
    """Signs and lines; what does not fit one line goes on in the next, without a sign."""
    notes = brief(difference)
    found: list[tuple[Status | None, Line]] = []
    for number, note in enumerate(notes):
        lines = _cut(wrap(note.text, width, style.SMALL), width)
        if len(found) + len(lines) > _MOST and len(notes) - number > 1:
            found.append((None, Line(f"and {len(notes) - number} more changes", style.SMALL, colour=style.FAINT)))
            break
        for k, text in enumerate(lines):
            found.append((note.status if k == 0 else None, Line(text, style.SMALL)))
    return found


def _cut(lines: list[str], width: float) -> list[str]:
    """No more than `_EACH` lines; the last one shows that there would be more."""
    if len(lines) <= _EACH:
        return lines
    return [*lines[: _EACH - 1], fit(f"{lines[_EACH - 1]} …", width, style.SMALL)]


def _bars(canvas: Canvas, rows: Sequence[_Row], x: float, room: float, beside: bool) -> None:
    """MACs as bars; the number and what it is more or less than that of the step before stand beside the bar, or above
    and below it."""
    largest = max(row.step.graph.macs for row in rows) or 1
    for row in rows:
        step = row.step
        wide = max(0.6, step.graph.macs / largest * room)
        _bar(canvas, step, x, row.y, (wide, _BAR if beside else _THIN))
        change = wording.percent(step.before.macs, step.graph.macs).replace("=", "") if step.before is not None else ""
        value = Line(style.count_text(step.graph.macs), style.SMALL)
        note = Line(change, style.TINY, colour=style.FAINT)
        if beside:
            canvas.text(x + wide + 3, row.y, value, "left")
            canvas.text(x + wide + 6 + value.width, row.y + 0.3, note, "left")
        else:
            canvas.text(x, row.y - 7, value, "left")
            canvas.text(x, row.y + 6.5, note, "left")


def _bar(canvas: Canvas, step: ChainStep, x: float, y: float, size: tuple[float, float]) -> None:
    look = AFTER if step.leads_on else LEFT
    tip = f"{step.name}: {step.graph.macs:,} MACs, {step.graph.params:,} parameters"
    nodes = [node.id for node in step.graph.nodes]
    key = f"step-{step.graph.name}"
    canvas.box(x + size[0] / 2, y, *size, look, covers=nodes, tooltip=tip, id=key, kind="bar", legend=False)


def _line(canvas: Canvas, rows: Sequence[_Row], x: float, width: float, top: float, bottom: float) -> None:
    """Accuracies as dots at their place on an axis, those that lead on joined by a line."""
    known = [(row, row.step.accuracy) for row in rows if row.step.accuracy is not None]
    low, high = floor(min(a for _, a in known)), ceil(max(a for _, a in known))
    scale = (width - 22) / max(1, high - low)
    for tick in sorted({low, high, (low + high) // 2} if width > 60 else {low, high}):
        at = x + (tick - low) * scale
        canvas.text(at, bottom + 5, Line(f"{tick} %", style.TINY, colour=style.FAINT))
        canvas.box(
            at, (top + bottom) / 2, 0.01, bottom - top, Look("#EAEAEA", "#EAEAEA", "tick"), kind="rule", legend=False
        )
    last: Box | None = None
    for row, accuracy in known:
        at = x + float(accuracy - low) * scale
        look = AFTER if row.step.leads_on else LEFT
        dot = canvas.box(at, row.y, _DOT, _DOT, look, shape="circle", kind="dot", legend=False)
        canvas.text(at + 5, row.y, Line(str(accuracy), style.SMALL), "left")
        if row.step.leads_on:
            if last is not None:
                canvas.arrow(last, dot, [(last.x, last.y), (dot.x, dot.y)], plain=True)
            last = dot


def _legend(canvas: Canvas, y: float, left: bool) -> None:
    x = 0.0
    looks = [LOOKS["changed"], LOOKS["added"], LOOKS["removed"]]
    for look in looks:
        sign, _, text = look.name.partition(" ")
        canvas.text(x + 3, y, Line(sign, style.SMALL, True, look.line))
        canvas.text(x + 9, y, Line(text, style.SMALL), "left")
        x += Line(text, style.SMALL).width + 20
    for look in (LEFT,) if left else ():
        canvas.box(x + 5, y, 10, 7, look, kind="key", legend=False)
        canvas.text(x + 13, y, Line(look.name, style.SMALL), "left")
