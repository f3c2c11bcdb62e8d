"""Progressive learning against one size: accuracy over some seeds, multiply-accumulates, time.

    OMP_NUM_THREADS=1 python -m tests.training.progressive [SEEDS] [FIRST]

Trains docs/training/digits.arch:small_efficientnet_v2 on handwritten digits by its recipes `constant` and
`progressive`, in turns, so that both have the same company on the machine. Time is that of this process on the
processor, testing included. Exit code 1 where the promise does not hold: 1.3 times fewer multiply-accumulates, less
time, and an accuracy that is the same but for two standard errors of the difference.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from tests.libraries import declare_operators
from tests.training.digits import write_digits

SPEC = Path(__file__).parents[2] / "docs" / "training" / "digits.arch"


class Result(NamedTuple):
    accuracy: float
    macs: float
    seconds: float


def main(seeds: int, first: int) -> int:
    declare_operators()
    found: dict[str, list[Result]] = {"constant": [], "progressive": []}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_digits(folder / "digits")
        for seed in range(first, first + seeds):
            for recipe, results in found.items():
                results.append(trained(folder, recipe, seed))
                say(f"seed {seed}, {recipe}: {results[-1].accuracy:.2f} %, {results[-1].seconds:.1f} s")
    for recipe, results in found.items():
        accuracies = [result.accuracy for result in results]
        spread = statistics.stdev(accuracies) if seeds > 1 else 0.0
        seconds = statistics.median(result.seconds for result in results)
        text = (
            f"{statistics.mean(accuracies):.2f} % ± {spread:.2f}, {results[0].macs / 1e12:.3f} T MACs, {seconds:.1f} s"
        )
        say(f"{recipe}: {text}")
    constant, progressive = found["constant"], found["progressive"]
    macs = constant[0].macs / progressive[0].macs
    times = [a.seconds / b.seconds for a, b in zip(constant, progressive, strict=True)]
    lost = statistics.mean(a.accuracy - b.accuracy for a, b in zip(constant, progressive, strict=True))
    pooled = sum(statistics.variance([r.accuracy for r in results]) for results in found.values()) if seeds > 1 else 0
    noise = 2 * (pooled / seeds) ** 0.5
    faster = statistics.median(times)
    say(f"{macs:.2f} × fewer MACs, {faster:.2f} × less time, {lost:+.2f} points lost (noise {noise:.2f})")
    return 0 if macs >= 1.3 and faster > 1 and lost <= noise else 1


def trained(folder: Path, recipe: str, seed: int, name: str = "small_efficientnet_v2") -> Result:
    """The accuracy of the last epoch's averaged weights."""
    from archdsl.api import find
    from archdsl.cli.training import Told
    from archdsl.training.datasets import find_data
    from archdsl.training.engine import EngineOptions, train
    from archdsl.training.plan import TrainingOptions, make_plan
    from archdsl.training.run_folder import RunFolder

    variant = find(f"{SPEC}:{name}")
    plan = make_plan(variant, recipe, find_data(str(folder / "digits")), TrainingOptions(seed=seed))
    run = RunFolder(folder / f"{name}-{recipe}-{seed}", plan)
    with run.begun():
        started = time.process_time()
        train(plan, run, EngineOptions(device="cpu"), Told())
    seconds = time.process_time() - started
    last = json.loads((run.path / "log.jsonl").read_text().splitlines()[-1])
    return Result(last["average_top1"], plan.macs, seconds)


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    sys.exit(main(*[*numbers, *(3, 0)[len(numbers) :]]))
