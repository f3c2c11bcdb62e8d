"""What was changed of a variant that a file has: data from which the same variant is made in another process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple

from archdsl.graph.describe import describe_value


class Change(NamedTuple):
    """What was changed of the variant that the file has: by which method of `Variant`, and its argument, plain."""

    method: Literal["override", "set", "for_image", "with_output_stride", "features", "feature_list"]
    given: tuple[Any, ...]


class Maps(NamedTuple):
    """The feature maps that a part of a network gives: by name, or `listed`."""

    names: tuple[str, ...]
    listed: bool


def assigned(changes: Sequence[Change]) -> Mapping[str, Any]:
    """What was set of the parameters: values, and of `set` texts in the language."""
    return {name: value for method, given in changes if method in ("set", "override") for name, value in given}


def settings_text(changes: Sequence[Change], output_stride: int | None) -> str:
    """The same as a spec writes it, with the output stride: `depths = [1, 1]`."""
    said = [
        f"{name} = {' '.join(value.split()) if method == 'set' else describe_value(value)}"
        for method, given in changes
        if method in ("set", "override")
        for name, value in given
    ]
    return ", ".join([*said, *([f"output_stride = {output_stride}"] if output_stride is not None else [])])
