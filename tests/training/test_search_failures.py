"""Searches in which something fails or is in the way: an environment, a network, a database, another process."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from archdsl.api import open_source
from archdsl.diagnostics.core import ArchError
from archdsl.search.candidates import CandidateNetwork, Candidates
from archdsl.search.results import ScoredNetwork, as_csv
from archdsl.search.study import Study
from archdsl.source import Source
from tests.training.digits import write_digits
from tests.training.test_search import SPEC, Run


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "net.arch").write_text(SPEC)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def study_of(
    folder: Path, objectives: dict[str, Any], sampler: str = "all", place: str = "{folder}/study.journal"
) -> Study:
    file = open_source(Source("net.arch", SPEC))
    return Study(Candidates(file, file.spaces["widths"]), objectives, sampler, 0, place.format(folder=folder), {})


def macs(network: CandidateNetwork) -> dict[str, float]:
    return {"macs": network.costs["macs"]}


def fails(network: CandidateNetwork) -> dict[str, float]:
    raise ArchError.of("E678", command="c", detail="it ended with status 1", shell="sh")


@pytest.mark.parametrize("sampler", ["all", "random", "tpe"])
def test_a_process_that_can_score_nothing_stops_and_takes_no_network_from_others(folder: Path, sampler: str) -> None:
    ill = study_of(folder, {"macs": "least"}, sampler)
    ill.run(10, fails, lambda result: None)
    assert ill.gave_up
    assert len(ill.faults) == 3
    assert ill.results() == []
    well = study_of(folder, {"macs": "least"}, sampler)
    well.run(10, macs, lambda result: None)
    assert not well.gave_up
    assert len(well.results()) == 10
    if sampler == "all":
        assert [r.arguments for r in well.results()][:2] == [{"width": "1", "depth": "1"}, {"width": "1", "depth": "2"}]


def test_a_network_that_failed_counts_once_and_is_tried_again_by_the_next_process(folder: Path) -> None:
    def one_fails(network: CandidateNetwork) -> dict[str, float]:
        return fails(network) if network.places == (1, 0) else macs(network)

    first = study_of(folder, {"macs": "least"})
    first.run(5, one_fails, lambda result: None)
    assert len(first.results()) == 4
    assert len(first.faults) == 1
    again = study_of(folder, {"macs": "least"})
    again.run(5, macs, lambda result: None)
    assert [r.arguments for r in again.results()][-1] == {"width": "2", "depth": "1"}


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_search_that_can_score_nothing_ends_early(folder: Path, run: Run, sampler: str) -> None:
    args = ["search", folder / "net.arch", "widths", "--maximize", "command", "--command", "false", "--samples", 9]
    found = run(*args, "--sampler", sampler)
    assert found.code == 2
    assert found.err.count("E678") == 1
    assert "status 1" in found.err
    assert "sh -c" in found.err
    assert "the same command tries them again" in found.err


def test_an_environment_that_lacks_something_begins_no_study(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_digits(folder / "digits", limit=1)
    monkeypatch.setitem(sys.modules, "timm.data", None)
    args = ["search", folder / "net.arch", "widths", "-o", "found"]
    trained = [*args, "--maximize", "accuracy", "--recipe", "short", "--data"]
    for more, code in (
        ([*args, "--maximize", "command", "--command", "none-such"], "E678"),
        ([*args, "--maximize", "command", "--command", "'"], "E678"),
        ([*trained, "digits"], "E646"),
    ):
        found = run(*more)
        assert found.code == 2
        assert code in found.err
        assert not Path("found").exists()
    monkeypatch.undo()
    monkeypatch.chdir(folder)
    assert "E648" in run(*trained, "none-such").err
    assert "E647" in run(*args, "--maximize", "accuracy", "--data", "digits", "--recipe", "shrot").err
    assert not Path("found").exists()


def test_objectives_have_the_order_of_the_command_line(folder: Path, run: Run) -> None:
    args = ["search", folder / "net.arch", "widths", "--samples", 3, "-o", "found"]
    assert run(*args, "--maximize", "params", "--minimize", "macs", "--maximize=layers").code == 0
    assert "parameters against depth" in Path("found", "by_depth.svg").read_text()
    rows = Path("found", "results.csv").read_text()
    assert run(*args, "--minimize", "macs", "--maximize", "layers", "--maximize", "params").code == 0
    assert "MACs for one image against depth" in Path("found", "by_depth.svg").read_text()
    assert Path("found", "results.csv").read_text() == rows


def test_a_study_keeps_the_order_of_its_values(folder: Path) -> None:
    def two(network: CandidateNetwork) -> dict[str, float]:
        return {name: network.costs[name] for name in ("macs", "params")}

    study_of(folder, {"params": "most", "macs": "least"}).run(1, two, lambda result: None)
    other = study_of(folder, {"macs": "least", "params": "most"})
    other.run(2, two, lambda result: None)
    assert [t.values[0] < t.values[1] for t in other.study.trials] == [True, True]


def test_a_database_whose_tables_another_process_is_making(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import optuna
    from sqlalchemy.exc import OperationalError

    create, tries = optuna.create_study, []

    def busy(**given: Any) -> Any:
        tries.append(given)
        if len(tries) < 3:
            raise OperationalError("CREATE TABLE studies", {}, Exception("table studies already exists"))
        return create(**given)

    monkeypatch.setattr(optuna, "create_study", busy)
    args = [
        "search",
        folder / "net.arch",
        "widths",
        "--minimize",
        "macs",
        "--samples",
        1,
        "--storage",
        "sqlite:///b.db",
    ]
    assert run(*args).code == 0
    assert len(tries) == 3


def test_what_a_reward_is_made_of_is_in_the_table() -> None:
    file = open_source(Source("net.arch", SPEC))
    costs = {"macs": 1, "params": 2, "activations": 3, "layers": 4}
    texts = {"width": "1", "depth": "1"}
    result = ScoredNetwork(0, texts, texts, costs, {"step": 7.0, "accuracy": 50.0, "reward": 0.25})
    head, row = as_csv([result], file.spaces["widths"], {"reward": "most"}).splitlines()
    assert head == "number,width,depth,macs,params,activations,layers,reward,step,accuracy"
    assert row == "0,1,1,1,2,3,4,0.25,7.0,50.0"


def test_nothing_to_compare_with_is_said_in_fitting_words(folder: Path, run: Run) -> None:
    args = ["search", folder / "net.arch", "widths", "--minimize", "macs", "-o", "found", "--against"]
    for place, said in (("none", "there is no such folder"), (".", "no search has written its results there")):
        found = run(*args, place)
        assert found.code == 2
        assert f"cannot compare with {place}: {said}" in found.err
        assert "--against takes the folder (-o) of a search" in found.err
        assert not Path("found").exists()


@pytest.mark.parametrize("ends", ["COMPLETE", "FAIL"])
def test_a_trial_that_two_processes_were_given_is_of_who_ends_it_first(folder: Path, ends: str) -> None:
    """SQLite gives what is in the queue to two processes, if they ask at the same moment."""
    import optuna

    study = study_of(folder, {"macs": "least"})
    ended = list[Any]()

    def another_is_faster(network: CandidateNetwork) -> dict[str, float]:
        if not ended:
            (trial,) = [t for t in study.study.get_trials() if t.state.name == "RUNNING"]
            data = {"texts": {}, "arguments": {}, "costs": {}, "values": {"macs": 1.0}}
            study.study._storage.set_trial_user_attr(trial._trial_id, "result", data)
            values = [1.0] if ends == "COMPLETE" else None
            ended.append(study.study.tell(trial.number, values, state=optuna.trial.TrialState[ends]))
        return macs(network)

    study.run(3, another_is_faster, lambda result: None)
    assert len(study.results()) == 3


def test_who_is_second_at_a_trial_leaves_it_to_the_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import optuna

    study, tried, waited = study_of(folder, {"macs": "least"}), list[tuple[int, ...]](), list[int]()
    optimize = study.study.optimize

    def the_first_ends(number: int) -> None:
        waited.append(number)
        study.study.tell(number, state=optuna.trial.TrialState.FAIL)

    def second(objective: Callable[[Any], Any], **given: Any) -> None:
        def late(trial: Any) -> Any:
            said = trial.set_user_attr
            trial.set_user_attr = lambda name, value: said(name, "other:1:1")
            return objective(trial)

        optimize(objective if waited else late, **given)

    def score(network: CandidateNetwork) -> dict[str, float]:
        tried.append(network.places)
        return macs(network)

    monkeypatch.setattr(study, "_wait_for", the_first_ends)
    monkeypatch.setattr(study.study, "optimize", second)
    study.run(2, score, lambda result: None)
    assert waited == [0]
    assert len(tried) == len(study.results()) == 2


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """What a full disk does: a part is written, then nothing."""
    resource = pytest.importorskip("resource")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize(("place", "room"), [("{folder}/study.journal", 1.1), ("sqlite:///{folder}/study.db", 0.5)])
def test_a_full_disk_is_said_to_be_the_studys_and_ends_no_study(folder: Path, place: str, room: float) -> None:
    study = study_of(folder, {"macs": "least"}, place=place)
    study.run(2, macs, lambda result: None)
    size = os.stat(place.format(folder=folder).removeprefix("sqlite:///")).st_size
    with no_file_above(int(size * room)), pytest.raises(ArchError) as raised:
        study.run(60, macs, lambda result: None)
    assert raised.value.diagnostics[0].code == "E677"
    assert "cannot keep a study" in raised.value.diagnostics[0].message
    again = study_of(folder, {"macs": "least"}, place=place)
    again.run(4, macs, lambda result: None)
    assert len({tuple(result.arguments.items()) for result in again.results()}) == 4


def test_half_a_line_at_the_end_of_a_journal_is_dropped(folder: Path) -> None:
    study_of(folder, {"macs": "least"}).run(2, macs, lambda result: None)
    journal = folder / "study.journal"
    journal.write_bytes(journal.read_bytes() + b'{"op_code":4,"wor')
    study_of(folder, {"macs": "least"}).run(3, macs, lambda result: None)
    assert len(study_of(folder, {"macs": "least"}).results()) == 3
