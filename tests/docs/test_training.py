"""docs/training.md is true: from nothing to a trained network, by what stands there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from archdsl.cli.app import run
from tests.libraries import declare_operators

PAGE = Path(__file__).parents[2] / "docs" / "training.md"
FENCE = re.compile(r"^```(python|arch|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"print\(.*\)  # (.+)$", re.MULTILINE)
NUMBER = re.compile(r"\d[\d.,]*(e-?\d+)?")


def shape(text: str) -> list[str]:
    """The lines without their numbers, which differ from machine to machine, and without the alignment of them."""
    return [" ".join(NUMBER.sub("#", line).split()) for line in text.splitlines()]


@pytest.mark.slow
def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    declare_operators()
    monkeypatch.chdir(tmp_path)
    text = PAGE.read_text(encoding="utf-8").partition("\n## Recipes\n")[0]
    names: dict[str, object] = {}
    commands = 0
    for kind, block in FENCE.findall(text):
        capfd.readouterr()
        if kind == "arch":
            Path("small.arch").write_text(block, encoding="utf-8")
        elif kind == "python":
            exec(compile(block, "training.md", "exec"), names)  # noqa: S102  # our own page
            assert capfd.readouterr().out.splitlines() == PRINTED.findall(block)
        else:
            line, _, expected = block.partition("\n")
            args = shlex.split(line.removeprefix("$ archdsl "))
            more = ["--workers", "0"] if "-o" in args else []
            assert run([*args, *more]) == 0
            out, err = capfd.readouterr()
            if "--plan" in args:
                assert [line.rstrip() for line in out.splitlines()] == expected.splitlines()
            else:
                found = [re.sub(r"(averaged )?weights of", "weights of", line) for line in shape(err + out)]
                assert found == [re.sub(r"(averaged )?weights of", "weights of", line) for line in shape(expected)]
            commands += 1
    assert commands == 3
    rows = (tmp_path / "run" / "log.csv").read_text().splitlines()
    found = [dict(zip(rows[0].split(","), row.split(","), strict=True)) for row in rows[1:]]
    assert float(found[-1]["average_top1"]) > 94
    assert max(float(row["top1"]) for row in found) > 95
