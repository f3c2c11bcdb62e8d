"""What networks are scored by: costs, times that are measured here, accuracy after a training, a command's number.

Raises ArchError: E678, and what training raises.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError
from archdsl.graph.space import ASKED
from archdsl.quiet import import_torch
from archdsl.search import TIMED, TRAINED
from archdsl.search.candidates import CandidateNetwork
from archdsl.semantics.points import Space
from archdsl.variant import Variant

BATCH = 8
"""Images of a forward pass and a training step that are timed, where no other number is asked for."""

TIME_WEIGHT, SIZE_WEIGHT = -0.07, -0.05
"""w and v of EfficientNetV2's section 3.2, found there by experiment so that both matter alike."""


@dataclass(frozen=True)
class MeasureOptions:
    """How networks are measured and trained."""

    batch: int = BATCH
    threads: int | None = None
    recipe: str | None = None
    data: str | None = None
    epochs: int | None = None
    image: int | None = None
    command: str | None = None
    runs: Path | None = None
    seed: int = 0

    def said(self, objectives: Mapping[str, Any]) -> dict[str, Any]:
        """What of this decides about the values."""
        told: dict[str, Any] = {"batch": self.batch, "threads": self.threads} if TIMED & objectives.keys() else {}
        if TRAINED & objectives.keys():
            told |= {"recipe": self.recipe, "data": self.data, "epochs": self.epochs, "image": self.image}
            told["seed"] = self.seed
        return told | ({"command": self.command} if "command" in objectives else {})


def reward(accuracy: float, step: float, params: float) -> float:
    """EfficientNetV2's, of a share of right answers, a time and a number of parameters."""
    return float(accuracy * step**TIME_WEIGHT * params**SIZE_WEIGHT)


def prepare(file: ArchFile, space: Space, objectives: Mapping[str, Any], how: MeasureOptions) -> None:
    """Find what every network needs to be scored; raises ArchError for what is not there, so that no trial is begun."""
    if {"latency", "step"} & objectives.keys():
        import_torch()
    if TRAINED & objectives.keys():
        from archdsl.training.datasets import find_data
        from archdsl.training.libraries import import_timm
        from archdsl.training.recipes import recipe_of

        assert how.recipe is not None
        assert how.data is not None
        import_timm()
        recipe_of(Variant(file, space.base), how.recipe)
        find_data(how.data)
    if "command" in objectives:
        program = _arguments(how)[0]
        if shutil.which(program) is None:
            raise _failed(how.command, f"there is no program {program}")


def score(network: CandidateNetwork, objectives: Mapping[str, Any], how: MeasureOptions) -> dict[str, float]:
    """A value for each objective, and what these are made of."""
    values: dict[str, float] = {}
    for name in objectives:
        if name in ASKED:
            values[name] = float(network.costs[name])
    if "latency" in objectives:
        from archdsl.search.timing import forward_time

        values["latency"] = _timed("latency", forward_time, network, how)
    if {"step", "reward"} & objectives.keys():
        from archdsl.search.timing import step_time

        values["step"] = _timed("step", step_time, network, how)
    if TRAINED & objectives.keys():
        values["accuracy"] = _accuracy(network, how)
    if "reward" in objectives:
        values["reward"] = reward(values["accuracy"] / 100, values["step"], network.costs["params"])
    if "command" in objectives:
        values["command"] = _command(network, how)
    return values


def _timed(
    name: str, measure: Callable[[Variant, int, int | None], float], network: CandidateNetwork, how: MeasureOptions
) -> float:
    """A time; raises ArchError E678 where torch cannot run the network so: its memory, a single value to normalise."""
    try:
        return measure(network.variant, how.batch, how.threads)
    except (RuntimeError, ValueError) as error:
        detail = (str(error).strip().splitlines() or [type(error).__name__])[0]
        help_ = "the network is left out; where it is the batch, give another --batch"
        raise ArchError.of("E678", command=f"{name} of {how.batch} images", detail=detail, help=help_) from None


class _Silent:
    """A training is one line of a search."""

    def begin(self, epoch: int, step: int) -> None: ...
    def stepped(self, epoch: int, step: int, loss: float | None, lr: float) -> None: ...
    def row(self, row: Mapping[str, Any]) -> None: ...


def _accuracy(network: CandidateNetwork, how: MeasureOptions) -> float:
    """Top-1 on what is held out, in percent, of the best weights. A training that was killed goes on."""
    from archdsl.training.datasets import find_data
    from archdsl.training.engine import EngineOptions, train
    from archdsl.training.plan import TrainingOptions, make_plan
    from archdsl.training.run_folder import RunFolder

    assert how.recipe is not None
    assert how.data is not None
    assert how.runs is not None
    wishes = TrainingOptions(epochs=how.epochs, image=how.image, seed=how.seed)
    plan = make_plan(network.variant, how.recipe, find_data(how.data), wishes)
    digest = hashlib.sha256(json.dumps(dict(network.point.arguments), sort_keys=True).encode()).hexdigest()[:16]
    folder = RunFolder(how.runs / digest, plan)
    with folder.begun():
        progress = train(plan, folder, EngineOptions(device=None, workers=0), _Silent())
    return float(progress.best["top1"])


def _command(network: CandidateNetwork, how: MeasureOptions) -> float:
    """The number of the last line that a command prints."""
    arguments = _arguments(how)
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "network.py")
            path.write_text(network.variant.source, encoding="utf-8")
            known = {"ARCHDSL_SOURCE": str(path), "ARCHDSL_ARGUMENTS": json.dumps(dict(network.point.arguments))}
            ended = subprocess.run(
                arguments, env={**os.environ, **known}, stdout=subprocess.PIPE, text=True, check=False
            )
    except (OSError, ValueError) as error:
        raise _failed(how.command, str(error)) from None
    if ended.returncode:
        raise _failed(how.command, f"it ended with status {ended.returncode}", shell="sh")
    lines = ended.stdout.split("\n")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "")
    try:
        value = float(last)
    except ValueError:
        value = float("nan")
    if value != value or value in (float("inf"), float("-inf")):
        raise _failed(how.command, f"its last line is no number: {last[:80]!r}" if last else "it prints nothing")
    return value


def _arguments(how: MeasureOptions) -> list[str]:
    """The program that a command names, and what it is given: no shell reads it; raises ArchError E678."""
    assert how.command is not None
    try:
        return shlex.split(how.command)
    except ValueError as error:
        raise _failed(how.command, str(error)) from None


def _failed(command: str | None, detail: str, shell: str | None = None) -> ArchError:
    return ArchError.of("E678", command=command, detail=detail, shell=shell)
