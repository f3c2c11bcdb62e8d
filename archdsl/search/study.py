"""A search on Optuna: kept in a journal or a database, on which several processes work, and where one goes on.

A trial that runs belongs to its process. Of one that has ended in any way, `kill -9` included, the trial is lost, and
its network is tried again. Raises ArchError E675 to E677.
"""

from __future__ import annotations

import os
import random
import socket
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import Any

from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.search import LEARNING
from archdsl.search.candidates import CandidateNetwork, Candidates, Places
from archdsl.search.plain import gives_up, networks
from archdsl.search.results import Better, ScoredNetwork

Score = Callable[[CandidateNetwork], Mapping[str, float]]

STARTING = 60.0
"""Seconds in which a trial has to say whose it is."""
POLL = 0.5
ATTEMPTS = 6
"""To make the tables of a database, which another process may be making at the same moment."""
AFTER = 20
"""Refused suggestions in a row after which a random network of the space is tried instead."""
MOST_REFUSED = 2_000
HEARTBEAT = 30
_DIRECTIONS = {"least": "minimize", "most": "maximize"}


class _Refused(Exception):
    """No network, or one that is tried already: a trial that is no result."""


class _Faulty(Exception):
    """A network that could not be scored: for this process it counts, and others, and later ones, try it again."""


class _JournalLock:
    """The lock of a journal. Who takes it to write drops what is left of a line: its disk was full, or its process was
    killed, and another line behind it would make the journal unreadable."""

    def __init__(self, lock: Any, path: Path) -> None:
        self.lock, self.path = lock, path

    def acquire(self) -> bool:
        self.lock.acquire()
        try:
            with self.path.open("rb+") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - 1))
                if size and file.read(1) != b"\n":
                    file.seek(0)
                    file.truncate(file.read().rfind(b"\n") + 1)
        except BaseException:
            self.lock.release()
            raise
        return True

    def release(self) -> None:
        self.lock.release()


