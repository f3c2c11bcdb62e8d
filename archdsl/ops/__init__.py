"""The ops of the language: one `OpSpec` each, all in `OPS`."""

from archdsl.ops.registry import OPS
from archdsl.ops.spec import (
    Call,
    Example,
    Layout,
    Module,
    NoParams,
    OpParams,
    OpSpec,
    Parameter,
    Problem,
    Recipe,
    Role,
    Shape,
    Weight,
    argument,
)

__all__ = [
    "OPS", "Call", "Example", "Layout", "Module", "NoParams", "OpParams", "OpSpec", "Parameter", "Problem", "Recipe",
    "Role", "Shape", "Weight", "argument",
]  # fmt: skip
