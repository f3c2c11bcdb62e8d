"""The command group: which commands there are, and how a run ends."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

import click

from archdsl import __version__
from archdsl.cli import INTERRUPTED
from archdsl.cli.codes import COULD_NOT_RUN
from archdsl.cli.streams import discard_output

PIPE_CLOSED = 141
"""What a shell reports for a process that SIGPIPE ended."""

COMMANDS = {
    "build": "build",
    "check": "check",
    "show": "show",
    "diff": "diff",
    "sweep": "sweep",
    "plot": "plot",
    "scale": "scale",
    "search": "search",
    "draw": "draw",
    "list": "listing",
    "recipe": "recipe",
    "train": "train",
    "weights": "weights",
    "predict": "predict",
    "convert": "convert",
    "verify": "verify",
    "fmt": "fmt",
    "explain": "explain",
}
"""Commands in the order of the help, and the modules that hold them."""


class Commands(click.Group):
    """A group that imports a command's module only when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"archdsl.cli.{COMMANDS[name]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from archdsl.diagnostics.suggest import closest

            near = closest(args[0], COMMANDS)
            hint = f" Did you mean {near!r}?" if near else f" Commands: {', '.join(COMMANDS)}."
            ctx.fail(f"No such command {args[0]!r}.{hint}")
        return super().resolve_command(ctx, args)


EPILOG = """SPEC is a .arch file, `-` for standard input, or the name of a shipped family or variant;
SPEC:VARIANT chooses one of its variants. `archdsl list` shows what is shipped; NAME.arch,
where there is no such file, is the shipped NAME, which is said.

Exit codes: 0 fine, 1 findings in the spec, 2 could not run
(`diff`, `recipe --diff`: 0 equal, 1 different)."""


@click.command(cls=Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, "-V", "--version", prog_name="archdsl")
def app() -> None:
    """Describe convolutional networks as their papers do; check, print, build and run them."""


def run(args: Sequence[str]) -> int:
    """Run one command line; gives the exit code. Only bugs raise."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show × gets a `?`, not a traceback.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        code = _run(args)
        sys.stdout.flush()
        return code
    except (BrokenPipeError, SystemExit):  # the latter is what click makes of the former
        discard_output()
        return PIPE_CLOSED
    except OSError as error:
        return _not_written(error)


def _run(args: Sequence[str]) -> int:
    try:
        code = app.main(list(args), prog_name="archdsl", standalone_mode=False)
    except click.ClickException as error:
        from archdsl.diagnostics.glyphs import shown

        error.message = shown(error.message)  # type: ignore[misc]  # click declares it final
        error.show()
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        sys.stderr.write("interrupted\n")
        return INTERRUPTED
    return code if isinstance(code, int) else 0


def _not_written(error: OSError) -> int:
    """Say what the system refused: files are looked after where they are read and written, the streams here."""
    from archdsl.cli.shared import fail
    from archdsl.diagnostics.core import ArchError

    try:
        what = "standard output" if error.filename is None else str(error.filename)
        fail(ArchError.of("E616", what=what, detail=error.strerror or str(error)).diagnostics)
    except OSError:
        pass  # standard error is no better
    discard_output()
    return COULD_NOT_RUN
