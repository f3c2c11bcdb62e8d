"""Helper classes for generated files, copied from `backends/torch_helpers.py`, which is never imported."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from importlib.resources import files


@cache
def _definitions() -> dict[str, tuple[str, frozenset[str]]]:
    """Source text of each helper, and the names it mentions."""
    text = files("archdsl.backends").joinpath("torch_helpers.py").read_text(encoding="utf-8")
    found: dict[str, tuple[str, frozenset[str]]] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            source = ast.get_source_segment(text, node) or ""
            names = {n.id for n in ast.walk(node) if isinstance(n, ast.Name)}
            found[node.name] = (source, frozenset(names))
    return found


def helper_sources(names: Iterable[str]) -> list[str]:
    """The helpers among `names` and those they use, in the order of the helpers file."""
    definitions = _definitions()
    wanted: set[str] = set()
    queue = [name for name in names if name in definitions]
    while queue:
        name = queue.pop()
        if name not in wanted:
            wanted.add(name)
            queue.extend(other for other in definitions[name][1] if other in definitions)
    return [source for name, (source, _) in definitions.items() if name in wanted]
