"""Each step of ConvNeXt's roadmaps is a step; that their ends are the libraries' networks, test_references shows.

Of the steps between there is no code: the paper gives their MACs, which the specs' `expect` holds, all but two of 34 to
the last digit.
"""

from __future__ import annotations

from itertools import pairwise

import archdsl
from archdsl.cli.wording import arguments

FAMILY = "convnext_roadmap"

# How many layers each step has more than the one before it, by op; 18 blocks, 4 of them with a projection at first.
# The order is the paper's (table 10).
STEPS: dict[str, dict[str, int]] = {
    "roadmap_recipe": {"layer_scale": 16},
    "roadmap_stage_ratio": {"conv": 6, "bn": 6, "relu": 6, "layer_scale": 2, "add": 2, "drop_path": 2},
    "roadmap_patchify": {"bn": -1, "relu": -1, "maxpool": -1},
    "roadmap_depthwise": {"conv": -18, "dwconv": 18},
    "roadmap_width": {},
    "roadmap_inverted": {"conv": -1, "bn": -1},  # the first stage needs no projection any more
    "roadmap_moved_up": {},
    "roadmap_kernel5": {},
    "roadmap_kernel7": {},
    "roadmap_gelu": {"relu": -54, "gelu": 54},
    "roadmap_fewer_activations": {"gelu": -36},
    "roadmap_fewer_norms": {"bn": -36},
    "roadmap_layernorm": {"bn": -21, "layernorm": 21, "conv": -36, "linear": 36, "permute": 36},
    "roadmap_convnext_tiny": {"layernorm": 2},  # three before convolutions, stem and head; three projections less
}


def test_each_step_changes_what_the_paper_says() -> None:
    before = _ops("roadmap_resnet50")
    for name, expected in STEPS.items():
        ops = _ops(name)
        changes = {op: ops.get(op, 0) - before.get(op, 0) for op in {*ops, *before}}
        assert {op: n for op, n in changes.items() if n} == expected, name
        before = ops


def _ops(variant: str) -> dict[str, int]:
    counts: dict[str, int] = {}
    for node in archdsl.find(FAMILY, variant).graph.nodes:
        counts[node.op.name] = counts.get(node.op.name, 0) + 1
    return counts


def test_each_step_amends_the_one_before() -> None:
    file = archdsl.open(FAMILY)
    adopted = ["roadmap_resnet50", *STEPS]
    for previous, name in pairwise(adopted):
        assert file[name].configured.lineage[1] == previous
    assert all("top1" in variant.published for variant in file.values())


def test_the_larger_networks_take_the_same_steps() -> None:
    """But that their width grows with the stage ratio, too, and other ends."""
    smaller, larger = archdsl.open(FAMILY), archdsl.open("convnext_roadmap_b")
    ends = {"roadmap_b_resnet200": "roadmap_resnet50", "roadmap_b_convnext_base": "roadmap_convnext_tiny"}
    for name, variant in larger.items():
        mine = arguments(variant)
        theirs = arguments(smaller[ends.get(name, name.replace("roadmap_b_", "roadmap_"))])
        differing = {key for key in {*mine, *theirs} if mine.get(key) != theirs.get(key)}
        assert differing <= {"depths", "width", "drop_path_rate"}, name


def test_another_norm_costs_no_macs() -> None:
    """Why the spec does not claim table 10's 4.46 for this step."""
    file = archdsl.open(FAMILY)
    assert file["roadmap_layernorm"].graph.macs == file["roadmap_fewer_norms"].graph.macs
