"""What combines tensors is drawn as what it is: a sign for sums, differences, products, concatenations, else a word."""

from __future__ import annotations

import re

import pytest

from archdsl.api import open_source
from archdsl.backends.diagram.choices import Level
from archdsl.source import Source

SPEC = """
block Mixed(width: int) {
  a, b = [in -> conv1: conv(width, 3), in -> conv2: conv(width, 3)]
  both = concat(a - b, (a, b) -> maximum)
  low = both -> down: conv(width, 3, stride = 2)
  x = (low, both) -> resize
  (x, a) -> minimum
}

model Net = image(3, 16, 16) -> mixed: Mixed(8) -> gap -> flatten -> fc: linear(4)
"""


@pytest.mark.parametrize("level", ["graph", "blocks"])
def test_signs_and_words(level: Level) -> None:
    svg = open_source(Source("net.arch", SPEC))["Net"].drawing(level).svg
    texts = re.findall(r">([^<>]+)</(?:text|tspan)>", svg)
    assert "−" in texts
    for word in ("max", "min", "‖", "resize alike"):
        assert texts.count(word) == 1, (word, texts)
    assert "concat" not in texts
