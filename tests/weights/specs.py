"""The specs that the tests of weights/ share; nothing here imports torch."""

from __future__ import annotations

from pathlib import Path

from archdsl import api
from archdsl.diagnostics.core import Bag
from archdsl.graph.keymap import KeyMap
from archdsl.graph.read_keymap import read_map
from archdsl.source import Source
from archdsl.syntax import ast, parse

SPECS = Path(__file__).parents[2] / "specs"

TINY = """
default conv(bias = false)
block Unit(out: int) = conv: conv(out, 3) -> bn: bn -> relu
model Tiny(classes: int = 5, width: int = 4) =
  image(3, 8, 8) -> stem: Unit(width) -> body: [Unit(2 * width), Unit(2 * width)]
  -> gap -> flatten -> fc: linear(classes)
variant tiny = Tiny()
"""
"""A network with a flat part, a numbered part and a head: 20 entries."""

TINY_MAP = """
checkpoint theirs for Tiny {
  count n in "body.{i}"
  "first"             = "stem"
  "units.{n + 1}.c"   = "body.{i}.conv"
  "units.{n + 1}.b"   = "body.{i}.bn"
  "head.W"            = "fc.weight"
  "head.B"            = "fc.bias"
}
"""


def file(text: str) -> api.ArchFile:
    return api.open_source(Source("test.arch", text))


def tiny(more: str = "") -> api.Variant:
    return file(TINY + more)["tiny"]


def densenet(variant: str = "densenet121") -> api.Variant:
    """Shipped, with a map of pytorchcv's names for torchvision's DenseNet."""
    return file((SPECS / "densenet.arch").read_text(encoding="utf-8"))[variant]


def codes(text: str) -> list[str]:
    """The codes of all findings about a text."""
    return [diagnostic.code for diagnostic in file(text).check()]


def keymap(*lines: str) -> KeyMap:
    """The map of these lines, which must be well-formed."""
    bag = Bag()
    body = "\n".join(lines)
    syntax = parse(Source("test.arch", f"checkpoint theirs for M {{\n{body}\n}}\n"), bag)
    assert syntax is not None, [str(d) for d in bag]
    (item,) = syntax.items
    assert isinstance(item, ast.Checkpoint)
    found = read_map(item, bag)
    assert found is not None, [str(d) for d in bag]
    return found
