"""How good weights are: the loss and the share of right answers on pictures that were not trained with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from archdsl.training import data
from archdsl.training.data import Broken, Pictures, Place
from archdsl.training.folders import Pictured
from archdsl.training.processes import Processes

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Score:
    """Cross entropy, and the percentage whose class is the likeliest, or among the five likeliest."""

    loss: float
    top1: float
    top5: float


def test(
    model: nn.Module,
    folder: Pictured,
    transform: Any,
    processes: Processes,
    batch: int,
    how: Any,
    broke: Callable[[list[Broken]], None],
) -> Score:
    """Test a model on a folder, shared out among the processes; it is in the mode it was in afterwards. `broke` is told
    of pictures that cannot be read, for which E651 is raised."""
    import torch

    own = range(processes.rank, len(folder), processes.world)
    places = [[Place(p, p) for p in own[start : start + batch]] for start in range(0, len(own), batch)]
    sums, was_training = [0.0, 0.0, 0.0, 0.0], model.training
    model.eval()
    with torch.inference_mode():
        pictures = Pictures(folder, transform, ("test",))
        found = (
            data.batches(pictures, places, workers=how.workers, pin=processes.device.type == "cuda") if places else ()
        )
        for batch_of in found:
            if isinstance(batch_of, list):
                broke(batch_of)
                raise data.unreadable(batch_of)
            images, targets = (tensor.to(processes.device) for tensor in batch_of)
            if how.channels_last:
                images = images.contiguous(memory_format=torch.channels_last)
            outputs = model(images).float()
            best = outputs.topk(min(5, outputs.shape[1]), dim=1).indices == targets[:, None]
            loss = torch.nn.functional.cross_entropy(outputs, targets, reduction="sum")
            for index, value in enumerate((loss, best[:, 0].sum(), best.sum(), torch.tensor(len(images)))):
                sums[index] += float(value)
    model.train(was_training)
    loss_sum, first, five, count = processes.summed(sums)
    return Score(loss_sum / count, 100 * first / count, 100 * five / count)
