"""What two networks compute from the same weights: takes both, gives the greatest differences."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

from archdsl.verify.running import Meaningless, ran


def outputs(returned: object) -> dict[str, Tensor]:
    """The tensors that a network returned, by name: a tensor alone is `logits`, those of a plain tuple are numbered."""
    if isinstance(returned, Tensor):
        return {"logits": returned}
    if isinstance(returned, Mapping):
        found = {str(name): tensor for name, tensor in returned.items() if tensor is not None}
    elif isinstance(returned, tuple | list):
        names = getattr(returned, "_fields", tuple(map(str, range(len(returned)))))
        found = {name: tensor for name, tensor in zip(names, returned, strict=True) if tensor is not None}
    else:
        found = {"": returned}
    if not found or not all(isinstance(value, Tensor) for value in found.values()):
        raise Meaningless(f"a network returned a {type(returned).__name__}, not tensors")
    return {name: found[name] for name in sorted(found)}


@contextmanager
def in_double(*models: nn.Module) -> Iterator[None]:
    """The networks and new tensors in double precision.

    For networks that are equal but sum in another order: in single precision deep networks with random weights blow
    such differences up to 1e-5 and more, where an error could hide.
    """
    before = torch.get_default_dtype()
    for model in models:
        model.double()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@torch.no_grad()
def output_difference(theirs: nn.Module, ours: nn.Module, size: int, seed: int = 1, batch: int = 2) -> float:
    """max |difference| / std of the reference's outputs, both in eval mode, on one random batch; 0 is bit-equality.

    Of several outputs the greatest; one that the reference returns in training only is not compared. Raises Meaningless
    if one does not run, shapes differ, or the reference's outputs are not finite or hardly vary.
    """
    images = torch.randn(batch, 3, size, size, generator=torch.Generator().manual_seed(seed))
    expected = outputs(ran(theirs.eval(), images, "the reference"))
    actual = outputs(ran(ours.eval(), images, "the variant"))
    wanted = {name: tuple(tensor.shape) for name, tensor in expected.items()}
    found = {name: tuple(tensor.shape) for name, tensor in actual.items() if name in wanted}
    if found != wanted:
        raise Meaningless(f"the outputs are {found} instead of {wanted}")
    return max(_relative(expected[name], actual[name]) for name in wanted)


def _relative(expected: Tensor, actual: Tensor) -> float:
    spread = expected.std().item()
    if not torch.isfinite(expected).all():
        raise Meaningless("the reference's outputs are not finite")
    if not spread > 1e-3:
        raise Meaningless(f"the reference's outputs hardly vary (standard deviation {spread:.1e})")
    difference = ((actual - expected).abs().max() / spread).item()
    return difference if torch.isfinite(actual).all() else float("inf")


class KeepEverything(TorchDispatchMode):
    """Dropout and stochastic depth keep everything, and scale it as if by chance: a training step without chance."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        if name == "bernoulli_":
            result.fill_(1)
        elif name == "rand":
            result.fill_(1 - 2**-20)  # floor(keep + uniform)
        elif name == "native_dropout":
            raise NotImplementedError("a fused dropout")  # not on the CPU
        return result


def train_step(
    model: nn.Module, size: int, seed: int = 2, batch: int = 4, whose: str = "the network"
) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """Gradients and buffers after one training step's forward and backward pass, nothing being dropped.

    The loss weighs every output differently, so that no two of them can be exchanged unnoticed.
    """
    rng = torch.Generator().manual_seed(seed)
    images = torch.randn(batch, 3, size, size, generator=rng)
    model.train().zero_grad(set_to_none=True)
    with KeepEverything():
        results = outputs(ran(model, images, f"{whose} in training"))
    loss = sum(
        ((output * torch.randn(output.shape, generator=rng)).sum() for output in results.values()), torch.zeros(())
    )
    loss.backward()
    model.eval()
    gradients = {key: value.grad for key, value in model.named_parameters()}
    untouched = [key for key, gradient in gradients.items() if gradient is None]
    if untouched:
        raise Meaningless(f"training does not reach {', '.join(untouched[:5])}")
    for parameter in model.parameters():
        parameter.grad = None
    state = model.state_dict()  # without what is no part of it, constants of the library's own
    buffers = {key: value for key, value in model.named_buffers() if key in state}
    return {key: gradient for key, gradient in gradients.items() if gradient is not None}, buffers


def step_differences(theirs: Mapping[str, Tensor], ours: Mapping[str, Tensor]) -> dict[str, float]:
    """For each gradient, or each buffer, of ours max |difference| / the greatest value of theirs; equal ones left out.

    A gradient that is zero but for rounding (of a bias before a batch norm) has no scale of its own: the unit is at
    least a thousandth of the greatest value of all.
    """
    least = 1e-3 * max((value.abs().max().item() for value in theirs.values()), default=0.0)
    found: dict[str, float] = {}
    for key, actual in ours.items():
        expected = theirs[key]
        if not torch.equal(expected, actual):
            difference = (actual - expected).abs().max().item() / max(expected.abs().max().item(), least)
            found[key] = difference if difference == difference else float("inf")
    return found
