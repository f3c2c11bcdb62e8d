"""A PDF of a picture, by svglib and reportlab, with its font embedded: takes SVG, gives bytes."""

from __future__ import annotations

import io
import re
from functools import lru_cache

from archdsl.backends.diagram.text import BOLD, REGULAR

_FAMILY = re.compile(r'font-family="[^"]*"')


def to_pdf(svg: str, title: str) -> bytes:
    """One page, of the picture's size."""
    from reportlab.graphics import renderPDF
    from reportlab.pdfgen.canvas import Canvas
    from svglib.svglib import svg2rlg

    _register()
    drawing = svg2rlg(io.BytesIO(_FAMILY.sub('font-family="Arimo"', svg).encode()))
    assert drawing is not None
    content = io.BytesIO()
    canvas = Canvas(content, pagesize=(drawing.width, drawing.height), invariant=1)
    canvas.setTitle(title)
    canvas.setCreator("archdsl")
    renderPDF.draw(drawing, canvas, 0, 0)
    canvas.showPage()
    canvas.save()
    return content.getvalue()


@lru_cache(1)
def _register() -> None:
    from svglib.fonts import register_font

    register_font("Arimo", str(REGULAR), "normal", "normal")
    register_font("Arimo", str(BOLD), "bold", "normal")
