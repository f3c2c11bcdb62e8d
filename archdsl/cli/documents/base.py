"""The base of all shapes, the envelope of every document, and diagnostics."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any, ClassVar, Self, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, PlainValidator, model_validator

from archdsl.diagnostics.diagnostic import Diagnostic, Label
from archdsl.diagnostics.entry import Severity
from archdsl.diagnostics.snippet import clamped
from archdsl.source import Span

VERSION = 1


def _is_text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("it is no text")
    return value


Text: TypeAlias = Annotated[str, PlainValidator(_is_text, json_schema_input_type=str)]
"""Any text: that of a path may hold what is no character, which pydantic's own `str` refuses."""

Size: TypeAlias = Annotated[list[int], BeforeValidator(lambda size: getattr(size, "dims", size))]
"""Sizes of a tensor, of one sample without the batch, in torch's order: `[3, 224, 224]`, `[1000]`."""


class Shape(BaseModel):
    """Base of everything in a document: what is told of a thing that Python users get.

    A field is the attribute of its name, unless `differs` says otherwise. One with a default may be absent.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        defer_build=True,
        use_attribute_docstrings=True,
        serialize_by_alias=True,
        validate_by_name=True,
    )

    @classmethod
    def of(cls, thing: object = None, /, **own: Any) -> Self:
        """The shape of a thing, of which some fields may be given. What is in it takes its own shape."""
        return cls.model_validate(cls._told(thing, own))

    @classmethod
    def differs(cls, thing: Any) -> dict[str, Any]:
        """Fields that are no attributes of a thing by their names."""
        return {}

    @classmethod
    def _told(cls, thing: object, own: dict[str, Any]) -> dict[str, Any]:
        own = {**({} if thing is None else cls.differs(thing)), **own}
        named = [name for name, field in cls.model_fields.items() if name not in own and field.is_required()]
        return {**{name: getattr(thing, name) for name in named}, **own}

    @model_validator(mode="before")
    @classmethod
    def _shaped(cls, thing: object) -> object:
        return thing if isinstance(thing, dict | list | str | int | float | None) else cls._told(thing, {})

    def plain(self) -> dict[str, Any]:
        """For `json.dumps`."""
        return self.model_dump(mode="json", exclude_unset=True)


class SpanJson(Shape):
    """A place. Lines and columns (in characters) count from 1; the end is exclusive."""

    file: Text
    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def differs(cls, span: Span) -> dict[str, Any]:
        span = clamped(span)
        (line, column), (end_line, end_column) = map(span.source.position, (span.start, span.end))
        places = {"line": line, "column": column, "end_line": end_line, "end_column": end_column}
        return {"file": span.source.name, **places}


class LabelJson(Shape):
    """A second place and what is to be seen there."""

    span: SpanJson
    label: Text

    @classmethod
    def differs(cls, label: Label) -> dict[str, Any]:
        return {"label": label.text}


class DiagnosticJson(Shape):
    """What is wrong, or a warning. Texts are as they are in the source, not made visible."""

    code: Text
    severity: Severity
    message: Text
    span: SpanJson | None
    """Null where there is no place."""
    label: Text
    """What is at the span."""
    secondary: list[LabelJson]
    help: Text | None
    notes: list[Text]
    items: list[Text]
    """Every one of what the message counts, as the keys that a file lacks, of which text shows the first."""


class Envelope(Shape):
    """The keys of every document."""

    version: int
    """The number of this format."""
    command: Text
    """`"build"`, `"check"`, …"""
    ok: bool
    """Whether no diagnostic is an error; of `verify`, also, that nothing differs or was skipped. Where it is `false`,
    the command's own keys may be absent."""
    diagnostics: list[DiagnosticJson]


class Document(Shape):
    """The keys that a command adds to the envelope."""

    command: ClassVar[str]


def document(
    command: str, diagnostics: Iterable[Diagnostic], keys: Document | None = None, ok: bool | None = None
) -> dict[str, Any]:
    """A whole document: the envelope, and a command's own keys in the midst of it."""
    found = list(diagnostics)
    fine = not any(d.severity == "error" for d in found) if ok is None else ok
    envelope = Envelope.of(version=VERSION, command=command, ok=fine, diagnostics=found).plain()
    told = envelope.pop("diagnostics")
    return {**envelope, **({} if keys is None else keys.plain()), "diagnostics": told}
