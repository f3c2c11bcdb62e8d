"""What the page offers who reads it: search, paths, details, the source and the table beside it, keys, theme, paper."""

from __future__ import annotations

import networkx
import pytest

import archdsl
from tests.page.conftest import Browser, Show, graph

BRANCHES = """
  "A small one."
  block Two(width: int) {
    "Two branches."
    left  = a: conv(width, 3) -> relu
    right = b: conv(width, 1) -> relu
    left + right -> after: conv(width, 3)
  }
  model Small {
    x = image(3, 32, 32) -> stem: conv(8, 3)
    y = x -> two: Two(8)
    side = x -> side: conv(8, 1)
    concat(y, side) -> gap -> flatten -> fc: linear(10)
  }
  variant small = Small
"""


# --- search ----------------------------------------------------------------------------------


def visible(browser: Browser, selector: str) -> bool:
    return browser.js(
        """
        const box = document.querySelector(arguments[0]).querySelector('.body').getBoundingClientRect();
        const outer = document.getElementById('ui-graph').getBoundingClientRect();
        return box.top >= outer.top && box.bottom <= outer.bottom && box.left >= outer.left && box.right <= outer.right;
        """,
        selector,
    )


def test_search_finds_and_reveals_what_is_folded(show: Show) -> None:
    browser = show("resnet50")
    assert "layer3.4.conv2" not in browser.ids("[data-part]")
    browser.search("layer3.4.conv2")
    assert browser.ids("#ui-scene .selected") == {"layer3.4.conv2"}
    assert visible(browser, "#layer3\\.4\\.conv2")
    assert browser.texts("#ui-details h2") == ["layer3.4.conv2"]


def test_search_by_op_and_what_is_not_there(show: Show) -> None:
    browser = show("efficientnet_b0")
    browser.type("/")
    browser.type("sigmoid features.3")
    paths = browser.texts("#ui-results .path")
    assert paths
    assert all("sigmoid" in path and path.startswith("features.3") for path in paths)
    browser.js("document.getElementById('ui-search').value = ''")
    browser.type("no such thing")
    assert browser.texts("#ui-results li") == ["nothing found"]


def test_a_link_into_the_page_opens_the_place(show: Show) -> None:
    browser = show("densenet121", "#features.denseblock3.denselayer20.conv1")
    assert browser.ids("#ui-scene .selected") == {"features.denseblock3.denselayer20.conv1"}
    assert visible(browser, "#features\\.denseblock3\\.denselayer20\\.conv1")


# --- paths and details -----------------------------------------------------------------------


def test_edges_are_those_of_the_graph(show: Show) -> None:
    browser = show(graph(BRANCHES))
    browser.open_all()
    browser.click("#stem")
    before = browser.ids("#ui-scene .node.before")
    assert before == {"image1", "stem"}


@pytest.mark.parametrize("path", ["two.a", "side", "fc", "two.after"])
def test_what_is_before_and_after_is_lit(show: Show, path: str) -> None:
    made = graph(BRANCHES)
    browser = show(made)
    browser.open_all()
    browser.search(path)
    number = next(node.id for node in made.nodes if node.path == path)
    names = {node.id: node.path for node in made.nodes}
    before = {names[n] for n in networkx.ancestors(made.network, number)} | {path}
    after = {names[n] for n in networkx.descendants(made.network, number)} | {path}
    assert browser.ids("#ui-scene .node.before") == before
    assert browser.ids("#ui-scene .node.after") == after
    opacity = "return Number(getComputedStyle(document.getElementById(arguments[0])).opacity)"
    for name in names.values():
        assert (browser.js(opacity, name) == 1) == (name in before | after)


def test_paths_between_two(show: Show) -> None:
    browser = show(graph(BRANCHES))
    browser.open_all()
    browser.click("#stem")
    browser.click("#two\\.after", shift=True)
    assert browser.ids("#ui-scene .node.before") == {
        "stem", "two.a", "two.relu1", "two.b", "two.relu2", "two.add1", "two.after",
    }  # fmt: skip
    assert "7 ops" in browser.texts("#ui-hint")[0]
    browser.click("#side", shift=True)
    browser.click("#two\\.a")
    browser.click("#side", shift=True)
    assert "no path" in browser.texts("#ui-hint")[0]


def test_details_of_a_node(show: Show) -> None:
    made = archdsl.find("resnet50").graph
    node = next(node for node in made.nodes if node.path == "layer3.0.conv2")
    browser = show("resnet50", "#layer3.0.conv2")
    names, values = browser.texts("#ui-details > dl:not(.code) > dt"), browser.texts("#ui-details > dl:not(.code) > dd")
    facts = dict(zip(names, values, strict=True))
    assert facts["in"] == "256×28×28"
    assert facts["out"] == "256×14×14"
    assert facts["params"].startswith(f"{256 * 256 * 9:,}")
    assert facts["MACs"].startswith(f"{256 * 256 * 9 * 14 * 14:,}")
    assert facts["receptive field"] == "107×107, stride 16"  # 91 + 2·8, see tests/graph/test_receptive.py
    assert facts["written at"] == f"resnet.arch:{node.span.line}"
    assert browser.texts("#ui-details .weights td") == ["layer3.0.conv2.weight", "256×256×3×3"]


# --- both ways -------------------------------------------------------------------------------


