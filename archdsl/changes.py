"""What was changed of a variant that a file has: data from which the same variant is made in another process, and the
command that shows it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from archdsl.graph.describe import describe_value, value_text
from archdsl.graph.image import Image


class Change(NamedTuple):
    """What was changed of the variant that the file has: by which method of `Variant`, and its argument, plain."""

    method: Literal["override", "set", "for_image", "with_output_stride", "features", "feature_list"]
    given: tuple[Any, ...]


class Maps(NamedTuple):
    """The feature maps that a part of a network gives: by name, or `listed`."""

    names: tuple[str, ...]
    listed: bool


def _settings(changes: Sequence[Change]) -> Iterator[tuple[str, Any, bool]]:
    """What was set of the parameters: name, value, and whether that is a text in the language, as of `set`."""
    for method, given in changes:
        if method in ("set", "override"):
            yield from ((name, value, method == "set") for name, value in given)


def assigned(changes: Sequence[Change]) -> Mapping[str, Any]:
    """What was set of the parameters: values, and of `set` texts in the language."""
    return {name: value for name, value, _ in _settings(changes)}


def settings_text(changes: Sequence[Change], output_stride: int | None) -> str:
    """The same as a spec writes it, with the output stride: `depths = [1, 1]`."""
    said = [
        f"{name} = {' '.join(value.split()) if is_text else describe_value(value)}"
        for name, value, is_text in _settings(changes)
    ]
    return ", ".join([*said, *([f"output_stride = {output_stride}"] if output_stride is not None else [])])


# --- as a command ----------------------------------------------------------------------------


def assigned_texts(changes: Sequence[Change]) -> dict[str, str]:
    """What was set of the parameters, as `--set` takes it."""
    return {name: value if is_text else value_text(value) for name, value, is_text in _settings(changes)}


def command_options(settings: Mapping[str, str], image: Image, output_stride: int | None = None) -> list[str]:
    """`--set`, `--image` and `--output-stride`, as options of a command line."""
    sizes = [image.channels, image.height, image.width]
    if image.channels is None and image.height == image.width:
        sizes = [image.height]
    size = "x".join(str(number) for number in sizes if number is not None)
    found = [word for name, text in settings.items() for word in ("--set", f"{name}={text}")]
    found += ["--image", size] if size else []
    return found + (["--output-stride", str(output_stride)] if output_stride is not None else [])


def command_line(verb: str, spec: str, *options: str) -> str:
    """A command that can be given to a shell."""
    return " ".join(["archdsl", verb, *(shlex.quote(word) for word in (spec, *options))])
