"""Times measured here: a forward pass, and a training step. Takes a variant, gives milliseconds."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from archdsl.quiet import import_torch
from archdsl.variant import Variant

WARMUP, RUNS = 2, 7


def forward_time(variant: Variant, batch: int, threads: int | None = None) -> float:
    """The median of a forward pass in evaluation, without gradients."""
    torch, model, images = _made(variant, batch, threads)
    model.eval()

    def work() -> None:
        with torch.inference_mode():
            model(images)

    return _median(work, torch)


def step_time(variant: Variant, batch: int, threads: int | None = None) -> float:
    """The median of a training step: forward, backward and SGD with momentum. Of several outputs all are asked for."""
    torch, model, images = _made(variant, batch, threads)
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-3, momentum=0.9)

    def work() -> None:
        optimizer.zero_grad(set_to_none=True)
        outputs = model(images)
        tensors = [outputs] if isinstance(outputs, torch.Tensor) else list(outputs)
        sum(output.square().mean() for output in tensors).backward()
        optimizer.step()

    return _median(work, torch)


def _made(variant: Variant, batch: int, threads: int | None) -> tuple[Any, Any, Any]:
    import_torch()
    import torch

    if threads is not None:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    shape = variant.graph.input_shape
    torch.manual_seed(0)
    return torch, variant.model_class().to(device), torch.randn(batch, *shape.dims, device=device)


def _median(work: Callable[[], None], torch: Any) -> float:
    times = []
    for number in range(WARMUP + RUNS):
        begin = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        if number >= WARMUP:
            times.append(time.perf_counter() - begin)
    return statistics.median(times) * 1000
