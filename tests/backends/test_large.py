"""Sizes beyond what can be built are diagnostics; whatever `check` accepts builds on the meta device, with the graph's shapes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch

from archdsl.api import Variant
from archdsl.ops import OPS, Example, OpSpec
from archdsl.semantics.sizes import MAX_SIDE
from tests.backends import checks, try_random
from tests.backends.test_members import _tensor, _text
from tests.semantics.helpers import codes, net, only

VALUES = (1, 2, 3, 7, 64, 1000, MAX_SIDE, MAX_SIDE + 1, 10**9, 10**18, 0.5, 3.7, 1e-9, 1e9, 1e17)


def numbers() -> Iterator[Any]:
    """Every whole number that an op takes, in the first of its examples that has it."""
    for op in OPS.values():
        for name, field in op.params.model_fields.items():
            annotation = str(field.annotation)
            if op.role == "input" or "..." in annotation:  # a value for each channel
                continue
            if any(kind in annotation for kind in ("int", "Size", "float")):
                example = next((e for e in op.examples if name in e.arguments), op.examples[0])
                yield pytest.param(op, name, example, id=f"{op.name}.{name}")


def builds_on_meta(variant: Variant) -> None:
    graph = variant.graph
    module = variant.empty().eval()
    outputs = checks.outputs_of(module(torch.empty(1, *graph.input_shape.dims, device="meta")))
    assert [tuple(t.shape[1:]) for t in outputs] == [graph.shape(ref).dims for ref in graph.outputs]
    assert sum(p.numel() for p in module.parameters()) == graph.params


@pytest.mark.parametrize(("op", "name", "example"), list(numbers()))
def test_each_number_of_each_op(op: OpSpec, name: str, example: Example) -> None:
    accepted = 0
    for value in VALUES:
        for written in (value, [1, value]):
            given = {**example.arguments, name: written}
            arguments = ", ".join(f"{key} = {_text(argument)}" for key, argument in given.items())
            inputs = ", ".join(map(_tensor, example.inputs))
            several = " -> concat" if op is OPS["split"] else ""
            text = f"model Net {{\n  x = image(3, 9, 9)\n  ({inputs}) -> {op.name}({arguments}){several}\n}}\n"
            for variant in try_random.accepted(text):
                accepted += 1
                builds_on_meta(variant)
                assert isinstance(value, float) or value <= MAX_SIDE or "float" in str(op.params.model_fields[name])
    assert accepted, "no value was accepted"


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ("image(3, 8, 8) -> conv(10^18, 1)", "E330", "10^18"),
        ("image(3, 8, 8) -> conv(8, 3, padding = 10^9)", "E330", "10^9"),
        ("image(3, 8, 8) -> conv(8, 1, stride = 10^9)", "E330", "10^9"),
        ("image(3, 10^9, 8) -> conv(8, 1)", "E330", "10^9"),
        ("image(3, 8, 8) -> resize(scale_factor = 10^6)", "E210", "10^6"),
        ("image(3, 8, 8) -> resize(10^9)", "E330", "10^9"),
        ("image(3, 8, 8) -> pad(10^6, 10^6, 0, 0)", "E330", "pad(10^6, 10^6, 0, 0)"),
        ("x = image(3, 8, 8)\nfor _i in 0..100 { x = concat(x, x) }\nx", "E330", "concat(x, x)"),
        ("image(3, 8, 8) -> conv(8, 3, dilation = 10^6, padding = 10^6)", "E330", "conv(8, 3, dilation = 10^6, padding = 10^6)"),
        ("image(1000, 10^5, 10^5) -> gap", "E331", "image(1000, 10^5, 10^5)"),
        ("image(3, 10^4, 10^4) -> conv(10^4, 1)", "E331", "conv(10^4, 1)"),
        ("image(10^6, 8, 8) -> conv(10^6, 1)", "E331", "conv(10^6, 1)"),
        ("image(3, 8, 8) -> conv(300_000, 1) -> [20 of conv(300_000, 1)]", "E332", "conv(300_000, 1)"),
        ("image(3, 8, 8) -> split(1)", "E302", "1"),
        ("image(3, 8, 8) -> hardtanh(2, 1)", "E317", "1"),
        ("image(3, 8, 8) -> rrelu(0.5, 0.1)", "E317", "0.1"),
    ],
)  # fmt: skip
def test_what_is_too_large(body: str, code: str, place: str) -> None:
    found = only(net(body))
    assert (found.code, found.span and found.span.text) == (code, place)


def test_what_is_large_is_built() -> None:
    for body in (
        "image(3, 9, 9) -> conv(100_000, 1) -> conv(900_000, 1)",
        "image(3, 100_000, 100_000) -> conv(8, 3)",
        "image(100, 1000, 1000) -> flatten -> linear(900)",
        "image(3, 9, 9) -> conv(8, 3, dilation = 300_000, padding = 300_000)",
        "image(8, 9, 9) -> maxpool([1, 999_999], 1, padding = [0, 499_999])",
    ):
        (variant,) = try_random.accepted(f"model Net = {body}\n")
        builds_on_meta(variant)


def test_parameters_are_counted_in_copies_too() -> None:
    """Equal blocks are elaborated once; what each weighs still counts."""
    block = "block B = [conv(300_000, 1)]"
    assert codes(net("image(3, 8, 8) -> conv(300_000, 1) -> [10 of B]", block)) == []
    assert codes(net("image(3, 8, 8) -> conv(300_000, 1) -> [20 of B]", block)) == ["E332"]
