"""The tree of parts, its edges, and folding: everything is counted once, and only what is equal is folded."""

from __future__ import annotations

from itertools import pairwise
from textwrap import dedent

import pytest

import archdsl
from archdsl.api import find, open_source
from archdsl.graph.fold import FoldedGraph, fold
from archdsl.graph.ir import Graph
from archdsl.graph.parts import OUTSIDE, Part, drawn_inputs, part_tree
from archdsl.source import Source

FAMILIES = [
    "resnet50", "densenet121", "nasnetalarge", "efficientnet_b0", "inception_v3", "inception_resnet_v2", "googlenet",
    "convnext_tiny", "mobilenet_v3_large", "shufflenet_v2_x1_0", "regnet_y_400mf", "preresnet50", "senet154",
]  # fmt: skip


def graph(text: str) -> Graph:
    (made,) = open_source(Source("test.arch", dedent(text).strip() + "\n")).values()
    return made.graph


def runs(folded: FoldedGraph, path: str = "") -> list[tuple[str, int]]:
    part = folded.tree.find(path) if path else folded.root
    assert part is not None
    return [(run.first.name, run.count) for run in folded.runs(part)]


# --- parts -----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
def test_every_node_is_one_part_and_counted_once(name: str) -> None:
    made = archdsl.find(name).graph
    tree = part_tree(made)
    nodes = [part.node for part in tree.order]
    assert sorted(node.id for node in nodes if node) == list(range(len(made.nodes)))
    assert all(tree.part(node.id).node is node for node in made.nodes)
    assert tree.root.params == made.params
    assert tree.root.macs == made.macs
    assert tree.root.activations == sum(node.activations for node in made.nodes)
    assert tree.root.layers == sum(node.op.role in ("conv", "linear") for node in made.nodes)
    paths = [part.path for part in tree.root.walk() if part is not tree.root]
    assert len(set(paths)) == len(paths)
    for part in tree.root.walk():
        assert part.size == (1 if part.node else sum(member.size for member in part.parts))


@pytest.mark.parametrize("name", FAMILIES)
def test_every_edge_is_found_on_one_level_and_on_those_it_crosses(name: str) -> None:
    made = archdsl.find(name).graph
    tree = part_tree(made)
    inside = {
        (part.parts[edge.target].start, edge.tensor)
        for part in tree.root.walk()
        for edge in part.edges
        if edge.target != OUTSIDE and part.parts[edge.target].node
    }
    # The last level of each edge is at its target node: exactly the operands of all nodes.
    assert inside == {(tree.place[node.id], ref) for node in made.nodes for ref in tree.inputs[node.id]}
    for part in tree.root.walk():
        if part.node or part is tree.root:
            continue
        entering = {edge.tensor for edge in part.edges if edge.source == OUTSIDE}
        leaving = {edge.tensor for edge in part.edges if edge.target == OUTSIDE}
        assert entering == set(part.entries)
        assert leaving == set(part.exits)


def test_edges_between_members_of_a_block() -> None:
    tree = part_tree(archdsl.find("resnet50").graph)
    block = tree.find("layer1.0")
    assert block is not None
    names = [part.name for part in block.parts]
    found = {
        ("in" if e.source == OUTSIDE else names[e.source], "out" if e.target == OUTSIDE else names[e.target])
        for e in block.edges
    }
    # Figure 5, right, of the paper, with the projection of the first block.
    assert found == {
        ("in", "conv1"), ("conv1", "bn1"), ("bn1", "relu1"), ("relu1", "conv2"), ("conv2", "bn2"), ("bn2", "relu2"),
        ("relu2", "conv3"), ("conv3", "bn3"), ("in", "downsample"), ("bn3", "add1"), ("downsample", "add1"),
        ("add1", "relu3"), ("relu3", "out"),
    }  # fmt: skip


def test_ops_between_members_of_a_container_are_in_it() -> None:
    tree = part_tree(
        graph(
            """
            model M = image(8, 32, 32) -> relu -> f.a: conv(8, 3) -> relu -> f.b: conv(8, 3) -> relu
            variant m = M
            """
        )
    )
    assert [part.path for part in tree.root.parts] == ["image1", "relu1", "f", "relu3"]
    assert [part.path for part in tree.root.parts[2].parts] == ["f.a", "relu2", "f.b"]
    assert all(edge.source < edge.target for edge in tree.root.edges if edge.target != OUTSIDE)


