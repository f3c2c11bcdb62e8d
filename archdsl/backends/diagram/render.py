"""From a `Drawing` to the content of a file. Takes DOT; gives SVG, PNG, PDF or DOT as bytes, the same on every run.

The embedded engine (the program of the PyPI package graphviz-pure, which brings its fonts) makes SVG and PNG; svglib
makes a PDF of the SVG, with the font in it. The system's `dot` is used when asked for, or where the embedded engine is
not there. Raises ArchError E610 (no engine) or E611 (the engine failed).
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sysconfig
from functools import lru_cache
from pathlib import Path
from typing import Literal

from archdsl.backends.diagram.drawing import Drawing, Engine
from archdsl.backends.diagram.ours import marked
from archdsl.backends.diagram.style import DPI
from archdsl.backends.diagram.text import FONTS
from archdsl.diagnostics.core import ArchError

Picture = Literal["svg", "png", "pdf", "dot"]

_PROGRAM = "graphviz-pure"
_LONGEST = 120
"""Seconds that a layout may take."""


def render(drawing: Drawing, format: Picture = "svg", engine: Engine = "auto") -> bytes:
    """The content of a file of this format."""
    if format == "dot":
        return drawing.dot.encode()
    program = _program(format, engine)
    if Path(program).stem != _PROGRAM and format == "pdf":
        return marked(_run(program, drawing, "pdf"), "pdf")
    if format == "png":
        return marked(_run(program, drawing, "png"), "png")
    from archdsl.backends.diagram.svg import finish

    svg = finish(_run(program, drawing, "svg").decode(), drawing.title)
    if format == "svg":
        return svg.encode()
    from archdsl.backends.diagram.pdf import to_pdf

    return to_pdf(svg, drawing.title)


def _program(format: Picture, engine: Engine) -> str:
    system = shutil.which("dot")
    if engine == "dot":
        if system is None:
            raise ArchError.of("E610", format=format, detail="there is no `dot` on the path")
        return system
    embedded = embedded_program()
    if embedded is not None:
        return embedded
    if system is None or engine == "embedded":
        raise ArchError.of("E610", format=format, detail="the package graphviz-pure has no program for this machine")
    return system


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


_FONT = re.compile(r'fontname="Helvetica-Bold"|fontname=Helvetica\b|"(?:[^"\\]|\\.)*"')


def _with_our_fonts(dot: str) -> str:
    """DOT that names the font which text was measured with; Graphviz would take Helvetica for whatever is there."""
    names = {'fontname="Helvetica-Bold"': 'fontname="Arimo Bold"', "fontname=Helvetica": "fontname=Arimo"}
    return _FONT.sub(lambda found: names.get(found[0], found[0]), dot)


def _run(program: str, drawing: Drawing, format: str) -> bytes:
    is_system = Path(program).stem != _PROGRAM
    # In SVG the weight of a font is only known for Helvetica.
    dot = _with_our_fonts(drawing.dot) if is_system and format != "svg" else drawing.dot
    layout = ["-Kneato", "-n2"] if drawing.layout == "fixed" else ["-Kdot"]
    page = [f"-Gdpi={DPI}"] if format == "png" else ["-Gmargin=0"] if format == "pdf" else []
    try:
        done = subprocess.run(
            [program, *layout, f"-T{format}", *page],
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
