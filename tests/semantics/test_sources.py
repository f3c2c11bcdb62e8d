"""Which file a name means, what of it is read, and where its lines end: the same from every door."""

from __future__ import annotations

import os
import pickle
import resource
import socket
from pathlib import Path

import pytest

from archdsl import api, library
from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError
from archdsl.semantics.program import MAX_CHARACTERS, MAX_FILES, MAX_USES
from archdsl.source import Source
from archdsl.syntax.reading import MAX_TEXT
from tests.semantics.helpers import net

SECRET = "root:x:0:0 = never shown"
NET = 'use "parts.arch" (width)\n' + net("image(3, 8, 8) -> conv(width(1), 3) -> gap -> flatten -> linear(2)")
NARROW, WIDE = "fn width(n) = 4 * n\n", "fn width(n) = 32 * n\n"


def _findings(path: Path | str) -> list[tuple[str, str]]:
    """Codes and whole texts of what is wrong with a file. None of them shows what only the secret file says."""
    try:
        api.open(path)
    except ArchError as error:
        found = error
    else:
        return []
    assert "never shown" not in str(found)
    return [(d.code, str(found)) for d in found.diagnostics if d.severity == "error"]


def _codes(path: Path | str) -> list[str]:
    return [code for code, _ in _findings(path)]


@pytest.fixture
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """Two folders with a spec of the same name and text, and what it uses; the second one is the current folder."""
    (tmp_path / "secret").write_text(SECRET + "\n")
    for name, parts in (("a", NARROW), ("b", WIDE)):
        folder = tmp_path / name
        folder.mkdir()
        (folder / "net.arch").write_text(NET)
        (folder / "parts.arch").write_text(parts)
    monkeypatch.chdir(tmp_path / "b")
    return tmp_path / "a", tmp_path / "b"


# --- identity --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["link.arch", "./link.arch", "{b}/link.arch"])
def test_what_a_linked_spec_uses_lies_beside_the_real_one(folders: tuple[Path, Path], name: str) -> None:
    a, b = folders
    (b / "link.arch").symlink_to(a / "net.arch")
    (b / "parts.arch").unlink()
    (b / "parts.arch").symlink_to("/etc/passwd")
    variant = api.open(name.format(b=b))["net"]
    assert variant.graph.params == 3 * 4 * 9 + 4 + 4 * 2 + 2  # those of the folder a, by hand
    assert [code for code, text in _findings(b / "net.arch")] == ["E116"]


def test_a_link_is_read_only_where_it_leads_to_a_spec(folders: tuple[Path, Path]) -> None:
    a, b = folders
    (b / "evil.arch").symlink_to(a.parent / "secret")
    ((code, text),) = _findings("evil.arch")
    assert code == "E602"
    assert "not called NAME.arch" in text
    (b / "parts.arch").unlink()
    (b / "secret").write_text(SECRET)
    (b / "parts.arch").symlink_to("secret")  # inside the folder, but no spec
    assert _codes("net.arch") == ["E602"]
    (b / "net.arch").write_text(NET.replace("parts.arch", "secret"))
    assert _codes("net.arch") == ["E602"]


def test_a_file_that_may_not_be_used_is_not_passed_over_for_a_shipped_one(folders: tuple[Path, Path]) -> None:
    a, b = folders
    (a / "common.arch").write_text("fn divisible(v, by = 8) = 1\n")
    (b / "net.arch").write_text(NET.replace("parts.arch", "common.arch").replace("width", "divisible"))
    assert _codes("net.arch") == []
    for target in (a / "common.arch", b / "nowhere.arch", b / "common.arch"):
        (b / "common.arch").unlink(missing_ok=True)
        (b / "common.arch").symlink_to(target)
        assert _codes("net.arch") == (["E116"] if target.parent == a else ["E602"])