def dense(layers: int) -> Graph:
    """A dense block as the paper writes it: each layer reads the concatenation of all before it."""
    operands = ["x"]
    lines = []
    for i in range(layers):
        lines.append(f"  f{i} = concat({', '.join(operands)}) -> conv{i}: conv(4, 3)")
        operands.append(f"f{i}")
    body = "\n".join(["  x = image(8, 32, 32)", *lines, f"  concat({', '.join(operands)})"])
    return graph(f"model Dense {{\n{body}\n}}\nvariant dense = Dense")


def test_a_dense_block_has_a_rail() -> None:
    made = dense(20)
    assert sum(len(node.inputs) for node in made.nodes) > 20 * 20 / 2
    drawn = drawn_inputs(made)
    assert sum(map(len, drawn)) <= 3 * 21
    by_path = {node.path: node for node in made.nodes}
    concats = [node for node in made.nodes if node.op.name == "concat" and len(node.inputs) > 1]
    for before, node in pairwise(concats):
        assert [ref.node for ref in drawn[node.id]] == [before.id, node.inputs[-1].node]
    assert drawn[by_path["conv3"].id] == by_path["conv3"].inputs


def test_other_concatenations_stay_as_they_are() -> None:
    made = archdsl.find("inception_v3").graph
    assert drawn_inputs(made) == [node.inputs for node in made.nodes]


def test_work_is_linear_in_a_dense_block() -> None:
    edges = [sum(len(part.edges) for part in part_tree(dense(n)).root.walk()) for n in (10, 20, 40)]
    assert edges[2] - edges[1] == pytest.approx(2 * (edges[1] - edges[0]), abs=2)


def test_a_container_cut_by_stages_is_in_order() -> None:
    tree = part_tree(archdsl.find("mobilenet_v3_large").graph)
    features = tree.find("features")
    assert features is not None
    assert [part.name for part in features.parts] == [str(i) for i in range(17)]


# --- folding ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "depths"), [("resnet50", [3, 4, 6, 3]), ("resnet152", [3, 8, 36, 3])])
def test_a_stage_is_its_first_block_and_the_rest(name: str, depths: list[int]) -> None:
    folded = fold(archdsl.find(name).graph)
    for index, depth in enumerate(depths, 1):
        assert runs(folded, f"layer{index}") == [("0", 1), ("1", depth - 1)]


def test_blocks_without_projection_fold_completely() -> None:
    assert runs(fold(archdsl.find("resnet18").graph), "layer1") == [("0", 2)]


def test_drop_rates_do_not_hinder_folding_and_are_told() -> None:
    folded = fold(archdsl.find("convnext_tiny").graph)
    assert runs(folded, "features.5") == [("0", 9)]  # the paper's third stage
    drop = folded.tree.find("features.5.0.stochastic_depth") or next(
        part for part in folded.tree.order if part.node and part.node.op.name == "drop_path" and "5.0" in part.path
    )
    assert drop.node is not None
    rates = [node.params.p for node in folded.instances[drop.node.id]]
    assert len(rates) == 9
    assert folded.label(drop.node) == f"drop path, {rates[0]:.3g} … {rates[-1]:.3g}"


def test_shapes_and_arguments_keep_neighbours_apart() -> None:
    folded = fold(
        graph(
            """
            block B(out: int, kernel: int = 3) = conv: conv(out, kernel) -> relu
            model M = image(8, 32, 32) -> a: B(8) -> b: B(8) -> c: B(8, 5) -> d: B(16) -> e: B(16) -> f: B(16)
            variant m = M
            """
        )
    )
    assert runs(folded) == [("image1", 1), ("a", 2), ("c", 1), ("d", 1), ("e", 2)]


def test_wiring_keeps_neighbours_apart() -> None:
    folded = fold(
        graph(
            """
            block B = conv: conv(8, 3)
            model M {
              x = image(8, 32, 32)
              a = x -> a: B
              b = a -> b: B
              c = a -> c: B
              d = x -> d: B
              concat(b, c, d)
            }
            variant m = M
            """
        )
    )
    assert runs(folded) == [("image1", 1), ("a", 1), ("b", 1), ("c", 1), ("d", 1), ("concat1", 1)]


TAPPED = """
block B = id + (conv: conv(8, 3))
model M {
  x = image(8, 32, 32)
  a = x -> a: B
  b = a -> b: B
  c = b -> c: B
  d = c -> d: B
  RESULT
}
variant m = M
"""


