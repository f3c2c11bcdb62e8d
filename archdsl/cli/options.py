"""Options and kinds of values that several commands have; each is declared once, and a command says that it has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from archdsl import arguments
from archdsl.graph.image import AS_WRITTEN, Image

_MOST_DIGITS = 18
"""Digits of the sizes of an image; `arguments.LARGEST` has one more."""

F = TypeVar("F", bound=Callable[..., Any])


class Text(click.ParamType):  # type: ignore[type-arg]  # it has none in older versions of click
    """A text of the language, or a name in it: of characters, while the bytes of a path may be any."""

    name = "text"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        try:
            return arguments.plain(value)
        except arguments.NotPlain as reason:
            self.fail(f"this is {reason}", param, ctx)


TEXT = Text()


def json_option(command: F) -> F:
    """`--json`"""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON (docs/json.md) instead of text.")(command)


def prefix_option(command: F) -> F:
    """`--prefix TEXT`, any number of times: which part of a weights file a network is."""
    return click.option(
        "--prefix",
        "prefixes",
        metavar="TEXT",
        type=TEXT,
        multiple=True,
        help="What keys of the file begin with that are of this network (backbone.); several times: of each.",
    )(command)


def set_option(command: F) -> F:
    """`--set name=value`, any number of times: a mapping from names to texts."""
    return click.option(
        "--set",
        "settings",
        metavar="NAME=VALUE",
        type=TEXT,
        multiple=True,
        callback=_settings,
        help="Set a parameter of the model, the value as a spec writes it: --set classes=10.",
    )(command)


def _settings(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    result: dict[str, str] = {}
    for value in values:
        name, text = split_setting(value, ctx, option)
        if name in result:
            raise click.BadParameter(f"{name!r} is set twice", ctx, option)
        result[name] = text
    return result


def split_setting(value: str, ctx: click.Context, option: click.Parameter) -> tuple[str, str]:
    """`width=0.5` in two: a parameter, or the knob of a scaling (`compound.phi`), and a text in the language."""
    name, equals, text = value.partition("=")
    name, text = name.strip(), text.strip()
    parts = name.split(".")
    if not equals or len(parts) > 2 or not all(part.isidentifier() for part in parts) or not text:
        raise click.BadParameter(f"{value!r} is not NAME=VALUE", ctx, option)
    return name, text


def image_option(command: F) -> F:
    """`--image 160`, `--image 256x320`, `--image 1x256x256`: an `Image`; without the option the spec's own."""
    return click.option(
        "--image",
        metavar="[C×]SIZE",
        callback=lambda ctx, option, value: image_of(ctx, option, value) if value is not None else AS_WRITTEN,
        help="Another image than the spec's: --image 160, --image 256x320 (height, width), --image 1x256x256.",
    )(command)


def output_stride_option(command: F) -> F:
    """`--output-stride 8`"""
    return click.option(
        "--output-stride",
        metavar="N",
        type=click.IntRange(1, arguments.LARGEST),
        help="Take strides away down to this one, and dilate what follows: --output-stride 8.",
    )(command)


def image_of(ctx: click.Context | None, option: click.Parameter | None, value: str) -> Image:
    """The image that a size stands for; raises BadParameter."""
    parts = value.replace("×", "x").split("x")
    if len(parts) > 3 or not all(part.isascii() and part.isdigit() and part.strip("0") for part in parts):
        raise click.BadParameter(f"{value!r} is not a size, height x width or channels x height x width", ctx, option)
    if any(len(part) > _MOST_DIGITS for part in parts):
        raise click.BadParameter(f"{value[:40]!r} is beyond 10^{_MOST_DIGITS}", ctx, option)
    sizes = [int(part) for part in parts]
    channels = sizes.pop(0) if len(sizes) == 3 else None
    return Image(channels, sizes[0], sizes[-1])


def weights_set_option(command: F) -> F:
    """`--weights-set NAME`"""
    return click.option(
        "--weights-set",
        metavar="NAME",
        type=TEXT,
        help="Which of several sets in the file: its name, or a word of it (ema).",
    )(command)


def force_option(what: str = "a file that archdsl did not write") -> Callable[[F], F]:
    """`--force`: what it replaces that stays without it."""
    return click.option("--force", is_flag=True, help=f"Replace {what}.")
