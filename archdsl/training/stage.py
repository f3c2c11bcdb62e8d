"""A stage of progressive learning: the network as it is trained in it, its loss, mixing and transform.

Stages differ in the size of the image and in regularization (dropout, stochastic depth), which are numbers in the
generated source. So each stage has a module of its own, and all have the same parameters and statistics: the very same
tensors, so that the optimizer goes on with them.
"""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from torch import nn

    from archdsl.training.engine import _Training


@dataclass(frozen=True)
class EpochNetwork:
    """What an epoch needs. `run` is the module, compiled and distributed as asked for."""

    run: Any
    loss: nn.Module
    mixup: Any | None
    transform: Any

    def unsynchronized(self) -> AbstractContextManager[object]:
        """Within it, gradients are added up here and not exchanged yet."""
        made = getattr(self.run, "no_sync", None)
        return nullcontext() if made is None else made()


def enter(training: _Training, epoch: int) -> EpochNetwork:
    """The network for the stage that an epoch is in; it becomes the training's model."""
    import torch

    pieces, how, wishes = training.pieces, training.how, training.plan.wishes
    training.model = model = shared(pieces, training.model, epoch, training.device).train()
    if wishes.recompute:
        pieces.recompute(model)
    run: Any = torch.compile(model) if how.compile else model
    if training.processes.world > 1:
        device_ids = [training.device.index] if training.device.type == "cuda" else None
        run = torch.nn.parallel.DistributedDataParallel(run, device_ids=device_ids)
    classes = len(training.plan.data.train.classes)
    return EpochNetwork(
        run,
        pieces.loss(epoch=epoch).to(training.device),
        pieces.mixup(classes, epoch=epoch),
        pieces.transforms(train=True, epoch=epoch),
    )


def shared(pieces: Any, model: nn.Module, epoch: int, device: torch.device) -> nn.Module:
    """A module as it is in an epoch, with the parameters and statistics of `model`."""
    from archdsl.backends.module import construct

    variant = pieces.variant_at(epoch)
    if isinstance(model, variant.model_class):
        return model
    made = construct(variant.model_class, device=device)
    pieces.set_up(made)
    made.load_state_dict(model.state_dict(keep_vars=True), assign=True)
    return made


def for_test(pieces: Any, model: nn.Module) -> nn.Module:
    """A module for images of the size of the test, with the parameters and statistics of `model`."""
    if isinstance(model, pieces.tested.model_class):
        return model
    made: nn.Module = pieces.tested.empty()
    made.load_state_dict(model.state_dict(keep_vars=True), assign=True)
    return made
