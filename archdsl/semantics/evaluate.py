"""`evaluate`: the rule for a piece of the bound tree, found by its kind. The rules say themselves what they are for.

A rule is a function of the piece and the `Context` it stands in. `elaborate` imports all modules that have some.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar

from archdsl.semantics import bound
from archdsl.semantics.context import Context
from archdsl.semantics.values import Value

Node = TypeVar("Node", bound=bound.Bound)

Rule: TypeAlias = Callable[[Any, Context], Value]

_RULES: dict[type[bound.Bound], Rule] = {}


def evaluates(kind: type[Node]) -> Callable[[Callable[[Node, Context], Value]], Callable[[Node, Context], Value]]:
    """The function below is the rule for pieces of this kind."""

    def register(rule: Callable[[Node, Context], Value]) -> Callable[[Node, Context], Value]:
        _RULES[kind] = rule
        return rule

    return register


def evaluate(node: bound.Expression, ctx: Context) -> Value:
    """The value of an expression; UNKNOWN where an error has been reported."""
    ctx.run.steps += 1
    return _RULES[type(node)](node, ctx)
