"""docs/search.md is true: its commands run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from archdsl.cli.app import run

PAGE = Path(__file__).parents[2] / "docs" / "search.md"
LINE = re.compile(r"^\$ archdsl (.+)$", re.MULTILINE)
COMMANDS = LINE.findall(PAGE.read_text(encoding="utf-8"))


@pytest.mark.parametrize("line", COMMANDS)
def test_commands_run(
    line: str, capfd: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    args = shlex.split(line)
    assert run(args) == 0
    assert capfd.readouterr().out.strip()


def test_every_shipped_space_is_in_the_table() -> None:
    from archdsl.api import open_source
    from archdsl.library import locate

    text = PAGE.read_text(encoding="utf-8")
    for path in (PAGE.parents[1] / "specs").glob("*.arch"):
        if "\nspace " in path.read_text(encoding="utf-8"):
            for name in open_source(locate(path.stem)[0]).spaces:
                assert f"`{path.stem} {name}`" in text
