"""What a picture says is so: the numbers of every label, and which blocks are drawn as one, held against the graph."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

from archdsl import api
from archdsl.api import Variant
from archdsl.backends.diagram import Options
from archdsl.backends.diagram.blocks.words import alternatives
from archdsl.graph.ir import Graph, Node
from archdsl.graph.scopes import Scope
from archdsl.ops.geometry import pair
from archdsl.source import Source
from tests.diagram.picture import Picture, Rect
from tests.diagram.test_families import FAMILIES, OTHERS, _is_drawn, drawing, picture, variant

# Networks that nobody draws every day: Ghost modules (Han et al., 2020), blocks of two inputs, a plain sequence, groups
# that differ from block to block.
SPECS = {
    "ghost": """\
block Ghost(out: int, act: layer = relu) {
  x = in -> primary: [conv(out // 2, 1, bias = false), bn, act]
  y = x -> cheap: [dwconv(3, bias = false), bn, act]
  concat(x, y)
}
block GhostBottleneck(hidden: int, out: int) = (a: Ghost(hidden) -> b: Ghost(out, act = id)) + id
model M = image(3, 32, 32) -> stem: conv(16, 3) -> stage s: [3 of GhostBottleneck(16, 16)]
  -> gap -> flatten -> fc: linear(10)
variant m = M()
""",
    "two": """\
block Fuse(out: int) on (deep, skip) { (deep -> a: conv(out, 3)) + (skip -> b: conv(out, 1)) -> c: conv(out, 3) }
block Outer(out: int) {
  a = in -> left: [conv(out, 3), bn, relu]
  b = in -> right: [conv(out, 5), bn, relu]
  (a, b) -> fuse: Fuse(out)
}
model M = image(3, 32, 32) -> stem: conv(8, 3) -> o: Outer(16) -> p: Outer(24) -> gap -> flatten -> fc: linear(10)
variant m = M()
""",
    "groups": """\
block Unit(out: int, groups: int, stride: int = 1, dilation: int = 1) =
  [conv(out, 3, stride, groups = groups, dilation = dilation), bn, relu, conv(out, 1), relu]
block Stage(out: int, n: int) = [Unit(out, 1, 2), n of Unit(out, 4), Unit(out, 4, dilation = 2), Unit(out, out)]
model M = image(3, 32, 32) -> stem: conv(8, 3) -> stage a: Stage(16, 1) -> stage b: Stage(32, 4)
  -> gap -> flatten -> fc: linear(10)
variant m = M()
""",
}
NUMBERS = r"(\d+(?:–\d+| or \d+)?)"


def written(name: str) -> Variant:
    return api.open_source(Source("test.arch", SPECS[name])).only(None)


# --- numbers ---------------------------------------------------------------------------------


def fits(text: str, values: Iterable[int]) -> bool:
    """Whether `64`, `64 or 128` or `64–512` says which values there are: all, or the least and the greatest of many."""
    found = sorted(set(values))
    said = [int(number) for number in re.findall(r"\d+", text)]
    return said == ([found[0], found[-1]] if "–" in text and len(found) > 2 else found)


def sizes(texts: str) -> list[str]:
    return re.split(r" or ", texts)


def by_kernel(nodes: Sequence[Node]) -> list[Node]:
    return [node for node in nodes if node.op.role in ("conv", "pool") and "kernel" in node.op.parameter_names]


def size(value: Any) -> str:
    return "×".join(map(str, pair(value)))


def stride_of(node: Node) -> str:
    """As pictures write it: of a pool without one it is the kernel."""
    value = node.params.stride  # type: ignore[attr-defined]
    value = node.params.kernel if value is None else value  # type: ignore[attr-defined]
    return str(value) if isinstance(value, int) else size(value)


def is_depthwise(node: Node) -> bool:
    """From the shape of the weight, as torch keeps it: out × in/groups × kernel."""
    return node.op.role == "conv" and node.weights[0].shape[1] == 1 < node.input_shapes[0].channels


def wrong_numbers(text: str, nodes: Sequence[Node]) -> Iterator[str]:
    """What the words of one box of level blocks say that is not so of the nodes it stands for, all instances."""
    windows = by_kernel(nodes)
    kernel = re.search(r"((?:\d+×\d+(?: or )?)+) (\w[\w ]*)", text)
    if windows:
        assert kernel, text
        if set(sizes(kernel[1])) != {size(node.params.kernel) for node in windows}:  # type: ignore[attr-defined]
            yield f"kernel of {text}"
        convs = [node for node in windows if node.op.role == "conv"]
        if any(("dwconv" in kernel[2]) != is_depthwise(node) for node in convs):
            yield f"depthwise in {text}"
        stride = re.search(r"stride ((?:\d+(?:×\d+)?(?: or )?)+)", text)
        if set(sizes(stride[1]) if stride else ["1"]) != set(map(stride_of, windows)):
            yield f"stride of {text}"
        groups = [1 if is_depthwise(node) else node.params.groups for node in convs]  # type: ignore[attr-defined]
        told = re.search(NUMBERS + " groups", text)
        if convs and not fits(told[1] if told else "1", groups):
            yield f"groups of {text}"
        dilations = [node.params.dilation for node in convs if isinstance(node.params.dilation, int)]  # type: ignore[attr-defined]
        told = re.search("dilation " + NUMBERS, text)
        if convs and not fits(told[1] if told else "1", dilations):
            yield f"dilation of {text}"
    weighty = [node for node in nodes if node.op.role in ("conv", "linear")]
    if weighty:
        last = re.search(rf"(?:{NUMBERS} → )?{NUMBERS}\)?$", text)
        assert last, text
        after = [node.shape.channels for node in weighty]
        before = [node.input_shapes[0].channels for node in weighty]
        if not fits(last[2], after) or not fits(last[1] or last[2], before) or (not last[1] and before != after):
            yield f"channels of {text}"


def inside(box: Rect, shown: Picture) -> str:
    texts = [t for t in shown.texts if box.has((t.left + t.right) / 2, (t.top + t.bottom) / 2)]
    return " ".join(t.text for t in sorted(texts, key=lambda t: t.top))


def wrong_boxes(shown: Picture, covers: dict[str, tuple[int, ...]], graph: Graph) -> list[str]:
    boxes = [box for box in shown.boxes if box.kind == "op" and box.id in covers]
    assert boxes or not covers
    return [w for box in boxes for w in wrong_numbers(inside(box, shown), [graph.nodes[n] for n in covers[box.id]])]


@pytest.mark.parametrize("columns", [1, 2])
@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_every_number_of_a_block_is_that_of_its_nodes(name: str, columns: int) -> None:
    made = drawing(name, "blocks", columns)
    assert wrong_boxes(picture(name, "blocks", columns), dict(made.covers), variant(name).graph) == []


@pytest.mark.parametrize("name", SPECS)
def test_every_number_of_other_blocks(name: str) -> None:
    made = written(name).drawing("blocks")
    assert wrong_boxes(Picture(made.svg), dict(made.covers), written(name).graph) == []


@pytest.mark.parametrize(
    ("true", "false"),
    [("1 or 3 groups", "3 groups"), ("(24–480 ", "(24 "), ("stride 2", "stride 1"), ("3×3 dwconv", "3×3 conv")],
)
def test_a_wrong_number_is_found(true: str, false: str) -> None:
    """The first unit of ShuffleNet's second stage has one group, not three (Zhang et al., 2017, section 3.2)."""
    made = drawing("shufflenet_g3_w1", "blocks", 2)
    assert true in made.svg
    shown = Picture(made.svg.replace(true, false))
    assert wrong_boxes(shown, dict(made.covers), variant("shufflenet_g3_w1").graph)


LABEL = re.compile(r"(\d+×\d+) ([a-z ]*(?:conv|pool))(?:, (\d+))?(?:, (\d+) groups)?(?:, dilation (\d+))?(?:, /(\d+))?")


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_every_label_has_its_node_s_numbers(name: str) -> None:
    """Of the graph, the page, `show --layers` and diffs, which all write a node's label."""
    for node in by_kernel(variant(name).graph.nodes):
        params: Any = node.params
        found = LABEL.fullmatch(node.label)
        assert found, node.label
        kernel, word, out, groups, dilation, stride = found.groups()
        assert (kernel, stride or "1") == (size(params.kernel), stride_of(node))
        if node.op.role == "conv":
            assert word.endswith("dwconv") == is_depthwise(node)
            assert int(groups or 1) == (1 if is_depthwise(node) else params.groups)
            assert int(out or node.input_shapes[0].channels) == node.shape.channels
            assert int(dilation or 1) == params.dilation


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_the_graph_says_what_its_nodes_are(name: str) -> None:
    made = variant(name).drawing("graph")
    shown, graph = Picture(made.svg), variant(name).graph
    boxes = [box for box in shown.boxes if box.kind == "op" and len(made.covers.get(box.id, ())) == 1]
    assert boxes
    for box in boxes:
        node = graph.nodes[made.covers[box.id][0]]
        if by_kernel([node]):
            assert inside(box, shown).startswith(node.label), node.path


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_the_overview_says_what_its_layers_are(name: str) -> None:
    """Kernel and stride under every layer that has a glyph of its own, and its output's size on an arrow."""
    made, graph = drawing(name, "overview", 2), variant(name).graph
    texts = Counter(text.text for text in picture(name, "overview", 2).texts)
    wanted: Counter[str] = Counter()
    for nodes in made.covers.values():
        layers = [node for node in map(graph.nodes.__getitem__, nodes) if node.op.role in ("conv", "linear", "pool")]
        if len(layers) == 1 and by_kernel(layers):
            stride = stride_of(layers[0])
            step = "" if stride == "1" else f" /{stride}"
            wanted[f"{layers[0].label.partition(',')[0]}{step}"] += 1
        shape = graph.nodes[nodes[-1]].shape
        wanted[str(shape.channels) if len(shape.dims) == 1 else f"{shape.height}×{shape.width}"] += 1
    assert not wanted - texts


# --- forms -----------------------------------------------------------------------------------


def content(scope: Scope) -> tuple[Any, ...]:
    """All that a block is but for rates of regularizers: equal if two are the same in the graph."""
    nodes = list(scope.nodes())
    number = {node.id: place for place, node in enumerate(nodes)}
    outer = list(dict.fromkeys(ref for node in nodes for ref in node.inputs if ref.node not in number))
    return tuple(
        (
            node.op.name,
            None if node.op.role == "regularizer" else node.params,
            node.input_shapes,
            node.path.removeprefix(scope.path),
            tuple(number.get(ref.node, -1 - outer.index(ref) if ref in outer else 0) for ref in node.inputs),
        )
        for node in nodes
    )


def drawn_scopes(graph: Graph) -> list[Scope]:
    found: dict[int, Scope] = {}
    for node in graph.nodes:
        for scope in node.scope.frames[::-1]:
            if _is_drawn(scope):
                found.setdefault(id(scope), scope)
    return list(found.values())


def form(scope: Scope, drawn: Callable[[Scope], bool]) -> tuple[Any, ...]:
    """The structure of a block: kinds of layers and their wiring; an inner block is one, a row of equal ones too."""
    items: list[Node | Scope] = []

    def collect(around: Scope) -> None:
        for member in around.members:
            if isinstance(member, Scope) and not (member.kind == "block" and drawn(member)):
                collect(member)
            else:
                items.append(member)

    collect(scope)
    items.sort(key=lambda item: item.id if isinstance(item, Node) else next(item.nodes()).id)
    place: dict[int, int] = {}
    found: list[tuple[str, tuple[int, ...]]] = []
    before: Scope | None = None
    for item in items:
        own = [item] if isinstance(item, Node) else list(item.nodes())
        numbers = {node.id for node in own}
        reads = dict.fromkeys(ref.node for node in own for ref in node.inputs if ref.node not in numbers)
        sources = tuple(place.get(node, -1) for node in reads)
        follows = isinstance(item, Scope) and before is not None and sources == (len(found) - 1,)
        if follows and isinstance(item, Scope) and before is not None and content(before) == content(item):
            place.update(dict.fromkeys(numbers, len(found) - 1))
            before = item
            continue
        before = item if isinstance(item, Scope) else None
        strong = isinstance(item, Node) and item.op.role in ("conv", "linear", "pool", "merge")
        name = item.definition if isinstance(item, Scope) else item.op.name if strong else item.op.role
        if strong and isinstance(item, Node) and is_depthwise(item):
            name = "dwconv"
        place.update(dict.fromkeys(numbers, len(found)))
        found.append((name, sources))
    return tuple(found)


def check_forms(made: Variant) -> None:
    graph, picture = made.graph, made.drawing("blocks", Options(2))
    scopes = drawn_scopes(graph)
    known = {id(scope) for scope in scopes}
    wanted: dict[tuple[Any, ...], set[int]] = {}
    for scope in scopes:
        key = (scope.definition, form(scope, lambda inner: id(inner) in known))
        wanted.setdefault(key, set()).add(id(scope))
    figures: dict[str, set[int]] = {}
    for key, nodes in picture.covers.items():
        name = key.rpartition(".")[0]
        definition = name.rpartition("-")[0]
        around = {
            id(s) for n in nodes for s in graph.nodes[n].scope.frames if s.definition == definition and id(s) in known
        }
        figures.setdefault(name, set()).update(around)
    assert sorted(map(sorted, figures.values())) == sorted(map(sorted, wanted.values()))


@pytest.mark.parametrize("name", [*FAMILIES, *OTHERS])
def test_every_form_of_a_block_is_drawn_once(name: str) -> None:
    check_forms(variant(name))


@pytest.mark.parametrize("name", SPECS)
def test_every_form_of_other_blocks(name: str) -> None:
    check_forms(written(name))


def counted(made: Variant) -> Iterator[tuple[str, list[list[Scope]]]]:
    """Of each box that stands for inner blocks: its words, and for each instance of the block around the inner ones."""
    drawn, graph = made.drawing("blocks"), made.graph
    shown = Picture(drawn.svg)
    for box in shown.boxes:
        if box.kind == "block":
            definition = re.sub(r"-\d+\.\d+\Z", "", box.id)
            rows: dict[int, dict[int, Scope]] = {}
            for number in drawn.covers[box.id]:
                chain = graph.nodes[number].scope.frames
                outer = next(place for place, scope in enumerate(chain) if scope.definition == definition)
                inner = [scope for scope in chain[:outer] if _is_drawn(scope)][-1]
                rows.setdefault(id(chain[outer]), {})[id(inner)] = inner
            yield inside(box, shown), [list(row.values()) for row in rows.values()]


@pytest.mark.parametrize("name", [*SPECS, "convnextv2_tiny", "nasnetalarge", "mobilenet_v3_large", "van_b0"])
def test_what_is_counted_is_equal(name: str) -> None:
    """`3 × Block` stands for blocks that are the same in the graph: not for `Ghost` with a ReLU and one without."""
    for text, rows in counted(written(name) if name in SPECS else variant(name)):
        said = re.match(NUMBERS + " × ", text)
        assert fits(said[1] if said else "1", map(len, rows)), text
        assert all(len({content(scope) for scope in row}) == 1 for row in rows), text


def test_a_ghost_without_an_activation_is_another_one() -> None:
    texts = [text for text, _ in counted(written("ghost"))]
    assert texts == ["Ghost", "Ghost act id"]
    captions = [text.text for text in Picture(written("ghost").drawing("blocks").svg).texts]
    assert [text[:21] for text in captions if " of 6 " in text] == ["3 of 6 blocks: s.0.a,", "3 of 6 blocks: s.0.b,"]


# --- expressions -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("resnet50", {"C → width (256–2048 → 64–512)", "4·width = 256–2048", "C = 64–1024"}),
        # Zagoruyko and Komodakis (2016): the widening factor 2; Xie et al. (2016), table 1: 32 groups of 4.
        ("wide_resnet50_2", {"C → 2·width"}),
        ("resnext50_32x4d", {"C → 2·width"}),
        # Hu et al. (2017), section 3: a reduction of 16.
        ("seresnet50", {"C → C/16 (256–2048 → 16–128)"}),
        # Tan and Le (2019), table 1: MBConv6; squeeze from a quarter of the block's input.
        ("efficientnet_b0", {"C → 6·C (24–192 → 144–1152)", "squeeze C/4"}),
        # He et al. (2016): a bottleneck of a quarter.
        ("preresnet50", {"C → C/4 (256–2048 → 64–512)"}),
        # Huang et al. (2017): 1×1 convolutions give 4k channels, transitions half.
        ("densenet121", {"C → 4·growth (64–992 → 128)", "C → C/2 (256–1024 → 128–512)"}),
        # Ma et al. (2018): half of the channels.
        ("shufflenet_v2_x1_0", {"C/2 (58–232)"}),
    ],
)
def test_widths_are_said_as_the_papers_do(name: str, wanted: set[str]) -> None:
    texts = {text.text for text in Picture(api.find(name).drawing("blocks").svg).texts}
    assert wanted <= texts


