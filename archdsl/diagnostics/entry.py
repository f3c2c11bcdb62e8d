"""The form of a catalogue entry, and how its templates are filled with facts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from string import Formatter
from textwrap import dedent
from typing import Literal

Severity = Literal["error", "warning"]

MAX_FACT = 300
"""Characters of one fact that are shown; the rest becomes an ellipsis."""

Fence = str
"""What an example is written in: `arch` (a whole spec file), `sh` (a command line) or `text`."""


@dataclass(frozen=True)
class Entry:
    """Everything said about one code. To add a code, add one `Entry` to a file of `entries/`.

    `facts` names what a report of this code passes, separated by spaces; templates use `{fact}` and
    nothing else of `str.format`. A message always appears. A label or help appears only if all its
    facts are known; where several are given, the first such is taken (`did you mean …?` before a
    general hint). `explanation`, `example` and `fixed` are the long form; they may be indented.
    """

    code: str
    title: str
    message: str
    explanation: str
    example: str
    fixed: str
    label: str | tuple[str, ...] = ()
    help: str | tuple[str, ...] = ()
    facts: str = ""
    severity: Severity = "error"
    fence: Fence = "arch"

    @property
    def labels(self) -> tuple[str, ...]:
        return (self.label,) if isinstance(self.label, str) else self.label

    @property
    def helps(self) -> tuple[str, ...]:
        return (self.help,) if isinstance(self.help, str) else self.help

    @cached_property
    def markdown(self) -> str:
        """The long form: what it means, a wrong example and its correction."""
        return "\n".join(
            [
                f"# {self.code}: {self.title}",
                "",
                dedent(self.explanation).strip(),
                "",
                "Wrong:",
                "",
                f"```{self.fence}",
                dedent(self.example).strip("\n").rstrip(),
                "```",
                "",
                "Right:",
                "",
                f"```{self.fence}",
                dedent(self.fixed).strip("\n").rstrip(),
                "```",
                "",
            ]
        )


def fields(template: str) -> tuple[str, ...]:
    """The facts that a template uses."""
    return tuple(name for _, name, _, _ in Formatter().parse(template) if name is not None)


def fill(template: str, facts: Mapping[str, object]) -> str:
    """The template with its facts in place. A missing fact shows as its own name; nothing raises.

    Facts are looked up by their whole name and printed: a fact is never itself read as a template,
    and neither attributes nor items of it are reached.
    """
    parts: list[str] = []
    for literal, name, _, _ in Formatter().parse(template):
        parts.append(literal)
        if name is not None:
            value = facts.get(name)
            parts.append(name if value is None else show(value))
    return "".join(parts)


def first_filled(templates: Iterable[str], facts: Mapping[str, object]) -> str | None:
    """The first template whose facts are all known and not empty, filled; None if there is none."""
    for template in templates:
        if all(_known(facts.get(name)) for name in fields(template)):
            return fill(template, facts)
    return None


def _known(value: object) -> bool:
    return value is not None and not (isinstance(value, str | tuple | list) and len(value) == 0)


def show(value: object) -> str:
    """A fact as text, in the language's own spelling: `true`, `1, 2`; cut to `MAX_FACT` characters."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and value.bit_length() > 256:
        # Python refuses to print integers of thousands of digits, and nobody would read them.
        return f"a number of about {int(value.bit_length() * 0.30103) + 1} digits"
    if isinstance(value, tuple | list):
        return _cut(", ".join(show(item) for item in value[:MAX_FACT]))
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= MAX_FACT else text[: MAX_FACT - 1] + "…"
