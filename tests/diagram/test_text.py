"""Texts are data: whatever a label says, it is shown as it is, and nothing else comes of it."""

from __future__ import annotations

import html
import json
import re
import xml.etree.ElementTree as ET

import pypdfium2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl import api
from archdsl.backends.diagram.canvas import Canvas, Line, identifier
from archdsl.backends.diagram.dot import Dot
from archdsl.backends.diagram.html_page import to_json
from archdsl.backends.diagram.notebook import table
from archdsl.backends.diagram.style import LOOKS
from archdsl.backends.diagram.text import clean, fit, width, wrap
from archdsl.source import Source
from tests.backends import hostile

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = (
    "<b>bold</b>",
    "<<B>bold</B>>",
    '"];x [label="gone"',
    'a" URL="javascript:alert(1)',
    "javascript:alert(1)",
    "</text><script>alert(1)</script>",
    "\\N \\G \\E \\l",
    "trailing \\",
    '\\"',
    "&lt;script&gt; &amp; &#60;",
    "tab\tbell\x07null\x00 end",
    "\u202eright to left",
    "漢字 🙂 e\u0301",
    "--> <!-- ]]>",
    "${x} %s {0}",
    "label",
    "digraph",
    "12",
    "",
)


def picture(text: str) -> ET.Element:
    canvas = Canvas()
    box = canvas.box(0, 0, 400, 30, LOOKS["conv"], lines=[Line(text)], tooltip=text, id=text, covers=[1])
    canvas.arrow(box, canvas.anchor(0, 60), [box.bottom, (0, 60)])
    return ET.fromstring(canvas.drawing("x", "overview", text).svg)


@pytest.mark.parametrize("text", HOSTILE)
def test_a_label_is_shown_as_it_is(text: str) -> None:
    root = picture(text)
    shown = "".join(element.text or "" for element in root.iter(f"{SVG}text"))
    assert shown == clean(text)
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert titles == ([clean(text), clean(text)] if text else [None])
    _is_harmless(root)


def _is_harmless(root: ET.Element) -> None:
    names = {element.tag.removeprefix(SVG) for element in root.iter()}
    assert names <= {"svg", "g", "title", "polygon", "path", "text", "ellipse", "polyline"}
    for element in root.iter():
        for key, value in element.attrib.items():
            assert not key.startswith("on")
            assert "href" not in key
            assert key != "style"
            assert "javascript" not in value or key == "id"


@given(st.text(max_size=30))
@settings(max_examples=60, deadline=None)
def test_any_text(text: str) -> None:
    shown = "".join(element.text or "" for element in picture(text).iter(f"{SVG}text"))
    assert shown == clean(text)


def test_thousands_of_texts() -> None:
    """In labels and tooltips of a picture, in cells of a notebook's table, in the data of a page."""
    found = [text for text in hostile.texts(600) if len(text) < 1_000]
    canvas = Canvas()
    for row, text in enumerate(found):
        canvas.box(0, 20 * row, 400, 12, LOOKS["conv"], lines=[Line(text)], tooltip=text, id=text)
    root = ET.fromstring(canvas.drawing("x", "overview", "texts").svg)
    shown = [element.text or "" for element in root.iter(f"{SVG}text")]
    assert "".join(shown) == "".join(map(clean, found))
    _is_harmless(root)
    found = list(hostile.texts(3_000))
    cells = [cell.text or "" for cell in ET.fromstring(table(found, [])).iter("th")]
    assert cells == list(map(clean, found))
    for text in found:
        data = to_json(text)
        assert "<" not in data
        assert data.isprintable()
        assert json.loads(data) == re.sub("[\ud800-\udfff]", "?", text)


@pytest.mark.parametrize(
    "name", ["URL", "href", "edgeURL", "labelhref", "target", "image", "stylesheet", "_background"]
)
def test_attributes_that_reach_out_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no attribute"):
        Dot().node("a", **{name: "x"})  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["a b", "a:b", '"', "", "1a", "<b>"])
def test_names_of_nodes_are_ours(name: str) -> None:
    with pytest.raises(ValueError, match="names are ours"):
        Dot().node(name)


def test_ids_are_xml_names_and_unique() -> None:
    canvas = Canvas()
    for x in range(3):
        canvas.box(50 * x, 0, 20, 20, LOOKS["conv"], id="1 <b>")
    ids = re.findall(r'id="(_1[^"]*)"', html.unescape(canvas.drawing("x", "overview", "t").svg))
    assert ids == ["_1__b_", "_1__b_.2", "_1__b_.3"]
    assert identifier("layer1.0.conv1") == "layer1.0.conv1"


# Advance widths of Helvetica as Adobe's metrics give them, in thousandths of the size.
@pytest.mark.parametrize(
    ("text", "thousandths"), [("A", 667), ("i", 222), ("conv", 500 + 556 + 556 + 500), ("1×1", 1696)]
)
def test_width(text: str, thousandths: int) -> None:
    assert width(text, 10) == pytest.approx(thousandths / 100, abs=0.06)


def test_fit_and_wrap() -> None:
    text = "features.denseblock1.denselayer1.norm1"
    cut = fit(text, 60, 8)
    assert "…" in cut
    assert width(cut, 8) <= 60
    assert cut[0] == "f"
    assert cut[-1] == "1"
    assert fit("short", 60, 8) == "short"
    assert fit("short", 1, 8) == "…"
    lines = wrap("one two three fourfourfourfourfourfour", 40, 8)
    assert all(width(line, 8) <= 40 for line in lines)
    assert lines[0] == "one two"


@pytest.mark.parametrize("text", [text for text in HOSTILE if '"' not in text and "\\" not in text and "$" not in text])
def test_strings_of_a_spec(text: str) -> None:
    """A string argument of an inner block is shown in its box."""
    shown = "".join(character for character in text if character.isprintable())
    spec = (
        "block Inner(mode: string) { conv(3, 3) -> relu -> conv(3, 1) }\n"
        "block Outer(mode: string) { Inner(mode) + id -> relu }\n"
        f'model M() = image(3, 8, 8) -> Outer("{shown}") -> gap -> flatten -> linear(2)\n'
        "variant m = M()\n"
    )
    variant = api.open_source(Source("<b>\\N&amp;.arch", spec)).only(None)
    for level in ("overview", "blocks"):
        root = ET.fromstring(variant.drawing(level).svg)  # type: ignore[arg-type]
        _is_harmless(root)
    assert any((element.text or "").startswith("mode") for element in root.iter(f"{SVG}text"))
    root = ET.fromstring(variant._repr_html_())
    assert not [element for element in root.iter() if element.tag.rpartition("}")[2] in ("script", "b", "B", "a")]


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_breaks_a_file(text: str) -> None:
    canvas = Canvas()
    canvas.box(0, 0, 400, 30, LOOKS["conv"], lines=[Line(text)], tooltip=text, id=text)
    drawing = canvas.drawing("x", "overview", text)
    assert drawing.render("png").startswith(b"\x89PNG")
    page = pypdfium2.PdfDocument(drawing.render("pdf"))[0]
    if text.isascii() and text.isprintable():
        shown = page.get_textpage().get_text_bounded()
        assert shown.split() == text.split()
