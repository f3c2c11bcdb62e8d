"""What can be chosen about a picture, by name: levels, formats, engines, directions."""

from __future__ import annotations

from typing import Literal, get_args

Level = Literal["overview", "blocks", "graph", "diff", "plot"]
Picture = Literal["svg", "png", "pdf", "dot"]
Format = Literal["svg", "png", "pdf", "dot", "html"]
Engine = Literal["auto", "embedded", "dot"]
Direction = Literal["lr", "tb"]

LEVELS: tuple[Level, ...] = ("overview", "blocks", "graph", "diff")
"""Those that show networks, each a module here of that name; plots are drawn from numbers."""
PICTURES: tuple[Picture, ...] = get_args(Picture)
"""Formats of a drawing."""
FORMATS: tuple[Format, ...] = get_args(Format)
"""Those, and that of the page."""
ENGINES: tuple[Engine, ...] = get_args(Engine)