def test_relative_names_are_other_files_in_another_folder(
    folders: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    counts = []
    for folder in (*folders, *folders):
        monkeypatch.chdir(folder)
        counts.append(api.find("./net.arch").graph.params)
    narrow, wide = (3 * w * 9 + w + w * 2 + 2 for w in (4, 32))
    assert counts == [narrow, wide, narrow, wide]


def test_a_network_is_read_again_when_a_name_leads_elsewhere(folders: tuple[Path, Path]) -> None:
    _, b = folders
    before = api.find("net.arch")
    assert api.find("net.arch").file is before.file
    (b / "narrow.arch").write_text(NARROW)
    (b / "parts.arch").unlink()
    (b / "parts.arch").symlink_to("narrow.arch")
    assert api.find("net.arch").graph.params < before.graph.params


def test_one_file_under_two_names_is_one_file(folders: tuple[Path, Path]) -> None:
    _, b = folders
    (b / "again.arch").symlink_to("parts.arch")
    (b / "net.arch").write_text('use "again.arch" (width)\n' + NET)
    # The same definition twice: not two functions that happen to be equal.
    assert _codes("net.arch") == ["E106"]
    (b / "parts.arch").write_text('use "again.arch" (width)\n' + NARROW)
    assert _codes("parts.arch")[:1] == ["E112"]


def test_a_file_under_two_names_goes_into_another_process(folders: tuple[Path, Path]) -> None:
    _, b = folders
    (b / "inner.arch").write_text("fn twice(n) = 2 * n\n")
    (b / "parts.arch").write_text('use "./inner.arch" (twice)\nfn width(n) = twice(n)\nfn depth(n) = n\n')
    (b / "again.arch").symlink_to("parts.arch")
    (b / "net.arch").write_text('use "again.arch" (depth)\n' + NET.replace("width(1)", "width(depth(1))"))
    file = api.open("net.arch")
    assert pickle.loads(pickle.dumps(file))["net"].graph.params == file["net"].graph.params == 3 * 2 * 9 + 2 + 2 * 2 + 2


def test_a_text_that_is_no_file_uses_shipped_specs_only(folders: tuple[Path, Path]) -> None:
    with pytest.raises(ArchError) as caught:
        api.open_source(Source("net.arch", NET))
    assert [d.code for d in caught.value.diagnostics] == ["E110"]


def test_layers_that_are_set_are_told_apart_by_what_they_say(tmp_path: Path) -> None:
    """Both texts stand at the same place of a `--set f`: the second is no repetition of the first."""
    spec = tmp_path / "net.arch"
    spec.write_text(
        "block Unit(f: layer) = a: f -> conv(8, 3)\n"
        "model Net(f: layer = id) = image(3, 8, 8) -> u: Unit(f) -> gap -> flatten -> fc: linear(2)\n"
    )
    variant = api.find(spec)
    made = [variant.set({"f": text}).graph.nodes[2].op.name for text in ("id + relu", "id * relu")]
    assert made == ["add", "mul"]


# --- lines -----------------------------------------------------------------------------------

LINES = '"""Two\nlines."""\n# a comment\n' + net("image(3, 8, 8) -> conv(4, 3) -> gap -> flatten -> linear(2)")


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_lines_end_alike_in_files_and_texts(tmp_path: Path, newline: str) -> None:
    path = tmp_path / "net.arch"
    path.write_bytes(LINES.replace("\n", newline).encode())
    for file in (api.open(path), api.open_source(Source("text", LINES.replace("\n", newline)))):
        assert file.docstring == "Two\nlines."
        assert file["net"].source == api.open_source(Source("text", LINES))["net"].source


@pytest.mark.parametrize("place", ["# a com", '"""Tw', "lines.", "image(3,", "-> gap"])
def test_a_lone_carriage_return_is_an_error_everywhere(tmp_path: Path, place: str) -> None:
    text = LINES.replace(place, place + "\r")
    path = tmp_path / "net.arch"
    path.write_bytes(text.encode())
    for source in (library.read(path), Source("text", text)):
        with pytest.raises(ArchError) as caught:
            api.open_source(source)
        (found,) = caught.value.diagnostics
        assert (found.code, found.span and found.span.text) == ("E011", "\r")
    with pytest.raises(ArchError) as caught:
        api.open_source(Source("text", LINES))["net"].set({"classes": "1\r0"})
    assert caught.value.diagnostics[0].code == "E011"


# --- files that are none, or never end ----------------------------------------------------------


@pytest.fixture
def little_memory() -> object:
    """300 MB more than now, at most."""
    before = resource.getrlimit(resource.RLIMIT_AS)
    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + 300 * 2**20, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_AS, before)


