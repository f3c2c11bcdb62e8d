"""Generated source reads as people write it: names of classes, conditions, containers, numbers."""

from __future__ import annotations

import ast
import re
from collections import Counter

import pytest

from archdsl import api
from archdsl.backends.proof import prove
from archdsl.source import Source
from tests.backends import sources

TREE = """
block Tree(out, levels) {
  x1 = in -> conv(out, 3)
  x2 = x1 -> conv(out, 3)
  y = concat(in, x1, x2) -> bn -> relu -> [bn, conv(2 * out, 1), bn] -> relu -> conv(out, 1)
  z = concat(in, x1, x2) -> c1: bn -> [bn, conv(out, 1)]
  y + z -> (if levels > 1 then [levels of conv(out, 1)] else id)
}
block Tree2(out) = Tree(out, 2) -> Tree(out, 3)
model Net = image(3, 8, 8) -> t1: Tree(8, 1) -> t2: Tree(16, 2) -> t3: Tree2(12) -> gap -> flatten -> linear(10)
"""


def source(spec: str) -> str:
    """The proved source of the model `Net`."""
    variant = api.open_source(Source("readable.arch", spec))["Net"]
    prove(variant.graph, variant.source)
    return variant.source


def classes(text: str) -> list[str]:
    return [node.name for node in ast.parse(text).body if isinstance(node, ast.ClassDef)]


def test_what_the_spec_names_keeps_its_name() -> None:
    """A block `Tree2` is `Tree2`, also where `Tree` needs two classes."""
    text = source(TREE)
    assert sorted(classes(text)) == ["Net", "Tree", "Tree2", "Tree3"]
    assert "self.t3 = Tree2(16, 12)" in text


@pytest.mark.parametrize(
    ("variant", "expected"),
    [
        ("mobilenetv3_large_100", {"Inverted", "InvertedSe", "InvertedHardswish", "InvertedHardswishSe"}),
        ("mobilenet_v3_large", {"InvertedResidual", "InvertedResidualHardswish", "ConvNormAct", "ConvNormActRelu"}),
        ("resnetv2_50", {"Bottleneck", "BottleneckWithoutProject"}),
        ("resnet50d", {"Bottleneck", "BottleneckWithoutDownsample"}),
        ("resnet18d", {"Basic", "BasicStride2"}),
    ],
)
def test_forms_of_a_block_say_how_they_differ(variant: str, expected: set[str]) -> None:
    assert expected <= set(classes(api.find(variant).source))


def test_forms_that_nothing_short_tells_apart_are_numbered() -> None:
    """A kernel of two sizes is a list, whose halves pad differently."""
    assert {"Conv", "Conv2"} <= set(classes(api.find("inception_v3").source))


def test_forward_asks_for_parameters_by_name() -> None:
    text = api.find("shufflenet_g1_w1").source
    assert "        self.stride = stride\n" in text
    assert "        if self.stride == 2:\n" in text


def test_numbered_members_are_a_list() -> None:
    text = api.find("roadmap_convnext_tiny").source
    assert "self.stages = nn.ModuleList(" in text
    assert "x = self.stages[0](x)" in text


def test_factors_cancel_out() -> None:
    text = source("""
        block B(w, scales = 2) = conv(w * 4 // 2, 1) -> conv(w * scales // scales, 1) -> conv(4 * w / 4, 1)
        model Net = image(3, 8, 8) -> B(8) -> B(6) -> B(4, 3)
        """)
    assert "nn.Conv2d(in_channels, w * 2, 1)" in text
    assert "nn.Conv2d(w * 2, w, 1)" in text
    assert "//" not in text


def test_halves_that_are_joined_are_the_whole() -> None:
    """GhostNet's block makes half its channels from the other half; the next layer takes them all."""
    text = source("""
        block Ghost(out, act = relu) {
          primary = in -> conv(out / 2, 1) -> bn -> act
          concat(primary, primary -> dwconv(3) -> bn -> act)
        }
        block Unit(hidden, out) = a: Ghost(hidden) -> b: Ghost(out, act = id)
        model Net = image(3, 8, 8) -> Unit(8, 6) -> Unit(16, 4) -> gap -> flatten -> linear(10)
        """)
    assert classes(text) == ["Ghost", "GhostWithoutAct", "Unit", "Net"]
    assert "GhostWithoutAct(hidden, out)" in text
    assert "2 * " not in text


def test_a_sum_is_written_once() -> None:
    text = source(TREE)
    assert text.count("in_channels + 2 * out") == 1
    assert "channels = in_channels + 2 * out" in text


def test_a_product_that_is_everywhere_is_written_once() -> None:
    text = api.find("tf_efficientnet_b0").source
    assert text.count("expand * in_channels") == 1


def test_all_that_is_shipped() -> None:
    """No names by line numbers, no members by numbers in quotes, no sum of three terms three times in one method."""
    for name, text in sources.all_sources().items():
        assert not re.search(r"choice[0-9]", text), name
        assert not re.search(r'ModuleDict\(\s*\{\s*"0": [^"]*\}', text), name
        for method in ast.walk(ast.parse(text)):
            if isinstance(method, ast.FunctionDef) and method.name == "__init__":
                sums = Counter(
                    ast.unparse(node)
                    for node in ast.walk(method)
                    if isinstance(node, ast.BinOp)
                    and isinstance(node.op, ast.Add)
                    and ast.unparse(node).count(" ") >= 4
                )
                assert max(sums.values(), default=0) < 3, (name, sums.most_common(1))