class Study:
    """The study of a search at a place: a journal's path, a database's address, or None (this process alone)."""

    def __init__(
        self,
        candidates: Candidates,
        objectives: Mapping[str, Better],
        sampler: str,
        seed: int,
        place: str | None,
        said: Mapping[str, Any],
    ) -> None:
        self.candidates, self.objectives, self.sampler, self.seed, self.place = (
            candidates, objectives, sampler, seed, place
        )  # fmt: skip
        try:
            import optuna
        except ImportError as error:
            raise ArchError.of("E675", detail=str(error)) from None
        self.optuna: Any = optuna
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        self.faults: list[Diagnostic] = []
        self.gave_up = False
        self._scored = 0
        self._failed: set[int] = set()
        """The trials of this process that could not be scored."""
        self._passed: list[CandidateNetwork] = []
        """Networks of the sequence that have no result yet: whoever tries one may be killed."""
        self.me = f"{socket.gethostname()}:{os.getpid()}:{_began(os.getpid())}"
        self.study = self._study()
        with self._refusals():
            self._agree({"objectives": dict(objectives), "sampler": sampler, **said})
        self._order = tuple(self.study.user_attrs["search"]["objectives"])
        """Of the study's values: that of whoever began it."""

    def _study(self) -> Any:
        optuna = self.optuna
        directions = [_DIRECTIONS[better] for better in self.objectives.values()]
        attempt = 0
        while True:
            attempt += 1
            try:
                with self._quiet():
                    storage = self._storage()
                    known = optuna.get_all_study_names(storage) if self._is_folder else []
                    if other := sorted({*known} - {self.candidates.space.name}):
                        raise ArchError.of("E676", path=self.place, detail=f"it is of space `{other[0]}`")
                    return optuna.create_study(
                        storage=storage, sampler=self._sampler(), study_name=self.candidates.space.name,
                        directions=directions, load_if_exists=True,
                    )  # fmt: skip
            except ArchError:
                raise
            except Exception as error:  # SQLAlchemy's and its drivers' are of all kinds
                if attempt < ATTEMPTS and self._may_pass(error):
                    time.sleep(POLL * random.random())
                    continue
                raise self._unkept(error) from None

    @contextmanager
    def _refusals(self) -> Iterator[None]:
        """Raise ArchError E677 for what the place of the study refuses: the disk is full, the database is gone."""
        try:
            yield
        except ArchError:
            raise
        except Exception as error:
            found: BaseException | None = error
            while found is not None and not self._is_refusal(found):
                found = found.__context__  # Optuna asserts that it can tell how a trial has ended
            if found is None:
                raise
            raise self._unkept(found) from None

    def _is_refusal(self, error: BaseException) -> bool:
        if self.place is None:
            return False
        if self._is_folder:  # a file of another name is the training's, a pipe is what is said to
            ours = isinstance(error, OSError) and str(error.filename or self.place).startswith(self.place)
            return ours and not isinstance(error, BrokenPipeError)
        from sqlalchemy.exc import SQLAlchemyError

        return isinstance(error, SQLAlchemyError)

    def _unkept(self, error: BaseException) -> ArchError:
        detail = (str(error).strip().splitlines() or [type(error).__name__])[0]
        if isinstance(error, OSError):
            detail = error.strerror or detail
        return ArchError.of("E677", path=self.place, detail=detail, doing="keep a study in")

    def _may_pass(self, error: Exception) -> bool:
        """Whether a database refused what it may take in a moment: it is locked, or somebody else makes its tables."""
        if self.place is None or self._is_folder:
            return False
        from sqlalchemy.exc import DBAPIError

        return isinstance(error, (DBAPIError, self.optuna.exceptions.StorageInternalError))

    @property
    def _is_folder(self) -> bool:
        """Whether it is kept in the journal of a folder, which is of one search; a database holds many."""
        return self.place is not None and "://" not in self.place

    @contextmanager
    def _quiet(self) -> Iterator[None]:
        """Heartbeats, journals and NSGA-II are experimental in Optuna, which would say so each time."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", self.optuna.exceptions.ExperimentalWarning)
            yield

    def _storage(self) -> Any:
        storages = self.optuna.storages
        if self.place is None:
            return None
        if not self._is_folder:
            return storages.RDBStorage(self.place, heartbeat_interval=HEARTBEAT, grace_period=4 * HEARTBEAT)
        journal = storages.journal
        of_system = journal.JournalFileOpenLock if sys.platform == "win32" else journal.JournalFileSymlinkLock
        lock = _JournalLock(of_system(self.place), Path(self.place))
        return storages.JournalStorage(journal.JournalFileBackend(self.place, lock_obj=lock))

    def _sampler(self) -> Any:
        samplers = self.optuna.samplers
        seed = self.seed if self.place is None else (self.seed << 20) ^ os.getpid()  # processes look elsewhere
        match self.sampler:
            case "tpe":
                return samplers.TPESampler(seed=seed)
            case "nsga2":
                return samplers.NSGAIISampler(seed=seed)
        return samplers.RandomSampler(seed=seed)

    def _agree(self, said: Mapping[str, Any]) -> None:
        """Hold this search against the one that the study was begun as; raises ArchError E676."""
        known = self.study.user_attrs.get("search")
        if known is None:
            self.study.set_user_attr("search", dict(said))
            return
        differing = [name for name in {**known, **said} if known.get(name) != said.get(name)]
        if differing:
            raise ArchError.of("E676", path=self.place, detail=f"{', '.join(differing)} differ")

    # --- running -----------------------------------------------------------------------------

    def run(
        self,
        samples: int,
        score: Score,
        told: Callable[[ScoredNetwork], None],
        waits: Callable[[frozenset[str]], None] = lambda workers: None,
    ) -> None:
        """Score networks until there are so many, together with whoever else works on this study. `waits` is told
        who has the last of them: of another machine a journal does not say whether it still works."""
        with self._refusals():
            self._run(samples, score, told, waits)

    def _run(
        self,
        samples: int,
        score: Score,
        told: Callable[[ScoredNetwork], None],
        waits: Callable[[frozenset[str]], None],
    ) -> None:
        said = frozenset[str]()
        sequence = networks(self.candidates, self.sampler if self.sampler == "all" else "random", self.seed)
        learns = self.sampler in LEARNING
        refused = 0
        while not gives_up(self._scored, len(self._failed)):
            self._let_go_of_the_dead()
            trials = self.study.get_trials(deepcopy=False)
            done, running = sum(map(self._counts, trials)), sum(t.state.name == "RUNNING" for t in trials)
            if done >= samples:
                return
            full = done + running >= samples
            if full or ((not learns or refused >= AFTER) and not self._queue(sequence, trials)):
                if not running:
                    return
                workers = frozenset(map(_worker, trials)) - {""}
                if not workers <= said:
                    waits(workers)
                    said |= workers
                time.sleep(POLL)
                continue
            before = len(self.candidates.refused)
            self._try(score, told)
            last = self.study.get_trials(deepcopy=False)[-1]
            refused = 0 if self._counts(last) else refused + 1
            if refused >= MOST_REFUSED and before:
                return
        self.gave_up = True

    def _queue(self, sequence: Iterator[CandidateNetwork], trials: list[Any]) -> bool:
        """Put the next network that nobody has into the queue; False where there is none."""
        if any(t.state.name == "WAITING" for t in trials):
            return True
        done = {self._places(t) for t in trials if self._counts(t)}
        taken = done | {self._places(t) for t in trials if t.state.name == "RUNNING"}
        self._passed = [network for network in self._passed if network.places not in done]
        for network in chain(tuple(self._passed), self._noted(sequence)):
            if network.places not in taken:
                names = [axis.name for axis in self.candidates.space.axes]
                self.study.enqueue_trial(dict(zip(names, network.places, strict=True)))
                return True
        return False

    def _noted(self, sequence: Iterator[CandidateNetwork]) -> Iterator[CandidateNetwork]:
        for network in sequence:
            self._passed.append(network)
            yield network

    def _try(self, score: Score, told: Callable[[ScoredNetwork], None]) -> None:
        """One trial; nothing where another process has ended the same: SQLite may give two what is in the queue."""
        try:
            self.study.optimize(lambda t: self._tried(t, score, told), n_trials=1, catch=(_Refused, _Faulty))
        except self.optuna.exceptions.UpdateFinishedTrialError:
            pass
        except ValueError as error:
            if not str(error).startswith("Cannot tell a "):
                raise

    def _wait_for(self, number: int) -> None:
        """Until a trial that another process has, too, has ended, or that process."""
        while True:
            trial = self.study.get_trials(deepcopy=False)[number]
            if trial.state.name != "RUNNING" or not _lives(trial):
                return
            time.sleep(POLL)

    def _tried(self, trial: Any, score: Score, told: Callable[[ScoredNetwork], None]) -> list[float]:
        trial.set_user_attr("worker", self.me)
        learns = self.sampler in LEARNING
        places: Places = tuple(
            trial.suggest_int(axis.name, 0, axis.domain.size - 1)
            if axis.domain.ordered
            else trial.suggest_categorical(axis.name, list(range(axis.domain.size)))
            for axis in self.candidates.space.axes
        )
        for other in self.study.get_trials(deepcopy=False):
            if other.number == trial.number and other.user_attrs.get("worker") != self.me:
                self._wait_for(trial.number)
                raise _Refused
            if other.number == trial.number and not learns and not _queued(other):
                raise _Refused  # another process was given what was in the queue
            earlier = other.number < trial.number and self._places(other) == places
            if earlier and (other.state.name == "RUNNING" or self._counts(other)):
                raise _Refused
        network = self.candidates.at(places)
        if network is None:
            raise _Refused
        try:
            values = score(network)
        except ArchError as error:
            self._failed.add(trial.number)
            self.faults += error.diagnostics
            raise _Faulty from None
        data: dict[str, Any] = {
            "texts": dict(network.point.texts), "arguments": dict(network.point.arguments),
            "costs": dict(network.costs), "values": dict(values),
        }  # fmt: skip
        trial.set_user_attr("result", data)
        self._scored += 1
        told(ScoredNetwork(trial.number, **data))
        return [values[name] for name in self._order]

    def _counts(self, trial: Any) -> bool:
        """Whether a network was tried: scored by anybody, or found by this process to be one that cannot be."""
        return bool(trial.state.name == "COMPLETE" or trial.number in self._failed)

    def _places(self, trial: Any) -> Places:
        given = _queued(trial) or trial.params
        return tuple(int(given.get(axis.name, -1)) for axis in self.candidates.space.axes)

    def _let_go_of_the_dead(self) -> None:
        """End trials whose process is gone. Those of other machines are known by a database's heartbeat."""
        if self.place is not None and not self._is_folder:
            with self._quiet():
                self.optuna.storages.fail_stale_trials(self.study)
        for trial in self.study.get_trials(deepcopy=False):
            if trial.state.name == "RUNNING" and not _lives(trial):
                with suppress(ValueError, RuntimeError):  # another process has found it first
                    self.study.tell(trial.number, state=self.optuna.trial.TrialState.FAIL)

    def results(self) -> list[ScoredNetwork]:
        """All that were scored, by anybody."""
        with self._refusals():
            found = [t for t in self.study.get_trials(deepcopy=False) if t.state.name == "COMPLETE"]
        return [ScoredNetwork(trial.number, **trial.user_attrs["result"]) for trial in found]


def _queued(trial: Any) -> Mapping[str, int]:
    """What a trial was put into the queue for; nothing, where the sampler suggests it."""
    return dict(trial.system_attrs.get("fixed_params", {}))


def _worker(trial: Any) -> str:
    """The machine and process that tries a network now; "" where none does."""
    worker = str(trial.user_attrs.get("worker", ""))
    return worker.rpartition(":")[0] if trial.state.name == "RUNNING" else ""


def _lives(trial: Any) -> bool:
    """Whether the process of a trial may still be there."""
    worker = trial.user_attrs.get("worker")
    if worker is None:
        return bool((datetime.now() - trial.datetime_start).total_seconds() < STARTING)
    host, pid, began = str(worker).rsplit(":", 2)
    return bool(host != socket.gethostname() or _began(int(pid)) == began)


def _began(pid: int) -> str:
    """When a process began, to tell it from a later one with its number; "" where there is none."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return "" if state[0] in "ZX" else str(state[19])  # a zombie is gone, only not yet fetched
    except (OSError, IndexError):
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except OSError:
        pass
    return "0"
