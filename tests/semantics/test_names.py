"""Names, parameters and definitions: what is found without elaborating anything, and where it points."""

from __future__ import annotations

import keyword

import pytest

from archdsl.python_names import MODULE_ATTRIBUTES
from archdsl.semantics.reserved import label_problem
from tests.semantics.helpers import check, codes, net, only, paths, places


def never(expression: str, parameters: str = "width = 4") -> str:
    """A file in which a block that no model uses has this body."""
    return net("image(3, 8, 8)", f"block Never({parameters}) = {expression}")


@pytest.mark.parametrize(
    ("expression", "code", "text", "hint"),
    [
        ("conv(widht, 3)", "E101", "widht", "width"),
        ("cnov(width, 3)", "E101", "cnov", "conv"),
        ("conv(width, kernal = 3)", "E102", "kernal", "kernel"),
        ("conv(width, 3, 1, 0, 1, 1, true, 7)", "E105", "7", ""),
        ("conv(width, 3, kernel = 5)", "E104", "kernel", ""),
        ("conv(width, 3, stride = 1, stride = 2)", "E104", "stride", ""),
        ("relu(width)", "E105", "width", ""),
        ("conv(len(width, 2), 3)", "E105", "2", ""),
        ("conv(len(), 3)", "E103", "len()", ""),
        ("conv(max(a = width), 3)", "E102", "a", ""),
        ("concat(id, id, axis = width)", "E102", "axis", ""),
        ("[conv(width, 3) for i in 0..n]", "E101", "n", ""),
        ("[conv(width, 3) if wide]", "E101", "wide", ""),
        ("[conv(i, width) for i in 0..2] -> conv(i, 3)", "E101", "i", ""),
        ("layer{wdith}: conv(width, 3)", "E101", "wdith", "width"),
    ],
)
def test_bodies_that_nothing_uses_are_checked(expression: str, code: str, text: str, hint: str) -> None:
    found = only(never(expression))
    assert found.code == code
    assert found.span is not None
    assert found.span.text == text
    if hint:
        assert f"`{hint}`" in (found.help or "")


def test_calls_of_definitions() -> None:
    definitions = """
    fn f(a, b = 1) = a + b
    block B(width, stride = 1) = conv(width, 3, stride)
    table rows(out, depth) {
      1, 2
    }
    scaling s(phi) { depth = 2^phi }
    """
    calls = "f(), f(1, c = 2), f(1, 2, 3), B(1, strid = 2), rows(1), s(1, 2), Net(1), f(..rows[0])"
    found = places(net(f"x = [{calls}]\nimage(len(x), 8, 8)", definitions))
    assert found == [
        ("E103", "f()"),
        ("E102", "c"),
        ("E105", "3"),
        ("E102", "strid"),
        ("E309", "rows"),
        ("E105", "2"),
        ("E309", "Net"),
        ("E113", "Net"),
    ]


def test_a_block_may_get_its_arguments_in_two_steps() -> None:
    definitions = "block B(width, stride, act: layer) = conv(width, 3, stride) -> act"
    text = net("half = B(8, act = relu)\nimage(3, 8, 8) -> half(2) -> half(stride = 1)", definitions)
    assert paths(text) == ["b1.conv1", "b2.conv1"]


def test_an_argument_given_in_the_first_step_can_be_replaced_by_name() -> None:
    definitions = "block B(width, stride = 1) = conv(width, 3, stride)"
    assert codes(net("half = B(8)\nimage(3, 8, 8) -> half(width = 4)", definitions)) == []


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ("y = x\nx = image(3, 8, 8)\ny", "E101"),
        ("x = image(3, 8, 8)\nfor i in 0..2 { x = x -> conv(before, 1)\nbefore = 4 }\nx", "E101"),
        ("x = image(3, 8, 8)\nif x.width > 100 { wide = 3 }\nx -> conv(wide, 1)", "E101"),
        ("for i in 0..2 { }\nimage(3, 8, 8) -> conv(i + 1, 1)", ""),
        ("x = image(3, 8, 8)\nif x.width > 4 { wide = 3 } else { wide = 4 }\nx -> conv(wide, 1)", ""),
    ],
)
def test_reading_before_binding(body: str, code: str) -> None:
    assert codes(net(body)) == ([code] if code else [])


def test_later_rounds_read_what_earlier_ones_bound() -> None:
    body = """
    x = image(3, 8, 8)
    for i in 0..3 {
      if i > 0 { x = x + previous }
      previous = x
    }
    x
    """
    assert codes(net(body)) == []


