"""A published recipe, to change in tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from archdsl.graph import recipe_parts as parts
from archdsl.graph.recipe import Recipe

A2: dict[str, Any] = {
    "epochs": 300,
    "batch": 2048,
    "optimizer": parts.Lamb(),
    "lr": 5e-3,
    "lr_scaling": "linear",
    "weight_decay": 0.02,
    "no_decay": ("bias", "norm", "layer_scale"),
    "schedule": parts.Cosine(end=1e-6),
    "warmup": parts.Warmup(epochs=5, start=1e-6),
    "loss": parts.Bce(),
    "augment": parts.RandAugment(magnitude=7.0, std=0.5, increasing=True),
    "mixup": 0.1,
    "cutmix": 1.0,
    "repeats": 3,
    "interpolation": "bicubic",
    "size": 224,
    "test_crop": 0.95,
    "top1": Decimal("79.8"),
}


def recipe(**changed: Any) -> Recipe:
    return Recipe(name="test", **(A2 | changed))
