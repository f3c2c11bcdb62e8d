"""Further outputs of a model: their names, what they may be, and what only they need."""

from __future__ import annotations

import pytest

from archdsl.api import open_source
from archdsl.graph.table import stage_table
from archdsl.source import Source
from tests.semantics.helpers import codes, graph, net, places

BODY = """
stage body {
  x = image(3, 8, 8) -> a: conv(4, 3) -> relu
  if n > 0 { output early = x -> gap -> flatten -> h: linear(n) }
  y = x -> b: conv(8, 3)
}
output map = y
y -> gap -> flatten -> fc: linear(5)
"""


def test_outputs_have_names() -> None:
    made = graph(net(BODY, parameters="n: int = 3"))
    assert made.output_names == ("logits", "early", "map")
    assert [str(made.shape(ref)) for ref in made.outputs] == ["5", "3", "8×8×8"]
    assert made.output_shape.dims == (5,)


def test_the_source_returns_what_it_says_it_returns() -> None:
    text = net(BODY, parameters="n: int = 3")
    variant = open_source(Source("test.arch", text))["net"]
    assert "def forward(self, x: Tensor) -> NetOutputs:" in variant.source
    assert "return NetOutputs(logits, early, map)" in variant.source
    maps = variant.features(["body"]).source
    assert "def forward(self, x: Tensor) -> dict[str, Tensor]:" in maps
    assert 'return {"body": body}' in maps


def test_an_output_may_depend_on_a_parameter() -> None:
    made = graph(net(BODY, parameters="n: int = 0"))
    assert made.output_names == ("logits", "map")
    assert graph(net("image(3, 8, 8) -> conv(4, 3)")).output_names == ()


def test_what_only_a_further_output_needs_is_a_row_of_its_own() -> None:
    made = graph(net(BODY, parameters="n: int = 3"))
    table = stage_table(made)
    assert [(row.name, row.kind, row.params) for row in table.rows] == [
        ("body", "stage", 4 * 27 + 4 + 8 * 36 + 8),
        ("head", "head", 5 * 8 + 5),
        ("early", "aux", 3 * 4 + 3),
    ]
    assert table.params == made.params


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ("output logits = x", ("E117", "logits")),
        ("output _y = x", ("E117", "_y")),
        ("output count = x", ("E117", "count")),
        ("output class = x", ("E117", "class")),
        ("output y = 3", ("E301", "3")),
        ("output y = conv(4, 3)", ("E301", "conv(4, 3)")),
        ("output y = x -> split(2)", ("E301", "x -> split(2)")),
        ("output y = x\noutput y = x", ("E106", "y")),
        ("for i in 0..2 { output y = x }", ("E106", "y")),
        ("output y = z", ("E101", "z")),
    ],
)
def test_wrong_outputs(body: str, found: tuple[str, str]) -> None:
    assert places(net(f"x = image(3, 8, 8) -> conv(4, 3)\n{body}\nx")) == [found]


def test_only_a_model_has_outputs() -> None:
    block = "block B { x = in -> conv(4, 3)\n output y = x\n x }"
    assert places(net("image(3, 8, 8) -> B", block)) == [("E326", "output y = x")]
    assert codes(net("image(3, 8, 8) -> conv(f(4), 3)", "fn f(x) { output y = x\n x }")) == ["E326"]


def test_a_model_with_outputs_has_one_result() -> None:
    assert codes(net("x = image(3, 8, 8)\noutput y = x -> conv(4, 3)\n(x, x -> conv(4, 3))")) == ["E301"]
    assert codes(net("output y = image(3, 8, 8)")) == ["E312"]


def test_all_must_reach_some_output() -> None:
    body = "x = image(3, 8, 8)\n_y = x -> a: conv(4, 3)\noutput z = x -> b: conv(4, 3)\nx -> c: conv(4, 3)"
    assert codes(net(body)) == ["E325"]


def test_output_is_a_word_in_its_place_only() -> None:
    made = graph(net("output = image(3, 8, 8)\noutput output = output -> conv(4, 3)\noutput -> conv(2, 3)"))
    assert made.output_names == ("logits", "output")
