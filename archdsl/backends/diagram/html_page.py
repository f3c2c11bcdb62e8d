"""The HTML page of a network: takes a `Graph`, gives one self-contained file that needs no network.

The files of `web/` are put together: the page's own scripts run as one, after the layout library. Everything that comes
from a spec is in one JSON element, escaped so that it cannot end it, and the scripts write it as text only. A content
security policy with the hashes of exactly these scripts and this style sheet forbids everything else.

Places are found in the browser alone, also of what is open at first (`web/layout.js`, with dagre). What a reader opens
or folds has to be laid out there, scope by scope, in the fonts that are there; with places from here for the first view
there would be two layouts of one picture, and what a reader has not touched would move at the first click.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from archdsl.backends.diagram.drawing import Options
from archdsl.backends.diagram.page_data import page_data
from archdsl.backends.diagram.style import LOOKS, Look, luminance, mixed
from archdsl.backends.diagram.text import clean
from archdsl.graph.ir import Graph

_WEB = Path(__file__).parent / "web"
_SCRIPTS = ("model.js", "layout.js", "draw.js", "source.js", "panels.js", "main.js")
_LIBRARY = ("vendor/dagre.LICENSE.txt", "vendor/dagre-3.1.3.min.js")
_DARK = "#12161B"
_ESCAPED = re.compile(r"[<>&]|[^\x20-\x7e]")


def page(graph: Graph, options: Options) -> str:
    """The page's text; raises ArchError E614."""
    style, library, program = _style(), _library(), _program()
    parts = {
        "policy": _policy(style, library, program),
        "title": html.escape(clean(graph.title)),
        "style": style,
        "library": library,
        "program": program,
        "data": to_json(page_data(graph, options)),
    }
    return _fill(_read("index.html"), parts)


def to_json(value: Any) -> str:
    """JSON that may stand in a script element, and in a terminal: nothing in it ends the element, or is unseen."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace").decode()
    return _ESCAPED.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    char = found[0]
    if char.isprintable() and char not in "<>&":
        return char
    return "".join(f"\\u{int.from_bytes(unit, 'big'):04x}" for unit in _units(char))


def _units(char: str) -> Iterator[bytes]:
    """A character in UTF-16, as JSON escapes it."""
    encoded = char.encode("utf-16-be")
    return (encoded[at : at + 2] for at in range(0, len(encoded), 2))


def _fill(template: str, parts: Mapping[str, str]) -> str:
    """Every `{{name}}` replaced, once: what is put in is not looked at again."""
    pieces = template.split("{{")
    found = [pieces[0]]
    for piece in pieces[1:]:
        name, _, rest = piece.partition("}}")
        found += parts[name], rest
    return "".join(found)


def _policy(style: str, *scripts: str) -> str:
    allowed = " ".join(map(_hash, scripts))
    rest = "img-src data:; base-uri 'none'; form-action 'none'"
    return f"default-src 'none'; script-src {allowed}; style-src {_hash(style)}; {rest}"


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@lru_cache
def _read(name: str) -> str:
    return (_WEB / name).read_text("utf-8")


def _program() -> str:
    return '(() => {\n"use strict";\n' + "\n".join(map(_read, _SCRIPTS)) + "\n})();\n"


def _library() -> str:
    licence, code = map(_read, _LIBRARY)
    return f"/*! dagre 3.1.3 and graphlib 4.0.6\n{licence}*/\n{code}"


# --- colours ---------------------------------------------------------------------------------


def _style() -> str:
    """The style sheet, with the colours of the categories as `style` has them, and darker ones for the night."""
    day = "\n".join(_rule(role, look) for role, look in LOOKS.items())
    night = "\n".join(_rule(role, _dark_look(look)) for role, look in LOOKS.items())
    names = json.dumps({role: look.name for role, look in LOOKS.items()})
    dark = ':root[data-theme="dark"]'
    system = ':root:not([data-theme="light"])'
    return "\n".join(
        [
            _read("style.css"),
            f":root {{ --role-names: {names}; }}",
            day,
            _under(dark, night),
            f"@media (prefers-color-scheme: dark) {{\n{_under(system, night)}\n}}",
        ]
    )


def _rule(role: str, look: Look) -> str:
    dashes = " --dash: 4 3; --border: dashed;" if "dashed" in look.style else ""
    return f".role-{role} {{ --fill: {look.fill}; --stroke: {look.line}; --text: {look.text};{dashes} }}"


def _dark_look(look: Look) -> Look:
    if luminance(look.fill) > 0.75:  # white and light grey are the paper's colours
        fill = mixed(look.fill, 0.16, _DARK)
        return look._replace(fill=fill, line=mixed(look.fill, 0.55, _DARK))
    return look._replace(fill=mixed(look.fill, 0.72, _DARK), line=mixed(look.fill, 0.9, _DARK))


def _under(selector: str, rules: str) -> str:
    return "\n".join(f"{selector} {rule}" for rule in rules.split("\n"))
