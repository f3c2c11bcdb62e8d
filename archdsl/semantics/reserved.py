"""Names that a spec cannot use: what means something in the language, in generated Python or in every torch module."""

from __future__ import annotations

import keyword

from archdsl.ops.registry import OPS
from archdsl.python_names import MODULE_ATTRIBUTES, python_problem
from archdsl.semantics.builtins import BUILTINS

RESERVED = frozenset({"image", "id", "concat", "add", "mul"})
"""Words of the language that a definition cannot take."""

MAX_LABEL = 200
MAX_COMPONENTS = 20


def definition_problem(name: str) -> str | None:
    """Why a block, fn, table, scaling or model cannot have this name; None if it can."""
    if name in OPS:
        return f"`{name}` is an op: choose another name"
    if name in BUILTINS:
        return f"`{name}` is a function of the language: choose another name"
    if name in RESERVED:
        return f"`{name}` keeps its meaning everywhere: choose another name"
    return python_problem(name)


def binding_problem(name: str) -> str | None:
    """Why a parameter, an input or a binding cannot have this name; None if it can. It may hide an op."""
    if name in ("image", "id"):
        return f"`{name}` keeps its meaning everywhere: choose another name"
    if name == "in_channels":
        return "generated classes take the width of their input under this name: choose another name"
    return python_problem(name)


def output_problem(name: str) -> str | None:
    """Why an output cannot have this name, which becomes a field of a named tuple; None if it can."""
    if name == "logits":
        return "`logits` is the result of the model: write it as the last expression of the body"
    if not (name.isidentifier() and name.isascii()) or len(name) > MAX_LABEL:
        return f"an output has letters, digits and `_`, at most {MAX_LABEL}, and a letter in front: `output p{{i}} = x`"
    if name.startswith("_"):
        return "a field of a named tuple cannot begin with `_`"
    if name in ("count", "index"):
        return f"every tuple has a method `{name}`: choose another name"
    return python_problem(name)


def label_problem(text: str) -> str | None:
    """Why a well-formed label cannot be one; None if it can."""
    parts = text.split(".")
    if len(text) > MAX_LABEL or len(parts) > MAX_COMPONENTS:
        return f"a label has at most {MAX_LABEL} characters and {MAX_COMPONENTS} components"
    for part in parts:
        if part in MODULE_ATTRIBUTES:
            return f"every torch module has an attribute `{part}`: choose another label"
        if keyword.iskeyword(part):
            return f"`{part}` is a word of Python's grammar: choose another label"
        if part.startswith("__") and part.endswith("__"):
            return f"Python keeps names such as `{part}` for itself: choose another label"
    return None
