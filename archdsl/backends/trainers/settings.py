"""What a trainer is given: settings by its own names, and in words what of a recipe is missing in them."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from archdsl.diagnostics.glyphs import shown
from archdsl.graph.ir import Graph
from archdsl.graph.reference import Plain
from archdsl.graph.settings import Preprocess

Setting: TypeAlias = bool | int | float | str | list["Setting"] | dict[str, "Setting"]


@dataclass(frozen=True)
class TrainedNetwork:
    """A network with what a recipe sets of it: its graph, the arguments with which the library's model equals it, and
    how its pictures are tested (None: the spec does not say)."""

    graph: Graph
    arguments: Mapping[str, Plain] = field(default_factory=dict)
    pictures: Preprocess | None = None

    @property
    def scales_layers(self) -> bool:
        return any(node.op.name == "layer_scale" for node in self.graph.nodes)


@dataclass
class Exported:
    """`settings` of a trainer by name, in the order in which it lists them. `missing`: what they do not say."""

    trainer: str
    settings: dict[str, Setting] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    def lacks(self, what: str, instead: str = "") -> None:
        """Note what the trainer cannot do, and what it does instead."""
        self.missing.append(f"{what}: {instead}" if instead else what)

    def unnamed(self, network: TrainedNetwork | None) -> None:
        """Note that the network has no name there, or that none was chosen."""
        if network is not None:
            self.lacks("the network", f"no `reference` names {self.trainer}'s; give --model")
        else:
            more = "its drop rates, classes and pictures"
            self.lacks("the network", f"none is chosen; SPEC:VARIANT does, and {more} are said with it")

    def yaml(self, title: str = "") -> str:
        """A mapping in YAML, a title and what is missing in comments above."""
        lines = self._comments(title)
        return "\n".join([*lines, *(f"{name}: {_yaml(value)}" for name, value in self.settings.items())]) + "\n"

    def flags(self, title: str = "") -> str:
        """Arguments of a command line, one a line, for a shell; a title and what is missing in comments above."""
        lines = self._comments(title)
        flags = [_flag(name, value) for name, value in self.settings.items() if value is not False]
        return "\n".join([*lines, " \\\n  ".join(["torchrun train.py", *flags])]) + "\n"

    def _comments(self, title: str) -> list[str]:
        """A line each, whatever the texts of a spec are."""
        found = [title] if title else []
        if self.missing:
            found += ["What the recipe says and this does not:", *(f"- {what}" for what in self.missing)]
        return [f"# {shown(' '.join(line.split()))}" for line in found]


def setting(value: Plain) -> Setting:
    """A value of a spec as a trainer's setting."""
    return [setting(item) for item in value] if isinstance(value, tuple) else value


def _yaml(value: Setting) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number(value)
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_yaml(item)}' for key, item in value.items())}}}"
    return str(value) if isinstance(value, int) else json.dumps(value)


def number(value: float) -> str:
    """A float so that YAML 1.1 reads a number: `1.0e-06`, not `1e-06`."""
    text = repr(value)
    if "e" in text and "." not in text.partition("e")[0]:
        return text.replace("e", ".0e")
    return text


def _flag(name: str, value: Setting) -> str:
    flag = f"--{name.replace('_', '-')}"
    if value is True:
        return flag
    return f"{flag} {number(value) if isinstance(value, float) else shlex.quote(str(value))}"
