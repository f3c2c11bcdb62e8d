"""Pictures per second of ResNet-50 with the settings of A3, beside timm's model in the same loop.

    python -m benchmarks.gpu_training [--seconds 180] [--batch 256] [--device cuda]

For a machine with a CUDA device, about 3 minutes; `--device cpu --batch 2 --seconds 20` shows that it runs. Synthetic
pictures of 160 px, LAMB, binary cross entropy of mixed targets, bfloat16, channels last, with and without
torch.compile. Ours and timm's take turns; what counts is the median of the ratios (ours / timm's, at least 1.0).
Exits with 1 where that does not hold.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

import torch

import archdsl
from archdsl.graph import recipe_parts as parts
from archdsl.graph.recipe import Recipe
from archdsl.training import Pieces

ROUNDS, STEPS = 5, 10
BOUND = 1.0


def a3() -> Recipe:
    """The recipe, as far as the loop has it: pictures are synthetic, so nothing is read or augmented."""
    return Recipe(
        name="a3", epochs=100, batch=2048, optimizer=parts.Lamb(), lr=8e-3, lr_scaling="linear", weight_decay=0.02,
        no_decay=("bias", "norm"), schedule=parts.Cosine(end=1e-6), warmup=parts.Warmup(epochs=5, start=1e-6),
        loss=parts.Bce(), mixup=0.1, cutmix=1.0, size=160,
    )  # fmt: skip


def stepper(model: Any, pieces: Pieces, batch: int, device: str, compiled: bool) -> Callable[[], None]:
    """A function that makes one training step with a model."""
    from timm.optim import create_optimizer_v2

    model = model.to(device, memory_format=torch.channels_last).train()
    optimizer = create_optimizer_v2(model, opt="lamb", lr=1e-3, weight_decay=0.02)
    loss, mixup = pieces.loss(), pieces.mixup(1000)
    assert mixup is not None
    run = torch.compile(model) if compiled else model
    images = torch.randn(batch, 3, 160, 160, device=device).contiguous(memory_format=torch.channels_last)
    classes = torch.randint(1000, (batch,), device=device)

    def step() -> None:
        mixed, targets = mixup(images.clone(), classes)
        with torch.autocast(device.partition(":")[0], dtype=torch.bfloat16):
            value = loss(run(mixed), targets)
        value.backward()
        optimizer.step()
        optimizer.zero_grad()

    return step


def rate(step: Callable[[], None], batch: int, device: str, steps: int) -> float:
    """Pictures per second over some steps."""
    cuda = device.startswith("cuda")
    if cuda:
        torch.cuda.synchronize()
    started = time.perf_counter()
    for _ in range(steps):
        step()
    if cuda:
        torch.cuda.synchronize()
    return batch * steps / (time.perf_counter() - started)


def compare(batch: int, device: str, compiled: bool, seconds: float) -> bool:
    """Both in turns; whether the bound holds."""
    import timm

    pieces = Pieces("resnet50", a3())
    models = {"archdsl": archdsl.load("resnet50", image_size=160), "timm": timm.create_model("resnet50")}
    started = time.perf_counter()
    steps = {name: stepper(model, pieces, batch, device, compiled) for name, model in models.items()}
    for step in steps.values():  # compiling and choosing of kernels is no part of it
        rate(step, batch, device, 3 if device.startswith("cuda") else 1)
    rates: dict[str, list[float]] = {name: [] for name in steps}
    count = STEPS if device.startswith("cuda") else 1
    for turn in range(ROUNDS):
        for name in sorted(steps, reverse=bool(turn % 2)):
            rates[name].append(rate(steps[name], batch, device, count))
        if time.perf_counter() - started > seconds and turn:
            break
    ratios = [ours / theirs for ours, theirs in zip(rates["archdsl"], rates["timm"], strict=True)]
    ratio = statistics.median(ratios)
    ours, theirs = (statistics.median(rates[name]) for name in ("archdsl", "timm"))
    kind = "compiled" if compiled else "eager"
    spread = f"{min(ratios):.3f} to {max(ratios):.3f}"
    print(f"{kind:8}  archdsl {ours:9.1f}  timm {theirs:9.1f} pictures/s  ratio {ratio:.3f} ({spread})")
    return ratio >= BOUND


def main() -> int:
    parser = argparse.ArgumentParser(description="Pictures per second in training, ours beside timm's.")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--batch", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=180.0, help="about so long (default %(default)s)")
    parser.add_argument("--no-compile", action="store_true", help="leave torch.compile out")
    options = parser.parse_args()
    if options.device.startswith("cuda") and not torch.cuda.is_available():
        parser.error(
            "there is no CUDA device here; --device cpu --batch 2 --seconds 20 --no-compile shows that it runs"
        )
    name = torch.cuda.get_device_name() if options.device.startswith("cuda") else "CPU"
    print(f"{name}, torch {torch.__version__}, batch {options.batch}, 160 px, bfloat16, channels last")
    kinds = [False] if options.no_compile else [False, True]
    held = [compare(options.batch, options.device, kind, options.seconds / len(kinds)) for kind in kinds]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
