"""What README.md shows is what archdsl says: each excerpt is compared with the real text, the Python is run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

import archdsl
from archdsl.api import ArchFile
from archdsl.cli.app import COMMANDS, app
from archdsl.diagnostics.render import render_plain
from archdsl.source import Source

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FENCE = re.compile(r"^```([^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def _only(info: str) -> str:
    found = [match[2] for match in FENCE.finditer(TEXT) if match[1] == info]
    assert len(found) == 1, info
    return found[0]


def _resnet() -> str:
    return (ROOT / "specs" / "resnet.arch").read_text(encoding="utf-8")


def test_spec_excerpt() -> None:
    assert _only("arch") in _resnet()


def test_table() -> None:
    shown = CliRunner().invoke(app, ["show", "resnet18"]).output
    lines = [line.rstrip() for line in shown.splitlines()]
    expected = _only("table").splitlines()
    start = lines.index(expected[0])
    assert lines[start : start + len(expected)] == expected


def test_generated_source() -> None:
    assert _only("python generated") in archdsl.find("resnet18").source


def test_diagnostic() -> None:
    text = _resnet().replace("main + shortcut(in, width, stride) -> relu", "main + id -> relu")
    assert text != _resnet()
    found = ArchFile(Source("resnet.arch", text)).check()
    assert render_plain(found).splitlines()[0] == _only("diagnostic").strip()


def test_python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    code = _only("python run")
    exec(compile(code, "README.md", "exec"), {})  # noqa: S102  # our own page
    printed = capsys.readouterr().out.splitlines()
    assert printed[0] == "25557032 4089184256 1000"  # torchvision's figures: num_params, GFLOPS 4.089
    assert printed[-1] == "E119"
    assert any("clases" in line for line in printed)


def test_every_command_is_listed() -> None:
    assert re.findall(r"^\| `archdsl (\w+)", TEXT, re.MULTILINE) == list(COMMANDS)


def test_exactly_two_commands_set_up() -> None:
    setups = [match[2].strip() for match in FENCE.finditer(TEXT) if match[1] == "" and not match[2].startswith("$")]
    assert len(setups) == 2
    assert setups[1] == "bash tests/run"
    assert setups[0].endswith("archdsl build specs/convnext.arch")
