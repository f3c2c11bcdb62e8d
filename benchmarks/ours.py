"""Our side of the benchmarks: the one place here that knows archdsl's API and the language."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from torch import nn

import archdsl
from archdsl import api

FAMILIES = {
    "resnet50": "resnet",
    "densenet121": "densenet",
    "convnext_tiny": "convnext",
    "efficientnet_b0": "efficientnet",
}


def check_command(family: str) -> list[str]:
    """The command line that checks one shipped family, as a user types it."""
    return [str(Path(sys.executable).with_name("archdsl")), "check", family]


def draw_command(variant: str, path: str) -> list[str]:
    """The command line that draws an overview."""
    return [str(Path(sys.executable).with_name("archdsl")), "draw", variant, "-o", path]


def analyse(spec: str | Path, variant: str) -> Any:
    """From the spec's text to the full cost table. Reads and elaborates anew each time."""
    api.forget()
    return archdsl.find(str(spec), variant).table


def load(variant: str, weights: Path | None = None, *, first: bool = False) -> nn.Module:
    """The network, initialised, or with the weights of a checkpoint file.

    `first`: as the first time in a process, when the spec has to be compiled; else as every further time, as the peer's
    class, which was imported before.
    """
    if first:
        api.forget()
    if weights is None:
        return archdsl.load(FAMILIES[variant], variant)
    return archdsl.load(FAMILIES[variant], variant, weights=str(weights))


LOAD = """
import sys, archdsl, torch
torch.set_num_threads(1)
archdsl.load(sys.argv[1], weights=sys.argv[2])
"""
"""A script that loads one network: its name and its weights are the arguments."""


NODES_PER_UNIT = 4
DEEP = "deep"


def deep_spec(units: int) -> str:
    """A network of `units` residual units of `NODES_PER_UNIT` nodes each, no two of them equal.

    Equal ones would be elaborated once and copied, which would say little about a hundred thousand nodes.
    """
    return f"""\
block Unit(k: int) {{
  main = conv: conv(8, 3) -> bn: bn -> scale: layer_scale(1 / (k + 1))
  main + id
}}

model Deep(units: int) {{
  image(8, 8, 8) -> body: [Unit(k) for k in 0..units] -> gap -> flatten -> fc: linear(10)
}}

variant {DEEP} = Deep({units})
"""