def test_nothing_of_the_spec_s_machinery_is_printed() -> None:
    """No dead branch, no constant list, no rounding that changes nothing."""
    for name in [*FAMILIES, *OTHERS]:
        texts = " ".join(text.text for text in picture(name, "blocks", 2).texts)
        assert not re.search(r"\bif\b|\belse\b|math\.|\w\[\d|int\(|round\(", texts), name


def test_a_division_with_a_rest_is_no_fraction() -> None:
    text = """\
block B(w: int) = [conv(w // 3 * 3, 3), relu, conv(w, 1)]
model M = image(3, 16, 16) -> stage s: [B(16), B(20), B(35)] -> gap -> flatten -> fc: linear(10)
variant m = M()
"""
    texts = [t.text for t in Picture(api.open_source(Source("t.arch", text)).only(None).drawing("blocks").svg).texts]
    assert any("3·(w // 3)" in text for text in texts)
    assert not any("→ w (" in text for text in texts if text.startswith("C"))


# --- several inputs --------------------------------------------------------------------------


def test_inputs_of_an_inner_block_arrive_apart() -> None:
    """Two arrows in one head read as a sum: each has its own, with the input's name under it."""
    shown = Picture(written("two").drawing("blocks").svg)
    box = next(box for box in shown.boxes if box.kind == "block")
    assert inside(box, shown).startswith("deep skip Fuse") or inside(box, shown).startswith("skip deep Fuse")
    ends = [line.points[-1] for line in shown.lines]
    arriving = {round(x, 1) for x, y in ends if box.left < x < box.right and abs(y - box.top) < 6}
    assert len(arriving) == 2


