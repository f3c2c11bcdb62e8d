"""`config.json`: which network a folder holds, as data. Read strictly: nothing unknown, missing, or of another type.

Reports E634 and E635.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NoReturn

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from archdsl.api import Variant
from archdsl.changes import Change
from archdsl.diagnostics.core import ArchError, Bag, errors_raised
from archdsl.source import Source, Span

NAME = "config.json"
LIBRARY = "archdsl"
LONGEST = 16 << 20
"""Bytes of a config: a list of 21,841 classes has one."""

_TEXT = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
TEXT_PATH = re.compile(rf"(?:{_TEXT}/)*{_TEXT}\.arch", re.ASCII)
"""What the texts of a spec are called in a folder: portable, and no pattern of anything."""

_Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
_Name = Annotated[str, Field(min_length=1, max_length=1000)]
_Count = Annotated[int, Field(ge=0, le=10**18)]
_Side = Annotated[int, Field(gt=0, le=10**6)]
_Number = Annotated[float, Field(allow_inf_nan=False)]
_Positive = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, defer_build=True)


class PretrainedCfg(_Strict):
    """Pictures and classes in timm's words. Of weights that were made with other pictures than the spec says, those."""

    architecture: _Name
    num_classes: _Count
    input_size: Annotated[list[_Side], Field(min_length=3, max_length=3)]
    interpolation: Literal["nearest", "bilinear", "bicubic", "lanczos", "box"] | None = None
    crop_pct: Annotated[float, Field(gt=0, le=2, allow_inf_nan=False)] | None = None
    crop_mode: Literal["center", "squash", "border"] | None = None
    mean: list[_Number] | None = None
    std: list[_Positive] | None = None
    first_conv: _Name | list[_Name] | None = None
    classifier: _Name | None = None
    tag: _Name | None = None
    license: _Name | None = None
    hf_hub_id: _Name | None = None
    url: _Name | None = None


class Config(_Strict):
    """What a folder says of its network. `spec` and `texts` are files beside it; `written` digests of what was made
    with it, by which a later save knows its own files."""

    library_name: Literal["archdsl"]
    config_version: Literal[1]
    archdsl_version: _Name
    architecture: _Name
    variant: _Name
    spec: _Name
    texts: Annotated[list[_Name], Field(min_length=1, max_length=1200)]
    changes: Annotated[list[dict[str, Any]], Field(max_length=100)]
    fingerprint: _Digest
    dtype: _Name
    num_classes: _Count | None
    num_features: _Count | None
    label_names: Annotated[list[_Name], Field(max_length=1_000_000)] | None
    pretrained_cfg: PretrainedCfg
    written: dict[_Name, _Digest]

    def text(self) -> str:
        content = self.model_dump(exclude={"pretrained_cfg": {k for k, v in self.pretrained_cfg if v is None}})
        return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


