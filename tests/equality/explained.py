"""Models of libraries that have the structure of a variant and are another network, with what tells them apart.

The structure is that of tests/registers.py, which sees no eps, no activation, no padding. A model that has the name
of a variant is not here: its spec says so itself (`reference … { differs = ["keys"] }`).
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from tests.equality.test_references import FILES
from tests.registers import Candidate

VARIANTS = {
    variant.name: variant
    for family, file in FILES.items()
    if not family.startswith("convnext_roadmap")
    for variant in file.values()
}
"""The networks; the steps of the roads to ConvNeXt are none, and their ends are among those of other specs."""


@dataclass(frozen=True)
class Explained:
    """`variants` and `models` are patterns of names, several with `|` between."""

    variants: str
    library: str
    models: str
    differs: Literal["settings", "operations"]
    reason: str

    def covers(self, found: Candidate) -> bool:
        given = ((self.variants, found.variant), (self.library, found.library), (self.models, found.model))
        return all(any(fnmatchcase(name, each) for each in patterns.split("|")) for patterns, name in given)


_B = "efficientnet_b[0-8]"

EXPLAINED = (
    Explained("convnext_tiny", "timm", "convnext_tiny_hnf", "settings", "the head's norm is before the mean"),
    Explained("convnext_tiny_hnf", "*", "convnext_tiny", "settings", "the head's norm is behind the mean"),
    Explained(
        "tf_*", "torchvision|timm", "efficientnet*|mobilenet*", "settings", "torch's padding instead of TensorFlow's"
    ),
    Explained("tf_efficientnet_b[0-8]", "pytorchcv", _B, "settings", "torch's padding instead of TensorFlow's"),
    Explained("efficientnet*|mobilenet*", "timm", "tf_*", "settings", "TensorFlow's padding instead of torch's"),
    Explained("efficientnet_v2_[sml]", "timm", "efficientnetv2_*", "settings", "eps 1e-5 instead of 1e-3"),
    Explained("mobilenet_v3_*", "timm", "mobilenetv3_*", "settings", "eps 1e-5 instead of 1e-3"),
    Explained("mobilenetv3_*_100", "torchvision", "mobilenet_v3_*", "settings", "eps 1e-3 instead of 1e-5"),
    Explained("mobilenet_w1*", "timm", "mobilenetv1_100", "operations", "relu6 instead of relu"),
    Explained("mobilenetv1_100", "pytorchcv", "mobilenet_w1|mobilenet_w1_cub", "operations", "relu instead of relu6"),
    Explained(
        "senet154|seresnext*",
        "timm",
        "legacy_*",
        "operations",
        "the first pool does not pad, and counts parts of windows",
    ),
    Explained(
        "legacy_*", "timm|pytorchcv", "se*", "operations", "the first pool pads by 1 and leaves out parts of windows"
    ),
    Explained("squeezeresnet_*", "torchvision", "squeezenet*", "operations", "no bypass"),
    Explained(
        "efficientnet_b[0-7]|efficientnet_b[567]_timm|efficientnet_phi1",
        "pytorchcv",
        f"{_B}[bc]",
        "settings",
        "TensorFlow's padding and eps",
    ),
    Explained("efficientnet_b[567]_timm", "torchvision", _B, "settings", "eps 1e-3 instead of 1e-5"),
    Explained("nasnetalarge", "pytorchcv", "nasnet_6a4032", "operations", "torch's padding instead of TensorFlow's"),
    Explained("nasnet_large", "timm", "nasnetalarge", "operations", "TensorFlow's padding instead of torch's"),
    Explained("shufflenet_v2_*", "pytorchcv", "shufflenetv2_*", "operations", "the first pool counts parts of windows"),
)


def explanation(found: Candidate) -> Explained | None:
    """What is said of a candidate."""
    return next((each for each in EXPLAINED if each.covers(found)), None)
