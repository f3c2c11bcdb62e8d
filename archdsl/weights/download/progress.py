"""How far a download is: a bar on a terminal, one line elsewhere; on standard error, for it is no data."""

from __future__ import annotations

import sys
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING

from archdsl.diagnostics.glyphs import shown
from archdsl.weights.download.wanted import Wanted, amount

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class Meter:
    """Shows how much of a file is there. Silent if it is not `on`."""

    def __init__(self, wanted: Wanted, on: bool) -> None:
        self.wanted = wanted
        self.on = on and sys.stderr is not None
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._said = False

    def say(self, text: str) -> None:
        """A line of its own."""
        if self._bar is not None:
            self._bar.console.print(shown(text), markup=False, highlight=False, soft_wrap=True)
        elif self.on:
            with suppress(OSError, ValueError):
                sys.stderr.write(shown(text) + "\n")
                sys.stderr.flush()

    def wait(self) -> None:
        """Another process is at it."""
        self.say(f"another process fetches {self.wanted.name}: waiting for it")

    def start(self, done: int, total: int | None) -> None:
        """So many bytes are there, of so many: at the start, and when it starts again."""
        self.announce(done, total)
        if not self.on or not sys.stderr.isatty():
            return
        if self._bar is None:
            self._bar = _bar()
            self._task = self._bar.add_task(shown(self.wanted.name))
            self._bar.start()
        assert self._task is not None
        self._bar.reset(self._task, total=total, completed=done)

    def announce(self, done: int, total: int | None) -> None:
        """Say once what comes from where."""
        if not self._said:
            of = "" if total is None else f" ({amount(total)}{f', {amount(done)} are there' if done else ''})"
            self.say(f"fetching {self.wanted.address}{of} into {self.wanted.place.parent}")
            self._said = True

    def advance(self, count: int) -> None:
        if self._bar is not None and self._task is not None:
            self._bar.advance(self._task, count)

    def __enter__(self) -> Meter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


def _bar() -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    )