class ConfigFile:
    """The text of a config, and the errors in it with their places."""

    def __init__(self, path: str, text: str) -> None:
        self.source = Source(path, text)

    def parse(self) -> Config:
        """Raises ArchError E634 for every key that is wrong."""
        try:
            found = json.loads(self.source.text, object_pairs_hook=_unique, parse_constant=_no_number)
        except json.JSONDecodeError as error:
            end = len(self.source.text)
            span = Span(self.source, min(error.pos, end), min(error.pos + 1, end))
            raise ArchError.of("E634", span, facts=self._facts("text", f"is no JSON: {error.msg}")) from None
        except (ValueError, RecursionError) as error:
            detail = str(error) if isinstance(error, _Refused) else "is no JSON that can be read"
            self.refuse("text", detail)
        if not isinstance(found, dict):
            self.refuse("text", f"is a {_kind(found)}, not an object")
        try:
            config = Config.model_validate(found)
        except ValidationError as error:
            bag = Bag()
            for fault in error.errors(include_url=False, include_context=False):
                key = ".".join(map(str, fault["loc"]))
                bag.report("E634", self._span(key), facts=self._facts(key[:100], _detail(fault)))
            raise ArchError(bag) from None
        for name in config.texts:
            if not TEXT_PATH.fullmatch(name) or len(name) > 250:
                self.refuse("texts", "names what is no text of a spec: paths of letters, digits and `_.+-`, NAME.arch")
        if config.spec not in config.texts:
            self.refuse("spec", "is none of `texts`")
        return config

    def refuse(self, key: str, detail: str) -> NoReturn:
        """Raise E634."""
        raise ArchError.of("E634", self._span(key), facts=self._facts(key, detail))

    def compare(self, said: Mapping[str, Any], found: Mapping[str, Any]) -> None:
        """Raise E635 for each key that says something else than what was found."""
        with errors_raised() as bag:
            for key, value in found.items():
                if said.get(key) != value:
                    facts = {"said": _shown(said.get(key)), "found": _shown(value), "path": self.source.name}
                    bag.report("E635", self._span(key), facts=facts, key=key)

    def _facts(self, key: str, detail: str) -> dict[str, str]:
        return {"key": key or "text", "detail": detail, "path": self.source.name}

    def _span(self, key: str) -> Span | None:
        """Where a key stands in a text that we wrote: its name, on a line of its own."""
        place = None
        at = 0
        for depth, part in enumerate(key.split("."), 1):
            place = re.compile(rf'^ {{{2 * depth}}}("{re.escape(part)}"):', re.M).search(self.source.text, at) or place
            at = place.end() if place else 0
        return Span(self.source, place.start(1), place.end(1)) if place else None


class _Refused(ValueError):
    """Why a text is no config; the message is ours."""


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))  # type: ignore[func-returns-value]
        raise _Refused(f"has the key `{twice[:100]}` twice")
    return found


def _no_number(text: str) -> NoReturn:
    raise _Refused(f"has {text}, which is no number")


def _detail(fault: Any) -> str:
    match fault["type"]:
        case "missing":
            return "is missing"
        case "extra_forbidden":
            return "is no key of a config"
        case _:
            message = str(fault["msg"])
            return f"is no such value: {message[:1].lower()}{message[1:]}"


def _kind(value: object) -> str:
    names = {list: "list", str: "string", int: "number", float: "number", bool: "bool"}
    return names.get(type(value), "null")


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else f"{text[:80]}…"


def written_changes(changes: tuple[Change, ...]) -> list[dict[str, Any]]:
    """What was changed of a variant, as a config says it."""
    found: list[dict[str, Any]] = []
    for change in changes:
        match change.method:
            case "override" | "set":
                given: Any = dict(change.given)
            case "for_image":
                channels, size = change.given
                given = {"channels": channels, "size": size}
            case _:
                given = change.given
        found.append({change.method: given})
    plain: list[dict[str, Any]] = json.loads(json.dumps(found))
    return plain


def changed(variant: Variant, changes: list[dict[str, Any]], file: ConfigFile) -> Variant:
    """The variant with the changes of a config, through the methods that made them; raises ArchError."""
    for change in changes:
        if len(change) != 1:
            file.refuse("changes", "is a list of objects with one key each")
        ((method, given),) = change.items()
        try:
            match method, given:
                case ("override", dict()):
                    variant = variant.override(given)
                case ("set", dict()):
                    variant = variant.set(given)
                case ("for_image", {"channels": channels, "size": size, **more}) if not more:
                    variant = variant.for_image(channels, size)
                case ("with_output_stride", [stride]):
                    variant = variant.with_output_stride(stride)
                case ("features" | "feature_list", list()):
                    variant = variant.features(given, listed=method == "feature_list")
                case _:
                    file.refuse("changes", f"has no change `{method[:100]}` of this form")
        except (TypeError, ValueError) as error:
            file.refuse("changes", f"says what is no change: {error}")
    return variant
