"""Colours: told apart in grey, too, and text that can be read on them."""

from __future__ import annotations

from itertools import combinations

import pytest

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


def contrast(a: str, b: str) -> float:
    """Of WCAG 2: 1 to 21."""
    low, high = sorted((luminance(a), luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_okabe_and_ito() -> None:
    """The eight colours, from the authors' page (jfly.uni-koeln.de/color)."""
    assert set(OKABE_ITO.values()) == {
        "#000000", "#E69F00", "#56B4E9", "#009E73", "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
    }  # fmt: skip


@pytest.mark.parametrize("looks", [list(LOOKS.values()), BLOCKS, list(BARS)], ids=["roles", "blocks", "bars"])
def test_told_apart_in_grey(looks: list[Look]) -> None:
    """By a step of lightness that is seen (ΔL* ≥ 4), or by the outline."""
    for a, b in combinations(looks, 2):
        apart = abs(lightness(a.fill) - lightness(b.fill)) >= 4 or a.style != b.style
        assert apart or abs(lightness(a.line) - lightness(b.line)) >= 15, (a.name, b.name)


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
