"""What a spec asks about the size of its image is said by every command that shows the network."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Run

TEXT = "model Net {\n  x = image(3, 16, 16)\n  require x.height > 8\n  x -> conv(8, 3)\n}\n"


def test_commands_say_it(arch: Run) -> None:
    Path("a.arch").write_text(TEXT, encoding="utf-8")
    assert "`x.height > 8` (a.arch:3)" in arch("check", "a.arch").out
    assert "`x.height > 8` holds (a.arch:3)" in arch("show", "a.arch").out
    assert "`x.height > 8` holds (a.arch:3)" in arch("build", "a.arch", "--no-proof").err
    wanted = [{"text": "x.height > 8", "answer": "holds", "file": "a.arch", "line": 3}]
    assert arch("show", "a.arch", "--json").json["variant"]["sizes"] == wanted
    assert "`x.height > 8` holds (a.arch:3)" in Path("Net.py").read_text(encoding="utf-8").split('"""')[1]


def test_a_network_that_asks_nothing_says_nothing(arch: Run) -> None:
    assert "sizes" not in arch("check", "small.arch").out
    assert "sizes" not in arch("show", "small.arch:large").out
