"""Labels and paths: the keys of the state_dict."""

from __future__ import annotations

import pytest

from tests.semantics.helpers import codes, graph, keys, net, only, paths


def test_labels_containers_and_ordinals() -> None:
    body = """
    x = image(3, 16, 16) -> stem: conv(8, 3) -> bn -> relu
    x = x -> features.0: conv(8, 3) -> features.1: [conv(8, 3), bn]
    x = x -> conv(8, 3) -> conv(8, 3) -> bn
    x -> "a-b.c": conv(8, 3)
    """
    assert paths(net(body)) == [
        "stem", "bn1", "features.0", "features.1.0", "features.1.1", "conv1", "conv2", "bn2", "a-b.c",
    ]  # fmt: skip


def test_members_are_numbered_by_position_labelled_ones_included() -> None:
    body = "image(3, 8, 8) -> body: [conv(4, 3), relu, norm: bn, relu, conv(4, 3)]"
    assert paths(net(body)) == ["body.0", "body.norm", "body.4"]


@pytest.mark.parametrize("flag", ["true", "false"])
@pytest.mark.parametrize("how", ["block", "constant", "passed"])
def test_a_member_that_is_left_out_takes_no_number(flag: str, how: str) -> None:
    """Whether the condition is known at once, or hangs on a parameter, or the list came as an argument."""
    members = "[conv(4, 3) if {}, bn, relu, if {} then id else conv(4, 1), conv(8, 3)]"
    definitions = "block Body(wide: bool) = " + members.format("wide", "wide")
    if how == "constant":
        text = net(f"image(3, 8, 8) -> body: {members.format(flag, flag)}")
    elif how == "block":
        text = net(f"image(3, 8, 8) -> body: Body({flag})", definitions)
    else:
        outer = "block Outer(inner: layer) = all: inner\nblock Give(wide: bool) = Outer("
        text = net(f"image(3, 8, 8) -> Give({flag})", outer + members.format("wide", "wide") + ")")
    expected = ["0", "1", "3"] if flag == "true" else ["0", "2", "3"]
    prefix = "give1.outer1.all" if how == "passed" else "body"
    assert paths(text) == [f"{prefix}.{number}" for number in expected]


def test_identity_takes_no_number() -> None:
    assert paths(net("image(3, 8, 8) -> a: [id, conv(4, 3), id, bn]")) == ["a.0", "a.1"]


def test_blocks_make_levels_functions_and_bindings_do_not() -> None:
    definitions = """
    fn twice(width) = conv(width, 3) -> second: conv(width, 3)
    block Unit(width) {
      main = twice(width)
      main + (id -> short: conv(width, 1))
    }
    """
    body = "image(3, 8, 8) -> Unit(4) -> Unit(4) -> block3: Unit(4)"
    inside = ["conv1", "second", "short"]
    assert paths(net(body, definitions)) == [
        f"{unit}.{name}" for unit in ("unit1", "unit2", "block3") for name in inside
    ]


def test_names_of_blocks_become_words() -> None:
    definitions = "block SqueezeExcite() = conv(4, 1)\nblock MBConv() = conv(4, 1)\nblock B2() = conv(4, 1)"
    body = "image(3, 8, 8) -> SqueezeExcite -> MBConv -> B2"
    assert paths(net(body, definitions)) == ["squeeze_excite1.conv1", "mb_conv1.conv1", "b21.conv1"]


def test_an_ordinal_avoids_a_label() -> None:
    assert paths(net("image(3, 8, 8) -> conv1: conv(4, 3) -> conv(4, 3)")) == ["conv1", "conv2"]


def test_one_label_around_a_chain_names_a_group() -> None:
    assert paths(net("image(3, 8, 8) -> stem: (conv(4, 3) -> bn -> relu)")) == ["stem.conv1", "stem.bn1"]


def test_a_bare_parameter_has_the_label_as_its_key() -> None:
    assert keys(net("image(3, 8, 8) -> gamma: layer_scale(1e-6)")) == ["gamma"]


@pytest.mark.parametrize(
    "body",
    [
        "image(3, 8, 8) -> a: conv(4, 3) -> a: conv(4, 3)",
        "image(3, 8, 8) -> a: [conv(4, 3)] -> a: [conv(4, 3)]",
        "image(3, 8, 8) -> a.b: conv(4, 3) -> a.b: conv(4, 3)",
        "image(3, 8, 8) -> a: [0: conv(4, 3), conv(4, 3)]".replace("0:", '"1":'),
        "x = image(3, 8, 8)\nfor i in 0..2 { x = x -> a: conv(4, 3) }\nx",
        "image(3, 8, 8) -> conv(4, 3) -> conv1: conv(4, 3)",
        "image(3, 8, 8) -> a: id -> a: conv(4, 3)",
        "image(3, 8, 8) -> a: conv(4, 3) -> a.b: conv(4, 3)",
    ],
)
def test_no_path_belongs_to_two_layers(body: str) -> None:
    found = only(net(body))
    assert found.code == "E107"
    assert found.secondary


def test_containers_of_one_name_are_one_container() -> None:
    made = graph(net("image(3, 8, 8) -> f.0: conv(4, 3) -> conv(4, 3) -> f.1: conv(4, 3)"))
    assert [scope.name for scope in made.root.members if getattr(scope, "kind", "") == "container"] == ["f"]


