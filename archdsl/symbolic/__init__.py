"""Expressions over the parameters of a block: what a number of the spec was computed from.

`expr` has the expressions and what makes them of numbers and of each other; `rewriting` what is asked of a whole one.
"""

from archdsl.symbolic.expr import (
    EXACT,
    IN_CHANNELS,
    Apply,
    Binary,
    Conditional,
    Const,
    Expr,
    Function,
    Index,
    Invoke,
    Local,
    Not,
    Symbol,
    Tuple,
    Value,
    apply,
    binary,
    item_of,
    lift,
    negated,
    size,
)
from archdsl.symbolic.rewriting import evaluate, expand, substitute, symbols, total, walk

__all__ = [
    "EXACT", "IN_CHANNELS", "Apply", "Binary", "Conditional", "Const", "Expr", "Function", "Index", "Invoke", "Local",
    "Not", "Symbol", "Tuple", "Value", "apply", "binary", "evaluate", "expand", "item_of", "lift", "negated", "size",
    "substitute", "symbols", "total", "walk",
]  # fmt: skip
