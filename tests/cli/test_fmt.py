"""`archdsl fmt`: in place, standard input, `--check`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import SMALL, Run

UGLY = SMALL.replace("classes: int = 10", "classes:int=10")


def test_in_place_then_nothing_to_do(arch: Run) -> None:
    path = Path("ugly.arch")
    path.write_text(UGLY)
    path.chmod(0o640)
    assert arch("fmt", "ugly.arch").err == "formatted ugly.arch\n"
    assert "classes: int = 10" in path.read_text()
    assert path.stat().st_mode & 0o777 == 0o640
    assert arch("fmt", "ugly.arch").err == ""
    assert arch("fmt", "ugly.arch", "--check").code == 0


def test_check_writes_nothing(arch: Run) -> None:
    Path("ugly.arch").write_text(UGLY)
    result = arch("fmt", "--check", "ugly.arch")
    assert (result.code, result.err) == (1, "would format ugly.arch\n")
    assert Path("ugly.arch").read_text() == UGLY


def test_standard_input(arch: Run) -> None:
    result = arch("fmt", "-", stdin=UGLY)
    assert "classes: int = 10" in result.out
    assert result.err == ""
    assert arch("fmt", "-", stdin=result.out).out == result.out


def test_a_file_with_errors_is_left_and_the_others_are_formatted(arch: Run) -> None:
    Path("broken.arch").write_text("model Net( =")
    Path("ugly.arch").write_text(UGLY)
    result = arch("fmt", "broken.arch", "ugly.arch")
    assert result.code == 1
    assert Path("broken.arch").read_text() == "model Net( ="
    assert Path("ugly.arch").read_text() != UGLY


def test_a_link_is_followed(arch: Run) -> None:
    Path("ugly.arch").write_text(UGLY)
    Path("link.arch").symlink_to("ugly.arch")
    arch("fmt", "link.arch")
    assert Path("link.arch").is_symlink()
    assert Path("ugly.arch").read_text() != UGLY
