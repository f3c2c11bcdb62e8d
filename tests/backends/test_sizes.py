"""What a spec asks about the size of a tensor is asked again by the module: it never runs as another network."""

from __future__ import annotations

from textwrap import dedent

import pytest
import torch

import archdsl
from archdsl.api import open_source
from archdsl.backends.module import build_module
from archdsl.diagnostics.core import ArchError
from archdsl.graph.ir import Graph
from archdsl.source import Source
from archdsl.variant import Variant

EVERYTHING = """
block Cell(width: int) on (a, b) {
  "A choice between tensors, as in NASNet."
  x = if a.height == b.height then a -> p: conv(width, 1) else a -> q: conv(width, 1, stride = 2)
  x + (b -> r: conv(width, 1)) -> relu
}

block Pool { in -> avgpool(min(in.height, 3), padding = 0) }

block Sized(k: int, inner: layer) = conv(4, k, padding = 0) -> inner -> relu

fn half(n) = n // 2

scaling rule(n) { width = 2 * n }

model Net(limit: int = 20) {
  i = image(3, 32, 32)
  x = i -> stem: conv(8, 3)
  y = x -> down: conv(8, 3, stride = 2)
  z = (x, y) -> c1: Cell(8)
  z = (y, z) -> c2: Cell(8)
  if y.width < limit and max(y.height, 3) > 4 { z = z -> extra: conv(8, 3) }
  for k in 0..half(z.height) // 4 { z = z -> rep{k}: conv(8, 3) }
  sizes = [z.height, z.width]
  z = z -> "at{sizes[1] // 16}": conv([8, 12, 16][sizes[0] % 3], 3)
  z = z -> seq: [z.height // 16 of conv(8, 3), relu, bn if z.height > 100]
  z = z -> s: Sized(rule(z.height).width // 16, conv(4, z.width // 8, padding = 0))
  z -> p: Pool -> gap -> flatten -> fc: linear(10)
}
"""


def variant(text: str) -> Variant:
    file = open_source(Source("test.arch", dedent(text)))
    return file[next(iter(file))]


def description(graph: Graph) -> list[object]:
    """All of a network but for the sizes of its tensors."""
    return [(node.path, node.op.name, node.params, node.inputs) for node in graph.nodes[1:]]


@pytest.mark.parametrize("traced", [False, True])
def test_each_decision_is_kept(traced: bool) -> None:
    """Whether or not the graph knows what its other numbers were computed from."""
    made = variant(EVERYTHING)
    graph = made.traced() if traced else made.graph
    found = [f"{decision.text} {decision.answer}" for decision in graph.size_decisions]
    assert found == [
        "y.width < limit holds",
        "max(y.height, 3) > 4 was worked out from 16",
        "half(z.height) // 4 was worked out from 16",
        "sizes[1] // 16 is 1",
        "sizes[0] % 3 is 1",
        "z.height // 16 is 1",
        "z.height > 100 does not hold",
        "rule(z.height).width // 16 is 2",
        "conv(4, z.width // 8, padding = 0) was worked out from 16",
        "a.height == b.height does not hold",
        "a.height == b.height holds",
        "min(in.height, 3) was worked out from 14",
    ], found


def test_the_same_network_or_a_refusal() -> None:
    """At every size: where the network that the spec makes of it is this one, this one runs and equals it."""
    made = variant(EVERYTHING)
    model = build_module(made.graph, made.source).eval()
    ran = refused = 0
    for height, width in [(n, n) for n in range(8, 72)] + [(32, 33), (33, 32), (32, 40), (31, 32), (32, 64)]:
        image = torch.randn(1, 3, height, width)
        other: Variant | None = made.for_image(size=(height, width))
        try:
            same = description(other.graph) == description(made.graph) if other is not None else False
        except ArchError:
            same, other = False, None
        try:
            found = model(image)
        except (ValueError, RuntimeError):
            refused += 1
            continue
        assert same, (height, width)
        assert other is not None
        theirs = build_module(other.graph, other.source).eval()
        theirs.load_state_dict(model.state_dict())
        assert torch.equal(found, theirs(image))
        ran += 1
    assert ran >= 3, "only the size it was built for"
    assert refused > 50


def test_questions_that_can_be_asked_again_are() -> None:
    """Of sizes that the answers hold for none is refused."""
    made = variant("""
        model Net {
          x = image(3, 32, 32)
          require x.height % 8 == 0, "the sides are multiples of 8"
          y = x -> down: conv(8, 3, stride = 2)
          if not y.height >= 40 and x.width != y.width { y = y -> more: conv(8, 3) }
          y -> gap -> flatten -> fc: linear(10)
        }""")
    model = build_module(made.graph, made.source)
    for height in range(1, 100):
        image = torch.randn(1, 3, height, 20)
        if height % 8 == 0 and (height + 1) // 2 < 40:
            assert model(image).shape == (1, 10)
        else:
            with pytest.raises(ValueError, match=r"multiples of 8|`not y\.height >= 40` holds \(test\.arch:6\)"):
                model(image)
    assert build_module(made.for_image(size=80).graph, made.for_image(size=80).source)(image[:, :, :80]).shape == (
        1,
        10,
    )


