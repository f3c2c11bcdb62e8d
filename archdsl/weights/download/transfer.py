"""HTTP: the bytes of an address into a `.part` file, resumed where they broke off, tried again where that may help.

A part goes on only where the server says that the file is still the one of which the part is: the ETag (or the date) is
kept beside it and sent as `If-Range`. Reports E523 to E526, E528, E529.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import time
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import IO, NoReturn
from urllib.error import HTTPError
from urllib.request import Request

from archdsl.weights.download.opening import ForbiddenRoute, NoAnswer, Unreachable, open_url, reason_of
from archdsl.weights.download.progress import Meter
from archdsl.weights.download.wanted import Wanted, amount

_CHUNK = 1 << 18
_DIGITS = 18
"""Digits that a number of bytes may have."""

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Answers that may be others in a while."""


@dataclass(frozen=True)
class Patience:
    """How long a server is waited for: `tries` that bring nothing in a row, `requests` altogether; `timeout` seconds
    without a byte, or with fewer than `slowest` a second; `delay` seconds before the second try, twice as many before
    each further one, and at most `longest`, also where the server asks for more."""

    tries: int = 5
    requests: int = 50
    timeout: float = 30.0
    slowest: int = 1000
    delay: float = 1.0
    longest: float = 60.0


class _Again(Exception):
    """What may go well another time: after so many seconds, if the server says how many."""

    def __init__(self, detail: str, *, wait: float | None = None, status: int | None = None) -> None:
        super().__init__(detail)
        self.wait, self.status = wait, status


