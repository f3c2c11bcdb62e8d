"""Where a download goes: folders that cannot be written to, several processes at once, and what is shown of it."""

from __future__ import annotations

import errno
import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.weights.fetching import DATA, SHA, fetched, left_in, refused
from tests.weights.server import Server, breaks, hangs, late


def test_a_folder_that_is_a_file(server: Server, folder: Path) -> None:
    folder.parent.mkdir(parents=True)
    folder.write_text("")
    refused("E529", server.serve("/net.pth", DATA))
    assert server.gets() == []
    folder.unlink()
    (folder / "net.pth").mkdir(parents=True)
    assert "no file" in refused("E529", server.serve("/net.pth", DATA)).message


def test_a_folder_that_cannot_be_written_to(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no(self: Path, *args: Any, **options: Any) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "mkdir", no)
        assert "Permission denied" in refused("E529", server.serve("/net.pth", DATA)).message
        assert server.gets() == []
    folder.mkdir(parents=True)
    (folder / "net.pth").write_bytes(DATA)
    monkeypatch.setattr(Path, "mkdir", no)
    assert fetched(server.url + "/net.pth") == folder / "net.pth"  # what is there needs no place


def test_a_full_disk(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")
    with monkeypatch.context() as patched:
        patched.setattr(shutil, "disk_usage", lambda path: usage._replace(free=299_999))
        diagnostic = refused("E529", server.serve("/net.pth", DATA))
    assert "300.0 kB are to come, and 300.0 kB are free" in diagnostic.message

    def full(file: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert "No space left" in refused("E529", server.serve("/net.pth", DATA)).message


ONE = """
import sys
from archdsl.weights.download import fetch_url
path = fetch_url(sys.argv[1], sys.argv[2])
assert "torch" not in sys.modules and "huggingface_hub" not in sys.modules
print(path)
"""


def test_four_processes_fetch_one_file(server: Server, folder: Path) -> None:
    url = server.serve("/net.pth", DATA, late(1.0))
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", ONE, url, SHA], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    said = [run.communicate(timeout=60) for run in runs]
    assert [run.returncode for run in runs] == [0] * 4, said
    assert {out for out, _ in said} == {f"{folder / 'net.pth'}\n"}
    assert len(server.gets()) == 1
    assert sum("fetching" in err for _, err in said) == 1
    assert all("fetching" in err or "another process fetches net.pth" in err or not err for _, err in said)
    assert left_in(folder) == {"net.pth"}


def test_a_download_that_was_killed_goes_on(server: Server, folder: Path) -> None:
    """Its lock is nobody's then, and what came is there."""
    url = server.serve("/net.pth", DATA, hangs(1.0, after=100_000))
    run = subprocess.Popen([sys.executable, "-c", ONE, url, SHA], stderr=subprocess.DEVNULL)
    part = folder / "net.pth.part"
    for _ in range(1000):
        if part.exists() and part.stat().st_size == 100_000:
            break
        time.sleep(0.02)
    run.kill()
    run.wait()
    assert fetched(url).read_bytes() == DATA
    assert server.gets()[-1]["range"] == "bytes=100000-"
    assert left_in(folder) == {"net.pth"}


def test_a_lock_that_was_left_holds_nobody_up(server: Server, folder: Path) -> None:
    (folder / ".locks").mkdir(parents=True)
    (folder / ".locks" / "net.pth.lock").write_text("4242\n")
    assert fetched(server.serve("/net.pth", DATA)).read_bytes() == DATA


def test_one_line_where_there_is_no_terminal(server: Server, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = server.serve("/net.pth", DATA)
    fetched(url)
    assert capsys.readouterr() == ("", f"fetching {url} (300.0 kB) into {folder}\n")
    fetched(url)
    fetched(server.serve("/net2.pth", DATA), progress=False)
    assert capsys.readouterr() == ("", "")


def test_a_bar_on_a_terminal(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr(sys, "stderr", Terminal())
    fetched(server.serve("/net.pth", DATA, breaks(1000)))
    shown = sys.stderr.getvalue()  # type: ignore[attr-defined]
    assert "net.pth" in shown
    assert "300.0/300.0 kB" in shown
    assert "broke off" in shown
