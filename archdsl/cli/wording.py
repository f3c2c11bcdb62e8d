"""What tables and JSON say of a variant alike: its arguments, its docstrings, how pictures become its input."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from archdsl.diagnostics.core import errors_raised
from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.transform import Transform

_BREAK = re.compile(r"\s*\n\s*")
"""Between two lines of an expression; no string of one has a line break."""


def arguments(variant: Variant) -> dict[str, str]:
    """What the variant gives the model's parameters, as written: `depths: [3, 4, 6, 3]`."""
    given = variant.configured.args
    return {name: _BREAK.sub(" ", given[name].span.text) for name in variant.parameters if name in given}


def description(variant: Variant) -> str:
    """The docstrings of the file, the model and the variant, a blank line between two."""
    found = [variant.file.docstring, variant.graph.root.docstring]
    own = list(variant.file.program.root.items(ast.Variant))
    found += [item.docstring.text for item in own if item.name == variant.name and item.docstring]
    return "\n\n".join(filter(None, found))


def prepared(variant: Variant) -> Transform | None:
    """How pictures become the input, every size resolved; None where the spec does not say. Raises ArchError."""
    from archdsl.semantics.settings import preprocess_of
    from archdsl.transform import transform_of

    with errors_raised() as bag:
        settings = preprocess_of(variant.file.program, variant.configured, bag)
    shape = variant.graph.input_shape
    return None if settings is None else transform_of(settings, (shape.height, shape.width), shape.channels)
