"""Standard input, output and error where they are closed, full, or a pipe that nobody reads."""

from __future__ import annotations

import os
import sys


def open_closed() -> None:
    """Put something in the place of closed streams, which Python leaves out.

    What is read from or written to it fails, as it does with a closed stream, but for standard error, which is for
    notes. Their descriptors are taken then: no file that is opened later is written to by accident.
    """
    if sys.stdin is None:
        sys.stdin = os.fdopen(os.open(os.devnull, os.O_WRONLY), encoding="utf-8")
    if sys.stdout is None:
        sys.stdout = os.fdopen(os.open(os.devnull, os.O_RDONLY), "w", encoding="utf-8")
    if sys.stderr is None:
        sys.stderr = os.fdopen(os.open(os.devnull, os.O_WRONLY), "w", encoding="utf-8")


def discard_output() -> None:
    """Send what is left to be written nowhere: Python flushes both streams at exit, which would fail once more."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
