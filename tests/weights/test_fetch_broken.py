"""Downloads that break off, hang or trickle: they go on where they were, or start again, and end."""

from __future__ import annotations

import contextlib
import threading
from pathlib import Path

import pytest

from archdsl.weights.download import Patience
from tests.weights.fetching import DATA, fetched, left_in, refused
from tests.weights.server import File, Handler, Server, answers, breaks, hangs, raw, trickles


def test_resumed_where_it_broke_off(server: Server) -> None:
    url = server.serve("/net.pth", DATA, breaks(100_000), breaks(50_000))
    assert fetched(url).read_bytes() == DATA
    assert [headers.get("range") for headers in server.gets()] == [None, "bytes=100000-", "bytes=150000-"]
    assert [headers.get("if-range") for headers in server.gets()] == [None, *[server.files["/net.pth"].etag] * 2]


def test_resumed_by_a_later_call(server: Server, folder: Path) -> None:
    url = server.serve("/net.pth", DATA, breaks(100_000), breaks(0), breaks(0))
    diagnostic = refused("E526", url)
    assert "100.0 kB of it are there" in diagnostic.notes[0]
    assert left_in(folder) == {"net.pth.part", "net.pth.part.json"}
    assert fetched(url).read_bytes() == DATA
    assert server.gets()[-1]["range"] == "bytes=100000-"
    assert left_in(folder) == {"net.pth"}


def test_a_changed_file_is_not_glued(server: Server) -> None:
    url = server.serve("/net.pth", b"old" * 100_000, breaks(100_000), breaks(0), breaks(0))
    refused("E526", url)
    server.serve("/net.pth", DATA)
    assert fetched(url).read_bytes() == DATA
    assert [headers.get("range") for headers in server.gets()][-1] == "bytes=100000-"
    assert len(server.gets()) == 4


def test_glued_by_a_server_without_etags(server: Server) -> None:
    """The hash shows it: all of it is fetched again."""
    url = server.serve("/net.pth", b"old" * 50_000, breaks(100_000), breaks(0), breaks(0), etag=None)
    refused("E526", url)
    server.serve("/net.pth", DATA, etag=None)
    assert fetched(url).read_bytes() == DATA
    assert [headers.get("range") for headers in server.gets()][-2:] == ["bytes=100000-", None]


def test_without_hash_and_etag_nothing_is_resumed(server: Server) -> None:
    url = server.serve("/net.pth", DATA, breaks(100_000), etag='W/"weak"')
    assert fetched(url, None).read_bytes() == DATA
    assert [headers.get("range") for headers in server.gets()] == [None, None]


def test_a_server_that_ignores_ranges(server: Server) -> None:
    url = server.serve("/net.pth", DATA, breaks(100_000), ranges=False)
    assert fetched(url).read_bytes() == DATA
    assert server.gets()[-1]["range"] == "bytes=100000-"


def test_another_part_than_was_asked_for(server: Server) -> None:
    wrong = answers(206, {"Content-Range": "bytes 5-9/10", "Content-Length": "5"}, b"56789")
    assert fetched(server.serve("/net.pth", DATA, breaks(100_000), wrong)).read_bytes() == DATA
    huge = answers(206, {"Content-Range": f"bytes {'9' * 5000}-9/10", "Content-Length": "5"}, b"56789")
    assert fetched(server.serve("/net2.pth", DATA, breaks(100_000), huge)).read_bytes() == DATA


def test_a_part_that_is_too_long(server: Server, folder: Path) -> None:
    """416: the file is fetched from its start."""
    url = server.serve("/net.pth", DATA, breaks(100_000), breaks(0), breaks(0))
    refused("E526", url)
    (folder / "net.pth.part").write_bytes(b"x" * 400_000)
    assert fetched(url).read_bytes() == DATA


def test_a_part_of_another_address(server: Server) -> None:
    refused("E526", server.serve("/a/net.pth", b"old" * 100_000, *[breaks(1000), breaks(0), breaks(0)]))
    assert fetched(server.serve("/b/net.pth", DATA)).read_bytes() == DATA
    assert "range" not in server.gets("/b/net.pth")[0]


def test_broken_off_again_and_again(server: Server, folder: Path) -> None:
    refused("E526", server.serve("/net.pth", DATA, *[breaks(0)] * 9))
    assert len(server.gets()) == 3
    few = Patience(tries=3, requests=4, delay=0)
    refused("E526", server.serve("/net2.pth", DATA, *[breaks(10)] * 9), patience=few)
    assert len(server.gets("/net2.pth")) == 4


def test_a_server_that_hangs(server: Server) -> None:
    brief = Patience(tries=2, timeout=0.2, delay=0)
    assert fetched(server.serve("/net.pth", DATA, hangs(0.5, after=1000)), patience=brief).read_bytes() == DATA
    diagnostic = refused("E526", server.serve("/net2.pth", DATA, hangs(0.5), hangs(0.5)), patience=brief)
    assert "nothing came for 0.2 seconds" in diagnostic.message


@pytest.mark.parametrize(
    "sent", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 200 OK\r\nA: ", b"H"], ids=["100", "A", "H"]
)
def test_a_head_without_end(server: Server, sent: bytes) -> None:
    """One answer after another that says that it goes on, and a line a byte at a time: bytes come all the while."""
    ended = threading.Event()

    def fault(handler: Handler, file: File) -> None:
        handler.close_connection = True
        handler.wfile.write(sent)
        with contextlib.suppress(OSError):
            while not ended.wait(0.02):
                handler.wfile.write(sent if sent.endswith(b"\n") else b"a")
                handler.wfile.flush()

    patience = Patience(tries=2, timeout=0.3, delay=0.01)
    try:
        diagnostic = refused("E526", server.serve("/net.pth", DATA, fault, fault), patience=patience)
    finally:
        ended.set()
    assert "does not answer" in diagnostic.message
    answer = raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    assert fetched(server.serve("/net.pth", DATA, answer), None).read_bytes() == b"abc"


def test_a_server_that_trickles(server: Server) -> None:
    brief = Patience(tries=2, requests=2, timeout=0.2, delay=0)
    diagnostic = refused("E526", server.serve("/net.pth", DATA, *[trickles(0.05, 20)] * 2), patience=brief)
    assert "bytes came in" in diagnostic.message
