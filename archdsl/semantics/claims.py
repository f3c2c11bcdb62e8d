"""Claims: what `expect` says about a variant, held against its graph. Reports E108, E401 and E402."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.suggest import closest
from archdsl.graph.ir import Graph
from archdsl.semantics.program import Program
from archdsl.semantics.variants import Configured
from archdsl.syntax import ast

_SUFFIXES = {"K": 10**3, "M": 10**6, "G": 10**9}
_CLAIMS = ("params", "macs", "activations", "nodes")


def check_claims(program: Program, graphs: Mapping[str, Graph], variants: Mapping[str, Configured], bag: Bag) -> None:
    """Check every `expect` of the file against the graphs that could be built."""
    for item in program.root.syntax.items:
        if not isinstance(item, ast.Expect):
            continue
        name = item.variant.name
        if name not in variants:
            bag.report("E108", item.variant.span, name=name, suggestion=closest(name, variants))
            continue
        for entry in item.entries:
            if entry.key not in _CLAIMS:
                bag.report(
                    "E402",
                    entry.key_span,
                    name=entry.key,
                    suggestion=closest(entry.key, _CLAIMS),
                    known=", ".join(_CLAIMS),
                )
            elif name in graphs:
                _check(entry, graphs[name], name, bag)


def _check(entry: ast.Entry, graph: Graph, name: str, bag: Bag) -> None:
    if not isinstance(entry.value, ast.Number):
        bag.report("E301", entry.value.span, what=entry.key, expected="a number", got="something else")
        return
    actual = _measure(graph, entry.key)
    if not _agrees(entry.value.text, actual):
        facts: dict[str, Any] = {
            "what": entry.key,
            "variant": name,
            "expected": entry.value.text,
            "actual": f"{actual:_}",
        }
        bag.report("E401", entry.value.span, facts=facts)


def _measure(graph: Graph, what: str) -> int:
    if what == "activations":
        return sum(node.activations for node in graph.nodes)
    if what == "nodes":
        return len(graph.nodes)
    return graph.params if what == "params" else graph.macs


def _agrees(text: str, actual: int) -> bool:
    """Whether a number, rounded as it was written, is the claim: `4.09G` allows half of 0.01G on either side."""
    digits = text.replace("_", "")
    factor = _SUFFIXES.get(digits[-1], 1)
    claimed = Decimal(digits[:-1] if factor > 1 else digits)
    exponent = claimed.as_tuple().exponent
    unit = Decimal(1).scaleb(int(exponent)) * factor if factor > 1 or int(exponent) else Decimal(0)
    return abs(claimed * factor - actual) <= unit / 2
