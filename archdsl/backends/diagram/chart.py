"""Curves over epochs: panels one below the other, with one axis in common. Takes numbers, gives SVG.

Lines are told apart by colour and by dashes, so that a copy in grey keeps them apart, and named at their ends. What is
drawn is all there is: no point is left out or smoothed.
"""

from __future__ import annotations

import html
import math
from collections.abc import Sequence
from dataclasses import dataclass

from archdsl.backends.diagram import style
from archdsl.backends.diagram.svg import FAMILY
from archdsl.backends.diagram.text import clean, fit, width

HEIGHT = 96.0
"""Of a panel, in points."""
LEFT, RIGHT, GAP, TOP, BOTTOM = 52.0, 92.0, 26.0, 30.0, 30.0
NAMELESS = 12.0
"""The space on the right where no panel has names there."""
EPOCH = "epoch"
MARKED = 24
"""Points up to which each is marked."""
_COLOURS = ("blue", "vermillion", "bluish green", "reddish purple", "orange")
_DASHES = ("", "5 2", "1.5 1.5", "7 2 1.5 2", "3 3")
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"))


def short(value: float, unit: str = "") -> str:
    """`1.5G`, `1.5 GB`: four significant digits, no zeros at their end."""
    factor, prefix = next(((f, p) for f, p in _UNITS if abs(value) >= f * 0.99995), (1.0, ""))
    return f"{value / factor:.4g}{' ' if unit else ''}{prefix}{unit}"


@dataclass(frozen=True)
class Curve:
    """A curve: its points, and what it is called; `steps`: a value holds until the next."""

    name: str
    points: Sequence[tuple[float, float]]
    steps: bool = False


@dataclass(frozen=True)
class CurvePanel:
    """A panel of curves with an axis of their own; `logarithmic`, where all values are above 0."""

    title: str
    lines: Sequence[Curve]
    logarithmic: bool = False


def chart(title: str, panels: Sequence[CurvePanel], axis: str = EPOCH, columns: int = 2) -> str:
    """The picture, as wide as one column of a paper or the page; epochs are marked where they are whole."""
    wide = style.COLUMN if columns == 1 else style.PAGE
    high = TOP + sum(HEIGHT + GAP for _ in panels) + BOTTOM - GAP
    xs = [x for panel in panels for line in panel.lines for x, _ in line.points]
    end = wide - (RIGHT if any(len(panel.lines) > 1 for panel in panels) else NAMELESS)
    across = Scale(min(xs, default=0.0), max(xs, default=1.0), LEFT, end)
    parts = [
        (
            f'<svg width="{_n(wide)}pt" height="{_n(high)}pt" viewBox="0 0 {_n(wide)} {_n(high)}" '
            f'class="archdsl-chart" xmlns="http://www.w3.org/2000/svg" font-family="{FAMILY}">'
        ),
        f"<title>{html.escape(clean(title), quote=False)}</title>",
        f'<rect width="{_n(wide)}" height="{_n(high)}" fill="white"/>',
        _text(LEFT, 13, fit(clean(title), wide - LEFT - 6, style.TITLE, True), style.TITLE, bold=True),
    ]
    y = TOP
    for panel in panels:
        parts += _panel(panel, across, y)
        y += HEIGHT + GAP
    for value in across.ticks(8, whole=axis == EPOCH or all(float(x).is_integer() for x in xs)):
        parts.append(_text(across(value), y - GAP + 10, _number(value), style.SMALL, "middle", style.SOFT))
    parts.append(_text((LEFT + end) / 2, y - GAP + 21, axis, style.SMALL, "middle", style.SOFT))
    return "\n".join([*parts, "</svg>", ""])


class Scale:
    """From values to points."""

    def __init__(self, low: float, high: float, start: float, end: float, logarithmic: bool = False) -> None:
        if low == high:
            low, high = (
                (low / 2, high * 2) if logarithmic else (low - (abs(low) / 2 or 0.5), high + (abs(high) / 2 or 0.5))
            )
        self.low, self.high, self.start, self.end, self.logarithmic = low, high, start, end, logarithmic

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.logarithmic:
            low, high, value = math.log10(low), math.log10(high), math.log10(value)
        return self.start + (value - low) / (high - low) * (self.end - self.start)

    def ticks(self, most: int, whole: bool = False, least: int = 2) -> list[float]:
        """Round values within; on a logarithmic axis, where it is so long, at least so many."""
        if self.logarithmic:
            powers = range(math.floor(math.log10(self.low)), math.ceil(math.log10(self.high)) + 1)
            for steps in ((1,), (1, 3), (1, 2, 5)):
                found = [10.0**power * step for power in powers for step in steps]
                found = [value for value in found if self.low * 0.999 <= value <= self.high * 1.001]
                if len(found) >= least or (len(found) > 1 and len(steps) == 3):
                    return found[:: math.ceil(len(found) / most)]
            return [self.low, self.high]
        raw = (self.high - self.low) / most
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= raw * (1 - 1e-9))
        step = max(1.0, float(math.ceil(step))) if whole else step
        first = math.ceil(self.low / step - 1e-9)
        return [n * step for n in range(first, math.floor(self.high / step + 1e-9) + 1)]


