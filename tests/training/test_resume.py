"""Whatever ends a training, the same command goes on with it, and the result is the same, bit for bit."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.libraries import declare_operators
from tests.training.conftest import SPEC
from tests.training.kills import content, differing

ROOT = Path(__file__).parents[2]
Run = Callable[..., Any]


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="trainings are forked here")
def test_killed_at_random_moments_it_comes_to_the_same_weights() -> None:
    """4 times here; `python -m tests.training.kills` does it 20 times."""
    command = [sys.executable, "-m", "tests.training.kills", "4"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the same, bit for bit" in done.stdout


OPTIONS = ("--recipe", "full", "--workers", 0, "--save-every", 5)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, _digits: Path) -> Path:
    """The folder of a training that was left alone."""
    from archdsl.cli.app import run as command

    declare_operators()
    folder = tmp_path_factory.mktemp("alone")
    (folder / "net.arch").write_text(SPEC)
    args = ("train", f"{folder}/net.arch:net", "--data", _digits, *OPTIONS, "-o", folder / "run")
    assert command([str(arg) for arg in args]) == 0
    return folder / "run"


def test_the_comparison_bites(
    net: str, digits: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, alone: Path
) -> None:
    """A checkpoint in which something is not as it was leads elsewhere."""
    import torch

    given = ("train", net, "--data", digits, *OPTIONS)
    stopped_after(run, given, tmp_path / "stopped", monkeypatch, 2)
    for lost in ("optimizer", "ema", "progress"):
        broken = tmp_path / lost
        shutil.copytree(tmp_path / "stopped", broken)
        state = torch.load(broken / "checkpoint.pt", weights_only=True)
        if lost == "optimizer":
            for values in state["optimizer"]["state"].values():
                values["exp_avg"].zero_()
        elif lost == "ema":
            state["ema"] = state["model"]
        else:
            state["progress"]["step"] += 1
        torch.save(state, broken / "checkpoint.pt")
        assert run(*given, "-o", broken).code == 0
        assert differing(alone, broken), lost


def stopped_after(run: Run, given: tuple[Any, ...], folder: Path, monkeypatch: pytest.MonkeyPatch, saves: int) -> Any:
    """A training that ends with its n-th checkpoint, as if it were interrupted there."""
    from archdsl.training.run_folder import RunFolder

    save, count = RunFolder.save, [0]

    def counted(self: RunFolder, state: Any) -> None:
        save(self, state)
        count[0] += 1
        if count[0] == saves:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "save", counted)
        return run(*given, "-o", folder)


@pytest.mark.parametrize("saves", [1, 4])  # in an epoch, and after one
def test_what_is_interrupted_goes_on(
    net: str, digits: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, alone: Path, saves: int
) -> None:
    given = ("train", net, "--data", digits, *OPTIONS)
    stopped = stopped_after(run, given, tmp_path / "stopped", monkeypatch, saves)
    assert stopped.code == 130
    assert not (tmp_path / "stopped" / "last.safetensors").exists()
    went_on = run(*given, "-o", tmp_path / "stopped")
    assert (went_on.code, "going on" in went_on.err) == (0, True)
    assert differing(alone, tmp_path / "stopped") == []


@pytest.mark.skipif(sys.platform == "win32", reason="no limit of the size of files there")
def test_a_full_disk_leaves_the_last_checkpoint(
    net: str, digits: Path, tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch, alone: Path
) -> None:
    import resource

    given = ("train", net, "--data", digits, *OPTIONS)
    folder = tmp_path / "full"
    stopped_after(run, given, folder, monkeypatch, 1)
    checkpoint = folder / "checkpoint.pt"
    before = checkpoint.read_bytes()
    old = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) // 2, old[1]))
    try:
        done = run(*given, "-o", folder)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
    assert done.code == 2
    assert done.err.count("error[E607]: cannot write") == 1, done.err
    assert checkpoint.read_bytes() == before
    assert not list(folder.glob(".archdsl-*"))
    assert run(*given, "-o", folder).code == 0
    assert differing(alone, folder) == []


def test_weights_say_what_they_are(alone: Path) -> None:
    metadata, _ = content(alone / "best.safetensors")  # type: ignore[misc]
    about = json.loads(metadata["archdsl"])
    assert about["classes"] == [str(n) for n in range(10)]
    assert (about["variant"], about["recipe"]) == ("net", "full")
    assert {"epoch", "top1", "weights"} <= set(about)


def _waits(connection: Any) -> None:
    connection.send("forked")
    connection.recv()


@pytest.mark.skipif(sys.platform == "win32", reason="folders are not locked there")
def test_workers_that_outlive_a_training_do_not_keep_its_folder(tmp_path: Path) -> None:
    """The folder of a killed training is free at once, while its workers have not seen yet that it is gone."""
    from archdsl.diagnostics.core import ArchError
    from archdsl.training.run_folder import RunFolder

    plan: Any = None
    folder = RunFolder(tmp_path, plan)
    context: Any = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    worker = context.Process(target=_waits, args=(theirs,))
    try:
        with folder._held():
            worker.start()
            assert ours.recv() == "forked"
            with pytest.raises(ArchError, match="another process"), folder._held():
                pass
        with folder._held():
            pass
    finally:
        ours.send("enough")
        worker.join()
