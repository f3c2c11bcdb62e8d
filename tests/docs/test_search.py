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


def test_multiply_adds_over_those_of_the_published_efficientnets() -> None:
    from archdsl.api import open_source
    from archdsl.library import locate

    file = open_source(locate("efficientnet")[0])
    published = [0.386, 0.687, 1.088, 1.827, 4.394, 10.266, 19.068, 37.746]  # torchvision's
    ratios = [
        file["efficientnet_b0"].set({"compound.phi": str(phi)}).graph.macs / 1e9 / macs
        for phi, macs in enumerate(published)
    ]
    row = " | ".join(f"{ratio:.2f}" for ratio in ratios)
    assert f"| over B0 to B7 | {row} |" in PAGE.read_text(encoding="utf-8")
