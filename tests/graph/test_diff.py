"""The difference of two graphs: what it says for changes made by hand, and for networks that papers compare."""

from __future__ import annotations

from textwrap import dedent

import pytest
import torch

import archdsl
from archdsl.api import open_source
from archdsl.graph.diff.align import align
from archdsl.graph.diff.changes import BlockChange, GraphDiff, OpChange
from archdsl.graph.diff.compare import diff, distinct
from archdsl.graph.diff.transfer import transfer
from archdsl.graph.diff.wording import span_text, values_text
from archdsl.graph.ir import Graph
from archdsl.source import Source

NET = """
block Unit(width: int, stride: int = 1) {
  main = conv1: conv(width, 3, stride) -> bn1: bn -> relu -> conv2: conv(width, 3) -> bn2: bn
  same = stride == 1 and in.channels == width
  main + (if same then id else short: conv(width, 1, stride)) -> relu
}
model Net {
  x = image(3, 32, 32) -> stem: conv(8, 3) -> relu
  x = x -> stage stage1: [Unit(8), Unit(8)]
  x = x -> stage stage2: [Unit(16, 2), Unit(16)]
  x -> gap -> flatten -> fc: linear(10)
}
"""


def graph(text: str) -> Graph:
    (variant,) = open_source(Source("test.arch", dedent(text))).values()
    return variant.graph


def changed(*replacements: tuple[str, str]) -> GraphDiff:
    """NET against NET with some of its text replaced."""
    text = NET
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new)
    found = diff(graph(NET), graph(text))
    assert found.costs[0].params == found.before.params
    assert found.costs[1].macs == found.after.macs
    return found


def blocks(found: GraphDiff) -> list[BlockChange]:
    return [block for _, block in found.blocks() if block.status != "same"]


def words(op: OpChange) -> str:
    """One change on one line: `changed conv2: kernel 3 -> 5`."""
    node = op.after or op.before
    assert node is not None
    text = f"{op.status} {node.path.rpartition('.')[2]}"
    if op.before and op.after and op.before.op is not op.after.op:
        text += f" was {op.before.op.name}"
    parameters = [f"{p.name} {'/'.join(map(str, p.before))} -> {'/'.join(map(str, p.after))}" for p in op.parameters]
    return text + "".join(f", {parameter}" for parameter in parameters) + " moved" * op.moved


def said(block: BlockChange) -> list[str]:
    return [words(op) for op in block.changes]


def test_equal_graphs_have_no_difference() -> None:
    found = changed()
    assert found.equal
    assert blocks(found) == []
    assert found.renamed == ()
    assert {section.status for section in found.sections} == {"same"}
    assert [section.before.name for section in found.sections if section.before] == ["stem", "stage1", "stage2", "head"]


def test_labels_are_no_difference_but_are_said() -> None:
    found = changed(("stage stage2", "stage second"), ("fc:", "classifier:"), ("conv1:", "first:"))
    assert found.equal
    inner = ["conv1", "bn1", "conv2", "bn2"]
    assert found.renamed == (
        ("stage1.0.conv1", "stage1.0.first"),
        ("stage1.1.conv1", "stage1.1.first"),
        *((f"stage2.0.{name}", f"second.0.{name}".replace("conv1", "first")) for name in [*inner, "short"]),
        *((f"stage2.1.{name}", f"second.1.{name}".replace("conv1", "first")) for name in inner),
        ("fc", "classifier"),
    )


def test_the_name_of_a_block_is_no_difference() -> None:
    assert changed(("Unit", "Residual")).equal


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("conv2: conv(width, 3)", "conv2: conv(width, 3, padding = 1)"),
        ("conv2: conv(width, 3)", "conv2: conv(width, [3, 3], groups = 1)"),
        ("-> gap", "-> adaptive_avgpool(1)"),
        ("main + (if same then id else short: conv(width, 1, stride))",
         "(if same then id else short: conv(width, 1, stride)) + main"),
    ],
)  # fmt: skip
def test_what_torch_computes_alike_is_equal(old: str, new: str) -> None:
    assert changed((old, new)).equal


