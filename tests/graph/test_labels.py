"""What a layer is called, in every picture, page and table: one word for one thing."""

from __future__ import annotations

import pytest

from archdsl import api
from archdsl.api import Variant
from archdsl.backends.diagram import Options
from archdsl.cli.documents.specs import LayerJson
from archdsl.graph.diff.wording import label_of
from archdsl.source import Source
from tests.diagram.picture import Picture

# torch counts a convolution as depthwise if groups == in_channels (torch.nn.Conv2d, "depthwise convolution").
WRITTEN = {
    "conv(w, 3, groups = w)": "3×3 dwconv",
    "conv(w, [1, 7], 2, groups = w)": "1×7 dwconv, /2",
    "dwconv(3)": "3×3 dwconv",
    "dwconv(3, dilation = 2)": "3×3 dwconv, dilation 2",
    "conv(2 * w, 3, groups = w)": "3×3 dwconv, 16",
    "dwconv(3, multiplier = 2)": "3×3 dwconv, 16",
    "std_conv(w, 3, groups = w)": "3×3 std dwconv",
    "conv_transpose(w, 3, groups = w)": "3×3 transposed dwconv",
    "conv_transpose(2 * w, 3, groups = w)": "3×3 transposed dwconv, 16",
    "conv_transpose(w, 3, groups = 2)": "3×3 transposed conv, 8, 2 groups",
    "conv(w, 3, groups = 2)": "3×3 conv, 8, 2 groups",
    "std_conv(w, 3)": "3×3 std conv, 8",
    "conv(w, 3)": "3×3 conv, 8",
}


def variant(layer: str) -> Variant:
    text = f"""block B(w: int) {{ spatial: {layer} -> bn -> relu -> conv(w, 1) }}
model M(w = 8) = image(3, 16, 16) -> stem: conv(w, 3) -> stage s: [B(w)] -> gap -> flatten -> fc: linear(10)
variant m = M()
"""
    return api.open_source(Source("test.arch", text)).only(None)


@pytest.mark.parametrize(("layer", "label"), WRITTEN.items())
def test_everywhere_alike(layer: str, label: str) -> None:
    made = variant(layer)
    title = label.partition(",")[0]
    node = next(node for node in made.graph.nodes if node.name == "spatial")
    assert node.label == label
    assert LayerJson.of(node, inputs=[]).label == label
    assert label in [text.text for text in Picture(made.drawing("graph", Options(depth=9)).svg).texts]
    assert any(text.text.startswith(title + ",") for text in Picture(made.drawing("blocks").svg).texts)
    assert f'"label":"{label}"' in made.page()
    assert label_of(node) == label


def test_one_channel_has_one_group() -> None:
    """A convolution of one channel is an ordinary one: each of its filters sees all channels."""
    text = "model M = image(1, 16, 16) -> a: conv(8, 3) -> gap -> flatten -> fc: linear(10)\nvariant m = M()"
    graph = api.open_source(Source("test.arch", text)).only(None).graph
    assert [node.label for node in graph.nodes if node.name == "a"] == ["3×3 conv, 8"]
    assert [node.word for node in graph.nodes if node.name == "a"] == ["conv"]
