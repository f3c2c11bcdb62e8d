"""Layers and tensors: composition, combination, several inputs, conditions, and what is refused."""

from __future__ import annotations

import pytest

from tests.semantics.helpers import check, codes, graph, net, only, paths


def ops(text: str) -> list[str]:
    """The ops of a network in order of execution, the image left out."""
    return [node.op.name for node in graph(text).nodes[1:]]


def test_composition_binds_loosest() -> None:
    text = net("x = image(3, 8, 8) -> conv(4, 3)\ny = x -> conv(4, 3)\nx + y -> relu")
    made = graph(text)
    assert ops(text) == ["conv", "conv", "add", "relu"]
    assert [ref.node for ref in made.nodes[3].inputs] == [1, 2]


def test_a_sum_of_layers_applies_each_to_the_same_input() -> None:
    made = graph(net("image(3, 8, 8) -> conv(4, 3) -> id + conv(4, 3) + (relu -> conv(4, 1))"))
    assert [node.op.name for node in made.nodes] == ["image", "conv", "conv", "add", "relu", "conv", "add"]
    assert [[ref.node for ref in node.inputs] for node in made.nodes] == [[], [0], [1], [1, 2], [1], [4], [3, 5]]


def test_a_product_with_itself_has_two_edges() -> None:
    made = graph(net("x = image(3, 8, 8)\nx * x"))
    assert sorted(made.network.edges(keys=True)) == [(0, 1, 0), (0, 1, 1)]
    made = graph(net("image(3, 8, 8) -> concat(id, id, id)"))
    assert sorted(made.network.edges(keys=True)) == [(0, 1, 0), (0, 1, 1), (0, 1, 2)]
    assert made.output_shape.channels == 9


@pytest.mark.parametrize(
    "joined",
    [
        "a + b",
        "add(a, b)",
        "add(..both)",
        "(a, b) -> add",
        "(a, b) -> J",
        "both -> J",
        "a -> (id + (conv(4, 1) -> id))",
    ],
)
def test_ways_to_add(joined: str) -> None:
    body = f"a = image(3, 8, 8) -> conv(4, 3)\nb = a -> conv(4, 3)\nboth = [a, b]\n_none = both\nx = {joined}\nx + b"
    made = graph(net(body, "block J on (x, y) = x + y"))
    assert [node.op.name for node in made.nodes][-2:] == ["add", "add"]


def test_several_inputs_and_outputs() -> None:
    definitions = """
    block Cell(width) on (prev, cur) {
      next = (prev -> conv(width, 1)) + cur
      (cur, next)
    }
    """
    body = """
    prev, cur = image(8, 8, 8), 0
    cur = prev -> conv(4, 3)
    for i in 0..2 { prev, cur = (prev, cur) -> cell{i}: Cell(4) }
    concat(prev, cur)
    """
    text = net(body, definitions)
    assert paths(text) == ["conv1", "cell0.conv1", "cell1.conv1"]
    assert graph(text).output_shape.channels == 8


def test_splits_are_tuples() -> None:
    made = graph(net("a, b = image(8, 4, 4) -> split(2)\nconcat(b, a -> conv(4, 1))"))
    assert [str(shape) for shape in made.nodes[1].outputs] == ["4×4×4", "4×4×4"]
    assert made.nodes[-1].inputs[0].port == 1


def test_layers_as_arguments_are_fresh_at_every_use() -> None:
    definitions = "block B(f: layer, act: layer = relu) = f -> act -> f"
    text = net("image(3, 8, 8) -> B(conv(4, 3)) -> B(conv(4, 3) -> bn, gelu)", definitions)
    assert paths(text) == ["b1.conv1", "b1.conv2", "b2.conv1", "b2.bn1", "b2.conv2", "b2.bn2"]
    assert [name for name in ops(text) if name in ("relu", "gelu")] == ["relu", "gelu"]


def test_ops_are_applied_in_parts() -> None:
    text = net("f = conv(kernel = 3)\nimage(3, 8, 8) -> f(4) -> f(8, stride = 2)")
    assert str(graph(text).output_shape) == "8×4×4"


@pytest.mark.parametrize("stride", [1, 2])
def test_conditions_between_layers(stride: int) -> None:
    definitions = """
    fn shortcut(x, out, stride) = if stride == 1 and x.channels == out then id else down: conv(out, 1, stride)
    block B(out, stride) = conv(out, 3, stride) + shortcut(in, out, stride)
    """
    expected = ["conv", "add"] if stride == 1 else ["conv", "conv", "add"]
    assert ops(net(f"image(4, 8, 8) -> B(4, {stride})", definitions)) == expected