def test_a_grouped_convolution_with_a_filter_a_channel_is_a_depthwise_one() -> None:
    text = "model Net = image(3, 8, 8) -> conv(8, 3) -> {} -> gap -> flatten -> linear(2)"
    assert diff(graph(text.format("conv(8, 3, groups = 8)")), graph(text.format("dwconv(3)"))).equal
    found = diff(graph(text.format("conv(8, 3)")), graph(text.format("dwconv(5)")))
    assert [said(block) for block in blocks(found)] == [["changed dwconv1 was conv, kernel 3 -> 5, groups 1 -> 8"]]


def test_parameters_that_changed() -> None:
    found = changed(("conv2: conv(width, 3)", "conv2: conv(width, 5, groups = 4)"))
    assert not found.equal
    assert [(block.counts, said(block)) for block in blocks(found)] == [
        ((2, 2), ["changed conv2, kernel 3 -> 5, groups 1 -> 4"]),
        ((1, 1), ["changed conv2, kernel 3 -> 5, groups 1 -> 4"]),
        ((1, 1), ["changed conv2, kernel 3 -> 5, groups 1 -> 4"]),
    ]
    old, new = found.sections[1].costs
    assert new.params - old.params == 2 * (8 * 2 * 25 - 8 * 8 * 9)
    assert new.macs - old.macs == 2 * 32 * 32 * (8 * 2 * 25 - 8 * 8 * 9)
    (once,) = distinct(found)
    assert once.counts == (4, 4)
    assert [section.after.name for section, _ in once.places if section.after] == ["stage1", "stage2", "stage2"]


def test_a_wider_stage_says_where_the_width_is_written_and_not_what_follows() -> None:
    found = changed(("stage2: [Unit(16, 2), Unit(16)]", "stage2: [Unit(24, 2), Unit(24)]"))
    assert [said(block) for block in blocks(found)] == [
        ["changed conv1, out 16 -> 24", "changed conv2, out 16 -> 24", "changed short, out 16 -> 24"],
        ["changed conv1, out 16 -> 24", "changed conv2, out 16 -> 24"],
    ]
    assert found.sections[-1].status == "same"  # the classifier's input is wider, which follows
    assert found.sections[-1].costs[1].params - found.sections[-1].costs[0].params == 8 * 10


def test_ops_that_came_went_and_were_replaced() -> None:
    gate = "-> se: (id * (gap -> fc1: conv(4, 1) -> sigmoid -> fc2: conv(width, 1)))"
    found = changed(("-> relu -> conv2", "-> gelu -> conv2"), ("-> bn2: bn", gate))
    (first, *_) = blocks(found)
    assert said(first) == [
        "changed gelu1 was relu",
        "removed bn2",
        "added gap1",
        "added fc1",
        "added sigmoid1",
        "added fc2",
        "added mul1",
    ]


def test_a_norm_moved_before_its_convolution() -> None:
    before = "bn1: bn -> relu -> conv2: conv(width, 3) -> bn2: bn"
    found = changed((before, "bn1: bn -> relu -> bn2: bn -> conv2: conv(width, 3)"))
    assert {tuple(said(block)) for block in blocks(found)} == {("changed bn2 moved",)}
    assert found.costs[0] == found.costs[1]


def test_another_input_is_seen() -> None:
    """The shortcut starts after the first norm: same ops, same costs, another network."""
    other = NET.replace(
        "main = conv1: conv(width, 3, stride) -> bn1: bn -> relu -> conv2: conv(width, 3) -> bn2: bn",
        "y = in -> conv1: conv(width, 3, stride) -> bn1: bn\n  main = y -> relu -> conv2: conv(width, 3) -> bn2: bn",
    ).replace("main + (if same then id else short: conv(width, 1, stride))",
              "main + (if same then y else in -> short: conv(width, 1, stride))")  # fmt: skip
    found = diff(graph(NET), graph(other))
    assert found.costs[0] == found.costs[1]
    assert not found.equal
    (op,) = blocks(found)[0].changes
    assert op.rewired == (("stage1.0.bn2", "relu1"), ("stage1.0.bn2", "stage1.0.bn1"))