def test_recursion_is_reported_once_and_with_its_whole_chain() -> None:
    definitions = """
    block A(n) = conv(n, 3) -> B(n)
    block B(n) = C(n)
    block C(n) = A(n)
    fn f(n) = f(n)
    block Fine(n) = conv(n, 3)
    """
    text = net("image(3, 8, 8) -> A(4) -> Fine(f(3)) -> conv(4, 3, strde = 1)", definitions)
    found = [d for d in check(text) if d.severity == "error"]
    assert [(d.code, d.message) for d in found] == [
        ("E102", "`conv` has no parameter `strde`"),
        ("E113", "a definition uses itself: A -> B -> C -> A"),
        ("E113", "a definition uses itself: f -> f"),
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (net("image(3, 8, 8)", "fn f(a, b, a) = a + b"), "a"),
        (net("image(3, 8, 8)", "block B(a) on (a, b) = a + b"), "a"),
        (net("image(3, 8, 8)", "table t(a, b, a) {\n  1, 2, 3\n}"), "a"),
        (net("image(3, 8, 8)", "block f() = relu\nfn f() = 1"), "f"),
        (net("a, a = [1, 2]\nimage(3, 8, a)"), "a"),
        (net("image(3, 8, 8)") + "variant net = Net()\n", "net"),
        (net("image(3, 8, 8)") + "expect net { params = 0, params = 0 }\n", "params"),
        (net("image(3, 8, 8)") + "preprocess net { size = 8, size = 9 }\n", "size"),
        ("default bn(eps = 1e-3), bn(eps = 1e-4)\n" + net("image(3, 8, 8)"), "bn(eps = 1e-4)"),
        ('"one"\n"two"\n' + net("image(3, 8, 8)"), '"two"'),
    ],
)
def test_defined_twice(text: str, place: str) -> None:
    found = only(text)
    assert found.code == "E106"
    assert found.span is not None
    assert found.span.text == place
    assert found.secondary, "the first place is shown too"


@pytest.mark.parametrize("name", ["class", "lambda", "self", "torch", "image", "id", "None"])
def test_names_that_python_or_the_language_needs(name: str) -> None:
    assert codes(net("image(3, 8, 8)", f"fn f({name}) = {name}")) == ["E117"]
    assert codes(net(f"{name} = 3\nimage(3, 8, {name})"))[:1] == ["E117"]
    assert codes(net("image(3, 8, 8)", f"block {name}() = relu"))[:1] == ["E117"]


@pytest.mark.parametrize("name", ["conv", "len", "concat"])
def test_definitions_cannot_replace_ops_and_functions(name: str) -> None:
    assert codes(net("image(3, 8, 8)", f"fn {name}(a) = a")) == ["E117"]


def test_the_width_of_the_input_is_not_a_parameter() -> None:
    """Generated classes take it under this name."""
    assert codes(net("image(3, 8, 8)", "block B(in_channels) = conv(in_channels, 1)")) == ["E117"]


@pytest.mark.parametrize(
    ("declared", "hint"),
    [("a: itn", "did you mean `int`?"), ("a: tensro", "did you mean `tensor`?"), ("a: list(integer)", "the types are"),
     ("a: int(float)", "only a list")],
)  # fmt: skip
def test_types_of_parameters(declared: str, hint: str) -> None:
    found = only(net("image(3, 8, f(8))", f"fn f({declared}) = a"))
    assert found.code == "E120"
    assert hint in (found.help or "")


@pytest.mark.parametrize(
    ("item", "code"),
    [
        ("default cnov(bias = false)", "E101"),
        ("default conv(biass = false)", "E102"),
        ("default conv(64)", "E105"),
        ("default conv(bias = flase)", "E101"),
        ("default conv(bias = true, bias = false)", "E104"),
    ],
)
def test_defaults(item: str, code: str) -> None:
    assert codes(f"{item}\n" + net("image(3, 8, 8) -> conv(8, 3)")) == [code]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("fn f(a, b) = a\n" + net("image(3, 8, f(8, 8))"), ["b"]),
        ("fn f(a, _b) = a\n" + net("image(3, 8, f(8, 8))"), []),
        (net("width = 3\nimage(3, 8, 8)"), ["width"]),
        (net("_width = 3\nimage(3, 8, 8)"), []),
        (net("for i, n in [1, 2] { }\nimage(3, 8, 8)"), ["i", "n"]),
        (net("for _i, n in [1, 2] { require n > 0 }\nimage(3, 8, 8)"), []),
        (net("a, b = [1, 2]\nimage(3, 8, a)"), ["b"]),
        (net("a, _b = [1, 2]\nimage(3, 8, a)"), []),
        (net("image(3, 8, sum([1 for i in 0..8]))"), ["i"]),
        (net("image(3, 8, sum([a for _i, (a, b) in zip([8], [8])]))"), ["b"]),
        (net("x = image(4, 8, 8)\na, b = x -> split(2)\na + a"), ["b"]),
        ("block B on (a, b) = add -> conv(a.channels, 3)\n" + net("image(4, 8, 8) -> split(2) -> B"), []),
        ("block B on (a, b) = a -> relu\n" + net("image(4, 8, 8) -> split(2) -> B"), ["b"]),
        ("block B on (a, _b) = a -> relu\n" + net("image(4, 8, 8) -> split(2) -> B"), []),
        ("scaling s(phi) { depth = 2^phi }\n" + net("image(3, 8, s(1).depth)"), []),
        ('use "common.arch" (SqueezeExcite, divisible)\n' + net("image(3, 8, divisible(8))"), ["SqueezeExcite"]),
    ],
)  # fmt: skip
def test_unused_names_are_warnings(text: str, names: list[str]) -> None:
    found = [d for d in check(text) if d.code != "E325"]
    assert [(d.code, d.severity) for d in found] == [("E121", "warning")] * len(names)
    assert [d.span.text for d in found if d.span] == names


