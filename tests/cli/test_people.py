"""Text of a stranger in a terminal: every command shows what is unseen, in tables, notes, errors and usage."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from archdsl import api, cli
from archdsl.cli.app import COMMANDS
from archdsl.diagnostics.glyphs import shown
from archdsl.source import Source
from archdsl.syntax.literals import quote
from tests.backends import hostile
from tests.cli.conftest import Run

UNSEEN = "\x01\x07\x08\x0b\x0c\x1b[31m\x1b]0;t\x1b\\\x7f\x85\x9b\u200b\u202e\u2066\u2028\ufeff"
_SGR = re.compile(r"\x1b\[[0-9;]*m")
NAME = f"a{UNSEEN}b.arch"

SPEC = f"""
"Of the file {UNSEEN}."
block B(out, kind = "a{UNSEEN}") {{
"Of the block {UNSEEN}."
conv(if kind == "b" then out else 2 * out, 3)
}}
model Net(width = 4, kind = "k{UNSEEN}") {{
"Of the model {UNSEEN}."
image(3, 8, 8) -> B(width, kind) -> B(width) -> gap -> flatten -> fc: linear(3)
}}
variants Net(width, kind) {{
"Of the variants {UNSEEN}."
one: 4, "v{UNSEEN}"
two: 8, "w{UNSEEN}"
}}
variant three = two with (kind = "x{UNSEEN}")
preprocess one, two, three {{ size = 8 }}
recipe r for one, three {{
"Of the recipe {UNSEEN}."
epochs = 9, batch = 8, optimizer = sgd, lr = 0.1, lr_scaling = "none", schedule = cosine, size = 8
kind = "y{UNSEEN}", top1 = 1, top1_from = "where {UNSEEN}"
}}
space some for one {{
"Of the space {UNSEEN}."
width in [4, 8]
kind in ["c{UNSEEN}", "d"]
require width < 8, "less {UNSEEN}"
}}
"""
VALUE = f'"s{UNSEEN}"'.replace("\\", "\\\\")
SPEC = SPEC.replace("\\", "\\\\")


def unsafe(text: str) -> list[str]:
    """What of a text could move or recolour a terminal's text."""
    return [c for c in text if c != "\n" and unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp")]


Lines = dict[str, Sequence[Sequence[str]]]

LINES: Lines = {
    "build": [
        [f"{NAME}:one", "-o", f"o{UNSEEN}.py"],
        [f"{NAME}:one", "-o", "-"],
        [NAME, "-o", UNSEEN],
    ],
    "check": [[NAME], ["wrong.arch"], [f"no{UNSEEN}"], [f"{NAME}:{UNSEEN}"]],
    "show": [[NAME], [f"{NAME}:one"], [f"{NAME}:one", "--layers"], [f"{NAME}:one", "--set", f"kind={VALUE}"]],
    "diff": [[f"{NAME}:one", ":two"], [f"{NAME}:one", "--set", f"kind={VALUE}"], [f"{NAME}:one", f":{UNSEEN}"], [NAME]],
    "sweep": [[f"{NAME}:one", "--set", f"kind={VALUE},{VALUE}"], [f"{NAME}:one", "--set", f"kind=3,{VALUE}"]],
    "scale": [
        [f"{NAME}:one", "--along", "kind"],
        [f"{NAME}:one", "--along", "image=32,64"],
        [f"{NAME}:one", "--along", UNSEEN],
        [f"{NAME}:one", "--rule", UNSEEN],
        [f"{NAME}:one", "--rule", f"{UNSEEN}:r"],
        [f"{NAME}:one", "--along", "image", "--map", f"image={VALUE}"],
    ],
    "search": [[NAME], [NAME, "some"], [NAME, "some", "--require", UNSEEN], [NAME, UNSEEN]],
    "draw": [
        [f"{NAME}:one", "-o", f"p{UNSEEN}.svg"],
        [f"{NAME}:one", "-o", "-"],
        [NAME, "-o", UNSEEN],
    ],
    "plot": [[f"{NAME}:one", "-o", f"p{UNSEEN}.svg"], [f"{NAME}:{UNSEEN}"], [UNSEEN], [NAME, "-x", UNSEEN]],
    "list": [[]],
    "weights": [[NAME], [f"{NAME}:one"], [UNSEEN], [f"{NAME}:{UNSEEN}"]],
    "predict": [[f"{NAME}:one", f"picture{UNSEEN}.png", "--weights", f"w{UNSEEN}.pth"], [NAME, UNSEEN]],
    "convert": [
        [f"w{UNSEEN}.pth", "--of", f"{NAME}:one", "--to", "own", "-o", f"o{UNSEEN}.pth"],
        [f"w{UNSEEN}.pth", "--of", f"{NAME}:one", "--to", UNSEEN, "-o", f"o{UNSEEN}.pth"],
        [f"w{UNSEEN}.pth", "--of", f"{NAME}:one", "--to", "own", "-o", f"o{UNSEEN}"],
    ],
    "recipe": [
        [NAME],
        [NAME, "r"],
        [f"{NAME}:one", UNSEEN],
        [NAME, "r", "--diff", UNSEEN],
        [NAME, "r", "--as", "timm"],
        [NAME, "r", "--as", "torchvision", "-o", f"o{UNSEEN}"],
        [NAME, "r", "--plot", "-o", f"o{UNSEEN}.svg"],
    ],
    "train": [
        [f"{NAME}:one", "--recipe", f"r{UNSEEN}", "--data", f"d{UNSEEN}", "-o", f"o{UNSEEN}"],
        [f"{NAME}:one", "--recipe", f"r{UNSEEN}", "--data", "pictures", "--plan"],
        [f"{NAME}:one", "--recipe", "r", "--data", "pictures", "--plan", "--device", UNSEEN],
    ],
    "verify": [[NAME], [f"{NAME}:one"], [UNSEEN]],
    "fmt": [["--check", NAME], [f"no{UNSEEN}.arch"], [NAME]],
    "explain": [[UNSEEN], ["E101"]],
}
USAGE = [[UNSEEN], ["show", NAME, f"--{UNSEEN}"], ["show", NAME, UNSEEN],
         ["show", NAME, "--set", UNSEEN],
         ["show", NAME, "--image", UNSEEN], ["draw", NAME, "--level", UNSEEN], ["sweep", NAME, "--image", UNSEEN],
         ["-" + UNSEEN],
         ["build", NAME, "--all", "-o", f"{UNSEEN}.py"]]  # fmt: skip


@pytest.fixture
def people(arch: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Runs a command line, and gives all that it printed."""
    (tmp_path / NAME).write_text(SPEC, encoding="utf-8")
    (tmp_path / "pictures" / "train" / f"c{UNSEEN.replace('/', '')}").mkdir(parents=True)
    (tmp_path / "wrong.arch").write_text(SPEC.replace("image(3", f'image("{UNSEEN}"'.replace("\\", "\\\\")))

    def command(*args: str) -> str:
        result = arch(*args)
        return result.out + result.err

    return command


def test_every_command_is_here() -> None:
    assert set(LINES) == set(COMMANDS)


@pytest.mark.parametrize("coloured", [False, True])
@pytest.mark.parametrize("command", LINES)
def test_what_is_unseen_is_shown(
    people: Callable[..., str], monkeypatch: pytest.MonkeyPatch, command: str, coloured: bool
) -> None:
    if coloured:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("COLUMNS", "120")
    for line in LINES[command]:
        text = people(command, *line)
        assert unsafe(_SGR.sub("", text)) == [], line


def test_usage(people: Callable[..., str]) -> None:
    for line in USAGE:
        text = people(*line)
        assert unsafe(text) == [], line
        assert text


def test_nothing_is_left_out(people: Callable[..., str]) -> None:
    """Each character has its glyph, in order; columns stay columns."""
    text = people("show", f"{NAME}:one")
    assert shown(f"Of the file {UNSEEN}.") in text
    assert f'kind = "v{shown(UNSEEN)}"'.replace("\\", "\\\\") in text
    assert shown(NAME) in people("check", NAME)
    assert shown(f"p{UNSEEN}.svg") in people("draw", f"{NAME}:one", "-o", f"p{UNSEEN}.svg")
    rows = people("sweep", f"{NAME}:one", "--set", f'kind={VALUE},"s"').splitlines()
    assert len(rows) == 4
    assert len(set(map(len, rows[1:]))) == 1, rows


def test_json_is_exact(arch: Run, people: Callable[..., str]) -> None:
    document = arch("show", f"{NAME}:one", "--json").json
    assert document["doc"].startswith(f"Of the file {UNSEEN}.\n\nOf the model {UNSEEN}.")
    assert document["file"] == NAME
    assert document["variant"]["arguments"]["kind"] == quote(f"v{UNSEEN}")


def test_objects_print_so() -> None:
    """What Python shows of an object of archdsl."""
    file = api.open_source(Source(NAME, SPEC))
    for value in (file["one"], file["one"].diff(file["two"]), file["one"].table):
        assert unsafe(str(value)) == []
        assert unsafe(repr(value)) == []


def test_thousands() -> None:
    for text in hostile.texts(3_000):
        found = shown(text)
        assert unsafe(found) == []
        assert len(found) == len(text)
        assert shown(found) == found
        found.encode()


def test_there_is_one_door() -> None:
    """Only `console` writes to the streams, and only there and in tests is rich given a text that was not shown."""
    folder = Path(cli.__file__).parent
    for path in folder.glob("*.py"):
        text = path.read_text(encoding="utf-8")
        if path.name not in ("console.py", "streams.py"):
            written = [line for line in text.splitlines() if re.search(r"(stdout|stderr)\.write|echo\(|print\(", line)]
            assert [line.strip() for line in written if "def " not in line and "_print(" not in line] == (
                ['sys.stderr.write("interrupted\\n")'] if path.name == "app.py" else []
            ), path.name