def test_another_output_is_seen() -> None:
    text = "model Net {{\n  x = image(3, 8, 8) -> a: conv(3, 3)\n  y = x -> b: conv(3, 3)\n  z = x + y\n  {}\n}}"
    found = diff(graph(text.format("z")), graph(text.format("z -> relu")))
    assert [said(block) for block in blocks(found)] == [["added relu1"]]


def test_further_outputs() -> None:
    """GoogLeNet's auxiliary heads (section 5 of Szegedy et al., 2014): two sections, nothing else."""
    found = between("googlenet:googlenet", "googlenet:googlenet_aux")
    assert [section.shown.kind for section in found.sections if section.status != "same"] == ["aux", "aux"]
    assert found.outputs is not None
    assert (len(found.outputs[0]), len(found.outputs[1])) == (1, 3)


def test_repeats() -> None:
    found = changed(("[Unit(8), Unit(8)]", "[5 of Unit(8)]"))
    (block,) = blocks(found)
    assert block.counts == (2, 5)
    assert block.changes == ()
    unit = 2 * (8 * 8 * 9 + 8) + 2 * 2 * 8
    assert [cost.params for cost in block.costs] == [2 * unit, 5 * unit]


def test_a_stage_that_came() -> None:
    found = changed(("  x -> gap", "  x = x -> stage stage3: [Unit(32, 2)]\n  x -> gap"))
    assert [section.status for section in found.sections] == ["same", "same", "same", "added", "same"]
    added = found.sections[3]
    assert added.before is None
    assert added.costs[0].params == 0
    assert found.inverse().sections[3].status == "removed"


def test_the_size_of_the_image() -> None:
    found = changed(("image(3, 32, 32)", "image(3, 48, 48)"))
    assert not found.equal
    assert [(p.name, p.values) for p in found.image] == [("height", ((32, 48),)), ("width", ((32, 48),))]
    assert {section.status for section in found.sections} == {"same"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("conv1: conv(width, 3, stride)", "conv1: conv(width, 3, stride, bias = false)"),
        ("bn2: bn", "bn2: bn(eps = 1e-3)"),
        ("short: conv(width, 1, stride)", "short: conv(width, 1, stride, padding = 0) -> bn: bn"),
        ("main + (", "main * ("),
        ("conv2: conv(width, 3)", "conv2: conv(width, 3, dilation = 2)"),
        ("-> gap", "-> dropout(0.1) -> gap"),
        ("-> fc: linear(10)", "-> fc: linear(10) -> softmax"),
        ("[Unit(16, 2), Unit(16)]", "[Unit(16, 2)]"),
    ],
)
def test_nothing_is_overlooked(old: str, new: str) -> None:
    found = changed((old, new))
    assert not found.equal
    assert found == diff(found.after, found.before).inverse()


# --- networks that papers compare -----------------------------------------------------------------------------------


def between(first: str, second: str) -> GraphDiff:
    return diff(archdsl.find(first).graph, archdsl.find(second).graph)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("resnet50", "resnext50_32x4d"),
        ("resnet50", "convnext_tiny"),
        ("mobilenet_v2:mobilenet_v2", "mobilenet_v3_large"),
        ("densenet121", "densenet169"),
        ("inception_v3", "nasnetalarge"),
        ("efficientnet_b0", "efficientnet_v2_s"),
    ],
)
def test_the_other_way_round(first: str, second: str) -> None:
    there, back = between(first, second), between(second, first)
    assert there == back.inverse()
    assert there != back
    assert there.costs == back.costs[::-1]
    nodes = [node for _, block in there.blocks() for op in block.ops for node in (op.before,) if node is not None]
    assert len(set(nodes)) == len(nodes)


