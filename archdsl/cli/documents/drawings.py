"""Pictures that are written or printed: `draw`, `plot`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from archdsl.backends.diagram.choices import Format, Level
from archdsl.cli.documents.base import Document, Shape, Text

if TYPE_CHECKING:
    from archdsl.plots import PlotPoint


class DrawDocument(Document):
    """A picture of one network, of what differs between two, or of a chain of them."""

    command: ClassVar[str] = "draw"
    variants: list[Text]
    """Names: of one, of two whose differences are drawn, or of a chain."""
    level: Level
    format: Format
    path: Text | None
    """Null with `-o -`."""
    text: Text | None
    """The picture, with `-o -`."""
    bytes: int


class PlotPointJson(Shape):
    """A network in a plot."""

    name: Text
    variant: Text
    weights: Text | None
    """The published file whose accuracy it has; null where `expect` says it."""
    x: float
    y: float

    @classmethod
    def differs(cls, spot: PlotPoint) -> dict[str, Any]:
        return {"variant": spot.variant.name}


class PlotDocument(Document):
    """Networks as points."""

    command: ClassVar[str] = "plot"
    x: str | None
    """What is on the axis, as `y`; null with `--depth`."""
    y: str | None
    points: list[PlotPointJson]
    unnamed: list[Text]
    """Names that have no room."""
    format: Format
    path: Text | None
    """Null with `-o -`."""
    text: Text | None
    """The picture, with `-o -`."""
