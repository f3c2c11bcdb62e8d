"""The hint for what people write: each says what to write instead, and an error brings no second one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

import archdsl
from archdsl.diagnostics.core import ArchError
from tests.semantics.helpers import net, only

HINTS = [
    ('x = image(3, 8, 8)\ny = "a" + "b"\nx -> conv(len([y]), 3)', "E304", "texts are not joined"),
    ('x = image(3, 8, 8)\nx -> Unit("{p}.x")', "E124", "to name a layer"),
    ('x = image(3, 8, 8)\nrequire x.width > 4, "got {p}"\nx -> Unit(p)', "E124", "leave the braces out"),
    ("x = image(3, 8, 8)\na, b = x -> relu\na + b", "E307", "split(2)"),
    ("x = image(3, 8, 8)\na, b = [1, 2, 3]\nx -> conv(a + b, 3)", "E307", "as many names as values"),
    ("x = image(3, 8, 8)\nx -> foo(3)", "E101", "it is no op"),
    ("x = image(3, 8, 8)\nx -> cnov(3, 3)", "E101", "did you mean `conv`?"),
    ('image(3, 8, 8) -> permute("nhwc") -> conv(4, 3)', "E205", 'in front of permute("nhwc")'),
    ("x = image(3, 8, 8)\nid = x -> conv(4, 3)\nx -> relu", "E117", "another name"),
    ('x = image(3, 8, 8)\nx -> Unit(kind = "a")', "E102", "did you mean `mind`?"),
]

UNIT = 'block Unit(mind: string) = if mind == "w" then conv(32, 3) else conv(16, 3)'


@pytest.mark.parametrize(("body", "code", "hint"), HINTS)
def test_hints(body: str, code: str, hint: str) -> None:
    found = only(net(body, UNIT, 'p: string = "w"'))
    assert found.code == code
    assert hint in (found.help or "")


@pytest.mark.parametrize(
    ("wrong", "hint"),
    [
        ("y = relu(x)", "a tensor goes through ->: x -> relu"),
        ("y = One(x)", "a tensor goes through ->: x -> One"),
        ("y = gap(x -> relu)", "a tensor goes through ->: x -> gap"),
        ("y = x -> relu(16)", None),
        ("y = Any(relu, x)", "a tensor goes through ->: x -> relu"),
    ],
)
def test_a_tensor_as_an_argument_that_there_is_no_place_for(wrong: str, hint: str | None) -> None:
    text = (
        "block One = conv(4, 3)\nfn Any(act, x) = act(x)\n"
        f"model Net {{\n  x = image(3, 8, 8) -> conv(4, 3)\n  {wrong}\n  y -> One\n}}\nvariant net = Net()"
    )
    found = only(text)
    assert (found.code, found.help) == ("E105", hint)


def test_a_path_used_twice_is_no_sharing_of_weights() -> None:
    found = only("model Net = image(3, 8, 8) -> c: conv(3, 3) -> c: conv(3, 3)\nvariant net = Net()")
    assert (found.code, "weights cannot be shared" in (found.help or "")) == ("E107", True)


SAID = {
    "num_classes": "did you mean `classes`?",
    "pretrained": "weights = FILE",
    "in_chans": "in_channels = 1",
    "img_size": "image_size = 160",
    "features_only": "features = True",
}
"""Arguments of `timm.create_model` and torchvision's functions -> what is said here."""


@pytest.mark.parametrize("name", SAID)
def test_what_other_libraries_set_of_a_whole_network(name: str) -> None:
    resnet = archdsl.find("resnet18")
    changes: list[Callable[[], object]] = [
        lambda: resnet.override({name: 1}),
        lambda: resnet.set({name: "1"}),
        lambda: archdsl.load("resnet18", None, **{name: 1}),
    ]
    for change in changes:
        with pytest.raises(ArchError) as raised:
            change()
        (found,) = raised.value.diagnostics
        assert (found.code, SAID[name] in (found.help or "")) == ("E119", True), found


def test_no_classes() -> None:
    with pytest.raises(ArchError) as raised:
        assert archdsl.find("resnet18").override({"classes": 0}).graph
    (found,) = raised.value.diagnostics
    assert "features = True" in (found.help or "")


def test_a_misspelt_declaration_is_one_error() -> None:
    found = only("block Unit(widht: int) = conv(width, 3) -> conv(width, 3)\nmodel Net = image(3, 8, 8) -> Unit(8)")
    assert found.code == "E101"
    assert found.span is not None
    assert found.span.text == "widht: int"
    assert found.help == "did you mean `width` here? nothing uses `widht`"


def test_an_unknown_name_says_where_the_one_that_was_meant_is_declared() -> None:
    found = only("block Unit(width: int) = conv(widht, 3) -> conv(width, 3)\nmodel Net = image(3, 8, 8) -> Unit(8)")
    assert [(label.span.text, label.text) for label in found.secondary] == [("width: int", "declared here")]


@pytest.mark.parametrize("name", ["imaenet1k", "", "ImageNet"])
def test_a_list_of_classes_that_is_not_shipped(name: str) -> None:
    text = f'model Net = image(3, 8, 8) -> gap -> flatten -> linear(10)\npreprocess Net {{ labels = "{name}" }}'
    found = only(text)
    assert (found.code, found.span and found.span.text) == ("E302", f'"{name}"')
    assert "imagenet1k" in found.message


def test_a_figure_that_is_not_met_says_where_its_variant_is() -> None:
    found = only(
        "model Net(n: int) = image(3, 8, 8) -> conv(n, 3)\nvariants Net(n) {\n  a: 8\n}\nexpect a { params = 9 }"
    )
    assert found.code == "E401"
    assert [label.span.text for label in found.secondary] == ["a"]
