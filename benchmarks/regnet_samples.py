"""RegNets of about 400 MMACs: how long their costs take, and whether they are right.

    python -m benchmarks.regnet_samples [COUNT]

Draws networks of 390M to 410M MACs from RegNet's space with numpy, by the paper's formulas (Radosavovic et al. 2020,
section 3.3, widths rounded as in pycls), which are not ours; then counts them here, each by elaborating the spec, and
builds a few with timm. CPU time of one thread. Exits with 1 where MACs differ, or where the bound does not hold.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

import archdsl
from tests.libraries import declare_operators

SECONDS = 10.0
"""The bound for 1,000 networks (issue 11)."""
BUILT = 10
"""Networks that timm builds, too: each takes it about 100 times as long."""

Point = dict[str, float]


def drawn(rng: np.random.Generator) -> Iterator[tuple[Point, int]]:
    """Networks of four stages within the window, and their MACs, without end."""
    while True:
        depth, w_0 = int(rng.integers(12, 29)), 8 * int(rng.integers(1, 33))
        w_a, w_m = float(np.exp(rng.uniform(np.log(8), np.log(256)))), float(rng.uniform(2, 3))
        group = 8 * int(rng.integers(1, 17))
        powers = np.round(np.log((w_0 + w_a * np.arange(depth)) / w_0) / np.log(w_m))
        widths, depths = np.unique(np.round(w_0 * np.power(w_m, powers) / 8).astype(int) * 8, return_counts=True)
        groups = np.minimum(group, widths)
        widths = np.round(widths / groups).astype(int) * groups
        if len(widths) == 4 and len(set(widths)) == 4 and 390e6 <= (macs := macs_of(widths, depths, groups)) <= 410e6:
            yield {"depth": depth, "w_0": w_0, "w_a": w_a, "w_m": w_m, "group_width": group}, macs


def macs_of(widths: np.ndarray, depths: np.ndarray, groups: np.ndarray) -> int:
    """Of a RegNetX for 1,000 classes, at 224 pixels."""
    side, before = 112, 32
    macs = 3 * 32 * 9 * side**2
    for width, depth, group in zip(map(int, widths), map(int, depths), map(int, groups), strict=True):
        for block in range(depth):
            macs += before * width * side**2
            side = -(-side // 2) if block == 0 else side
            macs += (width * group * 9 + width**2 + (before * width if block == 0 else 0)) * side**2
            before = width
    return macs + before * 1000


def timms(point: Point) -> int:
    """The MACs that torch counts of timm's network."""
    from timm.models.regnet import RegNet, RegNetCfg

    names = {"depth": "depth", "w_0": "w0", "w_a": "wa", "w_m": "wm", "group_width": "group_size"}
    with torch.device("meta"):
        net = RegNet(RegNetCfg(**{names[name]: value for name, value in point.items()})).eval()
        with FlopCounterMode(display=False) as counter:
            net(torch.zeros(1, 3, 224, 224))
    return int(counter.get_total_flops()) // 2


def main(count: int) -> int:
    """Measure, print; the exit code."""
    declare_operators()
    sample = list(islice(drawn(np.random.default_rng(0)), count))
    base = archdsl.find("regnet:regnet_x_400mf").override({"nearest": True})
    start = time.process_time()
    wrong = sum(base.override(point).graph.cost.macs != macs for point, macs in sample)
    ours = (time.process_time() - start) / count
    few = sample[:BUILT]
    timms(few[0][0])
    start = time.process_time()
    wrong += sum(timms(point) != macs for point, macs in few)
    theirs = (time.process_time() - start) / len(few)
    print(f"{count:,} RegNetX of 390M to 410M MACs: {ours * 1000:.1f} s for 1,000 (bound {SECONDS:.0f} s),")
    print(f"{ours / theirs:.3f} of building them with timm and counting with torch; other numbers: {wrong}")
    return int(wrong > 0 or ours * 1000 > SECONDS)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000))
