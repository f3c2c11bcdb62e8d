"""What a picture has: boxes and arrows, by depth and opened parts, and by itself."""

from __future__ import annotations

import pytest

import archdsl
from archdsl.graph.fold import fold
from archdsl.graph.ir import Ref
from archdsl.graph.parts import OUTSIDE, Part
from archdsl.graph.view import View, view
from tests.graph.test_fold import FAMILIES, graph


def made(name: str, depth: int | None = None, *expand: str) -> View:
    folded = fold(archdsl.find(name).graph)
    parts = [folded.tree.find(path) for path in expand]
    return view(folded, depth, [part for part in parts if part is not None])


def paths(picture: View) -> list[str]:
    return [box.path for box in picture.boxes]


def arrows(picture: View) -> set[tuple[str, str]]:
    """The boxes that are linked, by paths: links are followed through the borders of frames."""
    scopes = [part for part in picture.folded.root.walk() if part.parts and is_drawn(picture, part)]
    found = set()
    for part in scopes:
        runs = picture.folded.runs(part)
        for link in picture.links(part):
            if OUTSIDE not in (link.source, link.target):
                sources = givers(picture, runs[link.source].first, link.tensor)
                targets = takers(picture, runs[link.target].first, link.entry)
                found |= {(source, target) for source in sources for target in targets}
    return found


def is_drawn(picture: View, part: Part) -> bool:
    """Whether a scope is drawn as a frame."""
    return all(picture.folded.drawn(up) is up and picture.is_open(up) for up in part.ancestors())


def givers(picture: View, part: Part, tensor: Ref) -> set[str]:
    if part.node is not None or not picture.is_open(part):
        return {part.path}
    runs, links = picture.folded.runs(part), picture.links(part)
    inner = [link for link in links if link.target == OUTSIDE and link.entry == tensor]
    return {path for link in inner for path in givers(picture, runs[link.source].first, link.tensor)}


def takers(picture: View, part: Part, tensor: Ref) -> set[str]:
    if part.node is not None or not picture.is_open(part):
        return {part.path}
    runs, links = picture.folded.runs(part), picture.links(part)
    inner = [link for link in links if link.source == OUTSIDE and link.entry == tensor]
    return {path for link in inner for path in takers(picture, runs[link.target].first, link.entry)}


def test_depth() -> None:
    stem = ["image1", "conv1", "bn1", "relu1", "maxpool1"]
    stages = ["layer1", "layer2", "layer3", "layer4"]
    assert paths(made("resnet50", 0)) == [*stem, *stages, "gap1", "flatten1", "fc"]
    blocks = [f"{stage}.{i}" for stage in stages for i in (0, 1)]
    assert paths(made("resnet50", 1)) == [*stem, *blocks, "gap1", "flatten1", "fc"]


def test_opening_one_part_keeps_the_rest() -> None:
    picture = made("resnet50", 1, "layer3.1")
    inside = [path for path in paths(picture) if path.startswith("layer3.1.")]
    assert inside[0] == "layer3.1.conv1"
    assert "layer3.0" in paths(picture)
    assert "layer3.1" not in paths(picture)
    assert paths(made("resnet50", 1, "layer3.4")) == paths(picture)  # drawn by the first of its run


def test_a_chain_has_no_arrow_back() -> None:
    found = arrows(made("resnet50", 1))
    assert ("layer3.0", "layer3.1") in found
    assert ("layer3.1", "layer4.0") in found
    assert all(source != target for source, target in found)


def test_a_run_that_is_open_is_entered_as_its_first_and_left_as_its_last() -> None:
    found = arrows(made("resnet50", 1, "layer3.1"))
    into = {target for source, target in found if source == "layer3.0"}
    assert into == {"layer3.1.conv1", "layer3.1.add1"}
    assert {source for source, target in found if target == "layer4.0"} == {"layer3.1.relu3"}
    assert not {(s, t) for s, t in found if s == "layer3.1.relu3" and t.startswith("layer3.1.")}


def test_cells_that_read_two_before_them() -> None:
    # NASNet: a cell reads the two before it; the run of equal cells is entered from the two before its first.
    picture = made("nasnetalarge", 0)
    run = next(box for box in picture.boxes if picture.folded.run(box).count > 1)
    found = arrows(picture)
    before = sorted(source for source, target in found if target == run.path)
    names = [box.path for box in picture.boxes]
    assert before == sorted(names[names.index(run.path) - 2 : names.index(run.path)])


def sided(second: str) -> View:
    text = f"""
        block B on (x, y) = concat(x, y) -> conv: conv(8, 3)
        model M {{
          x = image(8, 32, 32)
          side = x -> side: conv(8, 1)
          other = x -> other: conv(8, 1)
          a = (x, side) -> a: B
          b = (a, {second}) -> b: B
          (b, other) -> c: B
        }}
        variant m = M
        """
    return view(fold(graph(text)), 0)


def test_members_of_a_run_that_read_the_same_enter_once() -> None:
    picture = sided("other")
    assert [(run.first.path, run.count) for run in picture.folded.runs(picture.folded.root)][-1] == ("a", 3)
    # What only the second reads is not lost: nothing of the graph is silently left out.
    assert ("other", "a") in arrows(picture)
    assert arrows(sided("side")) == {
        ("image1", "side"), ("image1", "other"), ("image1", "a"), ("side", "a"), ("a", "c"), ("other", "c"),
    }  # fmt: skip


def test_a_scope_whose_only_member_is_a_scope_opens_with_it() -> None:
    picture = made("efficientnet_b0", 3)
    assert any(path.startswith("features.1.0.block.") for path in paths(picture))
    assert "features.1.0.block" not in paths(picture)


@pytest.mark.parametrize("name", [*FAMILIES, "efficientnet_b7", "densenet201", "resnet152"])
def test_by_itself_a_picture_stays_readable(name: str) -> None:
    picture = made(name)
    assert 10 <= len(picture.boxes) <= 60
    assert len(arrows(picture)) <= 2 * len(picture.boxes)
    assert any(box.parent is not picture.folded.root for box in picture.boxes)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("depth", [None, 0, 1, 2, 99])
def test_every_node_is_in_one_box_or_counted(name: str, depth: int | None) -> None:
    picture = made(name, depth)
    folded = picture.folded
    counted = sum(len(folded.instances[n]) for box in picture.boxes for n in _drawn_in(picture, box.start, box.stop))
    assert counted == len(folded.graph.nodes)


def _drawn_in(picture: View, start: int, stop: int) -> list[int]:
    parts = picture.folded.tree.order[start:stop]
    return [part.node.id for part in parts if part.node and part.node.id in picture.folded.instances]


@pytest.mark.parametrize("name", FAMILIES)
def test_everything_open_shows_every_edge_of_what_is_drawn(name: str) -> None:
    picture = made(name, 99)
    folded, tree = picture.folded, picture.folded.tree
    expected = set()
    for number in folded.instances:
        for ref in tree.inputs[number]:
            source = folded.shown[ref.node]
            if source < number:
                expected.add((tree.part(source).path, tree.part(number).path))
    assert arrows(picture) >= expected
