"""Numbers of one instance: the values of its parameters, and whether an expression gives what it should."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from archdsl.graph.ir import Graph
from archdsl.graph.scopes import Scope
from archdsl.symbolic import Expr, evaluate

Environment = Mapping[str, Any]
"""The values of a class's parameters in one instance."""


def environment_of(graph: Graph, scope: Scope) -> dict[str, Any]:
    """The values of all parameters of a scope's frame, widths of its inputs included."""
    frame = scope.frame
    values = {name: bound.value for name, bound in frame.arguments.items()}
    for name, ref in zip(frame.width_names, frame.inputs, strict=True):
        values[name] = graph.shape(ref).channels
    return values


def gives(expr: Expr, environment: Environment, value: Any) -> bool:
    """Whether an expression has this value, of this type, in an instance."""
    try:
        return same(evaluate(expr, environment), value)
    except (KeyError, TypeError, ValueError, IndexError, ArithmeticError):
        return False


def agrees(expr: Expr, environment: Environment, value: Any) -> bool:
    """As `gives`, but a whole number may stand for a float, and a list for a tuple."""
    try:
        found = evaluate(expr, environment)
    except (KeyError, TypeError, ValueError, IndexError, ArithmeticError):
        return False
    if isinstance(found, bool) != isinstance(value, bool):
        return False
    if isinstance(found, list | tuple) and isinstance(value, list | tuple):
        return list(found) == list(value)
    return bool(found == value)


def same(a: Any, b: Any) -> bool:
    """Equal, and of one type."""
    return type(a) is type(b) and bool(a == b)


def defined(expr: Expr, environment: Environment) -> bool:
    """Whether an expression can be computed in an instance."""
    try:
        evaluate(expr, environment)
    except (KeyError, TypeError, ValueError, IndexError, ArithmeticError):
        return False
    return True
