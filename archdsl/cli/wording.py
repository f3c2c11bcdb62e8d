"""What tables and JSON say of a variant alike: its arguments, its docstrings, how pictures become its input."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from archdsl.diagnostics.core import errors_raised
from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.graph.image import Image
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


def command_line(verb: str, spec: str, *options: str) -> str:
    """A command that can be given to a shell; SPEC is said as it was said to this one."""
    import shlex

    return " ".join(["archdsl", verb, *(shlex.quote(word) for word in (spec, *options))])


def network_options(settings: Mapping[str, str], image: Image) -> list[str]:
    """`--set` and `--image`, as options of a command line."""
    sizes = [image.channels, image.height, image.width]
    if image.channels is None and image.height == image.width:
        sizes = [image.height]
    size = "x".join(str(number) for number in sizes if number is not None)
    found = [word for name, text in settings.items() for word in ("--set", f"{name}={text}")]
    return [*found, "--image", size] if size else found
