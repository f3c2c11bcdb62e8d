"""Running commands in this process, in a folder of their own."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from archdsl.cli.app import run

Run = Callable[..., "Result"]

SMALL = """\
"A net for tests."
block Unit(width: int) = conv: conv(width, 3) -> relu
model Net(classes: int = 10, width: int = 4) {
  x = image(3, 16, 16) -> stem: conv(width, 3) -> relu
  x = x -> stage stage1: [Unit(width), Unit(width)]
  x = x -> maxpool(2, stride = 2, padding = 0) -> wider: conv(2 * width, 1)
  x = x -> stage stage2: [2 of Unit(2 * width)]
  x -> gap -> flatten -> fc: linear(classes)
}
variants Net(classes, width) {
  small: 10, 4
  large: 10, 8
}
"""
WRONG = SMALL.replace("-> gap", "-> gpa").replace("Unit(width), Unit(width)", "Unit(width), Unti(width)")


@dataclass(frozen=True)
class Result:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def arch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`arch("check", "small.arch", stdin="…")` in a folder that holds small.arch and wrong.arch."""
    (tmp_path / "small.arch").write_text(SMALL)
    (tmp_path / "wrong.arch").write_text(WRONG)
    monkeypatch.chdir(tmp_path)
    for name in ("COLUMNS", "FORCE_COLOR", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)

    def command(*args: str, stdin: str | bytes = "") -> Result:
        content = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        code = run(args)
        captured = capsys.readouterr()
        return Result(code, captured.out, captured.err)

    return command
