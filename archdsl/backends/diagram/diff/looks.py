"""How differences look: takes a status, gives its `Look` and sign; and the legend of both.

Added, removed and changed differ in hue, in lightness, in their outline and in the sign before their text, so that a
copy in grey can be read, and so can a reader who sees no colours.
"""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.backends.diagram import style
from archdsl.backends.diagram.canvas import Canvas, Line
from archdsl.backends.diagram.style import OKABE_ITO, Look, mixed
from archdsl.graph.diff.changes import Status

SAME = Look("#FFFFFF", "#9A9A9A", "as before")
ADDED = Look(mixed(OKABE_ITO["bluish green"], 0.55), mixed(OKABE_ITO["bluish green"], 0.8, "#000000"), "+ added")
CHANGED = Look(mixed(OKABE_ITO["sky blue"], 0.42), mixed(OKABE_ITO["blue"], 0.9, "#000000"), "~ changed")
REMOVED = Look(
    mixed(OKABE_ITO["vermillion"], 0.2), mixed(OKABE_ITO["vermillion"], 0.9, "#000000"), "− removed", "filled,dashed"
)

BEFORE = Look("#D9D9D9", "#8A8A8A", "before")
AFTER = Look("#5A5A5A", "#444444", "after")
"""The bars of costs."""

LOOKS: Mapping[Status, Look] = {"same": SAME, "added": ADDED, "removed": REMOVED, "changed": CHANGED}


def legend(canvas: Canvas, x: float, y: float, width: float) -> None:
    """What the looks in use mean."""
    used = {look.name for look in canvas.looks}
    for look in (*(look for look in LOOKS.values() if look.name in used), BEFORE, AFTER):
        line = Line(look.name, style.SMALL)
        if x + line.width + 13 > width:
            x, y = 0.0, y + 11
        canvas.box(x + 5, y, 10, 7, look, kind="key", legend=False)
        canvas.text(x + 13, y, line, "left")
        x += line.width + 26