def test_resnext_is_a_resnet_with_wider_grouped_convolutions() -> None:
    """Table 1 of Xie et al. (2016): C = 32 groups in the 3×3 convolution, twice the width in the first two layers."""
    found = between("resnet50", "resnext50_32x4d")
    (once,) = distinct(found)
    assert once.counts == (16, 16)
    values: dict[tuple[str, str], set[object]] = {}
    for op in (op for places in once.ops() for op in places):
        assert op.after
        for parameter in op.parameters:
            key = (op.after.path.rpartition(".")[2], parameter.name)
            values.setdefault(key, set()).update(parameter.values)
    widths = {(64, 128), (128, 256), (256, 512), (512, 1024)}
    assert values == {("conv1", "out"): widths, ("conv2", "out"): widths, ("conv2", "groups"): {(1, 32)}}


def test_se_resnet_is_a_resnet_with_gates() -> None:
    """Figure 3 of Hu et al. (2017). timm has a dropout, of rate 0, before the classifier, which is no difference."""
    (gates,) = distinct(between("resnet50", "seresnet50"))
    assert gates.counts == (16, 16)
    assert [(op[0].status, op[0].after.op.name) for op in gates.ops() if op[0].after] == [
        ("added", name) for name in ("gap", "conv", "relu", "conv", "sigmoid", "mul")
    ]


def test_depths_of_the_resnets() -> None:
    """Table 1 of He et al. (2015): 101 layers have 23 blocks in the place of 6."""
    found = between("resnet50", "resnet101")
    (block,) = blocks(found)
    assert (block.counts, block.changes) == ((5, 22), ())
    assert [section.status for section in found.sections] == ["same", "same", "same", "changed", "same", "same"]


def test_convnext_small_is_deeper_and_drops_more_paths() -> None:
    """Section 3 and table 5 of Liu et al. (2022): 27 blocks in the place of 9; rates up to 0.4 in the place of 0.1."""
    (once,) = distinct(between("convnext_tiny", "convnext_small"))
    assert [words(op).partition(",")[0] for op in once.example.changes] == ["changed drop_path1"]
    assert once.places[-1][1].changes[0].parameters[0].values[-1] == (0.1, 0.4)
    assert [block.counts for _, block in once.places] == [(2, 2), (3, 3), (9, 27), (3, 3)]


def test_resnet_and_convnext_blocks_correspond_op_by_op() -> None:
    found = between("resnet50", "convnext_tiny")
    assert [(s.before.name if s.before else None, s.after.name if s.after else None) for s in found.sections] == [
        ("stem", "stem"),
        ("layer1", "features.1"),
        (None, "features.2"),
        ("layer2", "features.3"),
        (None, "features.4"),
        ("layer3", "features.5"),
        (None, "features.6"),
        ("layer4", "features.7"),
        ("head", "head"),
    ]
    block = found.sections[1].blocks[1]
    pairs = {op.before.path: op.after.path for op in block.ops if op.before and op.after}
    assert pairs["layer1.1.conv2"] == "features.1.1.block.0"  # 3×3 and 7×7
    assert pairs["layer1.1.conv3"] == "features.1.1.block.5"  # what ends the block


def test_convnext_v2_has_another_norm_and_no_layer_scale() -> None:
    """Figure 5 of Woo et al. (2023). timm has the convolutions between the stages in them: no difference."""
    found = between("convnext_tiny", "convnextv2_tiny")
    assert {(s.shown.kind, s.status) for s in found.sections if s.shown.kind == "transition"} == {
        ("transition", "same")
    }
    assert found.sections[2].after is not None
    assert found.sections[2].after.name == "stages.1.downsample"
    changes = {words(op) for _, block in found.blocks() for op in block.changes if "drop_path" not in words(op)}
    assert changes == {"added grn", "removed layer_scale"}


# --- weights, alignment ---------------------------------------------------------------------------------------------