@pytest.mark.usefixtures("little_memory")
@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("fifo", "a pipe"),
        ("device", "a device"),
        ("socket", "a socket"),
        ("folder", "a folder"),
        ("loop", "symbolic links"),
        ("absent", "No such file"),
        ("n" * 300, "too long"),
        ("nul\0", "null byte"),
    ],
)
def test_only_regular_files_are_read(tmp_path: Path, kind: str, said: str) -> None:
    path = tmp_path / f"{kind}.arch"
    listening = socket.socket(socket.AF_UNIX)
    match kind:
        case "fifo":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "socket":
            listening.bind(str(path))
        case "folder":
            path.mkdir()
        case "loop":
            path.symlink_to(path)
    ((code, text),) = _findings(path)
    listening.close()
    assert (code, said in text) == ("E602", True), text
    # And where another file uses it, there.
    user = tmp_path / "net.arch"
    user.write_text(NET.replace("parts.arch", path.name))
    with pytest.raises(ArchError) as caught:
        api.open(user)
    (found,) = caught.value.diagnostics
    wanted = {"absent": "E110", "device": "E116"}.get(kind, "E602")
    assert (found.code, found.span and found.span.line) == (wanted, 1)


@pytest.mark.usefixtures("little_memory")
def test_no_more_is_read_than_a_spec_may_have(tmp_path: Path) -> None:
    path = tmp_path / "large.arch"
    path.write_bytes(b"")
    os.truncate(path, 2**40)
    assert _codes(path) == ["E009"]
    path.write_text("# " + "é" * (MAX_TEXT - 2))
    assert len(library.read(path).text) == MAX_TEXT
    assert _codes(path) == []
    path.write_text("# " + "é" * (MAX_TEXT - 1))
    assert _codes(path) == ["E009"]
    path.write_text("# " + "𝄞" * (MAX_TEXT - 1))  # four bytes each, and the last one is cut
    assert _codes(path) == ["E009"]
    path.write_bytes(b"# \xff\n")
    assert _codes(path) == ["E602"]


def _chain(folder: Path, length: int) -> Path:
    for index in range(length):
        (folder / f"f{index}.arch").write_text(
            f'use "f{index + 1}.arch" (f)\nfn f(n) = n\n'.replace(f'use "f{length}.arch" (f)\n', "")
        )
    return folder / "f0.arch"


def test_a_long_chain_of_files_is_refused(tmp_path: Path) -> None:
    assert "E009" in _codes(_chain(tmp_path, 2_000))


@pytest.mark.parametrize(("count", "codes"), [(MAX_FILES, []), (MAX_FILES + 1, ["E009"])])
def test_files_that_one_uses_are_counted(tmp_path: Path, count: int, codes: list[str]) -> None:
    for index in range(count):
        (tmp_path / f"f{index}.arch").write_text(f"fn f{index}(n) = n\n")
    (tmp_path / "net.arch").write_text("".join(f'use "f{index}.arch" (f{index})\n' for index in range(count)))
    assert _codes(tmp_path / "net.arch") == codes


def test_characters_and_uses_are_counted(tmp_path: Path) -> None:
    half = "#" * (MAX_CHARACTERS // 2) + "\n"
    (tmp_path / "a.arch").write_text(half + "fn a(n) = n\n")
    (tmp_path / "b.arch").write_text(half + "fn b(n) = n\n")
    main = tmp_path / "net.arch"
    main.write_text('use "a.arch" (a)\nuse "b.arch" (b)\n')
    assert _codes(main) == ["E009"]
    main.write_text("".join(f'use "a{index}.arch" (a{index})\n' for index in range(MAX_USES + 9)))
    found = [d.code for d in ArchFile(library.read(main)).bag.errors]
    assert (found.count("E110"), found.count("E009"), len(found)) == (MAX_USES, 1, MAX_USES + 1)
