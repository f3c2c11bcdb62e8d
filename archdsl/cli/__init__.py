"""The command line: arguments, printing and exit codes, nothing else. One module for each command.

`app` is the group, which imports a command only when it is called; `options` has what several of them take; `shared`
opens specs, and ends a command that met an `ArchError`; `console` is the only place that imports rich except `tables`,
which makes what it prints; `documents` are what `--json` prints; `streams` are standard input, output and error where
they are closed or cannot be written.

Exit codes: 0 fine, 1 findings in the spec, 2 could not run (no such file, bad usage), 130 interrupted.
"""

from __future__ import annotations

INTERRUPTED = 130
"""What a shell reports for a process that SIGINT ended."""

_interruptions: list[object] = []


def main() -> None:
    """The `archdsl` command. Always raises SystemExit, but for an interruption, which ends the process."""
    try:
        import os
        import signal

        # While modules are imported there is nothing to tidy up, and an exception could come out as any other.
        awaited = signal.getsignal(signal.SIGINT) is signal.default_int_handler
        if awaited:
            signal.signal(signal.SIGINT, _leave)
        import gc
        import sys

        # pydantic would look for plugins in the metadata of every installed package: milliseconds of every command.
        os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
        # A short run makes little garbage: looking for it, and once more at exit, takes a fifth of the time of `check`.
        gc.set_threshold(100_000, 50, 100)
        from archdsl.cli.app import run
        from archdsl.cli.streams import open_closed

        open_closed()
        if awaited:
            signal.signal(signal.SIGINT, _interrupt)
        code = run(sys.argv[1:])
    except BaseException as error:
        if not _interruptions and not isinstance(error, KeyboardInterrupt):
            raise
        code = INTERRUPTED
    if _interruptions or code == INTERRUPTED:
        _leave()  # Python would report some interruptions, those inside an `exec`, once more
    gc.freeze()
    sys.exit(code)


def _interrupt(*_: object) -> None:
    """Raise KeyboardInterrupt, and remember it: while a module is imported it may come out as another exception."""
    _interruptions.append(None)
    raise KeyboardInterrupt


def _leave(*_: object) -> None:
    """End the process at once."""
    import os

    os._exit(INTERRUPTED)
