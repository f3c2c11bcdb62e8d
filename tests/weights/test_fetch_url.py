"""Files of URLs: a real server on the loopback, what goes well, what is not the file, and who says no."""

from __future__ import annotations

import hashlib
import io
import random
import socket
import sys
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest

from archdsl.diagnostics.core import ArchError
from archdsl.weights.download import Patience, fetch_url
from archdsl.weights.download.opening import address_fault
from archdsl.weights.download.places import checkpoints, file_name, folder_of
from tests.weights.fetching import DATA, SHA, Notes, fetched, left_in, refused
from tests.weights.server import Server, answers, chunked, raw, status

# --- where files lie -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "given", [{}, {"TORCH_HOME": "~/t"}, {"XDG_CACHE_HOME": "/c"}, {"TORCH_HOME": "", "XDG_CACHE_HOME": "/c"}], ids=str
)
def test_the_folder_is_that_of_torch_hub(given: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the environment says; torch need not be imported, and what is told it there is heeded."""
    import torch.hub

    hub = torch.hub
    for name in ("TORCH_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    with monkeypatch.context() as patched:
        patched.delitem(sys.modules, "torch.hub")
        assert str(checkpoints()) == hub.get_dir() + "/checkpoints"
    monkeypatch.setattr(hub, "_hub_dir", "/elsewhere")  # as set_dir does
    assert str(checkpoints()) == "/elsewhere/checkpoints"


def test_the_name_is_that_of_torch_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """As load_state_dict_from_url names it, which asks for the file under this name."""
    import torch.hub

    asked: list[str] = []
    monkeypatch.setattr(torch.hub, "download_url_to_file", lambda url, dst, *a, **k: asked.append(dst))
    for url in (
        "https://a.org/x/net-0123abcd.pth",
        "https://a.org/net.pth?download=1#top",
        "https://a.org/a%20b.pth;v",
    ):
        with pytest.raises(FileNotFoundError):
            torch.hub.load_state_dict_from_url(url, model_dir=str(tmp_path))
        assert asked.pop() == str(tmp_path / file_name(url))


# --- what goes well --------------------------------------------------------------------------


def test_a_file_is_fetched_once(server: Server, folder: Path) -> None:
    url = server.serve("/net-1.pth", DATA)
    path = fetched(url, size=len(DATA))
    assert path == folder / "net-1.pth"
    assert path.read_bytes() == DATA
    assert left_in(folder) == {"net-1.pth"}
    assert fetched(url) == path
    assert len(server.gets()) == 1
    assert server.gets()[0]["user-agent"].startswith("archdsl/")


@pytest.mark.parametrize(
    ("digits", "algorithm"),
    [
        (SHA[:8], "sha256"),
        (SHA.upper(), "sha256"),
        (hashlib.sha1(DATA).hexdigest()[:8], "sha1"),
        (hashlib.md5(DATA).hexdigest(), "md5"),
    ],
)  # fmt: skip
def test_hashes(server: Server, digits: str, algorithm: str) -> None:
    fetched(server.serve("/net.pth", DATA), digits, algorithm=algorithm)
    other = digits[:-1] + ("0" if digits[-1] != "0" else "1")
    assert refused("E527", server.serve("/net2.pth", DATA), other, algorithm=algorithm)


@pytest.mark.parametrize("digits", ["", "abc", "x" * 8, "0" * 65, "sha1:01234567"])
def test_what_is_no_hash(digits: str) -> None:
    with pytest.raises(ValueError, match="hexadecimal digits"):
        fetch_url("https://a.org/net.pth", digits)
    with pytest.raises(ValueError, match="one of sha256"):
        fetch_url("https://a.org/net.pth", "0" * 8, algorithm="crc32")


def test_without_a_hash_that_is_said(server: Server, folder: Path) -> None:
    url = server.serve("/net.pth", DATA)
    notes: Notes = []
    fetched(url, None, notes)
    fetched(url, None, notes)
    assert [text.split(":")[0] for _, text in notes] == [
        "no hash is stated for it, so it was not checked",
        "it was taken as it lay there",
    ]


def test_redirects(server: Server) -> None:
    server.serve("/c/net.pth", DATA)
    server.serve("/b", b"", *[status(307, Location="c/net.pth")] * 2)
    url = server.serve("/net.pth", b"", *[status(302, Location="/b")] * 2)
    assert fetched(url).read_bytes() == DATA


def test_chunked_without_length(server: Server) -> None:
    assert fetched(server.serve("/net.pth", DATA, chunked())).read_bytes() == DATA
    assert fetched(server.serve("/net2.pth", DATA, chunked(5000), chunked())).read_bytes() == DATA


def test_what_lies_there_is_checked_and_used(server: Server, folder: Path) -> None:
    """Put there by hand, for a machine without a network."""
    folder.mkdir(parents=True)
    (folder / "net.pth").write_bytes(DATA)
    assert fetched("https://nowhere.invalid/net.pth") == folder / "net.pth"
    assert left_in(folder) == {"net.pth"}


def test_another_file_there_is_replaced_when_the_right_one_came(server: Server, folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "net.pth").write_bytes(b"another")
    diagnostic = refused("E524", server.url + "/net.pth")
    assert any(hashlib.sha256(b"another").hexdigest() in note for note in diagnostic.notes)
    assert (folder / "net.pth").read_bytes() == b"another"
    notes: Notes = []
    fetched(server.serve("/net.pth", DATA), notes=notes)
    assert (folder / "net.pth").read_bytes() == DATA
    assert "another hash" in notes[0][1]
    assert "replaced" in notes[1][1]
    fetched(server.serve("/net.pth", DATA[:-1]), None, notes, size=len(DATA) - 1)
    assert (folder / "net.pth").read_bytes() == DATA[:-1]


@pytest.mark.parametrize("kind", ["sha256", "sha1"])
def test_a_file_that_fits_its_name_is_not_replaced(server: Server, folder: Path, kind: str) -> None:
    """torchvision takes what lies there under this name."""
    genuine = b"genuine"
    name = f"net-{hashlib.new(kind, genuine).hexdigest()[:8]}.pth"
    folder.mkdir(parents=True)
    (folder / name).write_bytes(genuine)
    url = server.serve(f"/{name}", DATA)
    for size in (None, len(DATA)):
        assert "not replaced" in refused("E529", url, size=size).message
    assert (folder / name).read_bytes() == genuine
    place = fetched(url, shared=False)
    assert place.read_bytes() == DATA
    assert place.name == name
    assert (folder / name).read_bytes() == genuine
    assert fetched("https://nowhere.invalid/" + name, hashlib.sha256(genuine).hexdigest()) == folder / name


@pytest.mark.parametrize(
    ("url", "shared"),
    [
        ("https://download.pytorch.org/models/resnet18-f37072fd.pth", True),
        ("https://download.pytorch.org/models/quantized/resnet18-f37072fd.pth", True),
        ("https://github.com/osmr/imgclsmob/releases/download/v0.0.495/n-44f5ecbe.pth.zip", True),
        ("http://download.pytorch.org/models/resnet18-f37072fd.pth", False),
        ("https://download.pytorch.org.evil.org/models/resnet18-f37072fd.pth", False),
        ("https://github.com/osmr/imgclsmob/releases/download/../../../../evil/e/releases/n.pth", False),
        ("https://github.com/osmr/imgclsmob/releases/download/%2e%2e/%2E%2E/n.pth", False),
        ("https://github.com/evil/imgclsmob/releases/download/v1/n.pth", False),
        ("https://download.pytorch.org/models/x?/resnet18-f37072fd.pth", False),
        ("https://[::1]:80/resnet18-f37072fd.pth", False),
    ],
)
def test_what_a_spec_gives_from_elsewhere_lies_apart(url: str, shared: bool) -> None:
    place = folder_of(url)
    assert (place == checkpoints()) == shared
    assert shared or (place.parent == checkpoints() / "archdsl" and place != folder_of(url + "x"))


# --- what comes is not the file --------------------------------------------------------------


def test_wrong_bytes(server: Server, folder: Path) -> None:
    diagnostic = refused("E527", server.serve("/net.pth", DATA[::-1]))
    assert hashlib.sha256(DATA[::-1]).hexdigest() in diagnostic.message
    assert SHA in diagnostic.message
    assert left_in(folder) == set()
    assert len(server.gets()) == 1


def test_another_size_than_is_stated(server: Server, folder: Path) -> None:
    assert (
        "300,000 bytes, and 299,999 are stated" in refused("E528", server.serve("/net.pth", DATA), size=299_999).message
    )
    assert (
        "more than 299,999 bytes come"
        in refused("E528", server.serve("/net.pth", DATA, chunked()), size=299_999).message
    )
    refused("E526", server.serve("/net.pth", DATA, *[chunked()] * 3), size=300_001)
    assert not (folder / "net.pth").exists()


def test_a_wrong_content_length(server: Server, folder: Path) -> None:
    longer = answers(200, {"Content-Length": "300001"}, DATA)
    assert "after 300,000 of 300,001 bytes" in refused("E526", server.serve("/net.pth", DATA, *[longer] * 4)).message
    shorter = answers(200, {"Content-Length": "299999"}, DATA)
    refused("E527", server.serve("/net2.pth", DATA, shorter))


def test_a_web_page(server: Server) -> None:
    url = server.serve("/net.pth", b"<html>Sign in", headers={"Content-Type": "text/html; charset=utf-8"})
    assert "web page" in refused("E528", url).message
    assert (
        "encoded as gzip" in refused("E528", server.serve("/a.pth", b"", headers={"Content-Encoding": "gzip"})).message
    )


def test_redirects_that_lead_nowhere(server: Server) -> None:
    url = server.serve("/net.pth", b"", *[status(302, Location="/net.pth")] * 99)
    assert "have no end" in refused("E528", url).message
    assert len(server.gets()) < 20
    for target in ("file:///etc/passwd", "ftp://127.0.0.1/net.pth", "http://a:b@127.0.0.1/net.pth"):
        message = refused("E528", server.serve("/r.pth", b"", status(301, Location=target))).message
        assert "no address" in message or "not allowed" in message
    refused("E528", server.serve("/r.pth", b"", status(302)))


def test_redirects_from_https_to_http() -> None:
    from urllib.request import Request

    from archdsl.weights.download.opening import ForbiddenRoute, Redirects

    request = Request("https://a.org/net.pth")
    with pytest.raises(ForbiddenRoute, match="from https to http"):
        Redirects().redirect_request(request, io.BytesIO(), 302, "", {}, "http://a.org/net.pth")  # type: ignore[arg-type]
    found = Redirects().redirect_request(request, io.BytesIO(), 302, "", {}, "https://b.org/b.pth")  # type: ignore[arg-type]
    assert found is not None
    assert found.full_url == "https://b.org/b.pth"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://a.org/net.pth", "only http"), ("file:///etc/passwd", "only http"), ("net.pth", "only http"),
        ("https:///net.pth", "no server"), ("https://a.org/", "name of a file"), ("https://a.org", "name of a file"),
        ("https://a.org/..", "name of a file"), ("https://a.org/.zip", "name of a file"),
        ("https://a.org/a b.pth", "digits"), ("https://a.org/ü.pth", "digits"), ("https://a.org/a\n.pth", "digits"),
        ("https://me:secret@a.org/net.pth", "password"), ("https://a.org:x/net.pth", ""), ("https://[1/net.pth", ""),
        ("https://a.org/" + "x" * 300, "name of a file"), ("https://a.org/a\\b.pth", "name of a file"),
    ],
)  # fmt: skip
def test_what_is_no_address(url: str, why: str) -> None:
    assert why in refused("E522", url).message
    assert address_fault("https://a.org/net.pth") is None


# --- servers that say no ---------------------------------------------------------------------


def test_not_there(server: Server, folder: Path) -> None:
    diagnostic = refused("E524", server.url + "/net.pth")
    assert "404 Not Found" in diagnostic.message
    assert len(server.gets()) == 1
    notes = "\n".join(diagnostic.notes)
    assert f"address: {server.url}/net.pth" in notes
    assert f"hash: sha256 {SHA}" in notes
    assert f"place: {folder / 'net.pth'}" in notes


def test_too_many_requests(server: Server) -> None:
    url = server.serve("/net.pth", DATA, status(429, Retry_After="0"), status(500), status(503))
    assert fetched(url, patience=Patience(tries=4, delay=0.01)).read_bytes() == DATA
    diagnostic = refused("E525", server.serve("/net2.pth", DATA, *[status(429)] * 5))
    assert "429 Too Many Requests" in diagnostic.message
    assert len(server.gets("/net2.pth")) == 3


def test_a_server_that_asks_to_wait(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr("archdsl.weights.download.transfer.time.sleep", slept.append)
    patience = Patience(tries=3, longest=60)
    date = formatdate(1, usegmt=True)
    faults = status(429, Retry_After="7"), status(503, Retry_After=date), status(503, Retry_After="soon")
    fetched(server.serve("/net.pth", DATA, *faults), patience=Patience(tries=4, longest=60))
    assert slept == [7, 0, 4]
    diagnostic = refused(
        "E525", server.serve("/net3.pth", DATA, status(429, Retry_After="9" * 5000)), patience=patience
    )
    diagnostic = refused("E525", server.serve("/net2.pth", DATA, status(429, Retry_After="3600")), patience=patience)
    assert "asks to wait 3,600 seconds" in str(diagnostic.help)
    assert len(slept) == 3


def test_no_network(server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert "Connection refused" in refused("E523", f"http://127.0.0.1:{port}/net.pth").message

    def unknown(*args: Any, **options: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    diagnostic = refused("E523", "https://a.org/net.pth")
    assert "Name or service not known" in diagnostic.message
    assert any(str(folder / "net.pth") in note for note in diagnostic.notes)


H = b"HTTP/1.1 "
ANSWERS = [
    b"",
    b"garbage",
    H + b"200 OK\r\n\r\nabc",
    b"HTTP/1.0 200 OK\r\n\r\nabc",
    H + b"\xff\xff\r\n\r\n",
    H + b"200\r\nContent-Length: -5\r\n\r\nabc",
    H + b"200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\nabc",
    H + b"206 P\r\nContent-Range: bytes x-y/z\r\nContent-Length: 3\r\n\r\nabc",
    H + b"999 X\r\n\r\n",
    H + b"302 F\r\nLocation: http://[::1\r\n\r\n",
    H + b"302 F\r\nLocation: http://\xe4.org/x\r\n\r\n",
    H + b"302 F\r\nLocation: http://a b/x\r\n\r\n",
    H + b"302 F\r\nLocation: /\xff x\r\n\r\n",
    H + b"302 F\r\nLocation: http://127.0.0.1:99999/x\r\n\r\n",
    H + b"302 F\r\nLocation: javascript:x\r\n\r\n",
    H + b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
    H + b"304 N\r\n\r\n",
    H + b"204 N\r\n\r\n",
    H + b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-3\r\nabc",
    H + b"429 T\r\nRetry-After: Thu, 99 Foo\r\n\r\n",
    H + b"200 OK\r\n" + b"A: b\r\n" * 300 + b"\r\nabc",
    H + b"200 OK\r\nA: " + b"x" * 70_000 + b"\r\n\r\nabc",
    H + b"416 R\r\nContent-Range: bytes */" + b"9" * 5000 + b"\r\n\r\n",
    H + b"500 \x1b[31mred\r\n\r\n",
    H + b'200 OK\r\nETag: "a\xffb"\r\nContent-Length: 9\r\n\r\nabc',
    H + b"429 T\r\nRetry-After: -5\r\n\r\n",
    H + b"200 OK\r\nLast-Modified: \xff\r\nContent-Length: 9\r\n\r\nabc",
    H + b"200 OK\r\nContent-Type: \xff;;;\r\n\r\nabc",
]


def test_whatever_a_server_says(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is the file or an error of ours, on lines of its own; also of answers that are damaged."""
    rng = random.Random(4)
    damaged = []
    for answer in rng.choices(ANSWERS, k=60):
        data = bytearray(answer[:200] or b"HTTP")
        for _ in range(rng.randrange(1, 6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        damaged.append(bytes(data))
    patience = Patience(tries=2, requests=3, timeout=2.0, delay=0, longest=0.1)
    look_up = socket.getaddrinfo

    def here(host: Any, *given: Any, **options: Any) -> Any:
        return look_up("127.0.0.1", *given, **options)

    monkeypatch.setattr(socket, "getaddrinfo", here)
    messages, kept = [], 0
    for number, answer in enumerate([*ANSWERS, *damaged]):
        url = server.serve(f"/n{number}.pth", DATA, *[raw(answer)] * 20)
        try:
            path = fetched(url, None if number % 2 else SHA, patience=patience, progress=False)
        except ArchError as error:
            messages.append(error.diagnostics[0].message)
        else:  # of no stated hash it is what the server sent
            whole = path.read_bytes()
            assert answer.endswith(whole) if number % 2 else whole == DATA
            kept += 1
    assert len(messages) > 60
    assert kept
    assert not any("\n" in message for message in messages)