@pytest.mark.parametrize(("wide", "channels"), [("true", 8), ("false", 4)])
def test_if_statements(wide: str, channels: int) -> None:
    definitions = """
    block B(wide: bool) {
      x = in
      if wide { x = x -> conv(8, 1) } else if x.width > 100 { x = x -> conv(9, 1) } else { x = x -> conv(4, 1) }
      x
    }
    block Last(wide: bool) {
      if wide { in -> conv(8, 1) } else { in -> conv(4, 1) }
    }
    """
    assert graph(net(f"image(4, 8, 8) -> B({wide})", definitions)).output_shape.channels == channels
    assert graph(net(f"image(4, 8, 8) -> Last({wide})", definitions)).output_shape.channels == channels


def test_a_name_bound_in_the_branch_that_is_not_taken() -> None:
    found = only(net("x = image(3, 8, 8)\nif x.width > 9 { out = 4 }\nx -> conv(out, 1)"))
    assert (found.code, found.span and found.span.text) == ("E101", "out")


def test_defaults_belong_to_the_file_in_which_an_op_is_written(tmp_path: object) -> None:
    text = "default conv(bias = false), bn(eps = 1e-3)\n" + net(
        "image(3, 8, 8) -> conv(4, 3) -> bn -> conv(4, 3, bias = true)"
    )
    made = graph(text)
    assert [len(node.weights) for node in made.nodes if node.op.name == "conv"] == [1, 2]
    assert [node.params.eps for node in made.nodes if node.op.name == "bn"] == [1e-3]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("x = image(3, 8, 8)\nx + relu", "E314"),
        ("x = image(3, 8, 8)\nx / x", "E304"),
        ("x = image(3, 8, 8)\nx - relu", "E314"),
        ("x = image(3, 8, 8)\nx - (x -> conv(2, 1))", "E212"),
        ("x = image(3, 8, 8)\n1 - x", "E301"),
        ("x = image(3, 8, 8)\nx + 1", "E301"),
        ("x = image(3, 8, 8)\nconcat()", "E301"),
        ("image(3, 8, 8) -> 3", "E313"),
        ("image(3, 8, 8) -> f", "E313"),
        ("x = image(3, 8, 8)\nx -> x", "E313"),
        ("3 -> relu", "E301"),
        ("x = image(3, 8, 8)\nx -> B(x)", "E301"),
        ("x = image(3, 8, 8)\nx -> B([x])", "E301"),
        ("x = image(3, 8, 8)\nx -> conv(x, 3)", "E301"),
        ("x = image(3, 8, 8)\n(x, x) -> relu", "E211"),
        ("x = image(3, 8, 8)\n(x, x, x) -> J", "E211"),
        ("image(3, 8, 8) -> add", "E211"),
        ("image(3, 8, 8) -> mul(id, id, id)", "E211"),
        ("image(3, 8, 8) -> [relu, 3]", "E301"),
        ("x = image(3, 8, 8)\nx.depth -> relu", "E114"),
        ("image(3, 8, 8) -> (stem: conv(4, 3))(stride = 2)", "E309"),
        ("image(3, 8, 8) -> (relu -> relu)(2)", "E309"),
        ("x = image(3, 8, 8) -> (if 1 == 1 then 3 else relu)\nx", "E313"),
        ("image(3, 8, 8) -> Number", "E301"),
        ("image(3, 8, 8) -> Shapes", "E201"),
    ],
)
def test_refused(body: str, code: str) -> None:
    definitions = """
    fn f(a) = a
    block B(a) = conv(a, 1)
    block J on (x, y) = x + y
    block Number = 3
    block Shapes = id + conv(4, 3, stride = 2)
    """
    assert codes(net(body, definitions)) == [code]


# --- images and results ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        (net("conv(4, 3)"), "E319", "Net"),
        (net("image -> conv(4, 3)"), "E319", "Net"),
        (net("3"), "E319", "Net"),
        (net("x = image(3, 8, 8)\nx.width"), "E301", "x.width"),
        (net("x = image(3, 8, 8)"), "E312", "Net"),
        (net("x = image(3, 8, 8)\nfor i in 0..2 { x = x -> relu }"), "E312", "Net"),
        (net("image(3, 0, 8)"), "E323", "0"),
        (net("image(3, 8, 2.5)"), "E323", "2.5"),
        (net("image(true, 8, 8)"), "E323", "true"),
        (net("image(3, 8)"), "E103", "image(3, 8)"),
        (net("image(3, 8, 8) -> B", "block B { image(3, 8, 8) }"), "E324", "image(3, 8, 8)"),
        (net("image(3, 8, 8) -> B", "block B = in -> image"), "E211", "image"),
        (net("image(3, 8, 8) -> B(2)", "block B(a) { x = in -> conv(a, 3) }"), "E312", "B"),
    ],
)
def test_images_and_results(text: str, code: str, place: str) -> None:
    found = only(text)
    assert (found.code, found.span and found.span.text) == (code, place)


