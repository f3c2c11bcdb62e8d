"""The HTML page in a real browser: it loads by itself, opens and closes, finds, lights paths, and links both ways."""

from __future__ import annotations

from pathlib import Path

import pytest

import archdsl
from archdsl.backends.diagram import Options, page
from archdsl.graph.fold import fold
from archdsl.graph.ir import Graph
from tests.page.conftest import Browser, Show, graph

LARGE = ["densenet201", "nasnetalarge", "efficientnet_b7"]
FAMILIES = ["resnet50", "inception_v3", "convnext_tiny", "shufflenet_v2_x1_0", "preresnet50", *LARGE]


@pytest.mark.parametrize("name", FAMILIES)
def test_loads_without_messages_and_without_a_network(show: Show, name: str) -> None:
    browser = show(name)
    browser.open_all()
    assert browser.console() == []
    requests = browser.requests()
    assert len(requests) == 1
    assert requests[0].startswith("file:")


def test_the_check_sees_requests_and_messages(browser: Browser, tmp_path: Path) -> None:
    text = page(archdsl.find("resnet18").graph)
    path = tmp_path / "bad.html"
    path.write_text(text.replace("<body>", "<body><script>1</script>"), encoding="utf-8")
    browser.open(path)
    assert any("Content Security Policy" in message for message in browser.console())
    path.write_text("<html data-ready=true><img src=http://127.0.0.1:9/x.png>", encoding="utf-8")
    browser.open(path)
    assert "http://127.0.0.1:9/x.png" in browser.requests()


def test_the_page_has_nothing_but_itself() -> None:
    text = page(archdsl.find("resnet18").graph)
    head = text[: text.index("<body>")]
    assert "default-src 'none'" in head
    assert "dagre" in text
    assert "Permission is hereby granted" in text  # the licence of the layout library
    for word in (
        '<link rel="stylesheet"',
        "<script src",
        "@import",
        "url(http",
        "fetch(",
        "XMLHttpRequest",
        "innerHTML",
    ):
        assert word not in text, word


# --- the drawing -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_open_every_node_is_drawn_once_or_counted(show: Show, name: str) -> None:
    made = archdsl.find(name).graph
    browser = show(name)
    browser.open_all()
    drawn = browser.js("return [...document.querySelectorAll('#ui-scene .node')].map(e => e.id)")
    assert len(drawn) == len(set(drawn))
    expected = {made.nodes[number].path for number in fold(made).instances}
    assert set(drawn) == expected


GEOMETRY = """
const boxes = [...document.querySelectorAll('#ui-scene .box')];
const places = boxes.map((box) => [box.id, box.querySelector('.body:not(.behind)').getBoundingClientRect()]);
const overlapping = [], wide = [], outside = [];
const inset = 0.6;
const byTop = places.slice().sort((a, b) => a[1].top - b[1].top);
byTop.forEach(([id, a], i) => {
  for (let j = i + 1; j < byTop.length && byTop[j][1].top < a.bottom - inset; j += 1) {
    const b = byTop[j][1];
    if (a.left < b.right - inset && b.left < a.right - inset) overlapping.push([id, byTop[j][0]]);
  }
});
boxes.forEach((box, i) => {
  for (const text of box.querySelectorAll('text')) {
    const words = text.getBoundingClientRect();
    if (words.left < places[i][1].left - inset || words.right > places[i][1].right + inset) {
      wide.push([box.id, text.textContent]);
    }
  }
  const frame = box.parentElement.closest('.frame');
  const around = frame && frame.querySelector('.body:not(.behind)').getBoundingClientRect();
  const own = places[i][1];
  const inside = (a, b) => a.left >= b.left && a.right <= b.right && a.top >= b.top && a.bottom <= b.bottom;
  if (around && !inside(own, around)) outside.push([frame.id, box.id]);
});
return { overlapping, wide, outside };
"""


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("everything", [False, True], ids=["as it opens", "all open"])
def test_boxes_hold_their_text_and_do_not_overlap(show: Show, name: str, everything: bool) -> None:
    browser = show(name)
    if everything:
        browser.open_all()
    assert browser.js(GEOMETRY) == {"overlapping": [], "wide": [], "outside": []}


def test_opening_and_closing_a_block(show: Show) -> None:
    browser = show("resnet50", "#layer2.0.conv2")
    assert "layer2.0.conv2" in browser.ids(".node")
    browser.click("#layer2\\.0 > .toggle")
    assert "layer2.0.conv2" not in browser.ids(".node")
    assert browser.find("#layer2\\.0").get_attribute("aria-expanded") == "false"
    browser.click("#layer2\\.0 > .toggle")
    assert "layer2.0.conv2" in browser.ids(".node")


def test_levels(show: Show) -> None:
    browser = show("resnet50")
    browser.js("for (let i = 0; i < 6; i += 1) document.getElementById('ui-less').click()")
    assert browser.ids("#ui-scene .closed") == {"layer1", "layer2", "layer3", "layer4"}
    browser.click("#ui-more")
    assert browser.ids("#ui-scene .closed") == {f"layer{i}.{j}" for i in (1, 2, 3, 4) for j in (0, 1)}


def test_what_is_looked_at_stays_in_sight(show: Show) -> None:
    browser = show("inception_v3")
    for button in ("ui-more", "ui-more", "ui-less", "ui-less"):
        browser.click(f"#{button}")
        outer = browser.js("return document.getElementById('ui-graph').getBoundingClientRect().toJSON()")
        boxes = browser.js("return [...document.querySelectorAll('.box')].map(b => b.getBoundingClientRect().toJSON())")
        assert any(
            outer["left"] < (b["left"] + b["right"]) / 2 < outer["right"] and outer["top"] < b["top"] < outer["bottom"]
            for b in boxes
        )
        middle = (outer["left"] + outer["right"]) / 2
        nearest = min(abs((b["left"] + b["right"]) / 2 - middle) for b in boxes if 0 < b["top"] < outer["bottom"])
        assert nearest < 150


