"""Diagnostics are data: a code, where, and finished sentences, with the other places that are shown."""

from __future__ import annotations

from dataclasses import dataclass

from archdsl.diagnostics.entry import Severity
from archdsl.source import Span


@dataclass(frozen=True, slots=True)
class Label:
    """A second place, and what is to be seen there."""

    span: Span
    text: str


def declared(span: Span | None) -> tuple[Label, ...]:
    """Where the name stands that was probably meant: that one may be the misspelt one. None without a place."""
    return () if span is None else (Label(span, "declared here"),)


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding. `message`, `label` and `help` are finished sentences; `span` is the caret's place."""

    code: str
    message: str
    span: Span | None = None
    label: str = ""
    secondary: tuple[Label, ...] = ()
    help: str | None = None
    notes: tuple[str, ...] = ()
    severity: Severity = "error"
    items: tuple[str, ...] = ()
    """Of what is counted in the message every one; only JSON shows them all."""

    def __str__(self) -> str:
        place = f"{self.span}: " if self.span else ""
        from archdsl.diagnostics.glyphs import shown

        return shown(f"{place}{self.severity}[{self.code}]: {self.message}")
