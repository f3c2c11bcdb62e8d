"""Files that commands read: what a name means where no such file is. Files that they write: whole or not at all, under
any name, and nothing is left of runs that were killed."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import archdsl
from archdsl.diagnostics.core import ArchError
from archdsl.files import Staged, sweep
from tests.cli.conftest import SMALL, Run

LONG = "n" * 300

# --- what a name means ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        "check resnet.arch",
        "show resnet.arch:resnet18",
        "build resnet.arch:resnet18 -o -",
        "draw resnet.arch:resnet18 -o -",
        "diff resnet.arch:resnet18 :resnet18",
        "sweep resnet.arch:resnet18 --set classes=1,2",
        "show resnet.arch:resnet18 --json",
    ],
)
def test_a_shipped_spec_is_used_where_no_file_is_and_that_is_said(arch: Run, tmp_path: Path, command: str) -> None:
    said = arch(*command.split())
    assert said.code == 0, said
    assert "there is no resnet.arch here: the shipped one is used\n" in said.err
    plain = arch(*command.replace("resnet.arch", "resnet").split())
    assert (plain.out, "shipped" in plain.err) == (said.out, False)
    (tmp_path / "resnet.arch").write_text(SMALL)
    assert "shipped" not in arch(*command.split()).err


def test_a_shipped_spec_is_used_in_python_and_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for call in (archdsl.open, archdsl.find, archdsl.load):
        with pytest.warns(UserWarning, match="there is no squeezenet.arch here: the shipped one is used") as caught:
            call("squeezenet.arch:squeezenet1_0")
        assert [warning.filename for warning in caught] == [__file__]


@pytest.mark.parametrize(
    ("spec", "hint"),
    [
        ("smal.arch", "did you mean `small.arch`?"),
        ("./smal.arch", "did you mean `./small.arch`?"),
        ("small", "did you mean `small.arch`?"),
        ("resnett.arch", "did you mean the shipped `resnet`?"),
        ("specs/resnet.arch", "did you mean the shipped `resnet`?"),
        ("resnet50.arch", "did you mean the shipped `resnet50`?"),
        ("resent50", "did you mean `resnet50`?"),
        ("xyzzy.arch", "`archdsl list` shows what is shipped"),
        ("xyzzy", "a name that `archdsl list` shows"),
        ("\0.arch", "`archdsl list` shows what is shipped"),
        (f"{LONG}.arch", "`archdsl list` shows what is shipped"),
    ],
)
def test_what_is_near_to_what_is_not_there(arch: Run, spec: str, hint: str) -> None:
    result = arch("show", spec)
    assert (result.code, hint in result.err) == (2, True), result.err


def test_a_file_and_a_shipped_spec_may_both_be_near(arch: Run, tmp_path: Path) -> None:
    (tmp_path / "resnot.arch").write_text(SMALL)
    assert "did you mean `resnot.arch`, or the shipped `resnet`?" in arch("show", "resnat.arch").err


@pytest.mark.parametrize("command", ["diff", "draw -o x.svg", "draw -o x.svg --level diff"])
def test_another_variant_of_the_file_before(arch: Run, command: str) -> None:
    name, *options = command.split()
    assert arch(name, *options, "small.arch:small", ":large").code == (name == "diff")
    wrong = arch(name, *options, "small.arch:small", ":lorge")
    assert (wrong.code, "did you mean `large`?" in wrong.err) == (2, True)


def test_steps_go_from_file_to_file(arch: Run, tmp_path: Path) -> None:
    (tmp_path / "other.arch").write_text(SMALL.replace("large: 10, 8", "huge: 10, 16"))
    result = arch("draw", "small.arch:small", ":large", "other.arch:small", ":huge", "-o", "-", "--json")
    assert result.json["variants"] == ["small", "large", "small", "huge"]


# --- what cannot be written ----------------------------------------------------------------------


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


def test_a_variant_that_is_left_out_is_no_spec(tmp_path: Path) -> None:
    (tmp_path / "one.arch").write_text("model One = image(3, 8, 8) -> conv(4, 3)\n")
    for spec in f"{tmp_path}/one.arch:", "resnet18:":
        with pytest.raises(ArchError, match="E618"):
            archdsl.find(spec)


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
from archdsl.files import Staged
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