@pytest.mark.parametrize(
    ("body", "code", "place"),
    [
        ("x = image(3, 8, 8)\nx -> conv(4, 3)\nx -> relu", "E322", "x -> conv(4, 3)"),
        ("x = image(3, 8, 8)\nconv(4, 3)\nx -> relu", "E322", "conv(4, 3)"),
        ("x = image(3, 8, 8)\nx.width + 1\nx -> relu", "E322", "x.width + 1"),
        ("x = image(3, 8, 8)\nfor i in 0..2 { x -> conv(4, 3) }\nx", "E322", "x -> conv(4, 3)"),
        ("x = image(3, 8, 8)\nif x.width > 4 { x -> relu }\nx", "E322", "if x.width > 4 { x -> relu }"),
        ("x = image(3, 8, 8)\n_y = x -> bn -> conv(4, 3)\nx", "E325", "conv(4, 3)"),
        ("x = image(3, 8, 8)\n_y = x -> relu\nx", "E325", "relu"),
        ("x = image(3, 8, 8)\nn = (x -> conv(4, 3)).channels\nx -> conv(n, 3)", "E325", "conv(4, 3)"),
        ("x = image(3, 8, 8)\n_a, b = (x -> conv(4, 3), x)\nb", "E325", "conv(4, 3)"),
        ("x = image(4, 8, 8)\na, b = x -> split(2)\na", "E325", "split(2)"),
        ("x = image(4, 8, 8)\nparts = x -> split(4)\nparts[0] + parts[1] + parts[2]", "E325", "split(4)"),
        ("x = image(4, 8, 8)\nparts = x -> split(4)\nconcat(parts[1..])", "E325", "split(4)"),
        ("x = image(4, 8, 8)\n(x -> split(2))[0]", "E325", "split(2)"),
        ("x = image(4, 8, 8)\na, b = x -> [conv(4, 3), split(2)]\nb -> relu", "E325", "split(2)"),
    ],
)
def test_nothing_is_computed_for_nothing(body: str, code: str, place: str) -> None:
    found = only(net(body))
    assert (found.code, found.span and found.span.text) == (code, place)


PICK = """
block First on (a, _b) = a -> relu
block Both on (a, b) = add -> relu
block Part { a, _b = in -> split(2)
  a -> conv(4, 3) }
fn second(_a, b) = b
"""


@pytest.mark.parametrize(
    "body",
    [
        "a, _b = x -> split(2)\na",
        "a, _b, c, _d = x -> split(4)\na + c",
        "x -> split(2) -> First",
        "x -> split(2) -> Both",
        "a, b = x -> split(2)\nsecond(a, b)",
        "(x -> Part) + (x -> Part) + (x -> Part)",
        "for _i in 0..2 { x, _y = (x -> split(2), x)\nx = concat(x) }\nx",
    ],
)
def test_a_name_with_an_underscore_lets_go_of_a_part(body: str) -> None:
    assert [str(d) for d in check(net(f"x = image(4, 8, 8)\n{body}", PICK)) if d.code != "E121"] == []


def test_a_part_that_one_instance_lets_go_of_is_missing_in_another() -> None:
    halves = "block Halves = split(2)\n"
    body = "x = image(4, 8, 8)\na, _b = x -> Halves\nc, d = x -> Halves\n"
    assert codes(net(body + "a + c + d", halves)) == []
    found = only(net(body + "a + c", halves))
    assert found.code == "E325"
    assert found.message == "no output depends on part 2 of what `halves2.split1` computes"


def test_all_parts_that_nothing_reads_are_named() -> None:
    found = only(net("x = image(4, 8, 8)\nparts = x -> split(4)\nparts[2]"))
    assert found.message == "no output depends on parts 1, 2 and 4 of what `split1` computes"


def test_a_block_that_ignores_its_input_leaves_what_came_before_it_dead() -> None:
    found = only(net("x = image(3, 8, 8)\n(x -> conv(4, 3), x) -> B", "block B on (a, b) = b -> relu"))
    assert (found.code, found.span and found.span.text) == ("E325", "conv(4, 3)")


# --- where an error is -----------------------------------------------------------------------


def test_notes_tell_the_chain_of_instances() -> None:
    definitions = """
    block Inner(width, stride = 1) = id + conv(width, 3, stride)
    block Outer(width) = Inner(width) -> second: Inner(width, stride = 2)
    """
    found = only(net("image(8, 8, 8) -> a: [Outer(8), relu]", definitions))
    assert found.code == "E201"
    assert found.message == "cannot add 8×8×8 and 8×4×4"
    inner, outer, model = found.notes
    assert inner.startswith("in Inner(width = 8, stride = 2) at a.0.second, from test.arch:")
    assert outer.startswith("in Outer(width = 8) at a.0, from test.arch:")
    assert model.startswith("in Net, from test.arch:")


