"""Names are resolved once, and evaluation reads what came out: the bound tree."""

from __future__ import annotations

from pathlib import Path

import pytest

from archdsl import library
from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.semantics import bound
from archdsl.semantics.program import bind
from archdsl.semantics.resolve import resolve
from archdsl.source import Source
from tests.semantics.helpers import check, codes, graph, net, only

SPECS = sorted((Path(__file__).parents[2] / "specs").glob("*.arch"))


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_all_of_a_shipped_spec_is_resolved(path: Path) -> None:
    bag = Bag()
    program = bind(library.read(path), library.used_file, bag)
    assert program is not None
    resolve(program, bag)
    assert not bag.errors
    for file in program.files.values():
        for definition in file.names.values():
            for node in bound.walk((definition.parameters, definition.body, definition.rows)):
                assert not isinstance(node, bound.Refused)
                if isinstance(node, bound.CallOp | bound.CallBlock | bound.CallFunction):
                    assert node.arguments.whole
                    assert len(node.arguments.names) == len(node.arguments.given)


CALLS = ["(1, 1)", "(nme = 1)", "(1, n = 1)"]


@pytest.mark.parametrize("arguments", CALLS)
@pytest.mark.parametrize("callee", ["B", "f"])
def test_a_call_of_a_value_is_bound_as_one_of_a_name(arguments: str, callee: str) -> None:
    """The same words about the same mistake, whether it is found where names are resolved or where a call is made."""
    definitions = "block B(n: int = 1) = conv(n, 1)\nfn f(n: int = 1) = conv(n, 1)\n"
    named = only(net(f"image(3, 8, 8) -> {callee}{arguments}", definitions))
    valued = only(net(f"g = {callee}\nimage(3, 8, 8) -> g{arguments}", definitions))
    assert _words(named) == _words(valued)


def _words(found: Diagnostic) -> tuple[object, ...]:
    assert found.span is not None
    places = [(label.span.text, label.text) for label in found.secondary]
    return found.code, found.message, found.label, found.help, found.span.text, places


def test_what_is_bound_later_takes_what_is_free() -> None:
    made = graph(net("first = conv(4)\nimage(3, 8, 8) -> first(1) -> first(kernel = 3)"))
    assert [node.label for node in made.nodes[1:]] == ["1×1 conv, 4", "3×3 conv, 4"]
    assert codes(net("first = conv(4)\nimage(3, 8, 8) -> first(1, kernel = 3)")) == ["E104"]


@pytest.mark.parametrize(("condition", "op"), [("true", "gelu"), ("false", "relu")])
def test_a_name_means_what_it_means_elsewhere_where_the_body_does_not_bind_it(condition: str, op: str) -> None:
    text = net(f"if {condition} {{ relu = gelu }}\nimage(3, 8, 8) -> conv(4, 1) -> relu")
    assert [node.op.name for node in graph(text).nodes] == ["image", "conv", op]


def test_a_name_error_is_found_in_what_no_variant_uses() -> None:
    assert codes(net("image(3, 8, 8) -> relu", "fn unused(n) = m * 2\n")) == ["E101"]


def test_what_a_call_lacks_is_said_once() -> None:
    found = check(net("a = f()\nb = f()\nimage(3, 8, 8) -> conv(a + b, 1)", "fn f(n) = n\n"))
    assert [(d.code, d.span.text if d.span else "") for d in found] == [("E103", "f()"), ("E103", "f()")]


def test_a_text_that_is_gone_leaves_nothing_behind() -> None:
    """Ops are not remembered by the place in memory of an expression that is no more."""
    text = net("image(3, 8, 8) -> act", parameters="act: layer = relu")
    file = ArchFile(Source("test.arch", text))
    for op in ["relu", "silu", "gelu", "tanh", "sigmoid", "relu6"] * 20:
        assert file["net"].set({"act": op}).graph.nodes[1].op.name == op


@pytest.mark.parametrize(
    ("body", "definitions", "code"),
    [
        ("image(3, 8, 8) -> conv(foo, 1)", "", "E101"),
        ("image(3, 8, 8) -> conv(4, nme = 1)", "", "E102"),
        ("image(3, 8, 8) -> conv(f(), 1)", "fn f(a) = a", "E103"),
        ("image(3, 8, 8) -> B", "block B(n = foo) = conv(n, 1)", "E101"),
        ("image(3, 8, 8) -> A", "block A() = B\nblock B() = A", "E113"),
    ],
)
def test_a_network_that_a_name_spoils_says_so(body: str, definitions: str, code: str) -> None:
    """Also where nobody has looked at what the file's own bag says: names are looked at once, for the file."""
    file = ArchFile(Source("test.arch", net(body, definitions)))
    with pytest.raises(ArchError) as error:
        _ = file["net"].graph
    assert code in [d.code for d in error.value.diagnostics]
    assert error.value.diagnostics == tuple(file.bag)
