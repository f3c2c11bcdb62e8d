"""The memory of a training step, as the plan counts it, against what torch keeps."""

from __future__ import annotations

import pytest
import torch

import archdsl
from archdsl.training import Pieces
from archdsl.training.step_memory import step_memory
from tests.training.recipes import recipe


@pytest.mark.parametrize("name", ["resnet18", "convnext_atto", "efficientnet_b0", "shufflenet_v2_x1_0"])
def test_the_memory_of_a_step_is_what_torch_keeps(name: str) -> None:
    """Weights aside: to the byte, with blocks that are computed again too, of which the largest is kept whole."""
    pieces = Pieces(archdsl.find(name).for_image(size=64), recipe(size=64))
    graph, model = pieces.variant.graph, pieces.model(seed=0)
    weights = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    inside: list[str] = []
    kept: dict[str, dict[int, torch.UntypedStorage]] = {}

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            kept.setdefault(inside[-1] if inside else "", {})[storage.data_ptr()] = storage
        return tensor

    def enter(path: str, inputs: tuple[torch.Tensor, ...]) -> None:
        outside = kept.setdefault("", {})
        outside.update({x.untyped_storage().data_ptr(): x.untyped_storage() for x in inputs})
        inside.append(path)

    def run() -> int:
        with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
            model(torch.zeros(2, 3, 64, 64))
        return sum(storage.nbytes() for storage in {k: v for part in kept.values() for k, v in part.items()}.values())

    numbers = sum(t.numel() for t in model.state_dict().values()) + 3 * sum(p.numel() for p in model.parameters())
    assert step_memory(graph, pieces.recipe, 2) == 4 * numbers + run()
    kept.clear()
    blocks = pieces.recompute(pieces.model())
    for path in blocks:
        block = model.get_submodule(path)
        block.register_forward_pre_hook(lambda _, inputs, path=path: enter(path, inputs))
        block.register_forward_hook(lambda *_: inside.pop() and None)
    run()
    most = max(sum(v.nbytes() for v in (kept[""] | kept[path]).values()) for path in blocks)
    assert step_memory(graph, pieces.recipe, 2, recompute=True) == 4 * numbers + most
