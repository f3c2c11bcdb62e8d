"""Python's garbage collector, out of the way where a great many small objects are made that all stay alive."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collector_paused() -> Iterator[None]:
    """No collection inside: looking for garbage in a graph takes longer than building it, and finds none.

    What was made counts as old afterwards, or the first allocation after the pause would go through all of it.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            if not gc.get_freeze_count():  # else somebody keeps objects frozen, and would lose that
                gc.freeze()
                gc.unfreeze()
            gc.enable()
