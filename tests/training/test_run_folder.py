"""The folder of a training: what goes on there, and what is refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors.torch import save_file

import archdsl
from tests.training.conftest import codes, replaced

Run = Callable[..., Any]


def _pair_of_a_size(folder: Path) -> tuple[Path, Path]:
    """Two pictures that differ, of as many bytes."""
    seen: dict[int, Path] = {}
    for path in sorted(folder.rglob("*.png")):
        other = seen.setdefault(path.stat().st_size, path)
        if other.read_bytes() != path.read_bytes():
            return other, path
    raise AssertionError("none")


def test_what_came_to_nothing_may_be_another_training(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    given = ("train", net, "--recipe", "plain", "--data", digits, "-o", tmp_path / "run", "--workers", 0)
    assert run(*given, "--weights", tmp_path / "nothing.safetensors").code == 2
    done = run(*given, "--epochs", 2)
    assert done.code == 0, done.err


def test_weights_are_another_training_by_what_is_in_them(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    given = ("train", net, "--recipe", "plain", "--data", digits, "--workers", 0, "--epochs", 2)
    begin = tmp_path / "begin.safetensors"
    begun = (*given, "-o", tmp_path / "run", "--weights", begin)
    state = archdsl.load(net).state_dict()
    save_file(state, begin)
    assert run(*begun).code == 0
    assert run(*begun).code == 0
    save_file({**state, "fc.bias": state["fc.bias"] + 1}, begin)
    done = run(*begun)
    assert (done.code, codes(done)) == (2, ["E653"]), done.err
    assert "weights was begin.safetensors (sha256" in done.err


def test_only_the_same_training_goes_on(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    data = tmp_path / "digits"
    shutil.copytree(digits, data)
    given = ("train", net, "--recipe", "plain", "--data", data, "-o", tmp_path / "run", "--workers", 0)
    assert run(*given).code == 0
    before = (tmp_path / "run" / "checkpoint.pt").read_bytes()
    again = run(*given)
    assert (again.code, "going on" in again.err) == (0, True)

    def refused(words: str, *more: object) -> None:
        done = run(*replaced(given, *more))
        assert (done.code, codes(done)) == (2, ["E653"]), done.err
        assert words in done.err
        assert (tmp_path / "run" / "checkpoint.pt").read_bytes() == before

    refused("recipe was plain, is full", "--recipe", "full")
    refused("the recipe `plain` has other settings: epochs", "--epochs", 4)
    refused("seed was 0, is 1", "--seed", 1)
    refused("batch was 32, is 16", "--batch", 16)
    refused("weights was None, is last.safetensors", "--weights", tmp_path / "run" / "last.safetensors")
    spec = Path(net.rpartition(":")[0])
    text = spec.read_text()
    spec.write_text(text.replace("mean = [0.3]", "mean = [0.4]"))
    refused("preprocess has other settings: mean")
    spec.write_text(text)
    for split in ("train", "val"):  # of the same names and sizes
        one, two = _pair_of_a_size(data / split)
        contents = one.read_bytes(), two.read_bytes()
        for new in (contents[::-1], contents):
            one.write_bytes(new[0])
            two.write_bytes(new[1])
            if new is not contents:
                refused("pictures: 2 have other contents than before")
    extra = data / "train" / "4" / "new.png"
    shutil.copy(next((data / "train" / "4").iterdir()), extra)
    refused("class `4` had")
    extra.unlink()
    shutil.rmtree(data / "train" / "9")
    shutil.rmtree(data / "val" / "9")
    refused("the class folder `9` is missing")
    other = run("train", net, "--recipe", "plain", "--data", digits, "-o", digits)
    assert codes(other) == ["E653"]
    none = run("train", net, "--recipe", "plain", "--data", digits, "-o", tmp_path / "new", "--resume")
    assert codes(none) == ["E654"]


def test_a_damaged_checkpoint_is_said(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    given = ("train", net, "--recipe", "plain", "--data", digits, "-o", tmp_path / "run", "--workers", 0)
    assert run(*given).code == 0
    path = tmp_path / "run" / "checkpoint.pt"
    path.write_bytes(path.read_bytes()[:1000])
    done = run(*given)
    assert (done.code, codes(done)) == (2, ["E654"])


def test_two_trainings_do_not_share_a_folder(net: str, digits: Path, tmp_path: Path, run: Run) -> None:
    import fcntl

    given = ("train", net, "--recipe", "plain", "--data", digits, "-o", tmp_path / "run", "--workers", 0)
    assert run(*given).code == 0
    with (tmp_path / "run" / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = run(*given)
    assert (done.code, codes(done)) == (2, ["E653"])
    assert "another process" in done.err


def test_of_two_trainings_that_begin_at_once_one_trains(net: str, digits: Path, tmp_path: Path) -> None:
    """The one that has the folder is the one that it says it is of, whatever the other did in between."""
    from archdsl.training.datasets import find_data
    from archdsl.training.plan import TrainingOptions, make_plan
    from archdsl.training.run_folder import RunFolder

    variant, data = archdsl.find(net), find_data(str(digits))
    one, two = (
        RunFolder(tmp_path / "run", make_plan(variant, "plain", data, TrainingOptions(seed=seed))) for seed in (1, 2)
    )
    check, outcomes = one._check, []

    def overtaken(now: Any, must_go_on: bool) -> Any:
        found = check(now, must_go_on)
        if not outcomes:
            outcomes.append("begun")
            with two.begun():
                two.write("log.csv", "")
        return found

    one._check = overtaken  # type: ignore[method-assign]
    with pytest.raises(archdsl.ArchError, match="seed was 2, is 1"), one.begun():
        pass
    assert json.loads((tmp_path / "run" / "run.json").read_text())["seed"] == 2
    with two.begun(), pytest.raises(archdsl.ArchError, match="another process"), two.begun():
        pass
