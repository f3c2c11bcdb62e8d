"""Random specs that ask about sizes in every way that the language has: at any size a module is that network, or refuses.

The network that the spec makes of images of the other size is the measure: where it differs and the module runs, something
that was computed from a size was forgotten on its way into the network.
"""

from __future__ import annotations

import random

import pytest
import torch

from archdsl.api import open_source
from archdsl.backends.module import build_module
from archdsl.diagnostics.core import ArchError
from archdsl.graph.ir import Graph
from archdsl.source import Source

DEFINITIONS = """
fn f(n, m = 2) = if n > 10 then n // m else n + m
fn g(t) = t.height + 1
fn h(xs) {
  total = 0
  for x in xs { total = total + x }
  total
}
fn lay(k) = conv(4, 3) -> (if k > 8 then relu else silu)
table t(a, b) {
  1, 2
  3, 4
  5, 6
}
scaling s(n) {
  double = 2 * n
  half = n // 2
}
block B(n: int, m: int = 2 * n) = conv(n, 3) -> (if n > 2 then relu else silu) -> conv(m, 1)
block C(inner: layer) = inner -> relu
block D(n: int) {
  k = n % 4 + in.height % 3
  in -> conv(k + 1, 3)
}
"""
SIZES = [(24, 20), (24, 24), (20, 20), (24, 18), (25, 20), (11, 13), (40, 33), (16, 16), (23, 19), (48, 40)]
"""The first is the spec's own."""
COUNT = 40
FOUND = [
    "if [y.height] == [y.width] { z = z -> c: conv(4, 3) }",  # the members of a list that is compared
    "z = z -> c: C(conv((if p > 10 then q else y.height) % 4 + 1, 3))",  # a size in the branch that is not taken
]
"""What was wrong once."""


class Writer:
    """Writes the statements of one spec."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def number(self, depth: int) -> str:
        if depth == 0:
            return self.random.choice(
                ["x.height", "x.width", "y.height", "y.width", "3", "p", "x.channels", "7", "q"],
            )
        a, b, c = (self.number(depth - 1) for _ in range(3))
        test = self.test(depth - 1)
        return self.random.choice(
            [
                f"({a} + {b})", f"({a} * 2)", f"({a} // 3)", f"({a} % 5)", f"min({a}, {b})", f"max([{a}, {b}])",
                f"(if {test} then {a} else {b})", f"f({a})", f"f({a}, m = 3)", "g(y)", f"h([{a}, {b}])",
                f"[{a}, {b}, {c}][{a} % 3]", f"t[{a} % 3].a", f"s({a}).half", f"s({a}).double",
                f"sum([{a} for _i in 0..2])", f"len([1 for v in 0..({a} % 4) if v < {b}])", f"len([{a} % 3 of 1])",
                f"count([{a} % 2, 1], 1)", f"unique([{a}, {b}])[0]", f"zip([{a}], [{b}])[0][1]", f"int(sqrt({a}))",
            ]
        )  # fmt: skip

    def test(self, depth: int) -> str:
        a, b = (self.number(max(depth - 1, 0)) for _ in range(2))
        return self.random.choice(
            [
                f"{a} > 10", f"{a} == {b}", f"not {a} < 9", f"({a} > 3 and {b} < 30)", f"({a} > 30 or {b} % 2 == 0)",
                f"[{a}] == [{b}]",
            ]
        )  # fmt: skip

    def statement(self, i: int) -> str:
        e, c = self.number(self.random.randrange(3)), self.test(self.random.randrange(3))
        return self.random.choice(
            [
                f"z = z -> c{i}: conv({e} % 5 + 1, 3)",
                f"if {c} {{ z = z -> c{i}: conv(4, 3) }}",
                f"z = z -> (if {c} then c{i}: conv(4, 3) else relu)",
                f"for k in 0..({e} % 3) {{ z = z -> c{i}.{{k}}: conv(4, 3) }}",
                f"z = z -> c{i}: [{e} % 3 of conv(4, 3), relu]",
                f"z = z -> c{i}: B({e} % 4 + 1)",
                f'z = z -> "c{i}_{{{e}}}": conv(4, 3)',
                f"z = z -> c{i}: C(conv({e} % 4 + 1, 3))",
                f"z = z -> c{i}: [conv(4, 3) if {c}, relu]",
                f"v = {e}\n  z = z -> c{i}: conv(v % 5 + 1, 3)",
                f"w = if {c} then z else z -> c{i}: conv(z.channels, 3)\n  z = w",
                f"l = lay({e})\n  z = z -> c{i}: C(l)",
                f"a, b = [{e}, {e}]\n  z = z -> c{i}: conv((a + b) % 5 + 1, 3)",
                f"z = z -> c{i}: D({e})",
            ]
        )


def spec(statements: list[str]) -> str:
    body = "\n  ".join(statements)
    return f"""{DEFINITIONS}
model Net(p: int = 12, q: int = 20) {{
  x = image(3, 24, 20)
  y = x -> first: conv(4, 3, stride = 2)
  z = y
  {body}
  z -> last: conv(2, 1)
}}
"""


def description(graph: Graph) -> list[object]:
    """All of a network but for the sizes of its tensors."""
    return [(node.path, node.op.name, node.params, node.inputs) for node in graph.nodes[1:]]


def runs(text: str) -> list[bool]:
    """At which of the sizes the module runs; a failed assertion where it should not."""
    file = open_source(Source("test.arch", text))
    assert [d for d in file.check() if d.severity == "error"] == [], text
    made = file["Net"]
    model, mine = build_module(made.graph, made.source, device="meta"), description(made.graph)
    found = []
    for size in SIZES:
        try:
            same = description(made.for_image(size=size).graph) == mine
        except ArchError:
            same = False
        try:
            model(torch.empty(1, 3, *size, device="meta"))
        except ValueError:
            found.append(False)
        else:
            found.append(True)
            assert same, f"at {size} another network would be made of\n{text}"
    return found


def test_no_size_is_forgotten() -> None:
    ran: list[bool] = []
    for seed in range(COUNT):
        writer = Writer(seed)
        found = runs(spec([writer.statement(i) for i in range(writer.random.randrange(1, 4))]))
        assert found[0], "the spec's own size is refused"
        ran += found[1:]
    assert 0.2 < sum(ran) / len(ran) < 0.8, "nearly all sizes are refused, or none"


@pytest.mark.parametrize("statement", FOUND)
def test_what_was_wrong_once(statement: str) -> None:
    assert runs(spec([statement]))[0]
