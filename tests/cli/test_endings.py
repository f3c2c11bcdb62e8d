"""Exit codes, what goes to which stream, interruptions: a command never ends in a traceback."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from archdsl.cli.app import COMMANDS, app
from tests.cli.conftest import SMALL, WRONG, Run

ROOT = Path(__file__).parents[2]
COMMAND = [sys.executable, "-m", "archdsl"]


@pytest.mark.parametrize(
    ("args", "code", "said"),
    [
        ("check small.arch", 0, ""),
        ("check wrong.arch", 1, "2 errors"),
        ("check small.arch wrong.arch", 1, "2 errors"),
        ("check none.arch", 2, "1 error"),
        ("check small.arch:medium", 2, "1 error"),
        ("show wrong.arch", 1, "E101"),
        ("show resent50", 2, "did you mean `resnet50`?"),
        ("show resnet50:x", 2, "`resnet50` is a variant already, of the shipped `resnet`: leave out `:x`"),
        ("show small.arch:lorge", 2, "did you mean `large`?"),
        ("show small.arch --layers", 2, "E603"),
        ("show common", 2, "E606"),
        ("build wrong.arch", 1, "E101"),
        ("build small.arch -o no/such/folder/x.py", 2, "E607"),
        ("build small.arch --set clases=3", 2, "did you mean `classes`?"),
        ("build small.arch --set classes=3+", 2, "E0"),
        ("build small.arch --set classes", 2, "NAME=VALUE"),
        ("build small.arch --set classes=1 --set classes=2", 2, "twice"),
        ("build small.arch --all -o all.py", 2, "folder"),
        ("build small.arch:large --all", 2, "--all"),
        ("predict small.arch:small --weights none.pth x.png", 2, "E6"),
        ("explain E101", 0, ""),
        ("explain E099", 2, "no code 'E099'"),
        ("fmt small.arch none.arch", 2, "E602"),
        ("fmt resnet", 2, "fmt needs a file"),
        ("show small.arch:", 2, "E618"),
        ("check small.arch:", 2, "1 error"),
        ("build resnet:", 2, "E618"),
        ("diff small.arch:small :", 2, "E618"),
        ("show -:", 2, "E618"),
        ("build small.arch:small -o - --proof --no-proof", 2, "is given twice"),
        ("check small.arch --json --json", 0, ""),
        ("chekc", 2, "Did you mean 'check'?"),
        ("check --frob", 2, "--frob"),
        ("--version", 0, ""),
        ("check --help", 0, ""),
    ],
)
def test_exit_code_and_what_is_said(arch: Run, args: str, code: int, said: str) -> None:
    result = arch(*args.split())
    assert (result.code, said in result.err) == (code, True), result


@pytest.mark.parametrize("name", COMMANDS)
def test_an_option_of_one_value_given_twice_is_refused(arch: Run, name: str) -> None:
    """The first of them would be forgotten, silently: so in every command, for every option."""
    command = app.get_command(click.Context(app), name)
    assert command is not None
    single = [o for o in command.params if isinstance(o, click.Option) and not o.multiple and not o.is_flag]
    for option in single:
        result = arch(name, option.opts[0], "1", option.opts[-1], "2")
        assert (result.code, "is given twice" in result.err) == (2, True), (option.opts, result)


def test_show_says_which_claims_do_not_hold(arch: Run, tmp_path: Path) -> None:
    (tmp_path / "claims.arch").write_text(f"{SMALL}expect large {{ params = 9 }}\n")
    assert arch("show", "claims.arch:small").code == 0
    for args in ("claims.arch:large",), ("claims.arch:large", "--layers"), ("claims.arch",):
        result = arch("show", *args)
        assert (result.code, "E401" in result.err, "large" in result.out) == (1, True, True)
    found = arch("show", "claims.arch", "--json")
    assert (found.code, found.json["ok"], found.json["diagnostics"][0]["code"]) == (1, False, "E401")
    assert arch("show", "claims.arch:large", "--set", "width=3").code == 0  # another network than the claim is about


HUGE = "9" * 23
NO_TEXT = "\udcff"  # how a byte that is no UTF-8 comes in


@pytest.mark.parametrize(
    "args",
    [
        f"show small.arch:{NO_TEXT}",
        f"check small.arch:{NO_TEXT}",
        f"build small.arch:{NO_TEXT}",
        f"verify small.arch:{NO_TEXT}",
        f"show -:{NO_TEXT}",
        f"diff small.arch:small :{NO_TEXT}",
        f"draw small.arch:small :{NO_TEXT}",
        f"draw small.arch:small --level blocks --block {NO_TEXT}",
        f"draw small.arch:small --level graph --expand {NO_TEXT}",
        f"predict small.arch:small --weights net.pth --checkpoint {NO_TEXT} x",
        f"predict small.arch:small --weights net.pth --weights-set {NO_TEXT} x",
        f"predict small.arch:small --weights {NO_TEXT} {NO_TEXT}",
        f"predict small.arch:small --weights net.pth --top {HUGE} x",
        f"convert {NO_TEXT} --of small.arch:small --to own -o w.pth",
        f"convert w.pth --of small.arch:small --to {NO_TEXT} -o w.pth",
        f"convert w.pth --of small.arch:small --to own --from {NO_TEXT} -o w.pth",
        f"convert w.pth --of small.arch:small --to own -o {NO_TEXT}",
        f"convert w.pth --of small.arch:small --to own -o w.pth --image {HUGE}",
        f"train small.arch:small --recipe {NO_TEXT} --data x --plan",
        f"train small.arch:small --recipe r --data {NO_TEXT} --plan",
        f"train small.arch:small --recipe r --data x --plan --batch {HUGE}",
        f"show {NO_TEXT}",
        f"show {NO_TEXT}.arch",
        f"fmt {NO_TEXT}",
        f"explain {NO_TEXT}",
        *(f"{command} --set classes={NO_TEXT}" for command in ("show small.arch", "sweep small.arch:small")),
        *(f"{command} --set c.phi={NO_TEXT}" for command in ("diff small.arch:small", "draw small.arch:small")),
        *(
            f"{command} small.arch:small --image {image}"
            for command in ("show", "sweep", "build", "diff", "draw")
            for image in (HUGE, f"3x{HUGE}x9", "9" * 5000, "0" * 5000)
        ),
        f"show small.arch --set classes={'9' * 5000}",
        f"sweep small.arch:small --set classes={'x' * 100_001}",
        f"scale small.arch:small --along width={'9' * 5000}",
        f"scale small.arch:small --along image={HUGE}",
        f"scale small.arch:small --along width --target macs={'9' * 5000}",
        f"scale small.arch:small --along {NO_TEXT}",
        f"scale small.arch:small --rule {NO_TEXT}",
        f"scale small.arch:small --rule efficientnet:compound --map width={NO_TEXT}",
    ],
    ids=lambda args: ascii(args)[1:60],
)
def test_texts_that_are_none_and_numbers_beyond_all(arch: Run, args: str) -> None:
    result = arch(*args.split(), stdin=SMALL)
    assert (result.code, result.out) == (2, ""), result
    assert "rror" in result.err


@pytest.mark.skipif(os.name == "nt", reason="a folder in use cannot be deleted")
@pytest.mark.parametrize("command", ["build resnet18 --no-proof", "draw resnet18"])
def test_a_current_folder_that_is_gone(tmp_path: Path, command: str) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    start = f"import os; os.chdir({str(gone)!r}); os.rmdir({str(gone)!r})"
    program = f"{start}; from archdsl.cli.app import run; import sys; sys.exit(run({command.split()!r}))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 2
    assert "error[E607]: cannot write resnet18." in done.stderr
    assert "the current folder does not exist any more" in done.stderr


def test_findings_of_check_are_data_and_of_others_are_not(arch: Run) -> None:
    check, show = arch("check", "wrong.arch"), arch("show", "wrong.arch")
    assert "wrong.arch:5:40" in check.out
    assert "wrong.arch:5:40" in show.err
    assert show.out == ""


def test_check_reports_every_error_and_goes_on_after_a_missing_file(arch: Run) -> None:
    result = arch("check", "none.arch", "wrong.arch", "small.arch")
    assert result.code == 2
    assert result.out.count("error[") == 3
    assert "small.arch: 2 variants, no errors\n" in result.out
    assert result.err == "3 errors\n"


def test_check_of_everything_shipped(arch: Run) -> None:
    result = arch("check")
    assert result.code == 0, result.out
    assert result.out.count("no errors") >= 4


@pytest.mark.parametrize(("text", "code"), [(SMALL, 0), (WRONG, 1), (b"\xff\xfe", 2), ("", 0)])
def test_standard_input(arch: Run, text: str | bytes, code: int) -> None:
    result = arch("check", "-", stdin=text)
    assert result.code == code
    assert "<stdin>:" in result.out or code == 2


def test_lines_of_standard_input_end_as_those_of_files(arch: Run) -> None:
    windows = SMALL.replace("\n", "\r\n")
    assert arch("show", "-:large", stdin=windows).out == arch("show", "-:large", stdin=SMALL).out
    assert "E011" in arch("check", "-", stdin=SMALL.replace("-> relu", "# comment\r-> relu", 1)).out


def test_variant_of_standard_input(arch: Run) -> None:
    assert arch("show", "-:large", stdin=SMALL).out.startswith("large = Net(")


@pytest.mark.parametrize("second", ["-:large", ":large"])
def test_two_variants_of_standard_input(arch: Run, second: str) -> None:
    """It can be read once only."""
    assert arch("diff", "-:small", second, stdin=SMALL).code == 1
    assert arch("diff", "-:small", second.replace("large", "small"), stdin=SMALL).code == 0
    assert arch("draw", "-:small", second, "-o", "-", stdin=SMALL).out.endswith("</svg>\n")


def test_interrupted() -> None:
    process = subprocess.Popen(
        [*COMMAND, "check", "-"],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A test run in the background ignores SIGINT, and its children would too.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdin is not None
    assert process.stderr is not None
    os.write(process.stdin.fileno(), b"#" * 65536)
    os.write(process.stdin.fileno(), b"#")  # a pipe holds 64 KiB: this returns once the command is reading
    time.sleep(0.2)  # until it blocks in that read: before, Python would see the signal only after it
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    assert b"Traceback" not in process.stderr.read()
    process.stdin.close()


INTERRUPTING = """
import os, signal, sys

