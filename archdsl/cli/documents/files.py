"""Files and codes: `check`, `fmt`, `explain`."""

from __future__ import annotations

from typing import ClassVar

from archdsl.cli.documents.base import DiagnosticJson, Document, Shape, Text


class CheckedJson(Shape):
    """A file that was checked."""

    file: Text
    ok: bool
    variants: list[Text]
    """Names; so are `recipes` (those of this file) and `unchecked`."""
    recipes: list[Text]
    unchecked: list[Text]
    """Definitions that nothing uses, so that only their names were checked."""
    diagnostics: list[DiagnosticJson]


class CheckDocument(Document):
    """What was found in files; the diagnostics of the envelope are those of all."""

    command: ClassVar[str] = "check"
    files: list[CheckedJson]


class ExplainDocument(Document):
    """What a code means, at length."""

    command: ClassVar[str] = "explain"
    code: Text
    markdown: Text


class FormattedJson(Shape):
    """A file that was formatted."""

    file: Text
    changed: bool
    """Whether its layout was another."""


class FmtDocument(Document):
    """The files, in canonical layout now (`--check`: not yet)."""

    command: ClassVar[str] = "fmt"
    files: list[FormattedJson]
