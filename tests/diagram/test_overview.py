"""What an overview says: its title, what stages are made of, what the sizes of glyphs mean."""

from __future__ import annotations

import re

import pytest

from archdsl import api
from archdsl.api import Variant
from archdsl.backends.diagram import Drawing, Options
from archdsl.source import Source
from tests.diagram.picture import Picture

# Simonyan and Zisserman (2014), table 1, configuration D: 2, 2, 3, 3 and 3 convolutions of 3×3, then a max pool each.
VGG = """\
model VGG(depths: list(int)) {
  x = image(3, 224, 224)
  for i, n in depths {
    x = x -> stage stage{i + 1}: [n of [conv(min(512, 64 * 2^i), 3), relu], maxpool(2, stride = 2, padding = 0)]
  }
  x -> flatten -> classifier: [linear(4096), relu, dropout(0.5), linear(4096), relu, dropout(0.5), linear(1000)]
}
variant vgg16 = VGG([2, 2, 3, 3, 3])
"""
SEQUENCES = """\
model M = image(3, 32, 32) -> stem: [conv(16, 3), bn, relu]
  -> stage plain: [conv(16, 3), relu, conv(16, 3), relu]
  -> stage mixed: [[conv(32, 3), bn], [conv(32, 3), bn], id + [conv(32, 3), relu, conv(32, 3)]]
  -> gap -> flatten -> head: [linear(64), relu, linear(10)]
variant m = M()
"""


def made(text: str) -> Variant:
    return api.open_source(Source("test.arch", text)).only(None)


def words(drawing: Drawing) -> list[str]:
    return [text.text for text in Picture(drawing.svg).texts]


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("level", ["overview", "blocks", "graph"])
def test_what_was_set_is_in_the_title(level: str, columns: int) -> None:
    """A ResNet of one block a stage is not ResNet-50, whatever file it came from."""
    options = Options(columns)  # type: ignore[arg-type]
    changed = api.find("resnet50").set({"depths": "[1,1]", "classes": "10"})
    assert "with depths = [1,1], classes = 10" in words(changed.drawing(level, options))  # type: ignore[arg-type]
    same = api.find("resnet50").override({"depths": [1, 1]})
    assert "with depths = [1, 1]" in words(same.drawing(level, options))  # type: ignore[arg-type]
    assert not any("with" in text for text in words(api.find("resnet50").drawing(level, options)))  # type: ignore[arg-type]
    title = changed.drawing(level, options).title  # type: ignore[arg-type]
    assert title.startswith("resnet50 with depths = [1,1], classes = 10")


def test_what_was_set_is_in_the_page() -> None:
    page = api.find("resnet50").set({"depths": "[1,1]"}).page()
    assert "<title>resnet50 with depths = [1,1]" in page
    assert '"name":"resnet50 with depths = [1,1]"' in page


def test_what_was_set_is_in_the_title_of_a_diff() -> None:
    before = api.find("resnet50")
    drawing = before.drawing("diff", other=before.set({"depths": "[1,1]"}))
    assert "resnet50 → resnet50 with depths = [1,1]" in words(drawing)


def test_features_are_those_of_what_was_set() -> None:
    changed = api.find("resnet18").set({"depths": "[1, 1]"}).features(["layer1"])
    assert "with depths = [1, 1]" in words(changed.drawing("overview"))


def test_long_settings_are_cut() -> None:
    changed = api.find("resnet50").set({"depths": "[" + " + ".join(["1"] * 60) + "]"})
    for columns in (1, 2):
        picture = Picture(changed.drawing("overview", Options(columns)).svg)  # type: ignore[arg-type]
        assert list(picture.problems()) == []


def test_a_stage_of_a_sequence_says_its_layers() -> None:
    """Not the numbers of its members, and a colour that the legend names."""
    texts = words(made(VGG).drawing("overview"))
    assert texts.count("2 × 3×3 conv +") == 2
    assert texts.count("3 × 3×3 conv +") == 3
    assert texts.count("2×2 max pool") == 5
    legend = texts[texts.index("share of parameters") - 3 : texts.index("share of parameters")]
    assert legend == ["input", "convolution", "linear"]


def test_a_sequence_of_sequences_is_its_layers() -> None:
    texts = words(made(SEQUENCES).drawing("overview"))
    assert not {"+", "0 +", "sequence1", "3 × 0 +"} & set(texts)
    assert [text for text in texts if text in ("plain", "mixed", "×2", "×4", "3×3 conv")].count("3×3 conv") == 3
    assert {"×2", "×4"} <= set(texts)


def extents(picture: Picture, wanted: str, upright: bool) -> list[float]:
    boxes = [box for box in picture.boxes if re.search(wanted, box.id)]
    return [box.bottom - box.top if upright else box.right - box.left for box in boxes]


@pytest.mark.parametrize(("columns", "side"), [(2, "height"), (1, "width")])
def test_vectors_are_as_long_as_their_channels_ask(columns: int, side: str) -> None:
    """4096 against 1000 channels: √4.096; and the note says so, where there are vectors."""
    drawing = made(VGG).drawing("overview", Options(columns))  # type: ignore[arg-type]
    long, again, short = extents(Picture(drawing.svg), "classifier", columns == 2)
    assert long == again
    assert long / short == pytest.approx((4096 / 1000) ** 0.5, rel=0.02)
    assert f"({side} of vectors by √channels)" in " ".join(words(drawing))
    none = "model M = image(3, 16, 16) -> a: conv(8, 3) -> b: conv(8, 3)\nvariant m = M()"
    assert "vectors" not in " ".join(words(made(none).drawing("overview")))


def test_nothing_overlaps() -> None:
    for text in (VGG, SEQUENCES):
        for options in (Options(1), Options(2)):
            assert list(Picture(made(text).drawing("overview", options).svg).problems()) == []
