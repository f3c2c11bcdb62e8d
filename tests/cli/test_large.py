"""What is large is printed in time in proportion to it, or refused with a limit and a way on. Counted, not timed."""

from __future__ import annotations

import io
import random
from pathlib import Path
from typing import Any, Literal

import pytest
from rich.console import Console
from rich.table import Table
from rich.text import Text

from archdsl.backends.diagram import text
from archdsl.backends.diagram.drawing import MOST
from archdsl.cli import console
from archdsl.cli.plain import lines
from archdsl.cli.tables import plain_table
from tests.cli.conftest import Run

WORDS = ["", "abc", "×××", "寬寬", "two\nlines", "x  y", "trail  ", "  lead", "–"]


def _table(dice: random.Random) -> Table:
    sides: list[Literal["left", "right"]] = ["left", "right"]
    count = dice.randint(1, 5)
    made = plain_table(*[("h" * dice.randint(1, 9), dice.choice(sides)) for _ in range(count)])
    for _ in range(dice.randint(1, 5)):
        made.add_row(*[Text(dice.choice(WORDS)) for _ in range(count)], style=dice.choice(["", "dim"]))
    if dice.random() < 0.5:
        made.show_footer = True
        for column in made.columns:
            column.footer = Text(dice.choice(["", "total"]))
    made.show_header = dice.random() < 0.7
    for column in made.columns:
        column.min_width = dice.choice([None, 4, 8])
    return made


@pytest.mark.parametrize("seed", range(100))
def test_tables_without_rich_are_those_of_rich(seed: int) -> None:
    made = _table(random.Random(seed))
    stream = io.StringIO()
    Console(file=stream, width=console.UNBOUNDED, highlight=False, markup=False, emoji=False).print(made)
    assert list(lines(made)) == [line.rstrip() for line in stream.getvalue().splitlines()]


@pytest.mark.parametrize("terminal", [False, True])
def test_every_layer_of_a_large_network(
    arch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    """rich lays out no row of such a table, in a pipe nor on a terminal: it takes a minute for 100,000."""
    count = 3_000
    (tmp_path / "m.arch").write_text(
        f"model Net = image(3, 8, 8) -> body: [{count} of conv(3, 3)] -> gap -> flatten -> fc: linear(2)\n"
    )
    rendered: list[Any] = []
    monkeypatch.setattr(Table, "__rich_console__", lambda table, *_: rendered.append(table) or [])
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    result = arch("show", "m.arch", "--layers")
    assert result.code == 0
    assert rendered == []
    assert result.out.count("3×3 conv, 3") == count
    (line,) = [line for line in result.out.split("\n") if line.startswith("body.2999 ")]
    assert line.split() == ["body.2999", "3×3", "conv,", "3", "3×8×8", "84", "5.184", "K"]


# --- pictures --------------------------------------------------------------------------------


@pytest.mark.parametrize("text_", ["stage1, " * 40, "×寬 " * 50, "a" * 400, "i" * 300 + "W" * 300, "  a  " * 80])
@pytest.mark.parametrize("limit", [0.0, 3.0, 40.0, 333.0])
def test_a_text_is_cut_as_late_as_it_can_be(text_: str, limit: float) -> None:
    cut = text.fit(text_, limit, 8.0)
    assert cut == "…" or text.width(cut, 8.0) <= limit
    kept = len(text_) - 1
    while kept > 0:  # the longest that fits, found the slow way
        head = (kept + 1) // 2
        longest = text_[:head].rstrip() + "…" + text_[len(text_) - (kept - head) :].lstrip()
        if text.width(longest, 8.0) <= limit:
            assert cut == longest
            return
        kept -= 1
    assert cut == "…"


def test_a_long_text_is_measured_few_times(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = []
    width = text.width
    monkeypatch.setattr(text, "width", lambda *given: measured.append(given[0]) or width(*given))
    text.fit(", ".join(f"stage{i}" for i in range(20_000)), 100.0, 8.0)
    assert sum(map(len, measured)) < 10**6


def _net(count: int) -> str:
    body = "".join(f"  x = x -> stage s{i}: U{i}\n" for i in range(count))
    blocks = "".join(f"block U{i} = conv1: conv({i + 3}, 3) -> relu -> conv2: conv(3, 3)\n" for i in range(count))
    return f"{blocks}model Net {{\n  x = image(3, 8, 8)\n{body}  x -> gap -> flatten -> fc: linear(2)\n}}\n"


@pytest.mark.parametrize(
    ("level", "way"),
    [("overview", "archdsl show"), ("blocks", "--block NAME"), ("graph", "--depth"), ("diff", "archdsl diff")],
)
def test_a_picture_of_too_much_is_refused_with_a_way_on(
    arch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, level: Any, way: str
) -> None:
    (tmp_path / "a.arch").write_text(_net(40))
    (tmp_path / "b.arch").write_text(_net(40).replace("relu", "silu"))
    specs = ["a.arch", "b.arch"] if level == "diff" else ["a.arch"]
    monkeypatch.setitem(MOST, level, 39)  # type: ignore[index]
    refused = arch("draw", *specs, "--level", level, "-o", "o.svg", *(["--depth", "0"] if level == "graph" else []))
    assert (refused.code, "E617" in refused.err, way in refused.err) == (2, True, True), refused.err
    assert not (tmp_path / "o.svg").exists()
    monkeypatch.setitem(MOST, level, 400)  # type: ignore[index]
    assert arch("draw", *specs, "--level", level, "-o", "o.svg").code == 0


def test_stages_of_a_huge_network_are_not_drawn(arch: Run, tmp_path: Path) -> None:
    (tmp_path / "l.arch").write_text(
        "model Net {\n  x = image(3, 8, 8)\n"
        "  for i in 0..10000 { x = x -> layer{i}: (conv(3 + i % 7, 3) -> relu) }\n"
        "  x -> gap -> flatten -> fc: linear(2)\n}\n"
    )
    for level in ("overview", "graph"):
        refused = arch("draw", "l.arch", "--level", level, "-o", "o.svg")
        assert (refused.code, "at most" in refused.err) == (2, True)
