"""What `--json` prints: one document for a run, described for readers in docs/json.md.

Keys are only ever added; a change of any other kind raises `VERSION`. Sizes are those of one sample, without the
batch, in torch's order; parameters are the trainable ones; MACs are for one sample.
"""

from __future__ import annotations

from typing import TypedDict

from archdsl.diagnostics.render import DiagnosticJson

VERSION = 1


class Document(TypedDict):
    """The envelope. `ok`: no diagnostic is an error; if not, the command's own keys may be absent."""

    version: int
    command: str
    ok: bool
    diagnostics: list[DiagnosticJson]


class Costs(TypedDict):
    """`layers` counts convolutions and linear layers; `activations` are elements of all outputs."""

    layers: int
    params: int
    macs: int
    activations: int


class BlocksJson(TypedDict):
    """What a stage repeats."""

    count: int
    name: str


class StageJson(Costs):
    """A row of the stage table. `kind`: stage, stem, transition, head, or part (of a model without stages)."""

    name: str
    kind: str
    output: list[int]
    blocks: list[BlocksJson]


class VariantJson(Costs):
    """One configuration of a model; `arguments` are texts in the language, `top1` is in percent."""

    name: str
    model: str
    arguments: dict[str, str]
    input: list[int]
    output: list[int]
    top1: float | None


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
    """One file that was checked."""

    file: str
    ok: bool
    variants: list[str]
    diagnostics: list[DiagnosticJson]


class CheckDocument(Document):
    """`archdsl check --json`: the envelope's diagnostics are those of all files."""

    files: list[CheckedJson]


class PreprocessJson(TypedDict):
    """Pictures: the shorter side to `resize`, a central crop of `size` (height, width), then (x - mean) / std."""

    resize: int
    size: list[int]
    interpolation: str
    mean: list[float]
    std: list[float]
    labels: str | None


class ShowDocument(Document):
    """`archdsl show --json`: `variant` is null, and `variants` filled, if the file has several and none was named."""

    file: str
    doc: str
    variant: VariantJson | None
    stages: list[StageJson]
    layers: list[LayerJson]
    preprocess: PreprocessJson | None
    variants: list[VariantJson]


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


class ClassJson(TypedDict):
    """A class and its probability, 0 to 1."""

    label: str
    probability: float


class PredictionJson(TypedDict):
    """The most likely classes of one picture, the best first."""

    path: str
    classes: list[ClassJson]


class PredictDocument(Document):
    """`archdsl predict --json`"""

    variant: str
    predictions: list[PredictionJson]
