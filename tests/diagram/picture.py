"""What is in an SVG of ours: takes its text, gives boxes, texts and lines, and what is wrong with them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.\-]*\Z")
SVG = "{http://www.w3.org/2000/svg}"
SOLID = ("op", "sign", "block", "hint", "bar", "key")
"""Classes of boxes that must not overlap; frames and sheets lie behind others."""


@dataclass(frozen=True)
class Rect:
    """A rectangle with what it belongs to."""

    id: str
    kind: str
    left: float
    top: float
    right: float
    bottom: float
    text: str = ""

    def overlaps(self, other: Rect, slack: float = 0.3) -> bool:
        return (
            self.left < other.right - slack
            and other.left < self.right - slack
            and self.top < other.bottom - slack
            and other.top < self.bottom - slack
        )

    def holds(self, other: Rect, slack: float = 0.3) -> bool:
        return (
            self.left - slack <= other.left
            and other.right <= self.right + slack
            and self.top - slack <= other.top
            and other.bottom <= self.bottom + slack
        )

    def has(self, x: float, y: float, inset: float = 0) -> bool:
        return self.left + inset < x < self.right - inset and self.top + inset < y < self.bottom - inset


@dataclass(frozen=True)
class Line:
    """An edge as points along it."""

    id: str
    points: tuple[tuple[float, float], ...]


class Picture:
    """The elements of one SVG."""

    def __init__(self, svg: str) -> None:
        self.root = ET.fromstring(svg)
        self.boxes: list[Rect] = []
        self.texts: list[Rect] = []
        self.lines: list[Line] = []
        for group in self.root.iter(f"{SVG}g"):
            kinds = group.get("class", "").split()
            if "node" in kinds:
                self._node(group, [*kinds, ""][1])
            elif "edge" in kinds:
                self.lines += [
                    Line(group.get("id", ""), tuple(_along(p.get("d", "")))) for p in group.iter(f"{SVG}path")
                ]

    @property
    def ids(self) -> list[str]:
        return [element.attrib["id"] for element in self.root.iter() if "id" in element.attrib]

    @property
    def size(self) -> tuple[float, float]:
        left, top, right, bottom = map(float, NUMBER.findall(self.root.attrib["viewBox"]))
        return right - left, bottom - top

    def _node(self, group: ET.Element, kind: str) -> None:
        name = group.get("id", "")
        for shape in group:
            tag = shape.tag.removeprefix(SVG)
            if tag in ("polygon", "path", "ellipse") and (shape.get("fill") != "none" or shape.get("stroke") != "none"):
                self.boxes.append(Rect(name, kind, *_extent(shape)))
            elif tag == "text":
                self.texts.append(_text_extent(shape, name))

    def problems(self) -> Iterator[str]:
        """What no picture should have."""
        ids = self.ids
        yield from (f"the id {name!r} is there twice" for name in set(ids) if ids.count(name) > 1)
        yield from (f"{name!r} is no XML name" for name in ids if not NAME.match(name))
        solid = [box for box in self.boxes if box.kind in SOLID]
        for a, b in combinations(solid, 2):
            if a.overlaps(b):
                yield f"{a.id} and {b.id} overlap"
        yield from self._text_problems(solid)
        for line in self.lines:
            inside = [point for point in line.points if any(box.has(*point, inset=1.5) for box in solid)]
            if inside:
                yield f"{line.id} passes through a box at {inside[0]}"

    def _text_problems(self, solid: list[Rect]) -> Iterator[str]:
        for text in self.texts:
            x, y = (text.left + text.right) / 2, (text.top + text.bottom) / 2
            around = [box for box in solid if box.has(x, y)]
            if around and not around[0].holds(text):
                yield f"{text.text!r} is larger than its box {around[0].id}"
            if not around and any(box.overlaps(text, 0.8) for box in solid):
                yield f"{text.text!r} is partly in a box"
        for a, b in combinations(self.texts, 2):
            if a.overlaps(b, 1.0):
                yield f"{a.text!r} and {b.text!r} overlap"


def _extent(shape: ET.Element) -> tuple[float, float, float, float]:
    if shape.tag == f"{SVG}ellipse":
        x, y, rx, ry = (float(shape.attrib[name]) for name in ("cx", "cy", "rx", "ry"))
        return x - rx, y - ry, x + rx, y + ry
    numbers = [float(n) for n in NUMBER.findall(shape.get("points") or shape.get("d") or "")]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def _text_extent(text: ET.Element, name: str) -> Rect:
    """Of capitals and digits: from the base line to three quarters of the size above it."""
    x, y, size = (float(text.attrib[key]) for key in ("x", "y", "font-size"))
    wide = float(text.get("textLength", "0"))
    left = {"start": x, "middle": x - wide / 2, "end": x - wide}[text.get("text-anchor", "start")]
    return Rect(name, "text", left, y - 0.75 * size, left + wide, y, text.text or "")


def _along(path: str) -> Iterator[tuple[float, float]]:
    """Points along a path of Bézier curves."""
    numbers = [float(n) for n in NUMBER.findall(path)]
    points = list(zip(numbers[::2], numbers[1::2], strict=True))
    for i in range(0, len(points) - 3, 3):
        p0, p1, p2, p3 = points[i : i + 4]
        for step in range(9):
            t = step / 8
            a, b, c, d = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3
            yield tuple(a * w + b * x + c * y + d * z for w, x, y, z in zip(p0, p1, p2, p3, strict=True))  # type: ignore[misc]
