"""Graphviz as a program: takes DOT, gives what it prints.

That is the embedded engine (the program of the PyPI package graphviz-pure, which brings its fonts), or the system's
`dot` when asked for, or where the embedded engine is not there. Raises ArchError E610 (no engine) or E611 (it failed).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sysconfig
from functools import lru_cache
from pathlib import Path

from archdsl.backends.diagram.choices import Engine
from archdsl.backends.diagram.text import FONTS
from archdsl.diagnostics.core import ArchError

_PROGRAM = "graphviz-pure"
_LONGEST = 120
"""Seconds that a layout may take."""


def program(engine: Engine = "auto", format: str = "") -> str:
    """The program to run; `format` is what could not be made without one, "" if places could not be found."""
    system = shutil.which("dot")
    if engine == "dot":
        if system is None:
            raise _missing(format, "there is no `dot` on the path")
        return system
    embedded = embedded_program()
    if embedded is not None:
        return embedded
    if system is None or engine == "embedded":
        raise _missing(format, "the package graphviz-pure has no program for this machine")
    return system


def is_embedded(program: str) -> bool:
    return Path(program).stem == _PROGRAM


@lru_cache(1)
def embedded_program() -> str | None:
    """The program of the embedded engine; None where the package is not installed."""
    name = _PROGRAM + (".exe" if os.name == "nt" else "")
    beside = Path(sysconfig.get_path("scripts")) / name
    if beside.is_file():
        return str(beside)
    from importlib.metadata import PackageNotFoundError, files

    try:
        listed = [file for file in files(_PROGRAM) or () if file.name == name]
    except PackageNotFoundError:
        return None
    found = Path(str(listed[0].locate())).resolve() if listed else None
    return str(found) if found is not None and found.is_file() else None


def run(program: str, arguments: list[str], dot: str) -> bytes:
    """What the program prints of a graph in DOT."""
    try:
        done = subprocess.run(
            [program, *arguments],
            input=dot.encode(),
            env={"FONTCONFIG_FILE": str(FONTS / "fonts.conf"), **os.environ},
            capture_output=True,
            timeout=_LONGEST,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ArchError.of("E611", detail=str(error)) from None
    if done.returncode or not done.stdout:
        detail = done.stderr.decode(errors="replace").strip().splitlines()
        raise ArchError.of("E611", detail=detail[-1] if detail else f"exit code {done.returncode}")
    return done.stdout


def _missing(format: str, detail: str) -> ArchError:
    if not format:
        return ArchError.of("E610", help="install Graphviz, which places its boxes", format="a graph", detail=detail)
    return ArchError.of("E610", format=format, detail=detail)
