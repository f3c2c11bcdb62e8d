"""States of networks as files, and what is found in them; imports torch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from archdsl import api
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.weights import load_weights

State = dict[str, torch.Tensor]


def random_state(variant: api.Variant) -> State:
    rng = torch.Generator().manual_seed(3)
    state = variant.empty().state_dict()
    return {
        key: torch.randn(t.shape, generator=rng) if t.is_floating_point() else torch.tensor(11)
        for key, t in state.items()
    }


def write(state: Mapping[str, torch.Tensor], path: Path) -> Path:
    if path.suffix == ".safetensors":
        save_file(dict(state), path)
    else:
        torch.save(dict(state), path)
    return path


def same(first: Mapping[str, torch.Tensor], second: Mapping[str, torch.Tensor]) -> bool:
    return list(first) == list(second) and all(torch.equal(first[key], second[key]) for key in first)


def findings(variant: api.Variant, path: Path, checkpoint: str | None = None) -> tuple[Diagnostic, ...]:
    with pytest.raises(ArchError) as raised:
        load_weights(variant, path, checkpoint)
    return raised.value.diagnostics
