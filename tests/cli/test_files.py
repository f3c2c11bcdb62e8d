"""Files that commands write: whole or not at all, under any name, and nothing is left of runs that were killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from archdsl.cli.files import Staged, sweep
from tests.cli.conftest import SMALL, Run

LONG = "n" * 300


@pytest.mark.parametrize("command", ["build small.arch:small", "draw small.arch:small"])
@pytest.mark.parametrize(
    ("where", "said"),
    [
        (f"{LONG}.svg", "File name too long"),
        (f"{LONG}/x.svg", "File name too long"),
        ("none/x.svg", "No such file or directory"),
        ("small.arch/x.svg", "Not a directory"),
        ("folder.svg", "it is a folder"),
        ("/proc/x.svg", ""),
    ],
)
def test_what_cannot_be_written_is_said(arch: Run, tmp_path: Path, command: str, where: str, said: str) -> None:
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "folder.svg" / "small.py").mkdir()  # `build` takes a folder for where to write small.py
    result = arch(*command.split(), "-o", where)
    assert (result.code, "E607" in result.err, said in result.err) == (2, True, True), result.err
    assert sorted(os.listdir(tmp_path)) == ["folder.svg", "small.arch", "wrong.arch"]


@pytest.mark.parametrize("command", ["build", "draw", "build --all -o out"])
def test_a_variant_with_a_long_name(arch: Run, tmp_path: Path, command: str) -> None:
    (tmp_path / "long.arch").write_text(SMALL.replace("small:", f"{LONG}:").replace("  large: 10, 8\n", ""))
    name, *options = command.split()
    result = arch(name, "long.arch", *options)
    assert (result.code, "E607" in result.err) == (2, True), result.err


def test_a_name_as_long_as_a_name_may_be(arch: Run, tmp_path: Path) -> None:
    name = "n" * 252 + ".py"
    assert arch("build", "small.arch:small", "--no-proof", "-o", name).code == 0
    assert (tmp_path / name).read_text().startswith('"""small')


# --- what killed runs leave ---------------------------------------------------------------------

KILLED = """
import os, signal, sys
from pathlib import Path
from archdsl.cli.files import Staged
with Staged(Path(sys.argv[1]), "text"):
    if sys.argv[2] == "killed":
        os.kill(os.getpid(), signal.SIGKILL)
    print("working", flush=True)
    sys.stdin.read()
"""


def _temporary(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.name.startswith(".")]


def _age(path: Path, seconds: float = 3600) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def test_the_next_run_sweeps_what_a_killed_one_left(arch: Run, tmp_path: Path) -> None:
    process = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "o.py"), "killed"])
    assert process.returncode == -signal.SIGKILL
    (left,) = _temporary(tmp_path)
    assert left.read_text() == "text"
    assert arch("build", "small.arch:small", "--no-proof").code == 0
    assert _temporary(tmp_path) == [left]  # it may just have been made
    _age(left)
    assert arch("build", "small.arch:small", "--no-proof").code == 0
    assert _temporary(tmp_path) == []


def test_the_file_of_a_run_at_work_is_left_alone(tmp_path: Path) -> None:
    arguments = [sys.executable, "-c", KILLED, str(tmp_path / "o.py"), "working"]
    process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin is not None
    assert process.stdout is not None
    assert process.stdout.readline() == b"working\n"
    (temporary,) = _temporary(tmp_path)
    _age(temporary)
    sweep(str(tmp_path))
    assert _temporary(tmp_path) == [temporary]
    process.communicate()
    assert _temporary(tmp_path) == []


def test_nothing_else_is_swept(tmp_path: Path) -> None:
    with Staged(tmp_path / "o.py", "") as staged:
        assert staged.temporary is not None
        ours = Path(staged.temporary).name
    assert re.fullmatch(r"\.archdsl-.{8}\.tmp", ours)
    target = tmp_path / "target"
    target.write_text("precious")
    _age(target)
    (tmp_path / ours).symlink_to(target)
    others = [".o.py.abcdefgh.tmp", "archdsl-abcdefgh.tmp", ".archdsl-abcdefgh.tmp.bak", ".archdsl-ABCDEFGH.tmp"]
    for name in others:
        (tmp_path / name).write_text("theirs")
        _age(tmp_path / name)
    folder = tmp_path / ".archdsl-abcdefgh.tmp"
    folder.mkdir()
    sweep(str(tmp_path))
    sweep(str(tmp_path / "none"))
    assert sorted(os.listdir(tmp_path)) == sorted([*others, folder.name, ours, "target"])