def test_hovering_a_box_lights_its_source(show: Show) -> None:
    browser = show("resnet50", "#layer1.0")
    browser.hover("#layer1\\.0\\.conv3")
    assert "".join(browser.texts("#ui-source .lit")) == "conv(4 * width, 1)"
    line = browser.js("return document.querySelector('#ui-source .lit').closest('li').dataset.line")
    node = next(node for node in archdsl.find("resnet50").graph.nodes if node.path == "layer1.0.conv3")
    assert int(line) == node.span.line
    # and where the block was written, more faintly
    around = "".join(browser.texts("#ui-source .around"))
    assert "unit(wide, stride = if i == 0 then 1 else 2, drop = rates[first])" in around


def test_hovering_the_source_lights_what_it_makes(show: Show) -> None:
    browser = show("resnet50")
    number = next(n for n in archdsl.find("resnet50").graph.nodes if n.path == "layer1.0.conv3").span
    piece = browser.js(
        "return [...document.querySelectorAll('#ui-source [data-span]')].find(e => e.range[0] === arguments[0])",
        number.start,
    )
    browser.js("arguments[0].scrollIntoView({block: 'center'}); arguments[0].id = 'ui-piece'", piece)
    browser.hover("#ui-piece")
    lit = browser.ids("#ui-scene .hovered")
    assert {"layer1.0.conv3", "layer1.1.conv3"} <= lit  # open: the layers themselves
    assert {"layer2.0", "layer4.1"} <= lit  # closed: the blocks that hold them
    assert not [name for name in lit if name.endswith(("conv1", "conv2"))]


def test_table_and_graph_light_each_other(show: Show) -> None:
    browser = show("resnet50")
    browser.hover("#ui-stages tbody tr:nth-child(3)")
    assert browser.ids("#ui-scene .hovered") == {"layer2"}
    browser.click("#ui-stages tbody tr:nth-child(4)")
    assert browser.ids("#ui-scene .selected") == {"layer3"}
    browser.hover("#layer3\\.0")
    assert (
        browser.js("return document.querySelector('#ui-stages tbody tr.hovered').cells[0].firstChild.data") == "layer3"
    )
    cells = browser.texts("#ui-stages tbody tr:nth-child(3) td")
    assert cells[1:3] == ["512×28×28", "13"]


def test_a_block_of_another_file_shows_that_file(show: Show) -> None:
    browser = show("efficientnet_b0", "#features.0.0")
    assert browser.texts('#ui-tabs [aria-selected="true"]') == ["common.arch"]
    assert "".join(browser.texts("#ui-source .lit")).startswith("conv(")


# --- keys, theme, paper ----------------------------------------------------------------------


def test_keys(show: Show) -> None:
    from selenium.webdriver.common.keys import Keys

    browser = show("resnet50", "#conv1")
    browser.js("document.getElementById('ui-graph').focus()")
    browser.type(Keys.ARROW_DOWN)
    assert browser.ids("#ui-scene .selected") == {"bn1"}
    browser.type(Keys.ARROW_UP, Keys.ARROW_UP)
    assert browser.ids("#ui-scene .selected") == {"image1"}
    browser.type(*[Keys.ARROW_DOWN] * 5)
    (reached,) = browser.ids("#ui-scene .selected")
    assert reached.startswith("layer1")
    browser.js("location.hash = '#layer4'")
    browser.type(Keys.ENTER)
    assert "layer4" in browser.ids("#ui-scene .closed")
    browser.type(Keys.ESCAPE)
    assert browser.ids("#ui-scene .selected") == set()
    browser.type("?")
    assert browser.js("return document.getElementById('ui-keys').open")


def test_light_and_dark(show: Show) -> None:
    browser = show("resnet18")
    colour = "return getComputedStyle(document.body).backgroundColor"
    assert browser.js(colour) == "rgb(255, 255, 255)"
    browser.type("t")
    assert browser.js(colour) == "rgb(18, 22, 27)"
    scheme = {"features": [{"name": "prefers-color-scheme", "value": "dark"}]}
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", scheme)
    try:
        browser = show("resnet18")
        assert browser.js(colour) == "rgb(18, 22, 27)"
        fill = "return getComputedStyle(document.querySelector('.role-conv .body')).fill"
        night = browser.js(fill)
        browser.type("t")
        assert browser.js(colour) == "rgb(255, 255, 255)"
        assert browser.js(fill) != night
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_zoom_pan_and_fit(show: Show) -> None:
    browser = show("resnet50")
    place = "const r = document.querySelector('#conv1 .body').getBoundingClientRect(); return [r.top, r.width]"
    top, width = browser.js(place)
    browser.click("#ui-in")
    assert browser.js(place)[1] > width
    browser.type("0")
    assert browser.js(place) == pytest.approx([top, width], abs=0.5)
    wheel = (
        "document.getElementById('ui-graph').dispatchEvent(new WheelEvent('wheel', {deltaY: 100, cancelable: true}))"
    )
    browser.js(wheel)
    assert browser.js(place)[0] == pytest.approx(top - 100, abs=0.5)


def test_on_paper_the_whole_graph_and_no_tools(show: Show) -> None:
    browser = show("resnet50")
    browser.js("window.dispatchEvent(new Event('beforeprint'))")
    browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        assert not browser.find(".tools").is_displayed()
        assert not browser.find(".spec").is_displayed()
        outer = browser.js("return document.getElementById('ui-graph').getBoundingClientRect().toJSON()")
        for name in ("image1", "fc"):
            box = browser.js("return document.getElementById(arguments[0]).getBoundingClientRect().toJSON()", name)
            assert outer["top"] - 1 <= box["top"] <= box["bottom"] <= outer["bottom"] + 1
    finally:
        browser.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        browser.js("window.dispatchEvent(new Event('afterprint'))")
