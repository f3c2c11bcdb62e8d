"""The ops of the language: one `OpSpec` each, all in `OPS`."""

from archdsl.ops.registry import OPS
from archdsl.ops.spec import (
    Call,
    Example,
    Layout,
    Lowering,
    Module,
    NoParams,
    OpParams,
    OpSpec,
    Parameter,
    Problem,
    Role,
    Shape,
    Weight,
    argument,
)

__all__ = [
    "OPS", "Call", "Example", "Layout", "Lowering", "Module", "NoParams", "OpParams", "OpSpec", "Parameter",
    "Problem", "Role", "Shape", "Weight", "argument",
]  # fmt: skip
