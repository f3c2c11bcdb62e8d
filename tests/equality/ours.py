"""Our side of the comparisons: the one place here that knows archdsl's API."""

from __future__ import annotations

from typing import Any

from torch import nn

import archdsl


def empty_model(family: str, variant: str, **options: Any) -> nn.Module:
    """The variant on the meta device: shapes and hyperparameters, no memory and no initialisation."""
    return archdsl.load(family, variant, device="meta", **options)


def with_state_of(reference: nn.Module, family: str, variant: str, *, copy: bool = False) -> nn.Module:
    """The variant with the reference's weights: the same tensors, or copies where it will be trained."""
    tensors = reference.state_dict()
    if copy:
        tensors = {key: value.clone() for key, value in tensors.items()}
    model = empty_model(family, variant)
    model.load_state_dict(tensors, strict=True, assign=True)
    return model
