"""Opening a URL: http and https, redirects among them but never from https to http, nothing else that urllib can do."""

from __future__ import annotations

import errno
import http.client
import socket
import ssl
import time
from collections.abc import Mapping
from email.message import Message
from functools import cache
from io import BufferedReader
from typing import IO, Any, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

_NOT_THERE = (errno.ECONNREFUSED, errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL)


class Unreachable(Exception):
    """There is no way to the server, and there will be none in a minute."""


class NoAnswer(Exception):
    """The server was reached, or might have been, and did not answer."""


class ForbiddenRoute(Exception):
    """The way to the file is none that is gone."""


def address_fault(url: str) -> str | None:
    """Why a text is no address of a file, or None."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        return str(error)
    if parts.scheme not in ("http", "https"):
        return "only http and https are"
    if not host:
        return "it names no server"
    if not url.isascii() or not url.isprintable() or " " in url:
        return "it has characters that are to be written as % and two digits"
    if parts.username is not None or parts.password is not None:
        return "it has a name or a password in it"
    return None


class Redirects(HTTPRedirectHandler):
    def redirect_request(
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: Message, newurl: str
    ) -> Request | None:
        target = urljoin(req.full_url, newurl)
        fault = address_fault(target)
        if fault is not None:
            raise ForbiddenRoute(f"it is redirected to {target[:200]!r}, which is no address ({fault})")
        if req.type == "https" and urlsplit(target).scheme == "http":
            raise ForbiddenRoute(
                f"it is redirected from https to {target[:200]}, which anybody on the way could change"
            )
        return super().redirect_request(req, fp, code, msg, cast(http.client.HTTPMessage, headers), newurl)


class _Head:
    """The beginning of an answer, line by line until a time: a server that sends a byte now and then, or one answer
    after another that says that it goes on, is not waited for. Each wait for bytes is the socket's."""

    def __init__(self, file: BufferedReader, until: float) -> None:
        self.file, self.until = file, until

    def readline(self, limit: int = -1) -> bytes:
        line = b""
        while not line.endswith(b"\n") and len(line) != limit:
            if time.monotonic() > self.until:
                raise TimeoutError
            there = self.file.peek(1)
            there = there if limit < 0 else there[: limit - len(line)]
            if not there:
                break
            line += self.file.read(there.find(b"\n") + 1 or len(there))
        return line

    def close(self) -> None:
        self.file.close()

    def flush(self) -> None:
        self.file.flush()


class _Response(http.client.HTTPResponse):
    """An answer of which all that is before the file comes within the time that a server is waited for."""

    def __init__(self, sock: socket.socket, *given: Any, **named: Any) -> None:
        super().__init__(sock, *given, **named)
        self.patience = sock.gettimeout()

    def begin(self) -> None:
        file = self.fp
        if self.patience is not None:
            self.fp = cast(BufferedReader, _Head(file, time.monotonic() + self.patience))
        try:
            super().begin()
        finally:
            if self.fp is not None:
                self.fp = file


class _Limited:
    """Gives a handler's connections such answers."""

    def do_open(self, http_class: Any, req: Request, **named: Any) -> http.client.HTTPResponse:
        def connection(*given: Any, **options: Any) -> http.client.HTTPConnection:
            made: Any = http_class(*given, **options)
            made.response_class = _Response
            return cast(http.client.HTTPConnection, made)

        return cast(http.client.HTTPResponse, super().do_open(connection, req, **named))  # type: ignore[misc]


class _HTTP(_Limited, HTTPHandler):
    pass


class _HTTPS(_Limited, HTTPSHandler):
    pass


def _opener() -> OpenerDirector:
    """Made again for each request: proxies are those of the environment as it is."""
    opener = OpenerDirector()
    for handler in (ProxyHandler(), _HTTP(), _HTTPS(), Redirects()):
        opener.add_handler(handler)
    for handler_class in (HTTPDefaultErrorHandler, HTTPErrorProcessor):
        opener.add_handler(handler_class())
    opener.addheaders = list(_headers().items())
    return opener


@cache
def _headers() -> Mapping[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    try:
        ours = version("archdsl")
    except PackageNotFoundError:
        ours = "0"
    return {"User-Agent": f"archdsl/{ours}", "Accept-Encoding": "identity"}


def open_url(request: Request, timeout: float) -> http.client.HTTPResponse:
    """The answer to a request; raises HTTPError for what is no success, Refused, Unreachable, Unwilling."""
    try:
        return cast(http.client.HTTPResponse, _opener().open(request, timeout=timeout))
    except HTTPError:
        raise
    except URLError as error:
        reason = error.reason
        raise _classified(reason if isinstance(reason, Exception) else OSError(str(reason))) from None
    except (OSError, http.client.HTTPException) as error:
        raise _classified(error) from None
    except ValueError as error:  # of urllib, about an address that a redirect gave
        raise ForbiddenRoute(f"it is redirected to what is no address ({reason_of(error)})") from None


def reason_of(error: Exception) -> str:
    """An exception in a few words, on one line."""
    text = (isinstance(error, OSError) and error.strerror) or str(error)
    return " ".join(text.split())[:200] or type(error).__name__


def _classified(error: Exception) -> Unreachable | NoAnswer:
    text = reason_of(error)
    if isinstance(error, socket.gaierror):
        return Unreachable(f"the name of the server is not found ({text})")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreachable(f"the server's certificate does not hold ({error.verify_message})")
    if isinstance(error, OSError) and error.errno in _NOT_THERE:
        return Unreachable(text)
    if "Tunnel connection failed" in text:
        return Unreachable(f"the proxy refuses ({text})")
    if isinstance(error, TimeoutError):
        return NoAnswer("the server does not answer")
    return NoAnswer(f"the server does not answer ({text})")