def test_a_run_ends_where_it_is_tapped() -> None:
    """`×4` before a concatenation of the second and the fourth would be a concatenation of one."""
    assert runs(fold(graph(TAPPED.replace("RESULT", "concat(b, d)")))) == [
        ("image1", 1),
        ("a", 2),
        ("c", 2),
        ("concat1", 1),
    ]
    assert runs(fold(graph(TAPPED.replace("RESULT", "d -> relu")))) == [("image1", 1), ("a", 4), ("relu1", 1)]
    two_results = fold(graph(TAPPED.replace("RESULT", "output early = a\n  d")))
    assert runs(two_results) == [("image1", 1), ("a", 1), ("b", 3)]


def test_who_reads_two_before_may_be_followed_by_who_does() -> None:
    """NASNet's cells: the one before the last is read by the reduction after the run, as by the cells in it."""
    folded = fold(find("nasnetalarge").graph)
    assert {("cell_2", 4), ("cell_8", 4), ("cell_14", 4)} <= set(runs(folded))


def test_three_equal_branches_are_a_parallel_run() -> None:
    folded = fold(
        graph(
            """
            block B = conv: conv(8, 3)
            model M = image(8, 32, 32) -> stem: conv(8, 3) -> relu -> concat(a: B, b: B, c: B)
            variant m = M
            """
        )
    )
    assert runs(folded) == [("image1", 1), ("stem", 1), ("relu1", 1), ("a", 3), ("concat1", 1)]
    assert folded.runs(folded.root)[3].parallel


BRANCHES = """
block B = conv: conv(8, 3) -> relu
model M {
  x = image(8, 32, 32) -> stem: conv(8, 3)
  output p1 = x -> a: B
  output p2 = x -> b: B
  output p3 = x -> c: B
  REST
}
variant m = M
"""


def test_branches_of_which_one_goes_on_are_no_run() -> None:
    """Where the branches are not read alike, an arrow from the one that is drawn would be an arrow from all."""
    text = BRANCHES.replace("output p3 = x -> c: B", "y = x -> c: B\n  output p3 = y")
    assert runs(fold(graph(text.replace("REST", "y -> gap -> flatten -> fc: linear(2)"))))[:5] == [
        ("image1", 1), ("stem", 1), ("a", 1), ("b", 1), ("c", 1),
    ]  # fmt: skip
    alike = fold(graph(BRANCHES.replace("  REST\n", "")))
    assert runs(alike) == [("image1", 1), ("stem", 1), ("a", 3)]
    assert alike.runs(alike.root)[2].parallel
    unlike = "block B = conv: conv(8, 3) -> relu\nmodel M {\n  x = image(8, 32, 32)\n  a = x -> a: B\n  b = x -> b: B\n"
    unlike += "  c = x -> c: B\n  (a + b) * c\n}\nvariant m = M"
    assert runs(fold(graph(unlike)))[:4] == [("image1", 1), ("a", 1), ("b", 1), ("c", 1)]


@pytest.mark.parametrize("name", FAMILIES)
def test_every_node_is_drawn_once_or_counted(name: str) -> None:
    made = archdsl.find(name).graph
    folded = fold(made)
    drawn = [part for part in folded.tree.order if part.node and folded.shown[part.node.id] == part.node.id]
    assert sorted(node.id for nodes in folded.instances.values() for node in nodes) == list(range(len(made.nodes)))
    assert len(folded.instances) == len(drawn)
    for number, nodes in folded.instances.items():
        first = made.nodes[number]
        assert nodes[0] is first
        for other in nodes:  # the same op at the same place, by an independent reading of the paths
            assert (other.op, other.input_shapes, other.outputs) == (first.op, first.input_shapes, first.outputs)
            assert other.path.count(".") == first.path.count(".")
            assert other.labelled >= first.labelled
            assert sum(w.elements for w in other.weights) == sum(w.elements for w in first.weights)


def _multiplied(folded: FoldedGraph, part: Part) -> int:
    """Parameters, from the picture alone: each drawn node times all the ×N around it."""
    if part.node:
        return part.params
    return sum(run.count * _multiplied(folded, run.first) for run in folded.runs(part))


@pytest.mark.parametrize("name", FAMILIES)
def test_the_numbers_of_repeats_add_up(name: str) -> None:
    made = archdsl.find(name).graph
    folded = fold(made)
    assert _multiplied(folded, folded.root) == made.params


def test_what_is_drawn_for_a_member_of_a_run() -> None:
    folded = fold(archdsl.find("resnet50").graph)
    inner = folded.tree.find("layer3.4.conv2")
    assert inner is not None
    assert folded.drawn(inner).path == "layer3.1.conv2"
    assert folded.drawn(folded.root) is folded.root