@pytest.mark.parametrize(
    ("label", "code"),
    [
        ('a{".."}b', "E118"),
        ('a.{""}', "E118"),
        ('"a b"', "E118"),
        ("a{1.5}", "E301"),
        ("a{true}", "E301"),
        ("a{[1]}", "E301"),
        ("a{b}", "E101"),
        ('"' + "a" * 201 + '"', "E118"),
        (".".join("a" * 21), "E118"),
    ],
)
def test_wrong_labels(label: str, code: str) -> None:
    assert codes(net(f"image(3, 8, 8) -> {label}: conv(4, 3)")) == [code]


def test_only_layers_have_labels() -> None:
    assert codes(net("x = a: 3\nimage(3, 8, x)")) == ["E301"]
    assert codes(net("x = a: image(3, 8, 8)\nx")) == ["E301"]


def test_stages_are_found_from_their_nodes() -> None:
    made = graph(net("image(3, 8, 8) -> stage a: [conv(4, 3)] -> stage b: [[conv(4, 3)]] -> conv(4, 3)"))
    stages = [node.stage.path if node.stage else None for node in made.nodes if node.weights]
    assert stages == ["a", "b", None]


STAGED = """
    stage first { x = image(3, 8, 8) -> f.0: conv(4, 3) -> f.1: conv(4, 3) }
    for i in 0..2 { stage "block-{i}" { x = x -> f.{i + 2}: conv(4, 3) } }
    x = x -> f.4: conv(4, 3)
    stage last { x -> f.5.a: conv(4, 3) -> f.5.b: conv(4, 3) }
"""


def test_a_stage_in_braces_is_no_level_of_the_paths() -> None:
    made = graph(net(STAGED))
    found = [(node.path, node.stage.stage_name if node.stage else None) for node in made.nodes if node.weights]
    assert found == [
        ("f.0", "first"),
        ("f.1", "first"),
        ("f.2", "block-0"),
        ("f.3", "block-1"),
        ("f.4", None),
        ("f.5.a", "last"),
        ("f.5.b", "last"),
    ]


def test_a_stage_changes_the_names_around_it() -> None:
    """Also where a comprehension or a call in it has names of its own."""
    body = """
    x = image(3, 8, 8)
    i = 0
    for s in 0..2 {
      stage s{s} {
        for n in [n for n in [1, 2] if n > s] {
          x = x -> f.{i}: conv(n, 1)
          i = i + 1
        }
      }
    }
    x -> f.{i}: conv(4, 1)
    """
    assert paths(net(body)) == ["f.0", "f.1", "f.2", "f.3"]


def test_an_op_alone_can_be_a_stage() -> None:
    made = graph(net("image(3, 8, 8) -> stage f.a: conv(4, 3) -> stage f.b: conv(4, 3)"))
    assert [(node.path, node.stage.stage_name) for node in made.nodes if node.stage] == [("f.a", "f.a"), ("f.b", "f.b")]


def test_a_stage_in_a_block_is_named_behind_its_path() -> None:
    unit = "block Unit { stage body { in -> a: conv(4, 3) } }"
    made = graph(net("image(4, 8, 8) -> u: Unit -> stage v: Unit", unit))
    stages = [(node.path, node.stage.stage_name if node.stage else None) for node in made.nodes if node.weights]
    assert stages == [("u.a", "u.body"), ("v.a", "v.body")]


def test_names_in_a_stage_are_those_around_it() -> None:
    body = "stage s {\n x = image(3, 8, 8) -> a: conv(4, 3)\n}\nx -> a: conv(4, 3)"
    assert codes(net(body)) == ["E107"]
    numbered = "stage s {\n x = image(3, 8, 8) -> conv(4, 3)\n}\nx -> conv(4, 3)"
    assert paths(net(numbered)) == ["conv1", "conv2"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("x = image(3, 8, 8)\nfor i in 0..2 { stage s { x = x -> conv(4, 3) } }\nx", "E107"),
        ("stage s { x = image(3, 8, 8) -> conv(4, 3) }\nx -> stage s: conv(4, 3)", "E107"),
        ("stage s { x = image(3, 8, 8) -> conv(4, 3) }\nx -> stage s: [conv(4, 3)]", "E107"),
        ('stage "a b" { image(3, 8, 8) -> conv(4, 3) }', "E118"),
        ("stage s{1.5} { image(3, 8, 8) -> conv(4, 3) }", "E301"),
        ("stage s{n} { image(3, 8, 8) -> conv(4, 3) }", "E101"),
        ("stage s { 3 }\nimage(3, 8, 8) -> conv(4, 3)", "E322"),
        ("stage s { x = image(3, 8, 8) }", "E312"),
        ("x = image(3, 8, 8) -> conv(4, 3)\nstage { x }", "E002"),
    ],
)
def test_wrong_stages(body: str, code: str) -> None:
    assert codes(net(body)) == [code]


def test_a_block_with_stages_is_elaborated_once() -> None:
    """The second instance is a copy: it has the stages of the first under its own path."""
    unit = "block Unit(width) {\n stage a { x = in -> f.0: conv(width, 3) }\n stage b { x -> f.1: conv(width, 3) } }"
    made = graph(net("image(4, 8, 8) -> u: Unit(4) -> v: Unit(4)", unit))
    names = [node.stage.stage_name for node in made.nodes if node.stage]
    assert names == ["u.a", "u.b", "v.a", "v.b"]
    assert [node.path for node in made.nodes if node.weights] == ["u.f.0", "u.f.1", "v.f.0", "v.f.1"]
