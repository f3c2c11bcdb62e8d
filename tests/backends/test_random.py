"""Random specs: the generated module equals the interpreted graph, and the text is as ruff leaves it.

A strategy writes blocks with parameters (widths, strides, switches, layers), bodies of sequences, sums, products, gates,
dotted and dashed labels, `if`s between layers and conditional members; a model uses each block with several arguments.
All tensors but the last have 4 or 8 channels and the image's size, so that nearly every spec is valid.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, assume, given, note, settings
from hypothesis import strategies as st

from archdsl import api
from archdsl.api import Variant
from archdsl.diagnostics.core import ArchError
from archdsl.source import Source
from tests.backends import checks
from tests.backends.test_text import ruff

ACTIVATIONS = ("relu", "gelu", "sigmoid", "hardswish", "act", "leaky_relu(0.2)")
CONDITIONS = ("a", "b", "not a", "a and b", "w == 4", "w == 4 or b", "in.channels == w")
SAME = (
    "bn",
    "dwconv(3)",
    "dropout(0.2)",
    "drop_path(p)",
    "layer_scale(p)",
    "channel_shuffle(2)",
    "grn",
    "layernorm",
    "id",
)


class Writer:
    """Draws the text of one spec."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.labels = 0
        self.blocks: list[str] = []

    def choose(self, *options: str) -> str:
        return self.draw(st.sampled_from(options))

    def chance(self, percent: int) -> bool:
        return self.draw(st.integers(0, 99)) < percent

    def keeping(self, depth: int) -> str:
        """A layer that keeps the number of channels."""
        kind = (
            self.choose("op", "act", "sum", "gate", "if", "sequence", "chain", "block")
            if depth
            else self.choose("op", "act")
        )
        inner = depth - 1
        match kind:
            case "op":
                return self.choose(*SAME)
            case "act":
                return self.choose(*ACTIVATIONS)
            case "sum":
                return f"(id + ({self.keeping(inner)} -> {self.keeping(inner)}))"
            case "gate":
                return (
                    f"(id * (gap -> {self.keeping(inner)} -> sigmoid))"
                    if self.chance(50)
                    else f"(({self.keeping(inner)}) * ({self.keeping(inner)} -> sigmoid))"
                )
            case "if":
                other = "id" if self.chance(40) else self.keeping(inner)
                return f"(if {self.choose(*CONDITIONS)} then ({self.keeping(inner)}) else ({other}))"
            case "chain":
                return f"({self.keeping(inner)} -> {self.keeping(inner)} -> {self.keeping(inner)})"
            case "block" if self.blocks:
                a, b = self.choose("true", "false", "a"), self.choose("true", "false", "b")
                return f"{self.choose(*self.blocks)}(in.channels, {a}, {b}, act = {self.choose('relu', 'gelu', 'act')})"
        items = [self.item(inner) for _ in range(self.draw(st.integers(1, 4)))]
        return f"[{', '.join(items)}]"

    def item(self, depth: int) -> str:
        count = f"{self.draw(st.integers(2, 3))} of " if self.chance(15) else ""
        label = self.label() if not count and self.chance(20) else ""
        condition = f" if {self.choose(*CONDITIONS)}" if not count and self.chance(30) else ""
        return f"{count}{label}{self.keeping(depth)}{condition}"

    def label(self) -> str:
        self.labels += 1
        n = self.labels
        return self.choose(f"m{n}: ", f'"m-{n}": ', f"box{n}.inner: ", f'"{n + 20}": ', f"box.m{n}: ")

    def step(self, name: str) -> str:
        label = self.label() if self.chance(25) else ""
        layer = self.choose("", f"conv(w, {self.choose('1', '3', '[1, 3]')}) -> ") if self.chance(60) else ""
        return f"{name} -> {layer}{label}{self.keeping(2)}" if not layer else f"{name} -> {layer}{self.keeping(2)}"

    def block(self, name: str) -> str:
        lines = [f"x = {self.step('in')} -> conv(w, 1)"]
        for position in range(self.draw(st.integers(0, 2))):
            lines.append(f"y{position} = {self.step('x')} -> conv(w, 1)")
            lines.append(
                f"x = {self.choose(f'x + y{position}', f'y{position}', f'x * (y{position} -> sigmoid)', 'x * (x -> act)')}"
            )
        lines.append("x")
        body = "\n  ".join(lines)
        self.blocks.append(name)
        return f"block {name}(w: int, a: bool, b: bool = false, p: float = 0.3, act: layer = relu) {{\n  {body}\n}}"

    def spec(self) -> str:
        blocks = [self.block(name) for name in ("A", "B", "C")[: self.draw(st.integers(1, 3))]]
        uses = []
        for name in self.draw(st.lists(st.sampled_from(self.blocks), min_size=2, max_size=5)):
            given = f"{self.choose('4', '8')}, {self.choose('true', 'false')}, {self.choose('true', 'false')}"
            uses.append(f"{name}({given}{self.choose('', ', 0.1', ', rate', ', act = gelu')})")
        chain = " -> ".join(uses)
        if self.chance(50):
            chain = f"stages: [{', '.join(uses)}]"
        head = "gap -> flatten -> fc: linear(classes)"
        model = (
            f"model M(rate: float = 0.2, classes: int = 3) =\n  image(4, 5, 5) -> {chain} -> {head}\nvariant m = M()\n"
        )
        return "\n".join([*blocks, model])


@st.composite
def specs(draw: st.DrawFn) -> str:
    return Writer(draw).spec()


def built(text: str) -> Variant | None:
    """The spec's variant; None where two layers have one name, or nothing uses a result."""
    try:
        variant = api.open_source(Source("random.arch", text))["m"]
        return variant if variant.graph.nodes else None
    except ArchError:
        return None


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(specs())
def test_same_function(text: str) -> None:
    variant = built(text)
    assume(variant is not None)
    assert variant is not None
    note(text + variant.source)
    checks.same_function(variant.graph, variant.source)


@settings(max_examples=1, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True)
@given(st.lists(specs(), min_size=30, max_size=40))
def test_same_text(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for index, text in enumerate(texts):
            variant = built(text)
            if variant is not None:
                (Path(folder) / f"random{index}.py").write_text(variant.source, encoding="utf-8")
        assert len(list(Path(folder).iterdir())) > len(texts) / 2
        for done in (ruff("format", "--diff", folder), ruff("check", "--output-format", "concise", folder)):
            assert done.returncode == 0, done.stdout[:3000]