def test_variants_and_tables_use_names() -> None:
    used = 'use "common.arch" (divisible)\ntable t(a) {\n  divisible(8)\n}\nmodel Net(n) = image(3, n, t[0].a)\n'
    assert check(used + "variant net = Net(8)\n") == ()
    used = 'use "common.arch" (divisible)\nmodel Net(n) = image(3, n, 8)\n'
    assert check(used + "variant net = Net(divisible(8))\n") == ()


RECIPE = 'batch = 256, optimizer = sgd, lr = 1, lr_scaling = "none", schedule = cosine'


@pytest.mark.parametrize(
    "item",
    [
        "preprocess net { size = divisible(8) }",
        "init net { conv: normal(std = divisible(8) / 100) }",
        "reference timm for net { sizes = [divisible(32)] }",
        'weights own for net { v1: file = "net.pth", mib = divisible(8) }',
        f"recipe a for net {{ {RECIPE}, epochs = divisible(8), size = 8 }}",
        f"recipe a for net {{\n  {RECIPE}, epochs = 8\n  progressive(size) {{\n    8\n    divisible(16)\n  }}\n}}",
    ],
)
def test_what_is_said_of_variants_uses_names(item: str) -> None:
    model = "model Net = image(3, 8, 8) -> conv(8, 3) -> gap -> flatten -> linear(10)\nvariant net = Net()\n"
    assert check('use "common.arch" (divisible)\n' + model + item) == ()


def test_a_name_that_could_not_be_imported_causes_no_second_error() -> None:
    text = 'use "common.arch" (Squeeze)\nuse "nowhere.arch" (a, B)\n'
    assert codes(text + net("image(3, a, 8) -> B(a) -> Squeeze(2)")) == ["E111", "E110"]


# --- names of torch --------------------------------------------------------------------------


def test_the_frozen_list_of_module_attributes_covers_the_installed_torch() -> None:
    from torch import nn

    names = set(dir(nn.Module())) | set(dir(nn.Sequential())) | set(dir(nn.ModuleDict()))
    assert {name for name in names if not name.startswith("__")} <= MODULE_ATTRIBUTES


@pytest.mark.parametrize("name", ["forward", "train", "training", "type", "half", "parameters", "_modules", "pop"])
def test_a_layer_cannot_hide_what_torch_modules_have(name: str) -> None:
    found = only(net(f"image(3, 8, 8) -> {name}: conv(4, 3)"))
    assert found.code == "E118"
    assert f"`{name}`" in (found.help or "")
    assert only(net(f"image(3, 8, 8) -> features.{name}.0: conv(4, 3)")).code == "E118"


def test_labels_cannot_be_words_of_python() -> None:
    assert all(label_problem(word) for word in keyword.kwlist)
    assert only(net("image(3, 8, 8) -> lambda: conv(4, 3)")).code == "E118"
    assert label_problem("__init__")


@pytest.mark.parametrize("label", ["features", "0", "layer1", "_conv_head", "norm", "gate", "types", "weight"])
def test_other_labels_are_free(label: str) -> None:
    assert label_problem(label) is None


@pytest.mark.parametrize(
    ("layer", "hint"),
    [
        ("Sequential", "f -> g"),
        ("nn", "without a module"),
        ("True", "`true` and `false`"),
        ("BatchNorm2d", "did you mean `bn`?"),
        ("Identity", "did you mean `id`?"),
    ],
)
def test_names_of_other_libraries(layer: str, hint: str) -> None:
    found = only(f"model M {{ image(3, 8, 8) -> {layer} -> gap -> flatten -> linear(2) }}")
    assert (found.code, found.span and found.span.text) == ("E101", layer)
    assert hint in (found.help or "")


def test_a_factor_is_no_repeat() -> None:
    found = only("model M { image(3, 8, 8) -> [3 * conv(8, 3)] -> gap -> flatten -> linear(2) }")
    assert "3 of layer" in (found.help or "")


def test_let() -> None:
    found = only("model M {\n  let y = 3\n  image(3, 8, 8) -> conv(y, 1) -> gap -> flatten -> linear(2)\n}")
    assert "no word in front" in (found.help or "")
