"""Searches that are kept: several processes on one study, one of them killed; what is measured and trained."""

from __future__ import annotations

import csv
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from archdsl.api import open_source
from archdsl.diagnostics.core import ArchError
from archdsl.search.candidates import CandidateNetwork, Candidates
from archdsl.search.objectives import MeasureOptions, reward
from archdsl.search.study import Study, _began, _Refused
from archdsl.source import Source
from tests.training.digits import write_digits

Run = Callable[..., Any]
ROOT = Path(__file__).parents[2]

SPEC = """
model Net(width: int, depth: int = 1, classes: int = 10) =
  image(1, 8, 8) -> stage s: [[conv(width, 3), relu] for _i in 0..depth] -> gap -> flatten -> fc: linear(classes)
preprocess Net { mean = [0.3], std = [0.35] }
recipe short for Net {
  epochs = 1, batch = 32, optimizer = sgd, lr = 0.1, lr_scaling = "none", schedule = constant, size = 8
}
space widths for Net {
  width in 1..17
  depth in 1..4
}
"""
SLOW_NUMBER = "import os, json, time; time.sleep(0.2); print(json.loads(os.environ['ARCHDSL_ARGUMENTS'])['width'])"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.arch").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def started(folder: Path, *args: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.training.command", "search", str(folder / "net.arch"), "widths", *args]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def killed_in_the_midst(folder: Path, *args: str) -> list[dict[str, str]]:
    """The results of a search by two processes, one of which is killed while it works on a network."""
    two = [started(folder, *args) for _ in range(2)]
    journal = folder / "found" / "study.journal"
    until = time.monotonic() + 120
    while time.monotonic() < until:
        mine = f":{two[0].pid}:"
        if journal.exists() and mine in journal.read_text() and journal.read_text().count('"result"') >= 3:
            break
        time.sleep(0.05)
    os.kill(two[0].pid, signal.SIGKILL)
    two[0].wait()
    _, said = two[1].communicate(timeout=240)
    assert two[1].returncode == 0, said
    return list(csv.DictReader((folder / "found" / "results.csv").open()))


@pytest.mark.slow
def test_of_a_killed_process_one_trial_is_lost(folder: Path) -> None:
    score = f'{sys.executable} -c "{SLOW_NUMBER}"'
    args = ["--maximize", "command", "--command", score, "--samples", "12", "-o", str(folder / "found")]
    rows = killed_in_the_midst(folder, *args)
    assert len(rows) == len({(row["width"], row["depth"]) for row in rows}) == 12
    assert all(float(row["command"]) == float(row["width"]) for row in rows)


@pytest.mark.slow
def test_thirty_trainings_of_two_processes_of_which_one_is_killed(folder: Path) -> None:
    write_digits(folder / "digits", limit=60)
    args = ["--maximize", "accuracy", "--recipe", "short", "--data", str(folder / "digits"), "--samples", "30"]
    rows = killed_in_the_midst(folder, *args, "-o", str(folder / "found"))
    assert len(rows) == len({(row["width"], row["depth"]) for row in rows}) == 30
    assert all(0 <= float(row["accuracy"]) <= 100 for row in rows)


def test_the_network_of_a_killed_process_is_tried_again_by_those_that_have_passed_it(folder: Path) -> None:
    """The first is held by a process that is killed after another has gone through all the others."""
    file = open_source(Source("net.arch", SPEC))
    candidates = Candidates(file, file.spaces["widths"])

    def study() -> Study:
        return Study(candidates, {"macs": "least"}, "all", 0, str(folder / "study.journal"), {})

    dead, alive = study(), study()
    held = dead.study.enqueue_trial({"width": 0, "depth": 0}) or dead.study.ask()
    held.set_user_attr("worker", f"{socket.gethostname()}:{os.getpid()}:{_began(os.getpid())}")
    held.suggest_int("width", 0, 15), held.suggest_int("depth", 0, 2)
    tried, waited = [], list[frozenset[str]]()

    def score(network: CandidateNetwork) -> dict[str, float]:
        tried.append(network.places)
        if len(tried) == 47:
            held.set_user_attr("worker", f"{socket.gethostname()}:{os.getpid()}:0")  # a process that is gone
        return {"macs": network.costs["macs"]}

    alive.run(48, score, lambda result: None, waited.append)
    assert waited == []
    assert len(tried) == len(set(tried)) == 48
    assert tried[-1] == (0, 0)


