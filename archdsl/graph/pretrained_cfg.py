"""What is known of a network's pictures and classes, in the words of timm's `pretrained_cfg`.

Takes a `Graph` and what its spec says of pictures; gives a dict of plain values, which JSON can hold. timm's tools
(`resolve_data_config`) read it from a model.
"""

from __future__ import annotations

import math
from typing import Any

from archdsl.graph.backbone import first_layers, head_of
from archdsl.graph.ir import Graph
from archdsl.graph.settings import Preprocess

PICTURES = ("input_size", "interpolation", "crop_pct", "crop_mode", "mean", "std")
"""What is about pictures, which weights may have been made with others than the spec says."""

ORIGIN = ("tag", "license", "hf_hub_id", "url")
"""What else is known of published weights."""


def pretrained_cfg(graph: Graph, preprocess: Preprocess | None, classes: int | None) -> dict[str, Any]:
    """`input_size`, and, where the spec says how pictures are prepared, `interpolation`, `crop_pct`, `mean`, `std`.

    `input_size` is that of the prepared picture; `classes` None: the network has no classifier.
    """
    shape = graph.input_shape
    size = (shape.height, shape.width)
    found: dict[str, Any] = {"architecture": graph.name, "num_classes": classes or 0}
    if preprocess is not None and preprocess.size is not None:
        size = (preprocess.size, preprocess.size)
    found["input_size"] = [shape.channels, *size]
    if preprocess is not None:
        found["interpolation"] = preprocess.interpolation
        found["crop_pct"] = crop_pct(max(size), preprocess.resized(max(size)))
        found["crop_mode"] = "squash" if preprocess.squash else "center"
        if len(preprocess.mean) == shape.channels:  # those of other channels are nobody's
            found["mean"], found["std"] = list(preprocess.mean), list(preprocess.std)
    seen = [node.path for node in first_layers(graph)]
    if seen:
        found["first_conv"] = seen[0] if len(seen) == 1 else seen
    head = head_of(graph)
    if classes and head is not None:
        found["classifier"] = head.classifier.path
    return found


def crop_pct(size: int, resized: int) -> float:
    """The part of a picture resized to `resized` that the crop keeps: timm computes `floor(size / crop_pct)` again."""
    part = size / resized
    while math.floor(size / part) < resized:
        part = math.nextafter(part, 0.0)
    while math.floor(size / part) > resized:
        part = math.nextafter(part, 2.0)
    return part
