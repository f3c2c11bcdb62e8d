"""Values under which an error shows: takes a network, fills it in place.

A network as its library initialises it hides errors: with the default initialisation 21 of 29 planted errors went
unseen (deleted ConvNeXt blocks among them), because residual branches and deep signals vanish. So the reference is
randomised (every layer keeps the signal's scale, every scalar differs from its neutral value), its batch norms are
calibrated on a batch and then disturbed, and differences are measured in units of the outputs' spread.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

_CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_NORMS = (*_BATCH_NORMS, nn.LayerNorm, nn.GroupNorm)


def give_memory(model: nn.Module) -> nn.Module:
    """Memory on the CPU for a network of the meta device, in place. Its values are undefined until `randomize`.

    Constants that are no part of the state (the filters of timm's BlurPool2d) are made by the module itself, where it
    can; else they are not numbers, so that outputs that depend on them are seen not to be finite.
    """
    model.to_empty(device="cpu")
    for module in model.modules():
        for name in module._non_persistent_buffers_set:
            buffer = module._buffers[name]
            if buffer is not None and buffer.is_floating_point():
                buffer.fill_(float("nan"))
        makes = getattr(module, "init_non_persistent_buffers", None)
        if makes is not None:
            makes()
    return model


@torch.no_grad()
def randomize(model: nn.Module, seed: int = 0, size: int = 96, batch: int = 4) -> nn.Module:
    """Give `model` values under which an error shows; see the module docstring. In place; returns it in eval mode.

    Convolution and linear weights N(0, 1/fan_in), norm weights U(.5, 1.5), all biases N(0, .2), other parameters
    (layer scale, gamma, GRN) U(.3, .7); batch norm statistics from one batch of `size`×`size` images, then jittered.
    """
    rng = torch.Generator().manual_seed(seed)
    for module in model.modules():
        for name, parameter in module.named_parameters(recurse=False):
            if name == "bias":
                parameter.normal_(0, 0.2, generator=rng)
            elif isinstance(module, (*_CONVOLUTIONS, nn.Linear)):
                parameter.normal_(0, parameter[0].numel() ** -0.5, generator=rng)
            elif isinstance(module, _NORMS):
                parameter.uniform_(0.5, 1.5, generator=rng)
            else:
                parameter.uniform_(0.3, 0.7, generator=rng)
    _calibrate(model, torch.randn(batch, 3, size, size, generator=rng), rng)
    return model


def _calibrate(model: nn.Module, images: Tensor, rng: torch.Generator) -> None:
    norms = [m for m in model.modules() if isinstance(m, _BATCH_NORMS)]
    momenta = [m.momentum for m in norms]
    model.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = 1.0
        norm.train()
    if norms:
        model(images)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
        norm.eval()
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean += torch.randn(norm.num_features, generator=rng) * 0.1 * norm.running_var.sqrt()
        norm.running_var *= torch.empty(norm.num_features).uniform_(0.8, 1.25, generator=rng)
