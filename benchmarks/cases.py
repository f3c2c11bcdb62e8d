"""The benchmarks: each yields its results. Bounds are those of the project's goals, see README.md."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import nn

from archdsl.verify.randomize import randomize
from benchmarks import ours
from benchmarks.measure import Result, merged, versus
from tests import libraries

Case = Callable[[int], Iterator[Result]]


def _run(*command: str) -> None:
    # As installed: with compiled bytecode, which the first run of each writes.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run(command, check=True, capture_output=True, env=environment)


def check_startup(rounds: int) -> Iterator[Result]:
    """`archdsl check FAMILY` against `python -c "import torch"`: whole processes."""
    for family in ("resnet", "densenet", "convnext", "efficientnet"):
        command = ours.check_command(family)
        yield versus(
            f"check {family} / import torch",
            lambda command=command: _run(*command),  # type: ignore[misc]
            lambda: _run(sys.executable, "-c", "import torch"),
            bound=0.3,
            rounds=rounds,
        )


def draw_startup(rounds: int) -> Iterator[Result]:
    """`archdsl draw resnet50` against `python -c "import torch"`: whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        for suffix in ("svg", "png", "pdf"):
            command = ours.draw_command("resnet50", str(Path(folder) / f"resnet50.{suffix}"))
            yield versus(
                f"draw resnet50.{suffix} / import torch",
                lambda command=command: _run(*command),  # type: ignore[misc]
                lambda: _run(sys.executable, "-c", "import torch"),
                bound=0.4,
                rounds=rounds,
            )


def analysis_vs_fvcore(rounds: int) -> Iterator[Result]:
    """From the text to the cost table, against fvcore's analysis of a model that is already built."""
    import logging

    from fvcore.nn import FlopCountAnalysis

    logging.getLogger("fvcore").setLevel(logging.ERROR)
    image = torch.zeros(1, 3, 224, 224)
    for variant in ("resnet50", "convnext_tiny", "densenet121"):
        model = _torchvision(variant).eval()

        def analyse(model: nn.Module = model) -> None:
            analysis = FlopCountAnalysis(model, image)
            analysis.unsupported_ops_warnings(False)
            analysis.uncalled_modules_warnings(False)
            analysis.total()

        yield versus(
            f"analysis {variant} / fvcore",
            lambda variant=variant: ours.analyse(ours.FAMILIES[variant], variant),  # type: ignore[misc]
            analyse,
            bound=0.2,
            rounds=rounds,
        )


def _torchvision(variant: str) -> nn.Module:
    model: nn.Module = libraries.import_torchvision().models.get_model(variant)
    return model


def _pair(variant: str, ours_first: bool) -> tuple[nn.Module, nn.Module]:
    """Ours and torchvision's with the same weights, each in memory of its own."""
    if ours_first:
        mine = ours.load(variant)
        theirs = randomize(_torchvision(variant))
    else:
        theirs = randomize(_torchvision(variant))
        mine = ours.load(variant)
    mine.load_state_dict(theirs.state_dict())
    return mine, theirs


@contextmanager
def _one_thread() -> Iterator[None]:
    """torch computes on the thread that calls it, so that CPU time is time."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


@contextmanager
def _steady() -> Iterator[None]:
    """For bounds of a few percent: one thread, and a heap that keeps its pages.

    Measured with torchvision against itself: threads that wait for each other on a disturbed machine gave ratios up to
    1.17, and glibc, by giving large blocks back to the system at one model's addresses and not at the other's, up to
    1.29 for ConvNeXt's training step on one thread.
    """
    import ctypes

    libc = ctypes.CDLL(None)
    trim_threshold, top_pad, mmap_max = -1, -2, -4  # mallopt's parameters
    kept = {trim_threshold: 2**31 - 1, top_pad: 256 << 20, mmap_max: 0}
    usual = {trim_threshold: 128 << 10, top_pad: 128 << 10, mmap_max: 65536}
    for parameter, value in kept.items() if hasattr(libc, "mallopt") else ():
        libc.mallopt(parameter, value)
    try:
        with _one_thread():
            yield
    finally:
        for parameter, value in usual.items() if hasattr(libc, "mallopt") else ():
            libc.mallopt(parameter, value)


def _compare(what: str, variant: str, action: Callable[[nn.Module], Callable[[], None]], rounds: int) -> Result:
    """CPU time of one action on three pairs of models: where a model lies in memory is worth some percent too."""
    results = []
    with _steady():
        for ours_first in (True, False, True):
            mine, theirs = _pair(variant, ours_first)
            results.append(
                versus(
                    f"{what} {variant} / torchvision",
                    action(mine),
                    action(theirs),
                    bound=1.03,
                    rounds=rounds,
                    clock=time.process_time,
                )
            )
    return merged(results)


def forward_vs_torchvision(rounds: int) -> Iterator[Result]:
    """An eager forward pass in eval mode, batch 1, 224 px, CPU time of one thread."""
    x = torch.randn(1, 3, 224, 224)

    def action(model: nn.Module) -> Callable[[], None]:
        model.eval()

        def forward() -> None:
            with torch.inference_mode():
                model(x)

        return forward

    for variant in ours.FAMILIES:
        yield _compare("forward", variant, action, rounds)


def train_step_vs_torchvision(rounds: int) -> Iterator[Result]:
    """Forward, backward and SGD step, the models' own drop rates, batch 2, 64 px, CPU time of one thread."""
    x, target = torch.randn(2, 3, 64, 64), torch.arange(2)
    for variant in ours.FAMILIES:
        yield _compare("training step", variant, lambda model: _step(model, x, target), rounds)


