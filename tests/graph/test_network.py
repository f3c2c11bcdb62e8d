"""The graph as a networkx.MultiDiGraph: what users see of it, and what it is for."""

from __future__ import annotations

from pathlib import Path

import networkx
import pytest

import archdsl
from archdsl.graph.backbone import feature_maps
from archdsl.graph.cut import feature_graph
from archdsl.graph.ir import Graph, Ref


def graph(tmp_path: Path, body: str, before: str = "") -> Graph:
    file = tmp_path / "net.arch"
    file.write_text(f"{before}\nmodel Net {{\n{body}\n}}\nvariant net = Net\n")
    return archdsl.find(file).graph


def test_operands_are_edges_with_what_they_carry(tmp_path: Path) -> None:
    made = graph(tmp_path, "a, b = image(4, 8, 8) -> split(2)\nconcat(b, a, b)")
    network = made.network
    parts, joined = (node.id for node in made.nodes[1:])
    assert network.get_edge_data(parts, joined) == {
        0: {"port": 1, "shape": made.nodes[parts].outputs[1]},
        1: {"port": 0, "shape": made.nodes[parts].outputs[0]},
        2: {"port": 1, "shape": made.nodes[parts].outputs[1]},
    }
    assert network.graph["outputs"] == [joined]
    assert [data["path"] for _, data in network.nodes(data=True)] == [node.path for node in made.nodes]
    assert list(networkx.topological_sort(network)) == [node.id for node in made.nodes]


def test_a_change_of_it_is_refused_and_a_copy_is_free() -> None:
    """A change would not change the network that is built."""
    network = archdsl.find("resnet18").graph.network
    for change in (lambda: network.remove_node(3), lambda: network.add_edge(0, 9), network.clear_edges):
        with pytest.raises(networkx.NetworkXError, match="rozen"):
            change()
    copy = networkx.MultiDiGraph(network)
    copy.remove_node(3)
    assert len(copy) == len(network) - 1


@pytest.mark.parametrize(("name", "layers"), [("resnet50", 50), ("resnet101", 101), ("densenet121", 121)])
def test_depth_is_the_number_in_the_name(name: str, layers: int) -> None:
    """He et al. (2016), table 1; Huang et al. (2017), table 1: convolutions and linear layers of the longest path."""
    network = archdsl.find(name).graph.network
    path = networkx.dag_longest_path(network)
    assert sum(network.nodes[number]["node"].op.role in ("conv", "linear") for number in path) == layers


def test_what_a_further_output_alone_needs() -> None:
    """Szegedy et al. (2015), section 5: an average pool, a convolution and two linear layers, with dropout."""
    made = archdsl.find("googlenet").override({"aux_heads": True}).graph
    for name in made.output_names[1:]:
        own = [made.nodes[number].op.role for number, output in made.aux.items() if output == name]
        assert sorted(role for role in own if role in ("conv", "linear", "pool")) == [
            "conv",
            "linear",
            "linear",
            "pool",
        ]


def test_a_part_of_a_network_has_whole_blocks(tmp_path: Path) -> None:
    """A block that is needed needs all its inputs, as its class takes them, whatever the tensor depends on."""
    block = "block Two on (a, b) {\nleft = a -> conv(8, 1)\nright = b -> conv(8, 1)\n(left, right)\n}"
    body = "x = image(4, 8, 8)\np, q = (x -> one: conv(4, 1), x -> two: conv(4, 1)) -> both: Two\np + q"
    made = graph(tmp_path, body, block)
    left = next(node for node in made.nodes if node.path.startswith("both."))
    part = feature_graph(made, {"left": Ref(left.id, 0)})
    assert [node.path for node in part.nodes] == ["image1", "one", "two", left.path]


def test_a_long_chain(tmp_path: Path) -> None:
    """No algorithm here recurses, and none takes more than a few seconds of 100,000 layers."""
    made = graph(tmp_path, "image(4, 8, 8) -> stage body: [100_000 of relu]")
    assert len(made.needed(made.outputs[0])) == 100_001
    assert list(feature_maps(made)) == ["body"]