class Interrupting:
    def find_spec(self, name, *_):
        if name == MODULE:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                [None for _ in range(9)]  # Python looks for signals here
            except KeyboardInterrupt:
                HANDLE

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["archdsl", "build", "resnet18", "-o", os.devnull]
from archdsl.cli import main
main()
"""


@pytest.mark.parametrize(
    ("module", "handle"),
    [
        ("click", "raise"),
        ("archdsl.cli.app", "raise"),
        ("archdsl.cli.build", "raise"),
        ("archdsl.api", "raise"),
        ("pydantic", "raise RuntimeError('Error calling __set_name__')"),  # which is what Python makes of some
        ("rich.table", "raise"),
        ("torch", "raise ImportError"),
    ],
)
def test_interrupted_while_modules_are_imported(module: str, handle: str) -> None:
    code = INTERRUPTING.replace("MODULE", repr(module)).replace("HANDLE", handle)
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=60)
    assert process.returncode == 130, process.stderr
    assert process.stderr.strip() in (b"", b"interrupted")


def test_nothing_is_imported_before_the_command_can_be_interrupted() -> None:
    code = "import sys; before = set(sys.modules); import archdsl.cli; print(*sorted(set(sys.modules) - before))"
    process = subprocess.run([sys.executable, "-S", "-c", code], capture_output=True, text=True, cwd=ROOT)
    assert process.stdout.split() == ["__future__", "archdsl", "archdsl.cli"], process.stderr


@pytest.mark.parametrize("args", ["check -", "show -", "show - --json", "fmt -", "diff -:small -:large"])
def test_closed_standard_input(args: str, tmp_path: Path) -> None:
    process = subprocess.run(
        [*COMMAND, *args.split()], capture_output=True, text=True, cwd=tmp_path, preexec_fn=lambda: os.close(0)
    )
    assert process.returncode == 2
    assert "cannot read <stdin>: it is closed" in process.stdout + process.stderr
    assert "Traceback" not in process.stderr


def _shell(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A command as a shell runs it, `archdsl` being ours."""
    line = command.replace("archdsl", " ".join(COMMAND), 1)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(line, shell=True, capture_output=True, text=True, timeout=60, cwd=folder, env=environment)


