"""The comparison of a generated source with its graph, used by all tests here."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from archdsl.backends.module import build_module
from archdsl.graph.ir import Graph
from tests.backends.interpreter import Interpreter


class NotFinite(AssertionError):
    """The network grows its values beyond what a number can be, so that nothing can be compared."""


def randomize(model: nn.Module, seed: int = 0) -> nn.Module:
    """Weights with which every operation shows: none is neutral, and no layer makes its input vanish."""
    rng = torch.Generator().manual_seed(seed)
    for key, tensor in model.state_dict().items():
        if not tensor.is_floating_point():
            continue
        if tensor.ndim > 1 and tensor[0].numel() > 1:
            tensor.normal_(0, tensor[0].numel() ** -0.5, generator=rng)
        elif key.endswith(("bias", "running_mean")):
            tensor.normal_(0, 0.3, generator=rng)
        else:
            tensor.uniform_(0.5, 1.5, generator=rng)
    return model


def outputs_of(result: Any) -> tuple[Tensor, ...]:
    return (result,) if isinstance(result, Tensor) else tuple(result)


def state_shapes(model: nn.Module) -> dict[str, tuple[int, ...]]:
    return {key: tuple(tensor.shape) for key, tensor in model.state_dict().items()}


def same_state(graph: Graph, model: nn.Module) -> None:
    """The same state_dict keys and shapes."""
    assert state_shapes(model) == {key: weight.shape for key, weight, _ in graph.state()}


def same_function(graph: Graph, source: str, batch: int = 2) -> None:
    """The generated module and the interpreted graph agree bit for bit, in evaluation and in training."""
    model = build_module(graph, source)
    same_state(graph, model)
    randomize(model)
    image = torch.randn(batch, *graph.input_shape.dims, generator=torch.Generator().manual_seed(1))
    kept = image.clone()
    expected = Interpreter(graph, model.state_dict())(image)
    with torch.no_grad():
        actual = outputs_of(model.eval()(image))
    assert torch.equal(image, kept), "the model overwrites its input"
    equal(actual, expected)
    same_training(graph, model, image)


def same_training(graph: Graph, model: nn.Module, image: Tensor) -> None:
    """Equal outputs and statistics in training, with the same random numbers; and a backward pass that works.

    In double precision and up to rounding: memory layouts may differ after an operation in place, and kernels with them.
    """
    model, image = model.double(), image.double()
    reference = Interpreter(graph, model.state_dict())
    torch.manual_seed(3)
    expected = reference(image, training=True)
    torch.manual_seed(3)
    with torch.no_grad():  # as the interpreter: autograd may choose other kernels
        actual = outputs_of(model.train()(image))
    equal(actual, expected, 1e-9)
    buffers = dict(model.named_buffers())
    equal(tuple(buffers.values()), tuple(reference.state[key] for key in buffers), 1e-9)
    parameters = list(model.parameters())
    if parameters:  # in-place operations on what autograd has kept raise here
        actual = outputs_of(model(image))
        total = sum((output * torch.linspace(-1, 1, output.numel()).view_as(output)).sum() for output in actual)
        if isinstance(total, Tensor) and total.requires_grad:
            total.backward()


def equal(actual: tuple[Tensor, ...], expected: tuple[Tensor, ...], tolerance: float = 0.0) -> None:
    """Equal values; a tolerance is relative to the greatest."""
    assert len(actual) == len(expected)
    for mine, theirs in zip(actual, expected, strict=True):
        assert mine.shape == theirs.shape
        if not torch.isfinite(theirs).all():
            raise NotFinite
        difference = (mine - theirs).abs().max().item()
        assert difference <= tolerance * theirs.abs().max().item(), f"differs by {difference:.3g}"
