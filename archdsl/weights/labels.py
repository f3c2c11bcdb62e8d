"""What is written beside the weights of a safetensors file: the names of the classes, in order."""

from __future__ import annotations

import json
from collections.abc import Sequence

KEY = "archdsl"
"""The entry of the file's metadata, JSON of an object with `classes`."""

MOST = 1_000_000
"""Classes that are looked at."""


def class_names(path: str) -> tuple[str, ...] | None:
    """The names in a file; None where it has none, or is no such file."""
    from safetensors import safe_open

    try:
        with safe_open(path, framework="pt") as file:
            found = json.loads((file.metadata() or {})[KEY])["classes"]
    except Exception:  # whatever it is, the weights in it are what counts
        return None
    if not isinstance(found, list) or not 0 < len(found) <= MOST or not all(isinstance(name, str) for name in found):
        return None
    return tuple(found)


def stating(names: Sequence[str] | None) -> dict[str, str]:
    """The metadata of a file whose classes have these names."""
    return {} if names is None else {KEY: json.dumps({"classes": list(names)})}