@pytest.mark.parametrize("where", [">&-", "> /dev/full"])
@pytest.mark.parametrize(
    "command",
    "check small.arch;check small.arch --json;show small.arch:small;build small.arch -o -;explain E101;"
    "--help;--version;check --help;show none.arch --json;fmt - < small.arch".split(";"),
)
def test_output_that_cannot_be_written(tmp_path: Path, command: str, where: str) -> None:
    (tmp_path / "small.arch").write_text(SMALL)
    result = _shell(f"archdsl {command} {where}", tmp_path)
    assert (result.returncode, "Traceback" in result.stderr) == (2, False), result.stderr
    assert "E616" in result.stderr


@pytest.mark.parametrize("where", [">&- 2>&-", "> /dev/full 2> /dev/full"])
def test_output_that_cannot_be_written_and_nobody_to_tell(tmp_path: Path, where: str) -> None:
    (tmp_path / "small.arch").write_text(SMALL)
    result = _shell(f"archdsl check small.arch {where}", tmp_path)
    assert (result.returncode, result.stderr) == (2, "")


def test_a_pipe_under_a_name_is_no_file(tmp_path: Path) -> None:
    """`archdsl check <(…)`: the name that a shell makes."""
    reader, writer = os.pipe()
    os.write(writer, SMALL.encode())
    os.close(writer)
    command = [*COMMAND, "check", f"/dev/fd/{reader}"]
    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, pass_fds=[reader], timeout=60)
    os.close(reader)
    assert (result.returncode, "a pipe, not a regular file; `-` reads standard input" in result.stdout) == (2, True)


@pytest.mark.parametrize("where", [">&-", ">&- 2>&-", "<&- >&- 2>&-", "> /dev/full"])
def test_a_command_that_prints_nothing_needs_no_output(tmp_path: Path, where: str) -> None:
    (tmp_path / "small.arch").write_text(SMALL)
    result = _shell(f"archdsl draw small.arch:small -o small.svg {where}", tmp_path)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "small.svg").read_text().endswith("</svg>\n")  # and nothing else was written to it


@pytest.mark.parametrize("args", ["list", "check", "show resnet152 --layers", "build resnet50 -o -", "--help"])
def test_closed_pipe_is_quiet(args: str, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    process = subprocess.run([*COMMAND, *args.split()], stdout=writer, stderr=subprocess.PIPE, timeout=60, cwd=tmp_path)
    os.close(writer)
    assert (process.returncode, process.stderr) == (141, b"")
