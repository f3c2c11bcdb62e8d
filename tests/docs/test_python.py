"""docs/python.md is true: its examples are run one after the other, and print what their comments say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.libraries import declare_operators

PAGE = Path(__file__).parents[2] / "docs" / "python.md"
FENCE = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PRINTED = re.compile(r"print\(.*\)  # (.+)$|^# (.+)$", re.MULTILINE)


def test_the_page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(tmp_path)
    declare_operators()  # for timm, which imports torchvision
    text = PAGE.read_text(encoding="utf-8")
    blocks = FENCE.findall(text)
    assert len(blocks) >= 7
    assert text.count("```") == 2 * len(blocks), "a fence of another kind is not run"
    names: dict[str, object] = {}
    for block in blocks:
        exec(compile(block, "python.md", "exec"), names)  # noqa: S102  # our own page
        expected = [first or second for first, second in PRINTED.findall(block)]
        assert capsys.readouterr().out.splitlines() == expected
