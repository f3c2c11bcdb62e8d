"""Ops that torch has as functions only, as members of a sequence, under a label, in a choice: they build and are equal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from archdsl import api
from archdsl.api import Variant
from archdsl.ops import OPS, Example, OpSpec, Shape
from archdsl.source import Source
from tests.backends import checks

HEAD = "-> gap -> flatten -> fc: linear(10)"
BODIES = {
    "repeated": "-> l: [2 of scale(0.5)]",
    "a part of the channels": "-> l: [slice(0, 4), conv(8, 3), slice(4, 8)]",
    "several results": "-> l: [conv(8, 3), split(2), concat, conv(8, 1)]",
    "merges": "-> [split(2), add, conv(8, 3)] -> s: [split(4), concat, split(2), mul]",
    "one input": "-> l: [concat, conv(8, 3)] -> m: concat",
    "labels": "-> s: split(2) -> a.b: concat -> q: crop(1, 1, 0, 0) -> t: subsample(2) -> u: scale(2)",
    "a shared level": '-> p.0: conv(8, 1) -> p.1: permute("nhwc") -> p.2: layernorm -> p.3: permute("nchw") -> p.4: scale(2)',
    "stages": "-> stage a: split(2) -> stage b: concat -> stage c: [subsample(2), slice(2, 6)]",
    "labelled members": "-> l: [a: scale(0.5), conv(8, 3), b: crop(0, 1, 0, 1), c.d: split(2), e: add]",
    "nested": "-> l: [[scale(0.5)], [[split(2), mul], subsample(2)]]",
    "a group": "-> g: (scale(0.5) -> slice(0, 4)) -> h: (split(2) -> concat)",
    "mirrored": "-> l: [channel_shuffle(2), pad(1, 0, 0, 1), crop(1, 0, 0, 1), resize(scale_factor = 2), subsample(2)]",
}


def variant(text: str) -> Variant:
    return api.open_source(Source("members.arch", text + "\n"))["Net"]


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_members_and_labels(body: str) -> None:
    found = variant(f"model Net = image(3, 16, 16) -> stem: conv(8, 3) {body} {HEAD}")
    checks.same_function(found.graph, found.source)


CHOICES = {
    "members": "[conv(8, 3), scale(k), subsample(2) if a, crop(1, 0, 0, 0), split(2) if a, concat if a]",
    "branches": "conv(8, 3) -> s: (if a then split(2) -> concat else id) -> c: (if a then scale(k) else subsample(2))",
    "sequences": "[if a then slice(0, 4) else scale(k), if a then [split(2), add] else split(2) -> mul]",
}


@pytest.mark.parametrize("body", CHOICES.values(), ids=CHOICES)
def test_choices(body: str) -> None:
    block = f"block B(k: float, a: bool) = {body}\n"
    net = (
        f"model Net = image(8, 16, 16) -> stem: conv(8, 3) -> a: B(0.1, true) -> conv(8, 1) -> b: B(0.2, false) {HEAD}"
    )
    found = variant(block + net)
    checks.same_function(found.graph, found.source)


def test_a_sequence_of_them_is_an_ordinary_one() -> None:
    source = variant(f"model Net = image(3, 16, 16) -> l: [conv(8, 3), 2 of scale(0.5), slice(0, 4)] {HEAD}").source
    assert "nn.Conv2d(3, 8, 3, padding=1), *[Scale(0.5) for _ in range(2)], Slice(0, 4)," in " ".join(source.split())


def _text(value: Any) -> str:
    """A value as a spec writes it."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_text, value))}]"
    return json.dumps(value)


def _tensor(shape: Shape) -> str:
    """A tensor of this shape, made from the image `x`."""
    after = {"chw": "", "hwc": ' -> permute("nhwc")', "flat": " -> flatten"}[shape.layout]
    return f"x -> conv({shape.channels}, 1) -> adaptive_avgpool([{shape.height}, {shape.width}]){after}"


def examples() -> Iterator[Any]:
    for op in OPS.values():
        for number, example in enumerate(op.examples if op.role != "input" else ()):
            yield pytest.param(op, example, id=f"{op.name} {number}")


@pytest.mark.parametrize(("op", "example"), list(examples()))
def test_every_op_as_a_member(op: OpSpec, example: Example) -> None:
    """Each op with each of its examples, in a sequence, under a label and in a sequence within a sequence."""
    arguments = ", ".join(f"{name} = {_text(value)}" for name, value in example.arguments.items())
    layer = f"{op.name}({arguments})" if arguments else op.name
    inputs = ", ".join(map(_tensor, example.inputs))
    several = " -> concat" if op is OPS["split"] else ""
    for member in (f"[{layer}]", f"one: {layer}", f"[a: {layer}]", f"[[{layer}]]"):
        found = variant(f"model Net {{\n  x = image(3, 9, 9)\n  ({inputs}) -> {member}{several}\n}}")
        checks.same_function(found.graph, found.source)