@pytest.mark.parametrize(
    "asks",
    [
        "x = x -> flatten\n  x -> (if x.channels > 1000 then relu else silu)",
        "x -> avgpool(x.width // 2, padding = 0) -> gap -> flatten -> fc: linear(10)",
        'x = x -> permute("nhwc")\n  x -> fc: linear(8 * x.height) -> permute("nchw")',
        "(x -> (if x.height > 8 then c: conv(8, 3) else id)) -> gap -> flatten -> fc: linear(10)",
        "x -> gap -> flatten -> fc: linear(if x.height == x.width then 10 else 20)",
    ],
)
def test_every_way_to_ask(asks: str) -> None:
    made = variant(f"model Net {{\n  x = image(3, 16, 16) -> conv0: conv(8, 3)\n  {asks}\n}}\n")
    model = build_module(made.graph, made.source)
    model(torch.randn(1, 3, 16, 16))
    with pytest.raises(ValueError, match="not the size that this network was built for"):
        model(torch.randn(1, 3, 7, 9))


def test_a_network_that_asks_nothing_has_no_checks() -> None:
    made = variant("model Net = image(3, 16, 16) -> conv0: conv(8, 3) -> gap -> flatten -> fc: linear(10)")
    assert made.graph.size_decisions == ()
    assert "raise" not in made.source


def test_feature_maps_ask_too() -> None:
    """A part of a network; where it lacks a tensor that was asked about, it is for one size only."""
    made = variant("""
        model Net {
          x = image(3, 32, 32)
          stage one { x = x -> a: conv(8, 3, stride = 2) }
          side = x -> b: conv(4, 3, stride = 2)
          stage two { if side.height == 8 { x = x -> c: conv(8, 3) } else { x = x -> d: conv(8, 5) } }
          output side = side
          x
        }""")
    model = build_module(made.features(["two"]).graph, made.features(["two"]).source)
    assert list(model(torch.randn(1, 3, 32, 32))) == ["two"]
    for size in (31, 40):  # at 31 the answer would be the same, which cannot be known without `side`
        with pytest.raises(ValueError, match="`the image` is of 32×32"):
            model(torch.randn(1, 3, size, size))


def test_an_instance_that_is_a_copy_asks_about_its_own_tensors() -> None:
    made = variant("""
        block B { in -> (if in.height > 10 then c: conv(8, 3) else d: conv(8, 1)) }
        model Net = image(3, 16, 16) -> B -> B -> B -> maxpool(2, padding = 0) -> B -> B -> gap -> flatten -> linear(2)
        """)
    assert [str(d) for d in made.graph.size_decisions] == [
        "`in.height > 10` holds (test.arch:2)",
        "`in.height > 10` does not hold (test.arch:2)",
    ]
    asked = [decision.refs for scope in made.graph.root.scopes() for decision in scope.decisions]
    assert asked == [scope.inputs for scope in made.graph.root.scopes() if scope.kind == "block"]
    model = build_module(made.graph, made.source)
    for size, fits in ((16, True), (20, True), (21, True), (22, False), (10, False)):
        if fits:
            model(torch.randn(1, 3, size, size))
        else:
            with pytest.raises(ValueError, match=r"`in\.height > 10`"):
                model(torch.randn(1, 3, size, size))


def test_nasnet_runs_at_every_usual_size_and_says_what_it_asks() -> None:
    model = archdsl.load("nasnet_mobile", repeats=1, device="meta").eval()
    for size in (224, 160, 97, 96):
        assert model(torch.empty(1, 3, size, size, device="meta")).shape == (1, 1000)
    with pytest.raises(ValueError, match=r"`previous.height == current.height` .*\(nasnet.arch:\d+\)"):
        model(torch.empty(1, 3, 4, 4, device="meta"))


def test_what_a_spec_requires_is_only_text() -> None:
    """The words of a `require` are in the source as one string, whatever they are."""
    words = '\\"); raise SystemExit(0) #\\n\'\'\'\\\\ {0} \\"\\"\\"'
    made = variant(f'model Net {{\n  x = image(3, 16, 16)\n  require x.height > 8, "{words}"\n  x -> conv(8, 3)\n}}\n')
    model = build_module(made.graph, made.source)
    with pytest.raises(ValueError, match="requires") as refused:
        model(torch.randn(1, 3, 4, 4))
    assert str(refused.value) == 'test.arch:3 requires: "); raise SystemExit(0) #\n\'\'\'\\ {0} """'
