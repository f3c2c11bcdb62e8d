"""Helper classes for generated files, copied from `backends/torch_helpers.py`, which is never imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files


@cache
def _definitions() -> dict[str, str]:
    """Source text of each helper."""
    text = files("archdsl.backends").joinpath("torch_helpers.py").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef):
            source = ast.get_source_segment(text, node) or ""
            found[node.name] = source.replace("torch.Tensor", "Tensor")  # as the classes around it
    return found


def helper_names() -> list[str]:
    """All helpers, in the order of their file."""
    return list(_definitions())


def helper_sources(names: Mapping[str, str]) -> list[str]:
    """The source of some helpers (none uses another), each under the name it is mapped to."""
    return [re.sub(rf"\b{helper}\b", name, _definitions()[helper]) for helper, name in names.items()]


@cache
def helper_bases() -> dict[str, str]:
    """The class of torch that a helper refines: `nn.Conv2d` of `Conv2dSame`."""
    heads = {name: re.match(r"class \w+\((nn\.\w+)\)", source) for name, source in _definitions().items()}
    return {name: head.group(1) for name, head in heads.items() if head and head.group(1) != "nn.Module"}
