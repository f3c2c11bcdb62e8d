"""What is in one spec: `build`, `check`, `show`, `draw`, `list`, `explain`, `fmt`."""

from __future__ import annotations

from typing import TypedDict

from archdsl.cli.schema.common import CostedJson, Document, PreprocessJson, StageJson, VariantJson
from archdsl.diagnostics.render import DiagnosticJson


class LayerJson(TypedDict):
    """One node of the graph, in order of execution; `inputs` are the paths of the nodes that feed it."""

    path: str
    op: str
    label: str
    inputs: list[str]
    output: list[int]
    params: int
    macs: int
    activations: int
    file: str
    line: int


class ProofJson(TypedDict):
    """What was compared after building and running the generated source, and found equal."""

    device: str
    params: int
    keys: int
    output: list[int]
    outputs: list[list[int]]
    seconds: float


class BuiltJson(TypedDict):
    """One variant that was built. `path` is null and `source` a text where the source was printed (`-o -`)."""

    variant: VariantJson
    stages: list[StageJson]
    path: str | None
    source: str | None
    proof: ProofJson | None


class BuildDocument(Document):
    """`archdsl build --json`"""

    file: str
    built: list[BuiltJson]


class CheckedJson(TypedDict):
    """One file that was checked; of the `unchecked` definitions, which nothing uses, only the names were."""

    file: str
    ok: bool
    variants: list[str]
    recipes: list[str]
    unchecked: list[str]
    diagnostics: list[DiagnosticJson]


class CheckDocument(Document):
    """`archdsl check --json`: the envelope's diagnostics are those of all files."""

    files: list[CheckedJson]


class ShowDocument(Document):
    """`archdsl show --json`: `variant` is null, and `variants` filled, if the file has several and none was named."""

    file: str
    doc: str
    variant: VariantJson | CostedJson | None
    stages: list[StageJson]
    layers: list[LayerJson]
    preprocess: PreprocessJson | None
    variants: list[VariantJson | CostedJson]


class DrawDocument(Document):
    """`archdsl draw --json`: the file that was written; `path` is null, and `text` the picture, for `-o -`."""

    variants: list[str]
    level: str
    format: str
    path: str | None
    text: str | None
    bytes: int


class FamilyJson(TypedDict):
    """A shipped spec."""

    name: str
    file: str
    doc: str
    variants: list[VariantJson]


class ListDocument(Document):
    """`archdsl list --json`"""

    families: list[FamilyJson]


class ExplainDocument(Document):
    """`archdsl explain --json`: the long form in Markdown."""

    code: str
    markdown: str


class FormattedJson(TypedDict):
    """A file that was formatted; `changed` says whether its layout was another."""

    file: str
    changed: bool


class FmtDocument(Document):
    """`archdsl fmt --json`"""

    files: list[FormattedJson]