def test_weights_that_could_be_transferred() -> None:
    found = transfer(archdsl.find("resnet50").graph, archdsl.find("resnet50").set({"classes": "10"}).graph)
    assert found.resized == {"fc.weight": ((1000, 2048), (10, 2048)), "fc.bias": ((1000,), (10,))}
    assert (found.left, found.new) == ({}, {})
    assert len(found.fits) == 320 - 2  # torchvision's resnet50 has 320 entries in its state_dict
    assert 0.999 < found.covered < 1

    other = transfer(archdsl.find("resnet50").graph, archdsl.find("resnet101").graph)
    assert len(other.new) == 17 * 18
    assert all(key.startswith("layer3.") for key in other.new)


def test_alignment_takes_the_earliest_and_leaves_the_rest() -> None:
    same = [1.0] * 5
    assert align(same[:3], same, lambda i, j: 1.0)[:3] == [(0, 0), (1, 1), (2, 2)]
    assert align("ab", "xy", lambda i, j: 0.0) == [(0, None), (1, None), (None, 0), (None, 1)]
    first, second = "abcd", "bxd"
    assert align(first, second, lambda i, j: float(first[i] == second[j])) == [
        (0, None), (1, 0), (2, None), (None, 1), (3, 2),
    ]  # fmt: skip


def test_alignment_asks_only_for_what_differs() -> None:
    asked = []
    long = list(range(10_000))
    align(long, [*long[:5000], -1, *long[5000:]], lambda i, j: asked.append((i, j)) or 1.0)  # type: ignore[func-returns-value]
    assert asked == []
    align(long, [*long[:5000], -1, -2, *long[5003:]], lambda i, j: asked.append((i, j)) or 1.0)  # type: ignore[func-returns-value]
    assert len(asked) == 6


LOOP = """
block Basic(width: int) = id + (conv1: conv(width, 3) -> bn1: bn -> relu)
model Net(n: int) {
  x = image(3, 32, 32) -> stem: conv(8, 3)
  stage body {
    for i in 0..n {
      x = x -> b{i}: Basic(8)
      x = x + (x -> c{i}: conv(8, 1) -> n{i}: bn)
    }
  }
  x -> gap -> flatten -> fc: linear(10)
}
variants Net(n) {
  one: 1
  three: 3
}
"""


def test_what_each_turn_of_a_loop_brings_is_named() -> None:
    file = open_source(Source("loop.arch", LOOP))
    text = str(file["one"].diff(file["three"]))
    assert text.splitlines() == ["~ blocks 1 → 3", "+ 2 × Basic in body", "+ 2 × (1×1 conv, 8, BN, add) in body"]
    back = str(file["three"].diff(file["one"]))
    assert back.splitlines() == ["~ blocks 3 → 1", "− 2 × Basic in body", "− 2 × (1×1 conv, 8, BN, add) in body"]


@pytest.mark.parametrize(("rate", "said"), [(0.0, "no difference"), (0.1, "+ layers dropout, 0.1")])
def test_a_dropout_of_nothing_is_no_difference(rate: float, said: str) -> None:
    """torch's nn.Dropout(0) gives back its input in training, too."""
    model = "model Net(p: float) = image(3, 8, 8) -> gap -> flatten -> fc: linear(10)\nvariant a = Net(0.0)\n"
    other = model.replace("-> fc", "-> dropout(p) -> fc").replace("0.0", str(rate))
    first, second = (open_source(Source("net.arch", text))["a"] for text in (model, other))
    assert str(first.diff(second)) == said
    assert first.diff(second).equal == (rate == 0)
    layer = torch.nn.Dropout(rate)
    x = torch.ones(64, 64)
    assert torch.equal(layer(x), x) == (rate == 0)


def test_ranges_go_up() -> None:
    """Widths that fall, 384 to 320, are a range like any other."""
    assert span_text((384, 320, 96)) == "96…384"
    assert values_text((0.2, 0.15, 0.1, 0.05, 0.0)) == "0 … 0.2"
    assert span_text(("a", "b")) == '"a"…"b"'