def test_inputs_of_a_closed_block_arrive_apart_in_the_graph() -> None:
    shown = Picture(written("two").drawing("graph", Options(depth=1)).svg)
    closed = [box for box in shown.boxes if box.id in ("o.fuse", "p.fuse")]
    assert [box.kind for box in closed] == ["block", "block"]
    for box in closed:
        ends = [line.points[-1] for line in shown.lines]
        assert len({round(x, 1) for x, y in ends if box.left < x < box.right and abs(y - box.top) < 6}) == 2


@pytest.mark.parametrize("first", ["a", "b"])
def test_a_difference_says_what_is_taken_from_what(first: str) -> None:
    """a - b and b - a are two networks, and two pictures."""
    for inputs in ("", " on (p, q)"):
        start = "in" if not inputs else "p"
        other = "in" if not inputs else "q"
        text = f"""\
block D(w: int){inputs} {{
  a = {start} -> left: conv(w, 3)
  b = {other} -> right: conv(w, 1)
  {first} - {"b" if first == "a" else "a"} -> relu
}}
model M {{
  x = image(3, 16, 16) -> s: conv(8, 3)
  y = x -> t: conv(8, 3)
  {"(x, y)" if inputs else "y"} -> d: D(8) -> gap -> flatten -> fc: linear(10)
}}
variant m = M()
"""
        shown = Picture(api.open_source(Source("t.arch", text)).only(None).drawing("blocks").svg)
        marks = [text for text in shown.texts if text.text in "+−" and text.bottom - text.top < 6]
        left, right = sorted(marks, key=lambda mark: mark.left)
        assert (left.text, right.text) == (("+", "−") if first == "a" else ("−", "+")), inputs
        assert list(shown.problems()) == []


def test_the_rail_of_dense_blocks_says_which_one_it_is() -> None:
    """Its numbers are those of one: the third of DenseNet-121 goes from 256 to 1024 channels (Huang et al., 2017)."""
    texts = " ".join(text.text for text in Picture(api.find("densenet121").drawing("blocks").svg).texts)
    assert "24 in a row in features.denseblock3" in texts


def test_alternatives_share_their_words() -> None:
    assert alternatives(["conv over 3 channels", "conv over 5 channels"]) == "conv over 3 or 5 channels"
    assert alternatives(["5×5 dwconv", "3×3 dwconv"]) == "3×3 or 5×5 dwconv"
    assert alternatives(["ReLU", "hard swish"]) == "ReLU or hard swish"
    assert alternatives(["3×3 conv", "3×3 conv"]) == "3×3 conv"