def _panel(panel: CurvePanel, across: Scale, top: float) -> list[str]:
    values = [y for line in panel.lines for _, y in line.points if math.isfinite(y)]
    logarithmic = panel.logarithmic and min(values, default=0.0) > 0
    bottom = top + HEIGHT
    low, high = min(values, default=0.0), max(values, default=1.0)
    up = Scale(low, high, bottom - 3, top + 6, logarithmic)
    parts = [
        (
            f'<rect x="{_n(across.start)}" y="{_n(top)}" width="{_n(across.end - across.start)}" height="{_n(HEIGHT)}" '
            f'fill="{style.PANEL}" stroke="{style.FRAME}" stroke-width="0.7"/>'
        ),
        _text(across.start, top - 4, clean(panel.title), style.SIZE, bold=True),
    ]
    for value in up.ticks(4, least=3):
        y = up(value)
        parts.append(
            f'<line x1="{_n(across.start)}" x2="{_n(across.end)}" y1="{_n(y)}" y2="{_n(y)}" '
            f'stroke="{style.FRAME}" stroke-width="0.5"/>'
        )
        parts.append(_text(across.start - 4, y + 2.3, _number(value), style.SMALL, "end", style.SOFT))
    names: list[tuple[float, str, str]] = []
    for index, line in enumerate(panel.lines):
        colour = style.mixed(style.OKABE_ITO[_COLOURS[index % len(_COLOURS)]], 0.85, "#000000")
        places = [(across(x), up(y)) for x, y in line.points if math.isfinite(y)]
        if places:
            parts += _curve(places, line.steps, colour, _DASHES[index % len(_DASHES)], len(line.points) <= MARKED)
            names.append((places[-1][1], line.name, colour))
    if len(panel.lines) > 1:
        parts += _named(names, across.end + 5, top, bottom)
    return parts


def _curve(places: list[tuple[float, float]], steps: bool, colour: str, dash: str, marked: bool) -> list[str]:
    found = [f"M{_n(places[0][0])} {_n(places[0][1])}"]
    for x, y in places[1:]:
        found.append(f"H{_n(x)}V{_n(y)}" if steps else f"L{_n(x)} {_n(y)}")
    dashes = f' stroke-dasharray="{dash}"' if dash else ""
    parts = [f'<path d="{"".join(found)}" fill="none" stroke="{colour}" stroke-width="1.2"{dashes}/>']
    if marked and not steps:
        parts += [f'<circle cx="{_n(x)}" cy="{_n(y)}" r="1.4" fill="{colour}"/>' for x, y in places]
    return parts


def _named(names: list[tuple[float, str, str]], x: float, top: float, bottom: float) -> list[str]:
    """The names at the ends of their curves, moved apart where they would touch."""
    need = style.SMALL * 1.25
    names = sorted(names)
    ys = [y for y, _, _ in names]
    for index in range(1, len(ys)):
        ys[index] = max(ys[index], ys[index - 1] + need)
    over = max(0.0, ys[-1] - bottom) if ys else 0.0
    ys = [y - over for y in ys]
    for index in range(len(ys) - 2, -1, -1):
        ys[index] = min(ys[index], ys[index + 1] - need)
    return [
        _text(x, max(y, top) + 2.3, fit(clean(name), RIGHT - 8, style.SMALL), style.SMALL, colour=colour)
        for y, (_, name, colour) in zip(ys, names, strict=True)
    ]


def _text(
    x: float, y: float, text: str, size: float, anchor: str = "start", colour: str = style.INK, bold: bool = False
) -> str:
    weight = ' font-weight="bold"' if bold else ""
    length = f' textLength="{width(text, size, bold):.2f}" lengthAdjust="spacingAndGlyphs"' if text.strip() else ""
    place = f'x="{_n(x)}" y="{_n(y)}" font-size="{_n(size)}" text-anchor="{anchor}" fill="{colour}"'
    return f"<text {place}{weight}{length}>{html.escape(text, quote=False)}</text>"


def _number(value: float) -> str:
    """`0.001`, `1e-6`, `300`, `1500`, `20M`."""
    return short(value) if abs(value) >= 1e4 else f"{value:.6g}".replace("e-0", "e-")


def _n(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")
