"""Outputs of a model: their names, what they may be, and what only further ones need."""

from __future__ import annotations

import pytest

from archdsl.api import open_source
from archdsl.graph.table import stage_table
from archdsl.source import Source
from tests.semantics.helpers import codes, graph, net, only, places

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
    assert made.form == "named"
    assert made.result == made.outputs[0]


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
        ("output logits = x", ("E327", "logits")),
        ("output _y = x", ("E327", "_y")),
        ("output count = x", ("E327", "count")),
        ("output class = x", ("E327", "class")),
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
    both = "x = image(3, 8, 8)\noutput y = x -> conv(4, 3)\n(x, x -> conv(4, 3))"
    assert places(net(both)) == [("E301", "(x, x -> conv(4, 3))")]
    assert "output name = tensor" in str(only(net(both)).help)


def test_a_model_of_named_outputs_needs_no_result() -> None:
    made = graph(net("x = image(3, 8, 8)\nfor i in 0..3 { output p{i + 2} = x -> conv(4, 3) }"))
    assert (made.form, made.main, made.output_names) == ("named", False, ("p2", "p3", "p4"))
    assert made.aux == {}
    conditional = "x = image(3, 8, 8) -> conv(4, 3)\nif n > 1 { output y = x }"
    assert graph(net(conditional, parameters="n: int = 2")).output_names == ("y",)
    assert places(net(conditional, parameters="n: int = 1")) == [("E312", "Net")]
    result = "x = image(3, 8, 8) -> conv(4, 3)\noutput y = x\nif n > 1 { x }"
    assert graph(net(result, parameters="n: int = 2")).output_names == ("logits", "y")
    assert places(net(result, parameters="n: int = 1")) == [("E312", "Net")]  # the result is no output among others


def test_a_list_of_tensors_is_a_plain_tuple() -> None:
    x = "x = image(3, 8, 8) -> conv(4, 3)\n"
    for result, count in (("(x, x -> relu)", 2), ("[x, x -> relu, x]", 3), ("[x]", 1)):
        made = graph(net(x + result))
        assert (made.form, made.main, made.output_names, len(made.outputs)) == ("tuple", False, (), count)
    lists = only(net(x + "([x, x], [x])"))
    assert (lists.code, "join them" in str(lists.help)) == ("E301", True)
    assert places(net(x + "(x, 3)")) == [("E301", "(x, 3)")]


def test_names_with_holes_are_checked_when_they_are_known() -> None:
    loop = "x = image(3, 8, 8) -> conv(4, 3)\nfor n in [{names}] {{ output {name} = x }}\nx"
    for names, name, bad in (
        ('"a", "index"', '"{n}"', "index"),
        ('"a-b"', "p_{n}", "p_a-b"),
        ('"1"', '"{n}"', "1"),
        ('"_a"', '"{n}"', "_a"),
        ('"logits"', '"{n}"', "logits"),
        ('"import"', '"{n}"', "import"),
    ):
        found = only(net(loop.format(names=names, name=name)))
        assert (found.code, bad in found.message) == ("E327", True), found
        assert found.help
    assert codes(net(loop.format(names='"a", "a"', name="p{n}"))) == ["E106"]
    assert "output p{i} = x" in str(only(net("x = image(3, 8, 8)\nfor _i in 0..2 { output p = x }\nx")).help)
    assert codes(net(loop.format(names="1.5", name="p{n}"))) == ["E301"]
    assert codes(net(loop.format(names="1", name="p{m}"))) == ["E101"]


def test_several_tensors_under_one_name_get_a_hint() -> None:
    found = only(net("x = image(3, 8, 8) -> conv(4, 3)\noutput y = x -> split(2)\nx"))
    assert "output p{i} = x" in str(found.help)
    wrong = only(net('x = image(3, 8, 8)\noutput {"y"} = x'))
    assert (wrong.code, 'output "{name}" = x' in str(wrong.help)) == ("E002", True)


@pytest.mark.parametrize("kind", ["tensor", "list(tensor)", "list(list(tensor))"])
def test_only_functions_take_tensors_as_arguments(kind: str) -> None:
    """Of a block and a model these were types that nothing could satisfy."""
    block = f"block B(x: {kind}) = conv(4, 3)"
    found = only(net("image(3, 8, 8) -> conv(4, 3)", block))
    assert (found.code, "on (x, …)" in str(found.help)) == ("E338", True)
    assert codes(f"model Net(x: {kind}) = image(3, 8, 8) -> conv(4, 3)") == ["E338"]
    assert codes(net("image(3, 8, 8) -> conv(s(1).y, 3)", f"scaling s(x: {kind}) {{ y = 3 }}")) == ["E338"]
    fn = f"fn f(x: {kind}) = 4"
    given = {"tensor": "x", "list(tensor)": "[x, x]", "list(list(tensor))": "[[x], [x, x]]"}[kind]
    assert codes(net(f"x = image(3, 8, 8)\nx -> conv(f({given}), 3)", fn)) == []
    assert codes(net("x = image(3, 8, 8)\nx -> conv(f(3), 3)", fn)) == ["E301"]


def test_all_must_reach_some_output() -> None:
    body = "x = image(3, 8, 8)\n_y = x -> a: conv(4, 3)\noutput z = x -> b: conv(4, 3)\nx -> c: conv(4, 3)"
    assert codes(net(body)) == ["E325"]


def test_output_is_a_word_in_its_place_only() -> None:
    made = graph(net("output = image(3, 8, 8)\noutput output = output -> conv(4, 3)\noutput -> conv(2, 3)"))
    assert made.output_names == ("logits", "output")
