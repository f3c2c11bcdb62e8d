"""The command line: arguments, printing and exit codes, nothing else. One module for each command.

`app` is the group, which imports a command only when it is called; `shared` opens specs, and ends a command that met
an `ArchError`; `console` is the only place that imports rich besides `tables`, which makes what it prints; `facts`
gives the same figures as the plain data that `schema` describes and `--json` prints.

Exit codes: 0 fine, 1 findings in the spec, 2 could not run (no such file, bad usage), 130 interrupted.
"""

from __future__ import annotations

INTERRUPTED = 130
"""What a shell reports for a process that SIGINT ended."""


def main() -> None:
    """The `archdsl` command. Always raises SystemExit."""
    import gc
    import os
    import sys
    import warnings

    # pydantic would look for plugins in the metadata of every installed package: some milliseconds of every command.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    # torch works without NumPy, which archdsl does not need: not worth a warning at every command.
    warnings.filterwarnings("ignore", message="Failed to initialize NumPy", category=UserWarning)
    # A short run makes little garbage: looking for it, and once more at exit, takes a fifth of the time of `check`.
    gc.set_threshold(100_000, 50, 100)
    try:
        from archdsl.cli.app import run

        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = INTERRUPTED
    gc.freeze()
    sys.exit(code)
