"""Colours: told apart in grey, too, and text that can be read on them."""

from __future__ import annotations

import re
from itertools import combinations

import pytest

from archdsl import api
from archdsl.backends.diagram.style import (
    BARS,
    LOOKS,
    OKABE_ITO,
    Look,
    block_look,
    count_text,
    lightness,
    luminance,
    share_text,
)

BLOCKS = [block_look(index, f"block {index}") for index in range(7)]
OVERVIEW = [*BLOCKS, *(LOOKS[role] for role in ("input", "conv", "linear", "pool"))]
"""What an overview has: kinds of blocks, and the roles after which a layer is named (`merge` has the look of none)."""
STEP = 4
"""Of CIE L*; a just noticeable difference is about 2.3 (Mahy et al., 1994)."""
LUMA = 3
DIFFERENCE = 7
"""Of CIE 1976 ΔE, about three just noticeable ones."""

# Machado, Oliveira and Fernandes (2009), table 1: linear RGB as seen without the cones for long, middle, short waves.
VISION = {
    "protanopia": ((0.152286, 1.052583, -0.204868), (0.114503, 0.786281, 0.099216), (-0.003882, -0.048116, 1.051998)),
    "deuteranopia": ((0.367322, 0.860646, -0.227968), (0.280085, 0.672501, 0.047413), (-0.011820, 0.042940, 0.968881)),
    "tritanopia": ((1.255528, -0.076749, -0.178779), (-0.078411, 0.930809, 0.147602), (0.004733, 0.691367, 0.303900)),
}
# IEC 61966-2-1: linear sRGB in CIE XYZ, and the white of D65.
XYZ = ((0.4124, 0.3576, 0.1805), (0.2126, 0.7152, 0.0722), (0.0193, 0.1192, 0.9505))
WHITE = (0.95047, 1.0, 1.08883)


def linear(colour: str) -> list[float]:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    return [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]


def times(matrix: tuple[tuple[float, ...], ...], vector: list[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in matrix]


def lab(colour: str, vision: str) -> list[float]:
    seen = [min(1.0, max(0.0, value)) for value in times(VISION[vision], linear(colour))]
    ratios = [value / white for value, white in zip(times(XYZ, seen), WHITE, strict=True)]
    x, y, z = (r ** (1 / 3) if r > 216 / 24389 else (24389 / 27 * r + 16) / 116 for r in ratios)
    return [116 * y - 16, 500 * (x - y), 200 * (y - z)]


def contrast(a: str, b: str) -> float:
    """Of WCAG 2: 1 to 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_okabe_and_ito() -> None:
    """The eight colours, from the authors' page (jfly.uni-koeln.de/color)."""
    assert set(OKABE_ITO.values()) == {
        "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
    }  # fmt: skip


PICTURES = pytest.mark.parametrize(
    "looks", [list(LOOKS.values()), OVERVIEW, list(BARS)], ids=["blocks and graph", "overview", "bars"]
)


def pairs(looks: list[Look]) -> list[tuple[Look, Look]]:
    """All, but white boxes, which differ in their outline, and not only by its colour or not by a little."""
    found = []
    for a, b in combinations(looks, 2):
        if a.fill == b.fill == "#FFFFFF":
            assert a.style != b.style or abs(lightness(a.line) - lightness(b.line)) >= 15, (a.name, b.name)
        else:
            found.append((a, b))
    return found


@PICTURES
def test_told_apart_in_grey(looks: list[Look]) -> None:
    for a, b in pairs(looks):
        assert abs(lightness(a.fill) - lightness(b.fill)) >= STEP, (a.name, b.name)


@PICTURES
def test_told_apart_in_grey_as_most_programs_make_it(looks: list[Look]) -> None:
    """Luma of ITU-R BT.601, which is not lightness: in percent of white's."""
    for a, b in pairs(looks):
        values = [[int(look.fill[i : i + 2], 16) / 2.55 for i in (1, 3, 5)] for look in (a, b)]
        one, other = (0.299 * red + 0.587 * green + 0.114 * blue for red, green, blue in values)
        assert abs(one - other) >= LUMA, (a.name, b.name)


@PICTURES
@pytest.mark.parametrize("vision", VISION)
def test_told_apart_without_a_kind_of_cone(looks: list[Look], vision: str) -> None:
    for a, b in pairs(looks):
        difference = sum((x - y) ** 2 for x, y in zip(lab(a.fill, vision), lab(b.fill, vision), strict=True)) ** 0.5
        assert difference >= DIFFERENCE, (a.name, b.name, difference)


@pytest.mark.parametrize("look", [*LOOKS.values(), *BLOCKS], ids=lambda look: look.name)
def test_text_is_read(look: Look) -> None:
    assert contrast(look.fill, look.text) >= 4.5


def test_lightness() -> None:
    """CIE 1976: white 100, black 0, 18 % grey 49.5."""
    assert lightness("#FFFFFF") == pytest.approx(100)
    assert lightness("#000000") == 0
    assert lightness("#777777") == pytest.approx(50, abs=0.6)


def test_counts_and_shares() -> None:
    texts = [count_text(number) for number in (7, 1234, 25_557_032, 4_089_184_256, 386_000_000)]
    assert texts == ["7", "1.23K", "25.6M", "4.09G", "386M"]
    assert [share_text(share) for share in (0, 0.001, 0.0051, 0.434, 1)] == ["0", "<1%", "1%", "43%", "100%"]


def test_all_that_an_overview_may_have_is_tried() -> None:
    """Its layers are named after what has a role of its own: no other colour comes into it."""
    for name in ("nasnetalarge", "googlenet", "densenet121", "convnextv2_tiny", "mobilenet_v3_large"):
        svg = api.find(name).drawing("overview").svg
        used = set(re.findall(r'fill="(#[0-9a-fA-F]{6})" stroke="#', svg.replace("white", "#ffffff")))
        known = {look.fill.lower() for look in [*OVERVIEW, *BARS]}
        assert {colour.lower() for colour in used} <= known | {"#444444", "#000000"}, name
