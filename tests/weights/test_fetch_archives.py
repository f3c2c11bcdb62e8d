"""A file in an archive, and archives that are none."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import pytest

from tests.weights.fetching import DATA, fetched, left_in, refused
from tests.weights.server import Server, breaks


def zipped(*files: tuple[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return buffer.getvalue()


def test_a_file_in_an_archive(server: Server, folder: Path) -> None:
    """As pytorchcv publishes them; whatever the archive calls the file, it is called as the archive."""
    sha1 = hashlib.sha1(DATA).hexdigest()
    url = server.serve("/net-0500-01234567.pth.zip", zipped(("../../evil.pth", DATA)), breaks(100_000))
    path = fetched(url, sha1, algorithm="sha1", size=len(DATA))
    assert path == folder / "net-0500-01234567.pth"
    assert path.read_bytes() == DATA
    assert left_in(folder) == {path.name}
    assert server.gets()[-1]["range"] == "bytes=100000-"
    assert fetched(url, sha1, algorithm="sha1") == path
    assert len(server.gets()) == 2


def test_an_archive_that_was_put_there(folder: Path, server: Server) -> None:
    folder.mkdir(parents=True)
    (folder / "net.pth.zip").write_bytes(zipped(("net.pth", DATA)))
    assert fetched("https://nowhere.invalid/net.pth.zip").read_bytes() == DATA
    assert left_in(folder) == {"net.pth", "net.pth.zip"}


def test_archives_that_are_none(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    two = zipped(("a.pth", DATA), ("b.pth", DATA))
    assert "2 files" in refused("E531", server.serve("/a.pth.zip", two)).message
    assert "0 files" in refused("E531", server.serve("/a.pth.zip", zipped())).message
    assert "damaged" in refused("E531", server.serve("/a.pth.zip", DATA)).message
    broken = bytearray(zipped(("a.pth", DATA)))
    broken[1000] ^= 1
    assert "damaged" in refused("E531", server.serve("/a.pth.zip", bytes(broken))).message
    one = zipped(("a.pth", DATA))
    archive_hash = hashlib.sha256(one).hexdigest()
    assert "is the archive's" in refused("E531", server.serve("/a.pth.zip", one), archive_hash).message
    refused("E527", server.serve("/a.pth.zip", one), "0" * 64)
    monkeypatch.setattr("archdsl.weights.download.archive.LARGEST", 1 << 20)
    bomb = zipped(("a.pth", bytes(8_000_000)))
    assert "8.0 MB" in refused("E531", server.serve("/a.pth.zip", bomb)).message
    assert left_in(folder) == set()


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_damaged_archives(server: Server, method: int) -> None:
    """Whatever they are packed with, and wherever they are damaged."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        archive.writestr("a.pth", DATA[:3000])
    whole = buffer.getvalue()
    assert fetched(server.serve("/net.pth.zip", whole), hashlib.sha256(DATA[:3000]).hexdigest())
    for at in (37, 39, 44, 45, 60, 2000):
        damaged = bytearray(whole)
        damaged[at] ^= 0xFF
        assert "damaged" in refused("E531", server.serve(f"/net{at}.pth.zip", bytes(damaged))).message
