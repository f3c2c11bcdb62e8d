"""`archdsl draw --level diff`: which networks it takes, and what it writes."""

from __future__ import annotations

import pytest

from tests.cli.conftest import Run

CHAIN = """\
model Net(width: int = 4) = image(3, 8, 8) -> stem: conv(width, 3) -> gap -> flatten -> fc: linear(2)
variant base = Net
variant wide = base with (width = 8)
"""


def test_two_networks(arch: Run) -> None:
    result = arch("draw", "small.arch:small", "small.arch:large")
    assert result.code == 0
    assert result.err == "wrote small-large.svg\n"
    text = arch("draw", "small.arch:small", "small.arch:large", "-o", "-", "--format", "dot").out
    assert "small → large" in text


def test_three_networks_are_a_chain(arch: Run) -> None:
    text = arch("draw", "resnet18", "resnet34", "resnet50", "-o", "-", "--format", "dot").out
    assert "resnet18 → resnet34 → resnet50" in text


def test_amendments_are_a_chain(arch: Run) -> None:
    result = arch("draw", "-", "--level", "diff", "-o", "chain.svg", "--json", stdin=CHAIN)
    assert result.code == 0
    assert result.json["variants"] == ["base", "wide"]
    assert result.json["path"] == "chain.svg"


def test_a_network_and_the_same_with_other_arguments(arch: Run) -> None:
    text = arch("draw", "small.arch:small", "--level", "diff", "--set", "classes=3", "-o", "-", "--format", "dot").out
    assert "out 10 → 3" in text


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("small.arch:small --level diff", "compares networks"),
        ("small.arch --level diff", "no variant amends another"),
        ("small.arch:small small.arch:large --level overview", "every other level draws one"),
        ("small.arch:small none.arch", "E602"),
        ("small.arch:small small.arch:large -o a.html", "HTML"),
    ],
)
def test_what_cannot_be_compared(arch: Run, args: str, said: str) -> None:
    result = arch("draw", *args.split())
    assert result.code == 2
    assert said in result.err
