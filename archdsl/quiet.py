"""The first import of torch, without its warning about NumPy."""

from __future__ import annotations

import sys
import warnings


def import_torch() -> None:
    """Import torch; where it is imported already, nothing.

    It warns at import where NumPy is not installed. Nothing here needs NumPy, so that is no news to a user; any other
    warning is, and this one too once torch gives it to somebody who imports torch himself.
    """
    if "torch" not in sys.modules:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="Failed to initialize NumPy", category=UserWarning)
            import torch  # noqa: F401
