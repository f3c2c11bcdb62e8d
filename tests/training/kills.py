"""Trainings that are killed at random moments (SIGKILL) and go on, against one that is left alone: bit for bit.

    OMP_NUM_THREADS=1 python -m tests.training.kills [KILLS] [SEED]

Killed are processes of their own, at a moment drawn anew each time: while they begin, read pictures, compute, or write
a checkpoint, which happens after every step here. Prints what was found; exit code 1 if anything differs.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.libraries import declare_operators
from tests.training.conftest import SPEC
from tests.training.digits import write_digits


def main(kills: int, seed: int) -> int:
    declare_operators()
    from archdsl.training.libraries import import_timm

    import_timm()  # once, here: what is forked has it
    chance = random.Random(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "net.arch").write_text(SPEC)
        write_digits(folder / "digits", limit=160)
        alone, killed = folder / "alone", folder / "killed"
        started = time.monotonic()
        assert os.waitstatus_to_exitcode(os.waitpid(start(folder, alone), 0)[1]) == 0
        whole = time.monotonic() - started
        survived = 0
        while survived < kills:
            process = start(folder, killed)
            time.sleep(chance.uniform(0.02, max(0.1, 2 * whole / (kills + 1))))
            if os.waitpid(process, os.WNOHANG)[0]:
                break  # it came to its end
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            survived += 1
        assert os.waitstatus_to_exitcode(os.waitpid(start(folder, killed), 0)[1]) == 0
        wrong = differing(alone, killed)
    print(f"killed {survived} times in {whole:.1f} s of training: {', '.join(wrong) or 'the same, bit for bit'}")  # noqa: T201
    return 1 if wrong or survived < min(kills, 2) else 0


def start(folder: Path, output: Path) -> int:
    """A training in a process of its own."""
    process = os.fork()
    if process:
        return process
    from archdsl.cli.app import run

    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    args = f"train {folder}/net.arch:net --recipe full --data {folder}/digits -o {output} --workers 0 --save-every 1"
    code = 70
    try:
        code = run([*args.split(), "--epochs", "6"])
    finally:
        os._exit(code)


def differing(one: Path, other: Path) -> list[str]:
    """The files that are not the same in two folders; of logs what they say but for the time that it took."""
    names = ("last.safetensors", "averaged.safetensors", "best.safetensors")
    found = [name for name in names if content(one / name) != content(other / name)]
    logs = [[json.loads(line) for line in (path / "log.jsonl").read_text().splitlines()] for path in (one, other)]
    for rows in logs:
        for row in rows:
            row.pop("seconds")
    return found if logs[0] == logs[1] else [*found, "log.jsonl"]


def content(path: Path) -> object:
    """What a file of weights holds, bit for bit; the order in which its header names things is not always the same."""
    from safetensors import safe_open

    with safe_open(path, framework="np") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  it is no mapping
        return file.metadata(), {name: (value.dtype, value.tobytes()) for name, value in tensors.items()}


if __name__ == "__main__":
    numbers = [int(text) for text in sys.argv[1:]]
    sys.exit(main(numbers[0] if numbers else 20, numbers[1] if len(numbers) > 1 else 0))
