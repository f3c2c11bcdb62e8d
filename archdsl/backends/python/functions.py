"""A spec's functions of numbers as Python functions.

Calls of one fn are traced one by one, so they may bring several `Function`s of one name: with other defaults, or with
another body, where files define functions of equal names. Those that differ only in defaults become one again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from archdsl.backends.python.arithmetic import divisions, simplified
from archdsl.backends.python.layout import signature, statement
from archdsl.backends.python.parameters import ClassDef, annotation
from archdsl.backends.python.text import text
from archdsl.backends.python.traversal import body_holes, named_numbers
from archdsl.backends.python.values import Environment, same
from archdsl.symbolic import Const, Expr, Function, Invoke, evaluate, symbols, walk


@dataclass(slots=True, eq=False)
class FunctionDef:
    """One function to print; `environments` are its parameters' values in all its calls, `results` what came out."""

    name: str
    result: Expr
    parameters: list[str]
    defaults: dict[str, Any]
    environments: list[Environment] = field(default_factory=list)
    results: list[Any] = field(default_factory=list)

    def merged(self, function: Function) -> bool:
        """Take in a function of the same meaning; False if it has another."""
        if (function.name, [n for n, _ in function.parameters]) != (self.name, self.parameters):
            return False
        if function.result != self.result or str(function.result) != str(self.result):
            return False
        given = {name: value for name, value in function.parameters if value is not None}
        if any(name in self.defaults and not same(self.defaults[name], value) for name, value in given.items()):
            return False
        self.defaults |= given
        return True

    @property
    def ordered(self) -> list[str]:
        """The parameters as Python wants them: those without a default first."""
        return sorted(self.parameters, key=lambda name: name in self.defaults)

    def function(self, name: str, result: Expr) -> Function:
        """The function that calls shall name."""
        return Function(name, tuple((p, self.defaults.get(p)) for p in self.ordered), result)


class Functions:
    """All functions that the classes of a file call, those that others call first."""

    def __init__(self, classes: Sequence[ClassDef]) -> None:
        self.found: list[FunctionDef] = []
        self.of: dict[Function, FunctionDef] = {}
        self._seen: set[tuple[Any, ...]] = set()
        for known in classes:
            for hole in body_holes(known.body):
                for invoke in _invokes(hole):
                    self._collect(invoke)
                    for environment in _distinct(known.environments, symbols(invoke)):
                        self._call(invoke, environment)
        for found in self.found:
            found.result = simplified(found.result, found.environments)

    def _collect(self, invoke: Invoke) -> None:
        function = invoke.function
        if function in self.of:
            return
        for inner in _invokes(function.result):
            self._collect(inner)
        known = next((found for found in self.found if found.merged(function)), None)
        if known is None:
            defaults = {name: value for name, value in function.parameters if value is not None}
            known = FunctionDef(function.name, function.result, [name for name, _ in function.parameters], defaults)
            self.found.append(known)
        self.of[function] = known

    def _call(self, invoke: Invoke, environment: Environment) -> None:
        """Note the values of one call, and of the calls inside it."""
        try:
            given = {name: evaluate(value, environment) for name, value in invoke.arguments}
            result = evaluate(invoke, environment)
        except (KeyError, TypeError, ValueError, IndexError, ArithmeticError):
            return  # in a branch that this instance does not take
        found = self.of[invoke.function]
        values = {name: value for name, value in invoke.function.parameters if value is not None} | given
        key = (id(found), *((name, type(value), value) for name, value in values.items()))
        if key in self._seen:
            return
        self._seen.add(key)
        found.environments.append(values)
        found.results.append(result)
        for inner in _invokes(invoke.function.result):
            self._call(inner, values)


def _distinct(environments: Sequence[Environment], names: set[str]) -> Iterator[Environment]:
    """Those that differ in some of these parameters."""
    met: set[tuple[Any, ...]] = set()
    for environment in environments:
        key = tuple((type(environment.get(name)), environment.get(name)) for name in names)
        if key not in met:
            met.add(key)
            yield environment


def _invokes(expr: Expr) -> Iterator[Invoke]:
    return (part for part in walk(expr) if isinstance(part, Invoke))


def function_lines(found: FunctionDef, function: Function) -> Iterator[str]:
    """`def divisible(value: float, by: int = 8) -> int:` and its body, named and calling as `function` does."""
    items = []
    for name, default in function.parameters:
        kind = annotation([environment[name] for environment in found.environments])
        items.append(f"{name}: {kind}" if default is None else f"{name}: {kind} = {text(Const(default))}")
    yield from signature(f"def {function.name}", items, f" -> {annotation(found.results)}:", 0)
    for name, value in named_numbers([function.result]).items():
        yield from statement(f"{name} = ", text(value), "", 1)
    yield from divisions([function.result], found.environments, 1)
    yield from statement("return ", text(function.result), "", 1)
