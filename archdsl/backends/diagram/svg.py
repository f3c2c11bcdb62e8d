"""Graphviz's SVG made fit to be shown anywhere: takes its text, gives SVG.

What is hidden is taken out: comments, the document type (which names a file on the web), the names of nodes, links that
hold a tooltip only. A tooltip becomes the element's title. Every text gets its length, so that it fits its box also in
a font that is wider than ours.
"""

from __future__ import annotations

import html
import re

from archdsl.backends.diagram.dot import BACKSLASH
from archdsl.backends.diagram.text import clean, width

FAMILY = "Helvetica, Arial, Arimo, 'Liberation Sans', sans-serif"

_PROLOGUE = re.compile(r"<\?xml[^>]*\?>\s*|<!DOCTYPE[^>]*>\s*|<!--.*?-->\s*", re.DOTALL)
_TITLE = re.compile(r"<title>[^<]*</title>\n")
_TOOLTIP = re.compile(r'<title>[^<]*</title>\n<g id="a_[^"]*"><a xlink:title="([^"]*)">\n')
_END = "</a>\n</g>\n"
_TEXT = re.compile(r"<text ([^>]*)>([^<]*)</text>")
_FONT_SIZE = re.compile(r'font-size="([0-9.]+)"')
_FAMILY = re.compile(r' font-family="[^"]*"')
_FIRST = re.compile(r'<g id="graph0"([^>]*)>\n')


def finish(svg: str, title: str) -> str:
    """The SVG of a picture, titled."""
    text = _PROLOGUE.sub("", svg).replace(BACKSLASH, "\\").replace("&#45;", "-")
    text = _TOOLTIP.sub(r"<TITLE>\1</TITLE>" + "\n", text).replace(_END, "")
    text = _TITLE.sub("", text).replace("TITLE>", "title>")
    text = text.replace(' xmlns:xlink="http://www.w3.org/1999/xlink"', "")
    first = f"<title>{html.escape(clean(title), quote=False)}</title>\n"
    text = _FIRST.sub(lambda found: f'<g id="graph0"{found[1]} font-family="{FAMILY}">\n{first}', text, count=1)
    return _TEXT.sub(_measured, text)


def _measured(found: re.Match[str]) -> str:
    attributes, text = found[1], found[2]
    size = _FONT_SIZE.search(attributes)
    length = width(html.unescape(text), float(size[1]), "bold" in attributes) if size else 0
    attributes = _FAMILY.sub("", attributes)
    if length and text.strip():
        attributes += f' textLength="{length:.2f}" lengthAdjust="spacingAndGlyphs"'
    return f"<text {attributes}>{text}</text>"
