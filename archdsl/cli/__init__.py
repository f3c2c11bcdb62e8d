"""The command line: arguments, printing and exit codes, nothing else. One module for each command.

`app` is the group, which imports a command only when it is called; `shared` opens specs, and ends a command that met
an `ArchError`; `console` is the only place that imports rich; `schema` describes what `--json` prints.

Exit codes: 0 fine, 1 findings in the spec, 2 could not run (no such file, bad usage), 130 interrupted.
"""

from __future__ import annotations


def main() -> None:
    """The `archdsl` command. Always raises SystemExit."""
    import sys

    from archdsl.cli.app import run

    sys.exit(run(sys.argv[1:]))
