"""Weights of our own folders: exactly what the network has, in the dtypes that the file has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from archdsl.diagnostics.core import errors_raised
from archdsl.graph.keymap import DIRECT
from archdsl.weights.dtypes import Dtypes, short
from archdsl.weights.fitting import Shape, check_fit, fit, shape_text
from archdsl.weights.loading import check_kind, put, tensors_of
from archdsl.weights.reading import Weights, read_safetensors

if TYPE_CHECKING:
    import torch
    from torch import nn


def read_exactly(path: str, shown: str, ours: Mapping[str, Shape]) -> Weights:
    """A safetensors file that has these weights and nothing else; raises ArchError E501 to E504 and E509."""
    weights = Weights(shown, read_safetensors(path, shown))
    shapes = weights.shapes
    found = fit(ours, shapes, DIRECT)
    check_fit(found, ours, shapes)
    with errors_raised() as bag:
        for key in found.uncounted:
            bag.report("E501", None, what=f"`{key}` ({shape_text(ours[key])})")
    return weights


def dtype_of(tensors: Iterable[torch.Tensor]) -> str:
    """The dtype of floating-point weights, `mixed` of several, `none` where there are no weights."""
    found = sorted({short(tensor.dtype) for tensor in tensors if tensor.is_floating_point()})
    return found[0] if len(found) == 1 else "mixed" if found else "none"


def fill_exactly(
    model: nn.Module, weights: Weights, device: torch.device | str | None, dtype: torch.dtype | None
) -> None:
    """Give a module on the meta device the weights that `read_exactly` gave; raises ArchError E504, E508 and E509."""
    dtypes = Dtypes()
    slots = dict(tensors_of(model))
    made: dict[str, torch.Tensor] = {}
    for key, (_, _, old) in slots.items():
        tensor = weights.tensors[key]
        check_kind(weights.path, key, tensor, old)
        if not dtypes.usable(key, tensor):
            continue
        kind = dtype if dtype is not None and old.is_floating_point() else tensor.dtype
        kind = kind if old.is_floating_point() else old.dtype
        new = tensor.clone() if tensor.dtype == kind else dtypes.changed(key, tensor, kind)
        made[key] = new.to(device or "cpu")
    dtypes.bag.raise_errors()
    put(made, slots)
