"""Claims: what `expect` says about a variant. What follows from the graph is held against it; accuracies are recorded.

Reports E106, E108, E301, E302, E401 and E402.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label, declared
from archdsl.diagnostics.suggest import closest
from archdsl.graph.ir import Graph
from archdsl.semantics.program import Program
from archdsl.semantics.variants import Configured, unknown_target
from archdsl.syntax import ast

_SUFFIXES = {"K": 10**3, "M": 10**6, "G": 10**9}
_MEASURED = ("params", "macs", "activations", "nodes")
_RECORDED = ("top1",)
"""Percentages that no graph can show: published figures, kept to be shown."""
_CLAIMS = (*_MEASURED, *_RECORDED)


def check_claims(program: Program, graphs: Mapping[str, Graph], variants: Mapping[str, Configured], bag: Bag) -> None:
    """Check every `expect` of the file: its form, and its figures against the graphs that could be built."""
    recorded: dict[tuple[str, str], ast.Entry] = {}
    for item in program.root.items(ast.Expect):
        name = item.variant.name
        if name not in variants:
            unknown_target("E108", item.variant, {name: variant.span for name, variant in variants.items()}, bag)
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
            elif entry.key in _RECORDED:
                first = recorded.setdefault((name, entry.key), entry)
                if first is not entry:
                    places = (Label(first.key_span, "first defined here"),)
                    bag.report("E106", entry.key_span, name=entry.key, secondary=places)
                _check_percentage(entry, bag)
            elif name in graphs:
                _check(entry, graphs[name], variants[name], bag)


def recorded_claims(program: Program, variant: str) -> dict[str, Decimal]:
    """What was published of a variant and no graph can show, in percent, digits as written: `{"top1": 76.13}`.

    A variant that amends another has only its own: another network has another accuracy.
    """
    return {
        entry.key: number
        for item in program.root.items(ast.Expect)
        for entry in item.entries
        if item.variant.name == variant and entry.key in _RECORDED and (number := _percentage(entry)) is not None
    }


def _percentage(entry: ast.Entry) -> Decimal | None:
    """The number that is claimed; None if it is no number from 0 to 100."""
    value = entry.value
    if not isinstance(value, ast.Number) or value.text[-1] in _SUFFIXES:
        return None
    number = Decimal(value.text.replace("_", ""))
    return number if 0 <= number <= 100 else None


def _check_percentage(entry: ast.Entry, bag: Bag) -> None:
    if not isinstance(entry.value, ast.Number):
        bag.report("E301", entry.value.span, what=entry.key, expected="a number", got="something else")
    elif _percentage(entry) is None:
        expected = "a percentage, 0 to 100"
        bag.report("E302", entry.value.span, what=entry.key, expected=expected, got=entry.value.text)


def _check(entry: ast.Entry, graph: Graph, variant: Configured, bag: Bag) -> None:
    if not isinstance(entry.value, ast.Number):
        bag.report("E301", entry.value.span, what=entry.key, expected="a number", got="something else")
        return
    actual = _measure(graph, entry.key)
    if not _agrees(entry.value.text, actual):
        facts: dict[str, Any] = {
            "what": entry.key,
            "variant": variant.name,
            "expected": entry.value.text,
            "actual": f"{actual:_}",
        }
        bag.report("E401", entry.value.span, secondary=declared(variant.span), facts=facts)


def _measure(graph: Graph, what: str) -> int:
    measured = {"params": graph.params, "macs": graph.macs, "activations": graph.activations, "nodes": len(graph.nodes)}
    return measured[what]


def _agrees(text: str, actual: int) -> bool:
    """Whether a number, rounded as it was written, is the claim: `4.09G` allows half of 0.01G on either side."""
    digits = text.replace("_", "")
    factor = _SUFFIXES.get(digits[-1], 1)
    claimed = Decimal(digits[:-1] if factor > 1 else digits)
    exponent = claimed.as_tuple().exponent
    unit = Decimal(1).scaleb(int(exponent)) * factor if factor > 1 or int(exponent) else Decimal(0)
    return abs(claimed * factor - actual) <= unit / 2