def test_a_network_that_failed_is_tried_again_by_the_next_process(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = open_source(Source("net.arch", SPEC))

    def made(began: str, values: Callable[[CandidateNetwork], dict[str, float]]) -> tuple[int, int]:
        monkeypatch.setattr("archdsl.search.study._began", lambda pid: began)  # a process of its own
        place = str(folder / "study.journal")
        study = Study(Candidates(file, file.spaces["widths"]), {"macs": "least"}, "random", 0, place, {})
        study.run(3, values, lambda result: None)
        return len(study.results()), len(study.faults)

    def broken(network: CandidateNetwork) -> dict[str, float]:
        raise ArchError.of("E678", command="./score", detail="no such file")

    assert made("1", broken) == (0, 3)
    assert made("2", broken) == (0, 3)  # it is said again
    assert made("3", lambda network: {"macs": network.costs["macs"]}) == (3, 0)
    assert made("4", broken) == (3, 0)


def test_who_is_waited_for_is_said(folder: Path) -> None:
    """A journal does not say whether a process of another machine still works."""
    file = open_source(Source("net.arch", SPEC))
    study = Study(Candidates(file, file.spaces["widths"]), {"macs": "least"}, "all", 0, str(folder / "a"), {})
    held = study.study.ask()
    held.set_user_attr("worker", "elsewhere:12:99")

    class Said(Exception):
        pass

    def waits(workers: frozenset[str]) -> None:
        raise Said(*workers)

    with pytest.raises(Said, match=r"^elsewhere:12$"):
        study.run(2, lambda network: {"macs": network.costs["macs"]}, lambda result: None, waits)


def test_who_finds_the_queue_empty_does_not_draw_another_network(folder: Path) -> None:
    file = open_source(Source("net.arch", SPEC))
    study = Study(Candidates(file, file.spaces["widths"]), {"macs": "least"}, "random", 0, None, {})
    asked = study.study.ask()
    with pytest.raises(_Refused):
        study._tried(asked, lambda network: {"macs": 1.0}, lambda result: None)


def test_a_search_goes_on_where_it_ended(folder: Path, run: Run) -> None:
    args = ["search", folder / "net.arch", "widths", "--minimize", "macs", "-o", folder / "found"]
    assert run(*args, "--samples", 3).code == 0
    first = (folder / "found" / "results.csv").read_text()
    assert run(*args, "--samples", 5).code == 0
    second = (folder / "found" / "results.csv").read_text()
    assert second.startswith(first)
    assert len(second.splitlines()) == 6
    other = run(*args, "--samples", 5, "--require", "width > 3")
    assert other.code == 2
    assert "E676" in other.err
    assert run(*args, "--samples", 5, "--storage", "nodb://x").code == 2


def test_a_database(folder: Path, run: Run) -> None:
    args = [
        "search",
        folder / "net.arch",
        "widths",
        "--minimize",
        "macs",
        "--storage",
        "sqlite:///a.db",
        "--samples",
        4,
    ]
    one, two = run(*args, "--csv").out, run(*args, "--csv").out
    assert one == two
    assert len(one.splitlines()) == 5


def test_pictures_and_variants_of_a_search(folder: Path, run: Run) -> None:
    search = ["search", folder / "net.arch", "widths", "--samples", 6]
    args = [*search, "--minimize", "macs", "--minimize", "params"]
    assert run(*args, "-o", folder / "one").code == 0
    assert run(*args, "-o", folder / "two", "--seed", 1, "--against", folder / "one").code == 0
    names = {path.name for path in (folder / "two").glob("*.svg")}
    assert names == {"front.svg", "by_width.svg", "by_depth.svg", "distribution.svg"}
    front = (folder / "two" / "front.svg").read_text()
    numbers = [row["number"] for row in csv.DictReader((folder / "two" / "results.csv").open())]
    assert len(numbers) == 6
    for number in numbers:
        assert f">{number}</text>" in front
    drawn = (folder / "two" / "distribution.svg").read_text()
    assert "widths (6)" in drawn
    assert "one (6)" in drawn
    assert run(*args, "-o", folder / "two", "--seed", 1, "--against", folder / "none").code == 2
    (folder / "more.arch").write_text(SPEC + (folder / "two" / "variants.arch").read_text())
    assert run("check", folder / "more.arch").code == 0


@pytest.mark.parametrize("sampler", ["tpe", "nsga2"])
def test_samplers_that_learn(folder: Path, run: Run, sampler: str) -> None:
    args = ["search", folder / "net.arch", "widths", "--minimize", "macs", "--maximize", "params", "--sampler", sampler]
    found = json.loads(run(*args, "--samples", 12, "--json", "--require", "width % 2 == 0").out)
    assert len(found["results"]) == len({json.dumps(r["arguments"]) for r in found["results"]}) == 12
    assert all(int(r["arguments"]["width"]) % 2 == 0 for r in found["results"])
    assert found["best"]


def test_times_are_measured(folder: Path, run: Run) -> None:
    args = ["search", folder / "net.arch", "widths", "--minimize", "latency", "--minimize", "step", "--samples", 2]
    for result in json.loads(run(*args, "--batch", 2, "--json").out)["results"]:
        assert 0 < result["values"]["latency"] < result["values"]["step"] < 1e4


@pytest.mark.parametrize("kept", [False, True])
def test_a_network_that_torch_cannot_time_is_left_out(folder: Path, run: Run, kept: bool) -> None:
    """One value of a channel cannot be normalised in a training step; the others are timed."""
    Path("one.arch").write_text(
        "model Net(norm: layer = relu) =\n"
        "  image(1, 1, 1) -> c: conv(4, 1) -> norm -> gap -> flatten -> fc: linear(2)\n"
        "space s for Net { norm in [bn, relu] }\n"
    )
    args = ["one.arch", "s", "--sampler", "all", "--minimize", "step", "--batch", 1, "--json"]
    found = run("search", *args, *(["-o", "found"] if kept else []))
    assert found.code == 2
    document = json.loads(found.out)
    assert [result["arguments"]["norm"] for result in document["results"]] == ["relu"]
    assert [d["code"] for d in document["diagnostics"]] == ["E678"]


def test_a_command_that_gives_no_number(folder: Path, run: Run) -> None:
    args = ["search", folder / "net.arch", "widths", "--maximize", "command", "--samples", 1, "--command"]
    for wrong in ("true", "false", "echo nan", "none-such", "echo a"):
        ended = run(*args, wrong)
        assert ended.code != 0
        assert "E678" in ended.err, wrong


def test_options_that_do_nothing(folder: Path, run: Run) -> None:
    args = ["search", folder / "net.arch", "widths", "--samples", 1]
    for more in (
        ["--recipe", "short"], ["--threads", 2], ["--minimize", "seconds"],
        ["--sampler", "tpe"], ["-o", "found"], ["--maximize", "accuracy"],
        ["--maximize", "command"], ["--minimize", "macs", "--storage", "a.db"],
    ):  # fmt: skip
        assert run(*args, *more).code == 2, more


def test_the_reward_is_that_of_efficientnet_v2() -> None:
    """Section 3.2: A · S^w · P^v with w = -0.07 and v = -0.05."""
    assert reward(0.8, 100.0, 10_000_000) == pytest.approx(0.8 * 100**-0.07 * 10_000_000**-0.05)
    assert reward(0.8, 200.0, 10_000_000) / reward(0.8, 100.0, 10_000_000) == pytest.approx(2**-0.07)


def test_a_folder_is_of_one_space(folder: Path, run: Run) -> None:
    """What the example of E676 says."""
    (folder / "net.arch").write_text(f"{SPEC}space deep for Net {{\n  width = 4\n  depth in 1..9\n}}\n")
    args = ["--samples", 2, "--minimize", "macs", "-o", "found"]
    assert run("search", folder / "net.arch", "widths", *args).code == 0
    kept = Path("found", "results.csv").read_text()
    other = run("search", folder / "net.arch", "deep", *args)
    assert other.code == 2
    assert "E676" in other.err
    assert Path("found", "results.csv").read_text() == kept


def test_threads_decide_about_times() -> None:
    assert MeasureOptions(threads=1).said({"latency": "least"}) != MeasureOptions(threads=2).said({"latency": "least"})
    assert MeasureOptions(threads=1).said({"command": "least"}) == MeasureOptions(threads=2).said({"command": "least"})


def test_searches_are_compared_under_names_of_their_own(folder: Path, run: Run) -> None:
    args = ["search", folder / "net.arch", "widths", "--samples", 2, "--minimize", "macs"]
    for place in ("a/found", "b/found", "widths"):
        assert run(*args, "-o", place).code == 0
    others = ["--against", "a/found", "--against", "b/found", "--against", "widths"]
    assert run(*args, "-o", "c", *others).code == 0
    drawn = Path("c", "distribution.svg").read_text()
    assert [f">{name} (2)<" in drawn for name in ("widths", "./widths", "a/found", "b/found")] == [True] * 4
    assert run(*args, "-o", "c", "--against", "widths", "--against", "./widths").code == 2


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        '[{"costs": [1], "values": {}}]',
        '[{"costs": {"macs": NaN}, "values": {}}]',
        '[{"costs": {}, "values": {}}]',
    ],
)
def test_a_search_without_the_objective_is_nothing_to_compare_with(folder: Path, run: Run, text: str) -> None:
    Path("other").mkdir()
    Path("other", "results.json").write_text(text)
    found = run("search", folder / "net.arch", "widths", "--minimize", "macs", "-o", "found", "--against", "other")
    assert found.code == 2
    assert "E677" in found.err
    assert not Path("found").exists()  # it is said before the search


def test_an_empty_command(folder: Path, run: Run) -> None:
    for text in ("", " "):
        assert run("search", folder / "net.arch", "widths", "--minimize", "command", "--command", text).code == 2
