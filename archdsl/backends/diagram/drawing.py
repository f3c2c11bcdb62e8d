"""What a level gives: a `Drawing`; what it may be told: `Options`; how much a picture may hold: `bounded`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from archdsl import arguments
from archdsl.backends.diagram.choices import ENGINES, PICTURES, Direction, Engine, Level, Picture
from archdsl.diagnostics.core import ArchError

MOST: Mapping[Level, int] = {"overview": 1_000, "blocks": 1_000, "graph": 5_000, "diff": 1_000, "plot": 1_000}
"""How many parts a picture has at most, far above what can be read."""


@dataclass(frozen=True, slots=True)
class Options:
    """What can be chosen about a picture; a level uses what applies to it.

    `columns` is the width it is laid out for: one or two columns of a paper (`style.COLUMN`, `style.PAGE`).
    `direction` None: the level's own. `depth` and `expand` (paths) say what the graph shows open. `only` names the
    definitions that level blocks draws; empty: all.
    """

    columns: Literal[1, 2] = 2
    direction: Direction | None = None
    depth: int | None = None
    expand: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture as DOT in which every place is given (for `neato -n2`).

    `covers` says for the id of each drawn element which nodes of the graph it stands for, so that a test can see that
    none is left out.
    """

    name: str
    level: Level
    title: str
    dot: str
    covers: Mapping[str, tuple[int, ...]] = field(default_factory=dict, compare=False)

    def render(self, format: Picture = "svg", engine: Engine = "auto") -> bytes:
        """The picture as a file's content; raises ArchError E610 or E611."""
        from archdsl.backends.diagram.render import render

        arguments.one_of("format", format, PICTURES)
        arguments.one_of("engine", engine, ENGINES)
        return render(self.dot, self.title, format, engine)

    @property
    def svg(self) -> str:
        """The picture as SVG, to stand in a page."""
        return self.render("svg").decode()

    def _repr_svg_(self) -> str:
        return self.svg


def bounded(level: Level, name: str, what: str, count: int, most: int = 0) -> None:
    """Raise ArchError E617 for a picture that would have more parts than can be read, and take minutes to lay out.

    `most` is the limit where it is not that of the level.
    """
    limit = most or MOST[level]
    if count > limit:
        facts = {"name": name, "level": level, "what": what, "count": f"{count:,}", "limit": f"{limit:,}"}
        raise ArchError.of("E617", help=_INSTEAD[level], facts=facts)


_INSTEAD: Mapping[Level, str] = {
    "overview": "`archdsl show` lists them; `draw -o FILE.html` makes a page in which parts are opened one by one",
    "blocks": "`--block NAME` draws one of them",
    "graph": "open less of it, with --depth or --expand; `draw -o FILE.html` makes a page to open parts one by one",
    "diff": "`archdsl diff` prints them",
    "plot": "name fewer networks; `archdsl sweep --csv` prints the numbers",
}
