"""`archdsl diff`: what it prints and how it ends."""

from __future__ import annotations

import pytest

from tests.cli.conftest import SMALL, Run


def lines(text: str) -> list[str]:
    """The lines, runs of spaces as one."""
    return [" ".join(line.split()) for line in text.splitlines() if line.strip() and "──" not in line]


def test_equal_networks(arch: Run) -> None:
    result = arch("diff", "resnet50", "resnet:resnet50")
    assert result.code == 0
    assert "The networks are equal" in result.out
    assert result.out.endswith("weights: all 320 entries of the state_dict of resnet50 fit resnet50\n")


def test_a_wider_network(arch: Run) -> None:
    """Widths 4 and 8: a 3×3 convolution from 3 to 8 channels has 3 · 9 · 8 + 8 = 224 parameters, and so on."""
    result = arch("diff", "small.arch:small", ":large")
    assert result.code == 1
    assert lines(result.out) == [
        "− small = Net(classes = 10, width = 4)",
        "+ large = Net(classes = 10, width = 8)",
        "stage output blocks params Δ MACs Δ",
        "~ stem 4×16×16 → 8×16×16 224 +112 +100 % 55.30 K +27.65 K +100 %",
        "~ stage1 4×16×16 → 8×16×16 2 × Unit 1,168 +872 +295 % 294.9 K +221.2 K +300 %",
        "~ maxpool1 … wider 8×8×8 → 16×8×8 144 +104 +260 % 8.192 K +6.144 K +300 %",
        "~ stage2 8×8×8 → 16×8×8 2 × Unit 4,640 +3,472 +297 % 294.9 K +221.2 K +300 %",
        "head 10 170 +80 +88.9 % 160 +80 +100 %",
        "total 6,346 +4,640 +272 % 653.5 K +476.2 K +269 %",
        "stem",
        "~ stem conv: out 4 → 8",
        "Unit, 4 in stage1, stage2",
        "~ conv conv: out 4, 8 → 8, 16",
        "maxpool1 … wider",
        "~ wider conv: out 8 → 16",
        "weights: 1 of 14 entries of the state_dict of small fit large (0% of its elements), 13 have another shape",
    ]


def test_a_narrow_terminal_loses_no_column(arch: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "88")
    rows = lines(arch("diff", "resnet50", "convnext_tiny").out)
    assert "stage output blocks params MACs" in rows
    place = rows.index("~ layer2 → 512×28×28 → 4 × Bottleneck → 918,144 −24.7 % 715.8 M −30.3 %")
    assert rows[place + 1] == "features.3 192×28×28 3 × Block"
    assert "total 28,589,128 +11.9 % 4.456 G +9.0 %" in rows


def test_everything_else_that_differs_is_said(arch: Run) -> None:
    out = arch("diff", "resnet50", "resnetv2_50").out
    assert "~ norm1 bn: moved" in lines(out)
    assert 'interpolation "bilinear" → "bicubic"; mean 0.485 0.456 0.406 → 0.5 0.5 0.5' in out
    assert "names: 101 layers that correspond have other paths: conv1 → stem.conv, " in out
    assert "everywhere" in arch("diff", "mobilenet_v2:mobilenet_v2", "mobilenet_v3_large").out


def test_initial_weights(arch: Run) -> None:
    """timm begins with residual branches that are zero: the last norm of each of the 16 blocks."""
    result = arch("diff", "resnet50", "seresnet50")
    assert "initial weights: 16 bn.weight torch's own → zeros\n" in result.out
    begins = arch("diff", "resnet50", "seresnet50", "--json").json["initial"]
    assert begins == [{"weight": "bn.weight", "before": "torch's own", "after": "zeros", "count": 16}]
    assert "initial weights" not in arch("diff", "resnet50", "resnet101").out


def test_the_second_network_can_be_the_first_with_other_arguments(arch: Run) -> None:
    result = arch("diff", "small.arch:small", "--set", "classes=3")
    assert result.code == 1
    assert "~ fc linear: out 10 → 3" in lines(result.out)
    assert arch("diff", "small.arch:small", "--set", "classes=10").code == 0


def test_a_family_s_own_variant_needs_no_second_name(arch: Run) -> None:
    assert arch("diff", "mobilenet_v2", "mobilenet_v2:mobilenet_v2").code == 0


def test_a_chain_of_amendments(arch: Run) -> None:
    """Table 10 of Liu et al. (2022); the steps are those of its section 2."""
    result = arch("diff", "convnext_roadmap")
    assert result.code == 1
    rows = lines(result.out)
    assert rows[0] == "step what changes params MACs top-1"
    assert rows[1].endswith("4.089 G 76.13%")
    assert "roadmap_kernel7 ~ dwconv kernel 5 → 7 25,870,120 4.146 G +1.2 % 80.57%" in rows
    assert "roadmap_depthwise ~ spatial conv → dwconv groups 1 → 64…512 15,740,264 2.350 G −46.8 % 78.28%" in rows
    document = arch("diff", "convnext_roadmap", "--json").json
    assert [step["amends"] for step in document["steps"]][:3] == [None, "roadmap_resnet50", "roadmap_recipe"]
    (gelu,) = [step for step in document["steps"] if step["variant"]["name"] == "roadmap_gelu"]
    assert gelu["amends"] == "roadmap_kernel7"
    assert gelu["amendment"] == "act = gelu"
    changed = [op for s in gelu["sections"] for block in s["blocks"] for op in block["ops"]]
    assert {(op["before"]["op"], op["after"]["op"]) for op in changed} == {("relu", "gelu")}


def test_standard_input(arch: Run) -> None:
    assert arch("diff", "-:small", "small.arch:small", stdin=SMALL).code == 0


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ("small.arch small.arch:large", "E603"),
        ("small.arch:small none.arch", "E602"),
        ("small.arch:small :huge", "E108"),
        ("small.arch:small wrong.arch:small", "E101"),
        ("small.arch:small --set clases=3", "E119"),
        ("small.arch:small", "a second SPEC"),
        ("small.arch", "a second SPEC"),
    ],
)
def test_what_cannot_be_compared_is_no_difference(arch: Run, args: str, said: str) -> None:
    """1 means that networks differ, so an error in a spec, which is 1 elsewhere, is 2 here."""
    result = arch("diff", *args.split())
    assert result.code == 2
    assert said in result.err
    assert result.out == ""
