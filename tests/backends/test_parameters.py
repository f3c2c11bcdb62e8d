"""A constructor parameter of a generated model means what the model's parameter means in the spec."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
import torch
from torch import nn

from archdsl.api import Variant
from archdsl.backends.module import compile_source
from tests import shipped
from tests.backends import checks, sources


def model_class(variant: Variant) -> type[nn.Module]:
    module = compile_source(variant.graph, variant.source)
    found: type[nn.Module] = getattr(module, variant.graph.root.definition)
    return found


def described(model: nn.Module) -> list[tuple[str, str, dict[str, Any]]]:
    """Every module with its class and its numbers."""
    kinds = (int, float, str, tuple)
    return [
        (path, type(m).__name__, {k: v for k, v in vars(m).items() if isinstance(v, kinds) and not k.startswith("_")})
        for path, m in model.named_modules()
        if not list(m.children())
    ]


def other(value: Any) -> Any:
    return value + 8 if isinstance(value, int) else value / 2 + 0.01


def compare(variant: Variant) -> list[str]:
    """Change each parameter of the generated class alone, and the spec's likewise; gives the parameters' names."""
    found = model_class(variant)
    parameters = [p for name, p in inspect.signature(found.__init__).parameters.items() if name != "self"]
    for parameter in parameters:
        values = {parameter.name: other(parameter.default)}
        expected = variant.override(values)
        with torch.device("meta"):
            changed, reference = found(**values), model_class(expected)()
        assert checks.state_shapes(changed) == checks.state_shapes(reference), (variant.name, parameter.name)
        assert described(changed) == described(reference), (variant.name, parameter.name)
    return [parameter.name for parameter in parameters]


@pytest.mark.parametrize("family", shipped.families())
def test_shipped(family: str) -> None:
    """Of variants whose sources differ in nothing but numbers the smallest."""
    smallest: dict[str, Variant] = {}
    for variant in sorted(shipped.opened(family).values(), key=lambda variant: len(variant.graph.nodes)):
        smallest.setdefault(sources.without_numbers(variant.source), variant)
    for variant in smallest.values():
        assert "classes" in compare(variant), variant.name


CASES = {("empty", "f"), ("functions", "six"), ("functions", "twelve"), ("numbers", "eight"), ("numbers", "twelve"),
         ("outputs", "deep"), ("outputs", "shallow"), ("repeats", "four"), ("repeats", "none")}  # fmt: skip


def test_cases() -> None:
    """Of those whose models have parameters that a constructor can have."""
    assert {name for name in sources.case_names() if compare(sources.case(*name))} == CASES


def test_drop_rates_are_parameters() -> None:
    names = compare(sources.shipped("efficientnet", "efficientnet_b0"))
    assert names == ["dropout_rate", "drop_path_rate", "classes"]


@pytest.mark.parametrize(
    ("parameters", "body", "kept"),
    [
        ("n: int = 3", "x -> [conv(n, 1), n of relu] -> gap -> flatten -> linear(2)", []),
        ("n: int = 4", "x -> conv(n, 1) -> flatten -> linear(2)", []),
        ("n: int = 4", "x -> conv(n, 1) -> gap -> flatten -> linear(2)", ["n"]),
        ("n: int = 4", "x -> conv(n, 1) -> conv(2 * n, 1) -> gap -> flatten -> linear(2)", []),
        ("n: int = 3", "y = x -> conv(n, 1)\n  x + y", []),
        ("n: int = 4", "a, b = x -> conv(n, 1) -> split(2)\n  a + b", []),
        ("n: int = 2", "x -> maxpool(3, n) -> (if x.height > 4 then relu else id)", []),
        ("n: int = 3", "x -> conv(n, 1) -> (if n > 5 then relu else gelu)", []),
        ("p: float = 0.1", "x -> dropout(p) -> dropout(p / 2)", ["p"]),
        ("p: float = 0.1", "x -> dropout(p) -> (if p > 0.3 then relu else id)", []),
        ("p: float = 0.1", "x -> dropout(p) -> conv(int(p * 100), 1)", []),
        ("p: float = 0.1", "x -> dropout(p) -> B(p)", []),
        ("p: float = 0.1", "x -> dropout(p) -> scale(p)", ["p"]),
    ],
)
def test_only_what_may_change_stays(parameters: str, body: str, kept: list[str]) -> None:
    """What another value would make wrong is a number in the generated class."""
    from archdsl import api
    from archdsl.source import Source

    text = (
        "block B(q: float) = conv(3, 1) -> (if q > 0.5 then relu else id)\n"
        f"model M({parameters}) {{\n  x = image(3, 8, 8)\n  {body}\n}}\nvariant m = M()\n"
    )
    assert compare(api.open_source(Source("m.arch", text))["m"]) == kept