class PartialFile:
    """The beginning of a file, and beside it which file that is."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.record = path.with_name(path.name + ".json")

    def length(self, address: str) -> tuple[int, str | None]:
        """How many bytes are there of the file of an address, and by what the server knows that file."""
        try:
            found = json.loads(self.record.read_text(encoding="utf-8"))
            if isinstance(found, dict) and found.get("address") == address:
                validator = found.get("validator")
                return self.path.stat().st_size, validator if isinstance(validator, str) else None
        except (OSError, ValueError):
            pass
        return 0, None

    def begin(self, address: str, validator: str | None) -> None:
        """Forget what is there, and note which file comes; raises OSError."""
        self.drop()
        self.record.write_text(json.dumps({"address": address, "validator": validator}), encoding="utf-8")

    def drop(self) -> None:
        for path in (self.path, self.record):
            with suppress(FileNotFoundError):
                path.unlink()


def transfer(wanted: Wanted, part: PartialFile, patience: Patience, meter: Meter) -> bool:
    """Bring all bytes of the address into the part; whether they came in several pieces."""
    failures, longest = 0, part.length(wanted.address)[0]
    for request in range(1, patience.requests + 1):
        try:
            return _request(wanted, part, patience, meter)
        except _Again as reason:
            there, _ = part.length(wanted.address)
            failures = 1 if there > longest else failures + 1
            longest = max(longest, there)
            wait = patience.delay * 2 ** (failures - 1) if reason.wait is None else reason.wait
            asked_too_much = reason.wait is not None and wait > patience.longest
            if failures >= patience.tries or request == patience.requests or asked_too_much:
                _give_up(wanted, part, reason, asked_too_much)
            meter.say(f"{reason}: trying again")
            time.sleep(min(wait, patience.longest))
    raise AssertionError("the last request returns or raises")


def _give_up(wanted: Wanted, part: PartialFile, reason: _Again, asked_too_much: bool) -> NoReturn:
    there, _ = part.length(wanted.address)
    remarks = [f"{amount(there)} of it are there, and the next try goes on from them"] if there else []
    if reason.status is not None:
        wait = f"{reason.wait:,.0f}" if asked_too_much else None
        wanted.refuse("E525", remarks=remarks, detail=str(reason), wait=wait)
    wanted.refuse("E526", remarks=remarks, detail=str(reason))


def _request(wanted: Wanted, part: PartialFile, patience: Patience, meter: Meter) -> bool:
    """One request and what comes of it; whether it went on from a part. Raises _Again where another may do better."""
    start, validator = part.length(wanted.address)
    if validator is None and wanted.digest is None:
        start = 0  # nothing would show that it goes on with another file
    headers = {"Range": f"bytes={start}-", **({"If-Range": validator} if validator else {})} if start else {}
    try:
        response = open_url(Request(wanted.address, headers=headers), patience.timeout)
    except HTTPError as error:
        with error:
            _answered(wanted, part, error)
    except ForbiddenRoute as error:
        wanted.refuse("E528", detail=str(error))
    except Unreachable as error:
        wanted.refuse("E523", detail=str(error))
    except NoAnswer as error:
        raise _Again(str(error)) from None
    with response:
        start, total = _begin(wanted, part, response, start)
        _check_total(wanted, total, start)
        meter.start(start, total)
        try:
            file = open(part.path, "ab")  # noqa: SIM115  what fails inside is another matter
        except OSError as error:
            wanted.refuse_folder(error)
        with file:
            _copy(wanted, part, response, file, total, patience, meter)
    return start > 0


def _answered(wanted: Wanted, part: PartialFile, error: HTTPError) -> NoReturn:
    """What an answer without a file means."""
    status = f"{error.code} {error.reason}".strip()
    if error.code == 416:  # the part is as long as the file, or longer
        _check_total(wanted, _number(error.headers.get("Content-Range", "").rpartition("/")[2]), 0)
        part.drop()
        raise _Again("the file on the server is another one now, and is fetched from its start", wait=0)
    if error.code in AGAIN:
        wait = retry_after(error.headers.get("Retry-After"))
        raise _Again(f"the server answers {status}", wait=wait, status=error.code)
    if 300 <= error.code < 400:
        endless = "infinite loop" in str(error.reason)  # urllib's words
        wanted.refuse(
            "E528", detail="its redirects have no end" if endless else f"its redirect leads nowhere ({status})"
        )
    wanted.refuse("E524", status=status)


def retry_after(value: str | None) -> float | None:
    """Seconds that a server asks to wait for: a number, or a date."""
    from email.utils import parsedate_to_datetime

    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value)
    try:
        return max(parsedate_to_datetime(value).timestamp() - time.time(), 0.0)
    except (ValueError, OverflowError, OSError):
        return None


def _begin(wanted: Wanted, part: PartialFile, response: HTTPResponse, start: int) -> tuple[int, int | None]:
    """Where the bytes of an answer begin, and how many the whole file has."""
    kind = (response.headers.get_content_type() or "").lower()
    coding = response.headers.get("Content-Encoding", "identity").lower()
    if kind in ("text/html", "application/xhtml+xml"):
        wanted.refuse("E528", detail="it is a web page, not a file")
    if coding != "identity":
        wanted.refuse("E528", detail=f"the server sends it encoded as {coding}, which was not asked for")
    size = _number(response.headers.get("Content-Length", "")) if response.length is not None else None
    if response.status == 206:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if not start or found is None or _number(found[1]) != start:
            part.drop()
            raise _Again("the server sends another part than was asked for", wait=0)
        return start, _number(found[3])
    if response.status != 200:
        wanted.refuse("E528", detail=f"the server answers {response.status} {response.reason}")
    try:
        part.begin(wanted.address, _validator(response))
    except OSError as error:
        wanted.refuse_folder(error)
    return 0, size


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= _DIGITS else None


def _validator(response: HTTPResponse) -> str | None:
    """By what the server tells whether a file has changed. A weak ETag does not say that the bytes are the same."""
    etag = response.headers.get("ETag", "").strip()
    if etag.startswith('"'):
        return etag
    return None if etag else response.headers.get("Last-Modified")


def _check_total(wanted: Wanted, total: int | None, start: int) -> None:
    if total is None:
        return
    if wanted.size_sent is not None and total != wanted.size_sent:
        wanted.refuse("E528", detail=f"it has {total:,} bytes, and {wanted.size_sent:,} are stated")
    with suppress(OSError):
        free = shutil.disk_usage(wanted.place.parent).free
        if total - start > free:
            wanted.refuse_folder(f"{amount(total - start)} are to come, and {amount(free)} are free on the disk")


def _copy(
    wanted: Wanted,
    part: PartialFile,
    response: HTTPResponse,
    file: IO[bytes],
    total: int | None,
    patience: Patience,
    meter: Meter,
) -> None:
    """The bytes of an answer into the file, as they come."""
    start = file.tell()
    received, since, before = 0, time.monotonic(), 0
    most = wanted.size_sent if total is None else total
    while True:
        try:
            chunk = response.read1(_CHUNK)
        except TimeoutError:
            raise _Again(f"nothing came for {patience.timeout:g} seconds") from None
        except (OSError, HTTPException) as error:
            raise _Again(f"the connection broke off ({reason_of(error)})") from None
        if not chunk:
            break
        received += len(chunk)
        if most is not None and start + received > most:
            part.drop()
            wanted.refuse("E528", detail=f"more than {most:,} bytes come")
        try:
            file.write(chunk)
        except OSError as error:
            with suppress(OSError):
                file.close()
            part.drop()  # a disk that is full is not kept full
            wanted.refuse_folder(error)
        meter.advance(len(chunk))
        now = time.monotonic()
        if now - since >= patience.timeout:
            if received - before < patience.slowest * (now - since):
                raise _Again(f"only {received - before:,} bytes came in {now - since:.0f} seconds")
            since, before = now, received
    if most is not None and start + received < most:
        raise _Again(f"the connection broke off after {start + received:,} of {most:,} bytes")
    try:
        file.flush()
        os.fsync(file.fileno())
    except OSError as error:
        wanted.refuse_folder(error)
