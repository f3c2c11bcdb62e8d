"""What an overview says: its title, what stages are made of, what the sizes of glyphs mean."""

from __future__ import annotations

import re

import pytest

from archdsl import api
from archdsl.api import Variant
from archdsl.backends.diagram import Drawing, Options
from archdsl.backends.diagram.overview.glyphs import glyphs_of
from archdsl.backends.diagram.overview.segments import links, segments_of
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
    assert texts.count("2×2 max pool /2") == 5
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


# ESPCN's upsampling (Shi et al., 2016) and what else changes a size without weights, each after a convolution.
RESIZING = """\
model M = image(3, 32, 32) -> a: conv(8, 3, 2) -> relu -> resize(scale_factor = 4, mode = "bilinear") -> b: conv(16, 3)
  -> pixel_shuffle(2) -> c: conv(4, 3) -> pixel_unshuffle(2) -> d: conv(8, 3) -> pad(1, 1, 1, 1) -> e: conv(8, 3)
  -> crop(2, 2, 2, 2) -> f: conv(2, 3) -> flatten -> relu
variant m = M()
"""


def test_what_changes_a_size_is_a_glyph_of_its_own() -> None:
    """The size on the arrow of a convolution is that of the convolution: stride 2 of 32×32 gives 16×16."""
    graph = made(RESIZING).graph
    found = [(" ".join(glyph.title), str(glyph.shape)) for glyph in glyphs_of(graph, segments_of(graph))[1:]]
    assert found == [
        ("3×3 conv /2", "8×16×16"),
        ("resize ×4", "8×64×64"),
        ("3×3 conv", "16×64×64"),
        ("pixel shuffle ×2", "4×128×128"),
        ("3×3 conv", "4×128×128"),
        ("pixel unshuffle /2", "16×64×64"),
        ("3×3 conv", "8×64×64"),
        ("pad", "8×66×66"),
        ("3×3 conv", "8×66×66"),
        ("crop", "8×62×62"),
        ("3×3 conv", "2×62×62"),
        ("flatten", "7688"),
    ]
    for columns in (1, 2):
        assert list(Picture(made(RESIZING).drawing("overview", Options(columns)).svg).problems()) == []  # type: ignore[arg-type]


def test_halves_of_a_split_are_not_the_convolution_s() -> None:
    text = "model M { a, b = image(3, 8, 8) -> c: conv(8, 3) -> split(2)\n  (a -> d: conv(4, 3)) * b }\nvariant m = M()"
    graph = made(text).graph
    found = [(" ".join(glyph.title), str(glyph.shape)) for glyph in glyphs_of(graph, segments_of(graph))[1:]]
    assert found[:3] == [("3×3 conv", "8×8×8"), ("split", "4×8×8"), ("3×3 conv", "4×8×8")]


def test_what_gives_a_size_does_not_enter_the_convolution() -> None:
    """A resize to another tensor's size: the arrow of that tensor ends at the resize."""
    text = """\
model M {
  x = image(3, 32, 32) -> a: conv(8, 3, 2)
  y = x -> b: conv(8, 3, 2) -> c: conv(8, 1)
  (y, x) -> resize -> d: conv(2, 1)
}
variant m = M()
"""
    graph = made(text).graph
    segments = segments_of(graph)
    names = [segment.path or "resize" for segment in segments]
    assert names == ["a", "b", "c", "resize", "d"]
    arrows = {(names[tail], names[head]) for tail, head in links(graph, segments) if tail >= 0}
    assert arrows == {("a", "b"), ("b", "c"), ("c", "resize"), ("a", "resize"), ("resize", "d")}


def test_a_stage_of_layers_says_what_they_do_to_its_size() -> None:
    text = """\
model M = image(3, 32, 32) -> stage stem: [conv(8, 3, 2), relu] -> stage up: [conv(16, 3), pixel_shuffle(2), conv(8, 1)]
variant m = M()
"""
    graph = made(text).graph
    stem, up = glyphs_of(graph, segments_of(graph))[1:]
    assert stem.title == ["3×3 conv /2"]
    assert up.title == ["3×3 conv +", "pixel shuffle ×2 +", "1×1 conv"]


def test_a_block_of_one_layer_is_that_layer_at_a_further_output_too() -> None:
    text = """\
block U(w: int) = conv: conv(w, 3) -> relu
model M {
  x = image(3, 32, 32) -> stem: conv(8, 3, 2)
  output p = x -> b: U(8)
  x -> a: U(8) -> gap -> flatten -> fc: linear(2)
}
variant m = M()
"""
    graph = made(text).graph
    glyphs = {glyph.path: glyph for glyph in glyphs_of(graph, segments_of(graph))}
    assert glyphs["a"].title == glyphs["b"].title == ["3×3 conv"]
    assert glyphs["a"].look == glyphs["b"].look


def test_layers_of_a_further_output_look_as_layers_do() -> None:
    """The auxiliary head of a DeepLab: the legend has no kind of block `3×3 conv` beside the convolutions."""
    text = """\
model M {
  x = image(3, 32, 32)
  y = x -> stem: conv(8, 3, 2) -> relu
  output aux = (y -> aux.0: conv(8, 3) -> relu -> aux.1: conv(2, 1), x) -> resize
  (y -> head: conv(2, 1), x) -> resize
}
variant m = M()
"""
    graph = made(text).graph
    head, aux = (
        glyph for glyph in glyphs_of(graph, segments_of(graph)) if glyph.path == "head" or "aux" in glyph.outputs
    )
    assert aux.title == ["3×3 conv +", "1×1 conv +", "resize alike"]
    assert aux.look == head.look


def test_names_are_as_much_of_the_path_as_tells_them_apart() -> None:
    text = """\
model M {
  x = image(3, 32, 32) -> body.stem: conv(8, 3, 2)
  output p1 = x -> seg.up.0: conv(8, 3) -> seg.out: conv(1, 1)
  output p2 = x -> edge.up.0: conv(8, 3) -> edge.out: conv(1, 1)
  output p3 = x -> rather_long_indeed_a.the_same_for_both.out: conv(1, 1)
  output p4 = x -> rather_long_indeed_b.the_same_for_both.out: conv(1, 1)
}
variant m = M()
"""
    graph = made(text).graph
    found = [glyph.path for glyph in glyphs_of(graph, segments_of(graph))[1:]]
    assert found[:5] == ["stem", "seg.up.0", "seg.out", "edge.up.0", "edge.out"]
    assert len(set(found)) == len(found) == 7
    for columns in (1, 2):
        assert list(Picture(made(text).drawing("overview", Options(columns)).svg).problems()) == []  # type: ignore[arg-type]
