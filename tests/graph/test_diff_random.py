"""The guarantee of the comparison on random networks: equal if and only if both run the same ops on the same inputs."""

from __future__ import annotations

import networkx
from hypothesis import given, settings
from hypothesis import strategies as st

from archdsl.api import open_source
from archdsl.graph.diff.compare import diff
from archdsl.graph.ir import Graph
from archdsl.source import Source

LAYER_TEXTS = ["conv(4, 1)", "conv(4, 3)", "conv(4, 3, groups = 2)", "bn(eps = 1e-5)", "bn(eps = 1e-3)", "relu", "gelu"]
BODIES = st.lists(st.sampled_from(LAYER_TEXTS), min_size=1, max_size=4).map(" -> ".join)


@st.composite
def networks(draw: st.DrawFn) -> str:
    """A spec: two kinds of residual blocks, and which of them are in each of two stages."""
    bodies = draw(st.tuples(BODIES, BODIES))
    labels = draw(st.sampled_from(["", "main: "]))
    ends = [draw(st.sampled_from([" + id", "", " + id -> relu", " * id"])) for _ in bodies]
    blocks = [f"block {name} = ({labels}[{body}]){end}" for name, body, end in zip("AB", bodies, ends, strict=True)]
    stages = [draw(st.lists(st.sampled_from("AB"), min_size=1, max_size=4)) for _ in range(2)]
    lines = [f"  x = x -> stage s{i}: [{', '.join(stage)}]" for i, stage in enumerate(stages)]
    head = draw(st.sampled_from(["linear(3)", "linear(4)", "dropout(0.1) -> linear(3)"]))
    last = f"  x -> gap -> flatten -> fc: [{head}]"
    return "\n".join([*blocks, "model Net {", "  x = image(3, 8, 8) -> stem: conv(4, 5)", *lines, last, "}"])


@st.composite
def neighbours(draw: st.DrawFn) -> tuple[str, str]:
    """A network, and the same with a layer replaced, or with a block of the other kind: perhaps by the same."""
    text = draw(networks())
    old = draw(st.sampled_from([layer for layer in LAYER_TEXTS if layer in text] or ["linear(3)"]))
    new = draw(st.sampled_from(LAYER_TEXTS))
    count = draw(st.integers(1, 2))
    return text, draw(st.sampled_from([text.replace(old, new, count), text.replace("[A", "[B", 1)]))


def graph(text: str) -> Graph:
    (variant,) = open_source(Source("test.arch", text + "\n")).values()
    return variant.graph


def meaning(network: Graph) -> list[object]:
    """Every op with its parameters and what it reads, in order; a sum's and product's operands in any order."""
    return [
        (node.op.name, node.params, frozenset(node.inputs) if node.op.role == "merge" else node.inputs)
        for node in network.nodes
    ]


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.tuples(networks(), networks()), neighbours()))
def test_two_networks(both: tuple[str, str]) -> None:
    a, b = map(graph, both)
    found = diff(a, b)
    assert found.equal == (meaning(a) == meaning(b))
    assert diff(b, a) == found.inverse()
    for side, network in enumerate((a, b)):
        sections = [(section.before, section.after)[side] for section in found.sections]
        nodes = [node.id for section in sections if section is not None for node in section.nodes]
        assert sorted(nodes) == list(range(1, len(network.nodes)))
        assert found.costs[side].params == network.params


@settings(max_examples=60, deadline=None)
@given(networks())
def test_a_network_and_itself(text: str) -> None:
    assert diff(graph(text), graph(text)).equal
    assert str(diff(graph(text), graph(text.replace("main: ", "other: ")))) == "no difference"


BRANCHES = st.lists(st.sampled_from(LAYER_TEXTS), min_size=1, max_size=3).map(" -> ".join)
JOINS = ["{0} + {1} + {2}", "{1} * {2} * {0}", "{2} + {0} * {1}", "concat({0}, {1}, {2})", "concat({1}, {0}, {2})"]


@st.composite
def orders(draw: st.DrawFn) -> tuple[str, str]:
    """Three branches, written in two orders, joined in two ways; in one, perhaps, with another layer."""
    branches = draw(st.tuples(BRANCHES, BRANCHES, BRANCHES))
    other = draw(st.sampled_from([branches, tuple(reversed(branches)), (draw(BRANCHES), *branches[1:])]))
    texts = []
    for bodies in (branches, other):
        lines = draw(st.permutations([f"  b{i} = x -> {body}" for i, body in enumerate(bodies)]))
        join = draw(st.sampled_from(JOINS[:2] if draw(st.booleans()) else JOINS)).format("b0", "b1", "b2")
        start = ["model Net {", "  x = image(3, 8, 8) -> stem: conv(4, 5)"]
        texts.append("\n".join([*start, *lines, f"  y = {join}", "  y -> gap -> flatten -> fc: linear(3)", "}"]))
    return texts[0], texts[1]


def isomorphic(one: Graph, other: Graph) -> bool:
    """Whether one network is the other with its nodes renumbered, by networkx: the same ops, of which each reads the
    same operands, a sum's and product's in any order."""
    both = []
    for graph_ in (one, other):
        network = networkx.DiGraph()
        for node in graph_.nodes:
            network.add_node(node.id, op=(node.op.name, node.params, node.input_shapes))
            merges = node.op.name in ("add", "mul")
            for slot, ref in enumerate(node.inputs):
                slots = network.get_edge_data(ref.node, node.id, {"slots": []})["slots"]
                network.add_edge(ref.node, node.id, slots=[*slots, -1 if merges else slot])
        both.append(network)
    return networkx.is_isomorphic(*both, lambda a, b: a == b, lambda a, b: a == b)


@settings(max_examples=150, deadline=None)
@given(orders())
def test_the_order_in_which_branches_run_is_no_difference(both: tuple[str, str]) -> None:
    a, b = map(graph, both)
    assert diff(a, b).equal == isomorphic(a, b)
    assert diff(b, a) == diff(a, b).inverse()


def test_a_change_in_a_branch_that_runs_at_another_place_is_that_change_alone() -> None:
    old = [
        "  a = x -> conv(4, 1) -> bn -> relu",
        "  b = x -> conv(4, 3) -> gelu",
        "  c = x -> bn -> conv(4, 5) -> relu",
    ]
    new = [old[2], old[1].replace("conv(4, 3)", "conv(4, 7)"), old[0]]
    texts = ("\n".join(["model Net {", "  x = image(3, 8, 8) -> stem: conv(4, 5)", *lines,
             "  a + b + c -> gap -> flatten -> fc: linear(3)", "}"]) for lines in (old, new))  # fmt: skip
    found = diff(*map(graph, texts))
    assert [op.status for _, block in found.blocks() for op in block.changes] == ["changed"]
    assert str(found) == "~ layers conv kernel 3 → 7"