def test_the_operands_of_a_sum_are_marked_with_their_shapes() -> None:
    found = only(net("x = image(3, 8, 8)\ny = x -> conv(4, 3)\nz = x -> conv(4, 3, 2)\ny + z"))
    assert found.code == "E201"
    marked = {(label.span.text, label.text) for label in found.secondary}
    assert {("y", "4×8×8"), ("z", "4×4×4")} <= marked


def test_equal_faults_of_many_instances_are_said_once() -> None:
    definitions = "block B(width) = id + conv(width, 3, 2)"
    assert len(check(net("image(8, 64, 64) -> [B(8), B(8), B(8)]", definitions))) == 1


def test_a_fault_that_is_in_every_variant_stops_every_variant() -> None:
    """The bag keeps one diagnostic for all of them; none of their graphs is made."""
    from archdsl.api import ArchFile
    from archdsl.source import Source

    text = """
block B(width) {
  require width > 100, "too narrow"
  in -> conv(width, 3)
}
model Net(n) = image(n, 8, 8) -> B(n) -> B(n)
variants Net(n) {
  a: 8
  b: 8
  c: 9
}
"""
    file = ArchFile(Source("test.arch", text))
    assert [d.code for d in file.check()] == ["E316"]
    assert not [name for name in file if "graph" in file[name].__dict__]


# --- declared types and ranges ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "value", "code"),
    [
        ("a: int", "8", ""),
        ("a: int", "8.0", "E301"),
        ("a: int", "true", "E301"),
        ("a: float", "8", ""),
        ("a: float", "true", "E301"),
        ("a: bool", "1", "E301"),
        ("a: bool", "false", ""),
        ("a: string", '"x"', ""),
        ("a: string", "1", "E301"),
        ("a: list", "[1]", ""),
        ("a: list", "0..3", ""),
        ("a: list(int)", "[1, 2.5]", "E301"),
        ("a: list(list(int))", "[[1], [2]]", ""),
        ("a: list(list(int))", "[[1], 2]", "E301"),
        ("a: layer", "relu", ""),
        ("a: layer", "conv(3) -> relu", ""),
        ("a: layer", "3", "E301"),
        ("a: record", "rows[0]", ""),
        ("a: record", "rows", "E301"),
        ("a: int in 1..10", "1", ""),
        ("a: int in 1..10", "9", ""),
        ("a: int in 1..10", "10", "E302"),
        ("a: int in 1..10", "0", "E302"),
        ("a: float in 0.5..", "0.4", "E302"),
        ("a: float in ..1.0", "1.0", "E302"),
        ("a: list(int) in 1..10", "[3, 10]", "E302"),
        ("a: list(int) in 1..10", "[3, 9]", ""),
        ('a: string in ["x", "y"]', '"y"', ""),
        ('a: string in ["x", "y"]', '"z"', "E302"),
        ("a: int in 3", "3", "E301"),
        ('a: int in "a".."b"', "3", "E301"),
        ("a: string in 1..3", '"x"', "E302"),
        ("a: int = 2.5", "", "E301"),
        ("a: int in 1..3 = 7", "", "E302"),
        ("a: int = 2", "", ""),
    ],
)
def test_types_and_ranges(declared: str, value: str, code: str) -> None:
    for definition in (
        f"fn f({declared}) {{\n _b = a\n 4\n}}",
        f"scaling f({declared}) {{\n depth = if 1 == 1 then 4 else a\n}}",
    ):
        definitions = "table rows(a, b) {\n  1, 2\n}\n" + definition
        use = f"f({value})" if definition.startswith("fn") else f"f({value}).depth"
        assert codes(net(f"image(3, 8, {use})", definitions)) == ([code] if code else [])
    block = f"table rows(a, b) {{\n  1, 2\n}}\nblock B({declared}) {{\n _b = a\n in -> relu\n}}"
    assert codes(net(f"image(3, 8, 8) -> B({value})", block)) == ([code] if code else [])


def test_the_declaration_is_shown_beside_the_argument() -> None:
    found = only(net("image(3, 8, f(2.5))", "fn f(a: int) = a"))
    assert found.span is not None
    assert found.span.text == "2.5"
    assert [label.span.text for label in found.secondary] == ["a: int"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("x = image(3, 8, 8)\n1 - x", "x -> scale(0.5)"),
        ("x = image(3, 8, 8)\nx + 1", "x -> scale(0.5)"),
        ("x = image(3, 8, 8)\n0.5 * x", "x -> scale(0.5)"),
        ("x = image(3, 8, 8)\nx / 2", "scale(1 / n)"),
        ("image(3, 8, 8) -> 3 * relu", "3 of layer"),
    ],
)
def test_a_tensor_and_a_number(body: str, words: str) -> None:
    assert words in (only(net(body)).help or "")