def test_what_is_asked_for_is_open(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    options = Options(depth=0, expand=("layer3.4",))
    path.write_text(page(archdsl.find("resnet50").graph, options), encoding="utf-8")
    browser.open(path)
    assert browser.ids("#ui-scene .closed") == {"layer1", "layer2", "layer4", "layer3.0"}
    assert "layer3.1.conv1" in browser.ids("#ui-scene .node")


def test_a_run_shows_its_members_one_by_one(show: Show) -> None:
    browser = show("resnet50", "#layer3.1")
    assert browser.texts("#layer3\\.1 > .badge") == ["×5"]
    browser.click("#layer3\\.1 > .badge")
    members = {f"layer3.{i}" for i in range(1, 6)}
    assert members <= browser.ids("#ui-scene [data-part]")
    browser.click("#layer3\\.1 > .badge")
    assert not (members - {"layer3.1"}) & browser.ids("#ui-scene [data-part]")


def test_an_open_cell_that_reads_two_of_a_run_shows_both(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(page(archdsl.find("nasnetalarge").graph, Options(depth=0, expand=("reduction_cell_0",))), "utf-8")
    browser.open(path)
    lines = browser.js(
        "return [...document.querySelectorAll('.edge')].filter((edge) => edge.targetPart?.path === 'reduction_cell_0')"
        ".map((edge) => edge.querySelector('path').getAttribute('d'))"
    )
    assert len({line.rpartition(" ")[0].rpartition(" ")[2] for line in lines}) == len(lines) == 2  # where they end


# --- what a spec says is text ----------------------------------------------------------------

HOSTILE = r'''
  """Doc </script><script>window.bad = 1</script> <img src=x onerror="window.bad = 2"> {{data}} &lt;b&gt;
  ]]> <!-- -->"""
  # comment </script><script>window.bad = 3</script>
  block B {
    "<svg onload='window.bad = 4'>"
    a: conv(4, 3) -> f: relu
  }
  model M = image(3, 8, 8) -> b: B -> c: conv(4, 1) -> d: relu
  variant m = M
'''


def hostile() -> Graph:
    """A graph with texts that try to be more; in its labels too, although no spec can say them (E118)."""
    made = graph(HOSTILE)
    names = iter(
        ['<img src=x onerror="window.bad=5">', "javascript:window.bad=6", 'a b">', "</script>", "é😀", "_x41_"]
    )
    for part in list(fold(made).root.walk())[1:]:
        part.item.name = next(names)
        part.item.path = f"{part.parent.path}.{part.item.name}" if part.parent and part.parent.path else part.item.name
    return made


def test_what_a_spec_says_is_text(show: Show) -> None:
    made = hostile()
    browser = show(made)
    browser.open_all()
    paths = {part.path for part in fold(made).root.walk() if part.path}
    for path in sorted(paths):
        browser.js("location.hash = '#' + encodeURIComponent(arguments[0])", path)
        assert browser.texts("#ui-details h2") == [path]
    assert browser.js("return window.bad") is None
    harmful = "img, iframe, a, #ui-scene script, main script, [onerror], [onload]"
    assert browser.js("return document.querySelectorAll(arguments[0]).length", harmful) == 0
    assert browser.js("return document.scripts.length") == 3
    source = "\n".join(browser.texts("#ui-source li"))
    assert source == made.root.span.source.text
    browser.hover("#ui-source [data-span]")
    assert browser.console() == []


def test_ids_are_paths_and_valid(show: Show) -> None:
    browser = show(hostile())
    browser.open_all()
    ids = browser.ids("#ui-scene [data-part]")
    for name in ids:
        assert all(c.isascii() and (c.isalnum() or c in "_.-") for c in name), name
        assert not name[0].isdigit()
    assert len(ids) == len(browser.js("return [...document.querySelectorAll('#ui-scene [data-part]')]"))


def test_source_offsets_count_as_javascript_does(show: Show) -> None:
    browser = show(
        graph(
            """
            # 😀😀 two characters that JavaScript counts as four
            model M = image(3, 8, 8) -> here: conv(4, 1)
            variant m = M
            """
        )
    )
    browser.hover("#here")
    assert "".join(browser.texts("#ui-source .lit")) == "conv(4, 1)"


def test_outputs_are_named_on_what_gives_them(show: Show) -> None:
    """A sum that is an output is a box with its name; a closed block tells what comes out of it."""
    made = graph("""
      block Head(out: int) = conv(8, 3) -> relu -> conv(out, 3)
      model Two {
        x = image(3, 32, 32) -> stem: conv(8, 3)
        y = x + (x -> side: conv(8, 3))
        output features = y
        output map = y -> head: Head(4)
      }
    """)
    browser = show(made)
    assert any("+  → features" in text for text in browser.texts("#ui-scene text"))
    assert "features 8×32×32, map 4×32×32" in browser.texts("#ui-facts")[0]
    assert any(text.startswith("→ map") or "→ map" in text for text in browser.texts("#ui-scene text"))
    browser.open_all()
    assert any("3×3 conv, 4  → map" in text for text in browser.texts("#ui-scene text"))
    assert browser.js(GEOMETRY) == {"overlapping": [], "wide": [], "outside": []}
