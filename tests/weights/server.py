"""A real HTTP server on the loopback that serves what a test gives it, and misbehaves as the test says.

It knows `Range`, `If-Range` and ETags as file servers do. `faults` of a file are answers to its first requests.
"""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"

Fault = Callable[["Handler", "File"], None]


@dataclass
class File:
    """What lies at a path: its bytes, how it is served, and what goes wrong before."""

    data: bytes
    etag: str | None = None
    ranges: bool = True
    headers: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    head: dict[str, str] | None = None
    """The headers for HEAD, if these are others; with a `Location` it is a redirect, for GET too."""
    head_faults: list[Fault] = field(default_factory=list)


@dataclass
class Server:
    """The server's address, its files, and each request that came: method, path, headers."""

    url: str
    files: dict[str, File] = field(default_factory=dict)
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def serve(self, path: str, data: bytes, *faults: Fault, **options: object) -> str:
        """Put a file there; its URL."""
        options.setdefault("etag", f'"{hashlib.md5(data).hexdigest()}"')
        self.files[path] = File(data, faults=list(faults), **options)  # type: ignore[arg-type]
        return self.url + path

    def serve_hub(
        self, repo: str, file: str, data: bytes, *faults: Fault, commit: str = COMMIT, large: bool = True
    ) -> str:
        """Put a file into a repository of a hub, as Hugging Face's answers for it: a large one lies elsewhere, under
        its sha256, and the faults are that place's. Its address."""
        sha256 = hashlib.sha256(data).hexdigest()
        stated = {"X-Repo-Commit": commit}
        path = f"/{repo}/resolve/main/{file}"
        if not large:
            return self.serve(path, data, *faults, etag=f'"{sha256[:40]}"', headers=stated)
        # On another host: huggingface_hub itself follows redirects that stay on the hub's.
        elsewhere = self.serve(f"/cdn/{sha256}", data, *faults).replace("127.0.0.1", "localhost")
        stated |= {"X-Linked-Etag": f'"{sha256}"', "X-Linked-Size": str(len(data)), "Location": elsewhere}
        return self.serve(path, b"", head=stated, etag='"pointer"')

    def heads(self) -> int:
        return sum(method == "HEAD" for method, _, _ in self.requests)

    def gets(self, path: str = "") -> list[dict[str, str]]:
        """The headers of each GET of a file below a path."""
        return [headers for method, at, headers in self.requests if method == "GET" and at.startswith(path)]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: Server

    def log_message(self, format: str, *args: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self.answer(body=False)

    def do_GET(self) -> None:
        self.answer(body=True)

    def answer(self, *, body: bool) -> None:
        path = self.path.partition("?")[0]
        self.owner.requests.append((self.command, path, {key.lower(): value for key, value in self.headers.items()}))
        file = self.owner.files.get(path)
        if file is None:
            status(404)(self, File(b""))
            return
        faults = file.faults if body else file.head_faults
        if faults:
            faults.pop(0)(self, file)
        elif file.head is not None and (not body or "Location" in file.head):
            self.send_response(302 if "Location" in file.head else 200)
            self.send_headers({"Content-Length": "0", **file.head}, file)
        elif body:
            self.send(file)
        else:
            self.send_response(200)
            self.send_headers({"Content-Length": str(len(file.data))}, file)

    def send_headers(self, headers: dict[str, str], file: File) -> None:
        for key, value in {**({"ETag": file.etag} if file.etag else {}), **file.headers, **headers}.items():
            self.send_header(key, value)
        self.end_headers()

    def send(self, file: File, cut: int | None = None) -> None:
        """The file, or the part that was asked for; `cut` bytes of it, and then the connection ends."""
        start, asked = 0, self.headers.get("Range")
        condition = self.headers.get("If-Range")
        if asked and file.ranges and condition in (None, file.etag):
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(file.data):
                self.send_response(416)
                self.send_headers({"Content-Range": f"bytes */{len(file.data)}", "Content-Length": "0"}, file)
                return
            self.send_response(206)
            extra = {"Content-Range": f"bytes {start}-{len(file.data) - 1}/{len(file.data)}"}
        else:
            self.send_response(200)
            extra = {}
        data = file.data[start:]
        self.send_headers({"Content-Length": str(len(data)), **extra}, file)
        self.wfile.write(data if cut is None else data[:cut])
        if cut is not None:
            self.close_connection = True


def breaks(after: int) -> Fault:
    """The connection ends after so many bytes."""
    return lambda handler, file: handler.send(file, cut=after)


def status(code: int, **headers: str) -> Fault:
    def fault(handler: Handler, file: File) -> None:
        handler.send_response(code)
        for key, value in headers.items():
            handler.send_header(key.replace("_", "-"), value)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    return fault


def late(seconds: float) -> Fault:
    """The file, after a while."""

    def fault(handler: Handler, file: File) -> None:
        time.sleep(seconds)
        handler.send(file)

    return fault


def hangs(seconds: float, after: int = 0) -> Fault:
    """Nothing comes any more after so many bytes."""

    def fault(handler: Handler, file: File) -> None:
        handler.send_response(200)
        handler.send_headers({"Content-Length": str(len(file.data))}, file)
        handler.wfile.write(file.data[:after])
        handler.wfile.flush()
        time.sleep(seconds)
        handler.close_connection = True

    return fault


def trickles(each: float, count: int) -> Fault:
    """A byte now and then."""

    def fault(handler: Handler, file: File) -> None:
        handler.send_response(200)
        handler.send_headers({"Content-Length": str(len(file.data))}, file)
        handler.close_connection = True
        try:
            for at in range(count):
                handler.wfile.write(file.data[at : at + 1])
                handler.wfile.flush()
                time.sleep(each)
        except OSError:
            pass

    return fault


def chunked(file_cut: int | None = None) -> Fault:
    """In chunks, so that the length is not known before; `file_cut` bytes of it, and then the connection ends."""

    def fault(handler: Handler, file: File) -> None:
        handler.send_response(200)
        handler.send_headers({"Transfer-Encoding": "chunked"}, file)
        data = file.data[:file_cut]
        for at in range(0, len(data), 1000):
            piece = data[at : at + 1000]
            handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
        if file_cut is None:
            handler.wfile.write(b"0\r\n\r\n")
        else:
            handler.close_connection = True

    return fault


def raw(data: bytes) -> Fault:
    """These bytes, whatever they are."""

    def fault(handler: Handler, file: File) -> None:
        handler.wfile.write(data)
        handler.close_connection = True

    return fault


def answers(code: int, headers: dict[str, str], data: bytes) -> Fault:
    """Exactly this."""

    def fault(handler: Handler, file: File) -> None:
        handler.send_response(code)
        for key, value in headers.items():
            handler.send_header(key, value)
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = True

    return fault


@contextmanager
def serving() -> Iterator[Server]:
    made = Server("")
    handler = type("Owned", (Handler,), {"owner": made})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as http:
        made.url = f"http://127.0.0.1:{http.server_address[1]}"
        thread = threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            http.shutdown()
            thread.join()
