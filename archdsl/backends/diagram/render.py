"""From a drawing to the content of a file. Takes DOT; gives SVG, PNG, PDF or DOT as bytes, the same on every run.

Graphviz makes SVG and PNG of places that are all given; svglib makes a PDF of the SVG, with the font in it. Raises
ArchError E610 or E611 where the engine does.
"""

from __future__ import annotations

import re

from archdsl.backends.diagram.choices import Engine, Picture
from archdsl.backends.diagram.engine import is_embedded, program, run
from archdsl.backends.diagram.provenance import marked
from archdsl.backends.diagram.style import DPI

_PAGE = {"png": [f"-Gdpi={DPI}"], "pdf": ["-Gmargin=0"]}


def render(dot: str, title: str, format: Picture, engine: Engine) -> bytes:
    """The content of a file of this format."""
    if format == "dot":
        return dot.encode()
    chosen = program(engine, format)
    if format == "png" or (format == "pdf" and not is_embedded(chosen)):
        return marked(_run(chosen, dot, format), format)
    from archdsl.backends.diagram.svg import finish

    svg = finish(_run(chosen, dot, "svg").decode(), title)
    if format == "svg":
        return svg.encode()
    from archdsl.backends.diagram.pdf import to_pdf

    return to_pdf(svg, title)


def _run(program: str, dot: str, format: Picture) -> bytes:
    # In SVG the weight of a font is only known for Helvetica.
    dot = dot if is_embedded(program) or format == "svg" else _with_our_fonts(dot)
    return run(program, ["-Kneato", "-n2", f"-T{format}", *_PAGE.get(format, [])], dot)


_FONT = re.compile(r'fontname="Helvetica-Bold"|fontname=Helvetica\b|"(?:[^"\\]|\\.)*"')


def _with_our_fonts(dot: str) -> str:
    """DOT that names the font which text was measured with; Graphviz would take Helvetica for whatever is there."""
    names = {'fontname="Helvetica-Bold"': 'fontname="Arimo Bold"', "fontname=Helvetica": "fontname=Arimo"}
    return _FONT.sub(lambda found: names.get(found[0], found[0]), dot)