def _step(model: nn.Module, x: torch.Tensor, target: torch.Tensor) -> Callable[[], None]:
    optimizer = torch.optim.SGD(model.parameters(), lr=1e-4)
    model.train()

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        nn.functional.cross_entropy(model(x), target).backward()
        optimizer.step()

    return step


def load_vs_torchvision(rounds: int) -> Iterator[Result]:
    """`load` with a checkpoint, against torchvision's constructor, torch.load and load_state_dict. A .pth file.

    CPU time of one thread: on a disturbed machine wall time says more about the others.
    """
    with tempfile.TemporaryDirectory() as folder, _one_thread():
        for variant in ours.FAMILIES:
            weights = Path(folder) / f"{variant}.pth"
            torch.save(_torchvision(variant).state_dict(), weights)

            def peer(variant: str = variant, weights: Path = weights) -> None:
                _torchvision(variant).load_state_dict(torch.load(weights, weights_only=True))

            # The peer's class was imported before; so was ours, but for the first load of a variant in a process, which
            # also compiles its spec: shown beside it, against the same bound.
            for first in (False, True):
                yield versus(
                    f"{'first ' if first else ''}load {variant} / torchvision",
                    lambda variant=variant, weights=weights, first=first: ours.load(variant, weights, first=first),  # type: ignore[misc]
                    peer,
                    bound=1.0,
                    rounds=rounds,
                    clock=time.process_time,
                )


_LOAD_TORCHVISION = """
import sys, torch
from tests import libraries
torch.set_num_threads(1)
model = libraries.import_torchvision().models.get_model(sys.argv[1])
model.load_state_dict(torch.load(sys.argv[2], weights_only=True))
"""


def load_process_vs_torchvision(rounds: int) -> Iterator[Result]:
    """The same as whole processes, with the imports of both: a script that loads one network."""
    with tempfile.TemporaryDirectory() as folder:
        for variant in ours.FAMILIES:
            weights = str(Path(folder) / f"{variant}.pth")
            torch.save(_torchvision(variant).state_dict(), weights)
            yield versus(
                f"process that loads {variant} / torchvision",
                lambda variant=variant, weights=weights: _run(  # type: ignore[misc]
                    sys.executable, "-c", ours.LOAD, variant, weights
                ),
                lambda variant=variant, weights=weights: _run(  # type: ignore[misc]
                    sys.executable, "-c", _LOAD_TORCHVISION, variant, weights
                ),
                bound=1.0,
                rounds=rounds,
            )


_CHILD = """
import json, sys, time, tracemalloc
from pathlib import Path
from benchmarks import ours
ours.analyse(sys.argv[2], ours.DEEP)  # warm: imports, and the parser's tables
start = time.perf_counter()
ours.analyse(sys.argv[1], ours.DEEP)
seconds = time.perf_counter() - start
tracemalloc.start()  # slows everything down, so the memory is that of a second run
ours.analyse(sys.argv[1], ours.DEEP)
print(json.dumps([1e6 * seconds, tracemalloc.get_traced_memory()[1]]))  # microseconds, bytes
"""


def scaling_100k(rounds: int) -> Iterator[Result]:
    """Time and memory for a graph of 100,000 nodes per node, against one of 10,000. Linear is 1."""
    small, large = 10_000, 100_000
    measured: dict[int, list[list[float]]] = {small: [], large: []}
    with tempfile.TemporaryDirectory() as folder:
        paths = {nodes: Path(folder) / f"deep{nodes}.arch" for nodes in (100, small, large)}
        for nodes, path in paths.items():
            path.write_text(ours.deep_spec(nodes // ours.NODES_PER_UNIT), encoding="utf-8")
        for _ in range(max(3, rounds // 3)):
            for nodes, found in measured.items():
                command = [sys.executable, "-c", _CHILD, str(paths[nodes]), str(paths[100])]
                found.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))
    # Room for the costs that grow with the memory's size (caches, the garbage collector's passes), none for n log n.
    for index, (what, bound) in enumerate([("time", 1.3), ("memory", 1.1)]):
        per_node = {nodes: [row[index] / nodes for row in found] for nodes, found in measured.items()}
        yield Result(
            f"{what} per node, 100,000 / 10,000 nodes",
            bound,
            [a / b for a, b in zip(per_node[large], per_node[small], strict=True)],
            statistics.median(per_node[large]),
            statistics.median(per_node[small]),
            unit="µs a node" if what == "time" else "bytes a node",
        )


def environment() -> dict[str, Any]:
    """What the figures depend on."""
    import os
    import platform

    warnings.filterwarnings("ignore", module="fvcore")
    return {
        "cpus": os.cpu_count(),
        "torch threads": torch.get_num_threads(),
        "load": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": libraries.import_torchvision().__version__,
    }


CASES: dict[str, Case] = {
    case.__name__: case
    for case in (
        check_startup,
        draw_startup,
        analysis_vs_fvcore,
        forward_vs_torchvision,
        train_step_vs_torchvision,
        load_vs_torchvision,
        load_process_vs_torchvision,
        scaling_100k,
    )
}
