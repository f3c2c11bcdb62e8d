"""What varies in a space: takes what stands behind `in`, gives axes. Reports E103, E451, E454."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

from archdsl.diagnostics.core import Bag
from archdsl.graph.space import DISTRIBUTIONS, Axis, Choices, Domain, Steps, Whole, written
from archdsl.semantics.elaborate import call_arguments, constant
from archdsl.semantics.program import FileScope
from archdsl.semantics.values import UNKNOWN, Arg, Value, is_number
from archdsl.syntax import ast

MOST_AXES = 1_000
MOST_VALUES = 1_000_000
"""Values of one axis."""


class Reported(Exception):
    """What is wrong has been said. Internal to the reading of spaces."""


class Domains:
    """Reads the domains that stand in a file, in its names."""

    def __init__(self, file: FileScope, bag: Bag) -> None:
        self.file = file
        self.bag = bag

    def axes(self, name: str, node: ast.Expression) -> tuple[Axis, ...]:
        """The axes of a dimension: one, or as many as a list has members; raises Reported."""
        if isinstance(node, ast.CallExpr) and node.called == "each":
            if len(node.arguments) != 2 or any(a.name or a.spread for a in node.arguments):
                raise self._no_domain(name, node)
            count = constant(node.arguments[0].value, self.file, self.bag)
            domain = self._domain(name, node.arguments[1].value)
            if count is UNKNOWN:
                raise Reported
            if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= MOST_AXES:
                raise self._wrong(node.arguments[0].value, f"each: a list has 1 to {MOST_AXES:,} members")
            return tuple(Axis(name, place, domain) for place in range(count))
        return (Axis(name, None, self._domain(name, node)),)

    def _domain(self, name: str, node: ast.Expression) -> Domain:
        if isinstance(node, ast.CallExpr) and node.called in DISTRIBUTIONS:
            return self._steps(node, node.called)
        if isinstance(node, ast.Range) and node.start is not None and node.stop is not None:
            start, stop = constant(node.start, self.file, self.bag), constant(node.stop, self.file, self.bag)
            if start is UNKNOWN or stop is UNKNOWN:
                raise Reported
            if type(start) is not int or type(stop) is not int:
                raise self._wrong(node, "the ends of a range are whole numbers; others are uniform(low, high, step)")
            if not 0 < stop - start <= MOST_VALUES:
                raise self._wrong(node, f"a range holds 1 to {MOST_VALUES:,} numbers")
            return Whole(start, stop)
        if isinstance(node, ast.ListExpr) and (choices := _single(node)) is not None:
            texts = [choice.span.text for choice in choices]
            values = [constant(choice, self.file, self.bag) for choice in choices]
            if UNKNOWN in values:
                raise Reported
            return self._choices(node, texts, values)
        is_list = isinstance(node, ast.ListExpr | ast.Name | ast.Comprehension)
        value = constant(node, self.file, self.bag) if is_list else None
        if value is UNKNOWN:
            raise Reported
        if not isinstance(value, tuple | range):
            raise self._no_domain(name, node)
        members = [written(item) for item in value]
        if None in members:
            raise self._no_domain(name, node)
        return self._choices(node, [text for text in members if text is not None], list(value))

    def _choices(self, node: ast.Expression, texts: Sequence[str], values: Sequence[Value]) -> Domain:
        if not 0 < len(texts) <= MOST_VALUES:
            raise self._wrong(node, "there is nothing to choose from")
        numbers = [value for value in values if is_number(value)]
        if len(set(texts)) < len(texts):
            raise self._wrong(node, "the same choice stands there twice")
        return Choices(tuple(texts), ordered=numbers == sorted(numbers) and len(numbers) == len(values))

    def _steps(self, node: ast.CallExpr, kind: str) -> Domain:
        """`uniform(low, high, step)`; raises Reported."""
        names = ("low", "high", "step")
        args = call_arguments(node.arguments, names, kind, node.span, self.file, self.bag)
        if args is None:
            raise Reported
        missing = next((name for name in names if name not in args), None)
        if missing is not None:
            self.bag.report("E103", node.span, name=missing, owner=kind)
            raise Reported
        values = [args[name].value for name in names]
        for name, value in zip(names, values, strict=True):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise self._wrong(args[name], f"{name} is a number")
        whole = all(isinstance(value, int) for value in values)
        low, high, step = (Decimal(repr(value)) for value in values)
        logarithmic = DISTRIBUTIONS[kind]
        if step <= 0 or low > high:
            raise self._wrong(node, "it goes from the least to the greatest, in steps above 0")
        if logarithmic and low <= 0:
            raise self._wrong(args["low"], "a logarithm is of a number above 0")
        if Fraction(low) % Fraction(step) or Fraction(high) % Fraction(step):  # decimals have 28 digits
            raise self._wrong(node, f"both ends are multiples of the step, {step}")
        if (high - low) / step >= MOST_VALUES:
            raise self._wrong(node, f"these are more than {MOST_VALUES:,} values")
        return Steps(low, high, step, whole, logarithmic)

    def _no_domain(self, name: str, node: ast.Expression) -> Reported:
        self.bag.report("E451", node.span, name=name)
        return Reported()

    def _wrong(self, place: ast.Expression | Arg, detail: str) -> Reported:
        self.bag.report("E454", place.span, detail=detail)
        return Reported()


def _single(node: ast.ListExpr) -> list[ast.Expression] | None:
    """The members of a list, where each is one value; None where an item may stand for none or several."""
    found: list[ast.Expression] = []
    for item in node.items:
        if item.count is not None or item.condition is not None or isinstance(item.value, ast.Splice):
            return None
        found.append(item.value)
    return found
