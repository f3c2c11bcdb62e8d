"""docs/scaling.md shows what `archdsl scale` says."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from archdsl.cli.app import run

PAGE = (Path(__file__).parents[2] / "docs" / "scaling.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```console\n\$ archdsl ([^\n]*)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize(("line", "expected"), BLOCKS, ids=lambda text: text.partition("\n")[0][:40])
def test_what_is_printed(line: str, expected: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(shlex.split(line)) == 0
    assert [row.rstrip() for row in capsys.readouterr().out.splitlines()] == expected.splitlines()


def test_every_command_line_is_run() -> None:
    assert len(BLOCKS) == PAGE.count("$ archdsl") == 7
