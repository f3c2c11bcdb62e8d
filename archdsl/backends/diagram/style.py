"""How pictures look: colours by the role of an op, line styles, fonts, sizes. All lengths are in points.

The hues are those of Okabe and Ito (2008), which people with any common colour vision tell apart. Each is mixed with
white or black to a lightness of its own: colours that may stand in one picture (all roles; or the blocks of an
overview with the roles of its layers) are 4 or more steps of CIE L* apart and 3 % of luma, so that a copy in grey
keeps them apart however it is made, and 7 or more of ΔE to whom a kind of cone is missing. White boxes differ in their
outline.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple, TypeAlias

from archdsl.ops.spec import Role

FONT, BOLD_FONT = "Helvetica", "Helvetica-Bold"
"""Arial and Arimo have the same metrics."""
SIZE = 8.0
"""Text of labels; `SMALL` of what accompanies them, `TINY` of numbers at bars."""
SMALL = 6.5
TINY = 5.5
TITLE = 9.5

COLUMN = 252.0
"""Width of one column of a paper (3.5 in) and of the page (7.16 in), as the IEEE sets them."""
PAGE = 515.5
MARGIN = 3.0
"""Left free on both sides."""
DPI = 200

INK = "#222222"
SOFT = "#444444"
FAINT = "#777777"
LINE = "#444444"
FRAME = "#BBBBBB"
PANEL = "#F7F7F7"

OKABE_ITO: Mapping[str, str] = {
    "black": "#000000",
    "orange": "#E69F00",
    "sky blue": "#56B4E9",
    "bluish green": "#009E73",
    "yellow": "#F0E442",
    "blue": "#0072B2",
    "vermillion": "#D55E00",
    "reddish purple": "#CC79A7",
}

Category: TypeAlias = Role | Literal["block"]


class Look(NamedTuple):
    """Fill, outline and its Graphviz style, and what the legend calls it."""

    fill: str
    line: str
    name: str
    style: str = "filled"

    @property
    def text(self) -> str:
        """Black or white, whichever is read more easily."""
        return "#FFFFFF" if luminance(self.fill) < 0.25 else INK


def mixed(colour: str, share: float, other: str = "#FFFFFF") -> str:
    """`share` of a colour and the rest of another."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(255 * (share * a + (1 - share) * b)):02X}" for a, b in pairs)


def _channels(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))


def luminance(colour: str) -> float:
    """Relative luminance of a colour, 0 to 1 (WCAG 2)."""
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in _channels(colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def lightness(colour: str) -> float:
    """CIE L*, 0 (black) to 100 (white): steps that look equal in grey."""
    y = luminance(colour)
    return 116 * y ** (1 / 3) - 16 if y > 216 / 24389 else y * 24389 / 27


def _look(hue: str, share: float, name: str, style: str = "filled") -> Look:
    """`share` of a hue, the rest white; above 1 the rest of two is black."""
    fill = mixed(OKABE_ITO[hue], share) if share <= 1 else mixed(OKABE_ITO[hue], 2 - share, "#000000")
    return Look(fill, mixed(OKABE_ITO[hue], 0.75 if share <= 1 else 0.5, "#000000"), name, style)


LOOKS: Mapping[Category, Look] = {
    "input": Look("#FFFFFF", LINE, "input"),
    "conv": _look("sky blue", 0.63, "convolution"),
    "linear": _look("blue", 1.0, "linear"),
    "norm": _look("yellow", 0.43, "normalization"),
    "act": _look("orange", 0.47, "activation"),
    "pool": _look("vermillion", 0.69, "pooling"),
    "merge": Look("#FFFFFF", INK, "merge", "filled"),
    "reshape": Look("#E4E4E4", FAINT, "reshape"),
    "regularizer": Look("#FFFFFF", FAINT, "regularization", "filled,dashed"),
    "gate": _look("reddish purple", 1.0, "gate"),
    "block": _look("bluish green", 0.55, "block"),
}
"""The look of every category: the roles of ops, and `block` for what is drawn as one box."""


def look_of(role: Category) -> Look:
    return LOOKS[role]


def count_text(number: float) -> str:
    """`25.6M`: three significant digits."""
    for factor, unit in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K")):
        if number >= factor:
            value = number / factor
            return f"{value:.{0 if value >= 100 else 1 if value >= 10 else 2}f}{unit}"
    return f"{number:.0f}"


def share_text(share: float) -> str:
    """`43%`; `<1%` rather than a zero that is none."""
    text = f"{share:.0%}"
    return "0" if share == 0 else "<1%" if text == "0%" else text


BARS = (Look("#444444", "#444444", "share of parameters"), Look("#C8C8C8", "#8A8A8A", "share of MACs"))
"""The bars of shares: parameters, MACs."""

_BLOCKS = (
    ("bluish green", 0.55),
    ("reddish purple", 0.267),
    ("reddish purple", 0.984),
    ("orange", 0.464),
    ("blue", 0.777),
    ("yellow", 0.426),
    ("bluish green", 1.326),
)


def block_look(index: int, name: str) -> Look:
    """The look of the nth definition of a picture; after seven they begin again, with dashed outlines."""
    hue, share = _BLOCKS[index % len(_BLOCKS)]
    return _look(hue, share, name, "filled" if index < len(_BLOCKS) else "filled,dashed")
