"""Every family at levels overview and blocks: nothing overlaps, nothing is cut, every node is there once."""

from __future__ import annotations

import re
from functools import cache

import pytest

from archdsl.backends.diagram import Drawing, Options
from archdsl.backends.diagram.style import COLUMN, PAGE
from archdsl.graph.ir import Node
from archdsl.graph.scopes import Scope
from tests.diagram.picture import Picture
from tests.shipped import families
from tests.shipped import named as variant

FAMILIES = families()
OTHERS = (
    "resnet50",
    "preresnet110_cifar10",
    "squeezenet1_0_complex_bypass",
    "nasnetalarge",
    "efficientnet_lite0",
    "googlenet_aux",
    "inception_v3_aux",
)


@cache
def drawing(name: str, level: str, columns: int) -> Drawing:
    return variant(name).drawing(level, Options(columns))  # type: ignore[arg-type]


@cache
def picture(name: str, level: str, columns: int) -> Picture:
    return Picture(drawing(name, level, columns).svg)


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
@pytest.mark.parametrize(("level", "columns"), [("overview", 2), ("overview", 1), ("blocks", 2), ("blocks", 1)])
def test_nothing_overlaps(name: str, level: str, columns: int) -> None:
    found = picture(name, level, columns)
    assert found.boxes
    assert found.texts
    assert found.lines
    assert list(found.problems()) == []
    assert found.size[0] <= (PAGE if columns == 2 else COLUMN) + 1.5


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_every_node_is_in_the_overview_once(name: str) -> None:
    made = drawing(name, "overview", 2)
    shown = sorted(node for nodes in made.covers.values() for node in nodes)
    assert shown == [node.id for node in variant(name).graph.nodes]
    assert set(made.covers) <= set(picture(name, "overview", 2).ids)


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_every_node_of_a_block_is_drawn_once_or_counted(name: str) -> None:
    made = drawing(name, "blocks", 2)
    inner = {box.id for box in picture(name, "blocks", 2).boxes if box.kind == "block"}
    shown = sorted(node for key, nodes in made.covers.items() if key not in inner for node in nodes)
    wanted = [node.id for node in variant(name).graph.nodes if any(map(_is_drawn, node.scope.frames))]
    assert shown == wanted


def _is_drawn(scope: Scope) -> bool:
    """A block without stages in it and of more than one layer, counted here by what they are in torch."""
    if scope.kind != "block" or any(node.stage and _inside(node.stage, scope) for node in scope.nodes()):
        return False
    return sum(_is_layer(node) for node in scope.nodes()) > 1


def _inside(scope: Scope, around: Scope) -> bool:
    return scope is not around and any(up is around for up in scope.ancestors())


def _is_layer(node: Node) -> bool:
    return node.op.role in ("conv", "linear", "pool", "merge")


def test_resnet50_fits_a_slide() -> None:
    wide, high = picture("resnet50", "overview", 2).size
    assert high <= wide / (16 / 9)


def test_the_check_bites() -> None:
    svg = drawing("resnet50", "overview", 2).svg
    assert list(Picture(svg).problems()) == []
    moved = svg.replace('textLength="', 'textLength="9')
    assert any("overlap" in problem for problem in Picture(moved).problems())
    box = next(box for box in Picture(svg).boxes if box.id == "segment-layer2")
    middle = f"M{(box.left + box.right) / 2:.2f},{(box.top + box.bottom) / 2:.2f}C"
    across = re.sub(r'(<path[^>]* d=")M[^C]*C', r"\g<1>" + middle, svg, count=1)
    assert any("passes" in problem for problem in Picture(across).problems())
    doubled = svg.replace('id="segment-layer2"', 'id="segment-layer1"')
    assert any("twice" in problem for problem in Picture(doubled).problems())
