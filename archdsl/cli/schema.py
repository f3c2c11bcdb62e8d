"""What `--json` prints: one document for a run, described for readers in docs/json.md.

Keys are only ever added; a change of any other kind raises `VERSION`. Sizes are those of one sample, without the
batch, in torch's order; parameters are the trainable ones; MACs are for one sample.
"""

from __future__ import annotations

from typing import TypeAlias, TypedDict

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
    """A row of the stage table. `kind`: stage, stem, transition, head, part (of a model without stages), or
    aux (what a further output alone needs)."""

    name: str
    kind: str
    output: list[int]
    blocks: list[BlocksJson]


class OutputJson(TypedDict):
    """What a model gives: `name` is null where that is its result alone, or one of a plain tuple."""

    name: str | None
    output: list[int]


class SizeJson(TypedDict):
    """What the spec asks about the height or width of a tensor, and the answer for images of the model's size."""

    text: str
    answer: str
    file: str
    line: int


class CostsJson(TypedDict):
    """Costs of a batch; sizes are in bytes, `intensity` in MACs per byte moved, `seconds` the roofline time on
    `device`. `peak` is the path of the layer at which inference needs most."""

    batch: int
    dtype: str
    weights: int
    gradients: int
    memory: int
    peak: str
    saved: int
    training: int
    moved: int
    intensity: float
    device: str | None
    seconds: float | None


class VariantJson(Costs):
    """One configuration of a model; `arguments` are texts in the language, `top1` is in percent."""

    name: str
    model: str
    arguments: dict[str, str]
    input: list[int]
    output: list[int]
    outputs: list[OutputJson]
    top1: float | None
    sizes: list[SizeJson]


class CostedJson(VariantJson):
    """A variant where an option asks for costs."""

    costs: CostsJson


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


class PreprocessJson(TypedDict):
    """Pictures: the shorter side (`squash`: both) to `resize`, a central crop of `size` (height, width), then
    (x - mean) / std."""

    resize: int
    squash: bool
    size: list[int]
    interpolation: str
    mean: list[float]
    std: list[float]
    labels: str | None


class PublishedJson(TypedDict):
    """A published file of weights, as a row of `weights` states it; what is not known is null.

    `name` is the whole name, `checkpoint` the key map with which it is read (null: its names are the spec's own), `mib`
    its size in units of 2^20 bytes, `refused` why it cannot be loaded.
    """

    name: str
    variant: str
    library: str
    model: str
    tag: str
    url: str | None
    hub: str | None
    package: str | None
    file: str | None
    revision: str | None
    sha256: str | None
    sha1: str | None
    mib: float | None
    classes: int | None
    label_offset: int
    checkpoint: str | None
    top1: float | None
    top1_size: int | None
    top1_crop: float | None
    test_size: int | None
    test_crop: float | None
    recipe: str | None
    licence: str | None
    refused: str | None
    default: bool
    preprocess: PreprocessJson | None


class FetchedJson(TypedDict):
    """Published weights that are on this machine now."""

    name: str
    path: str


class WeightsDocument(Document):
    """`archdsl weights --json`; with `--fetch` of those that are fetched"""

    published: list[PublishedJson]
    fetched: list[FetchedJson]


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


Plain: TypeAlias = int | float | bool | str | list[int] | list[float] | None
"""A parameter's value. A layer, or anything else without a plain value, is a text."""


class ParameterJson(TypedDict):
    """A parameter that differs; `values` are pairs, before and after, one for each distinct pair."""

    name: str
    values: list[list[Plain]]


class OpJson(TypedDict):
    """An op on one side of a difference."""

    path: str
    op: str
    label: str


class OpChangeJson(TypedDict):
    """`before` is null for what was added, `after` for what was removed; `reads` are paths, where they differ."""

    status: str
    before: OpJson | None
    after: OpJson | None
    parameters: list[ParameterJson]
    moved: bool
    reads: list[list[str]] | None


class SideJson(Costs):
    """Blocks on one side of a difference: how many, the path of the first, and what all of them cost."""

    name: str
    path: str
    count: int


class BlockChangeJson(TypedDict):
    """Like blocks in a row, `name` is "" for layers outside any block. `ops` holds what is not the same in a block."""

    status: str
    before: SideJson | None
    after: SideJson | None
    ops: list[OpChangeJson]


class SectionChangeJson(TypedDict):
    """A row of the stage table and the row it corresponds to."""

    status: str
    before: StageJson | None
    after: StageJson | None
    blocks: list[BlockChangeJson]


class RenamedJson(TypedDict):
    """The paths of layers that correspond."""

    before: str
    after: str


class ResizedJson(TypedDict):
    """A key of both state_dicts whose tensors have other shapes."""

    key: str
    before: list[int]
    after: list[int]


class TransferJson(TypedDict):
    """Keys of the state_dicts: of both with one shape, of both with two, of the first only, of the second only.

    `covered` is the share of the second network's elements that those that fit fill, 0 to 1.
    """

    fits: list[str]
    resized: list[ResizedJson]
    left: list[str]
    new: list[str]
    covered: float


class InitialJson(TypedDict):
    """How `count` tensors of a kind (`conv.weight`) of layers that correspond begin, before and after."""

    weight: str
    before: str
    after: str
    count: int


class PicturesJson(TypedDict):
    """How pictures become the input of both networks."""

    before: PreprocessJson | None
    after: PreprocessJson | None


class DiffDocument(Document):
    """`archdsl diff --json`; `image` holds what differs in the input, `outputs` paths where they differ."""

    equal: bool
    before: VariantJson
    after: VariantJson
    image: list[ParameterJson]
    outputs: list[list[str]] | None
    sections: list[SectionChangeJson]
    renamed: list[RenamedJson]
    initial: list[InitialJson]
    pictures: PicturesJson
    weights: TransferJson


class StepJson(TypedDict):
    """A step of a chain: a variant, the one it amends (null for the first), what the spec says, and what differs.

    `leads_on`: the last variant of the file comes from it. `training`: in words, how it is trained otherwise.
    """

    variant: VariantJson
    amends: str | None
    amendment: str
    leads_on: bool
    training: str
    image: list[ParameterJson]
    sections: list[SectionChangeJson]


class StepsDocument(Document):
    """`archdsl diff --json` of one spec whose variants amend each other."""

    file: str
    steps: list[StepJson]


class PointJson(TypedDict):
    """A point of a grid: texts in the language by parameter, by `scaling.knob`, or by `image`."""

    settings: dict[str, str]
    variant: VariantJson | CostedJson


class SweepDocument(Document):
    """`archdsl sweep --json`: points that the spec refuses are left out and are among the diagnostics."""

    base: str
    points: list[PointJson]


class ScalePointJson(TypedDict):
    """A value of a knob: what it sets (texts in the language), growth over the `origin`, and what the rule promises."""

    value: float
    settings: dict[str, str]
    factors: dict[str, float]
    promise: dict[str, float]
    variant: VariantJson


class PlaceJson(TypedDict):
    """A published variant, and the value of the knob at which the curve has its MACs; null where it has not."""

    place: float | None
    variant: VariantJson


class NeighbourJson(TypedDict):
    """A cost next to a target, and a value that has it."""

    value: float
    cost: int


class AnswerJson(TypedDict):
    """What was found for a target: `error` is the relative distance."""

    cost: str
    target: float
    value: float
    error: float
    below: NeighbourJson | None
    above: NeighbourJson | None
    settings: dict[str, str]
    variant: VariantJson


class ScaleDocument(Document):
    """`archdsl scale --json`: points of a curve, or (with `--target`) an answer.

    `rates`: for an exponent the factor by which a cost grows for each 1, else the power of the knob. `origin`: the
    value that growth is counted from.
    """

    base: str
    knob: str
    origin: float | None
    points: list[ScalePointJson]
    rates: dict[str, float | None]
    published: list[PlaceJson]
    answer: AnswerJson | None


class AxisJson(TypedDict):
    """A number or choice of a space, and how many values it has."""

    name: str
    values: int


class SpaceJson(TypedDict):
    """A design space: the model or variant that it is for, and how many networks there are without conditions."""

    name: str
    target: str
    source: str
    networks: str
    axes: list[AxisJson]


class FoundJson(TypedDict):
    """A network of a search: what varies, and the model's parameters, as a spec writes them; objectives by name."""

    number: int
    dimensions: dict[str, str]
    arguments: dict[str, str]
    costs: dict[str, int]
    values: dict[str, float]


class RefusedJson(TypedDict):
    """How many points a condition refused."""

    condition: str
    count: int


class SearchDocument(Document):
    """`archdsl search --json`: without SPACE the spaces of the file alone. `best` are numbers of results."""

    file: str
    spaces: list[SpaceJson]
    results: list[FoundJson] | None
    best: list[int] | None
    refused: list[RefusedJson] | None


class FindingJson(TypedDict):
    """What differs from the reference: which comparison, and what."""

    check: str
    detail: str


class VerifiedJson(TypedDict):
    """A variant against a reference. `differences`: size of the images -> difference of the outputs.

    They are in units of the outputs' standard deviation. `verdict`: equal, close (within the tolerance), refused (the
    library's files do not load, as the spec says), differs, skipped. `everywhere`: whether it is claimed for all sizes.
    `training` is null where the structure alone was compared; `skipped` says why nothing was, and is null otherwise.
    """

    family: str
    variant: str
    library: str
    version: str
    model: str
    verdict: str
    params: int
    macs: int
    keys: int
    differences: dict[str, float]
    training: float | None
    everywhere: bool
    tolerance: float
    reason: str
    findings: list[FindingJson]
    skipped: str | None
    seconds: float


class VerifyDocument(Document):
    """`archdsl verify --json`; `without`: names of variants that have no reference."""

    results: list[VerifiedJson]
    without: list[str]


class FamilyJson(TypedDict):
    """A shipped spec."""

    name: str
    file: str
    doc: str
    variants: list[VariantJson]


class ListDocument(Document):
    """`archdsl list --json`"""

    families: list[FamilyJson]


class PartJson(TypedDict):
    """What a recipe writes as a call: an optimizer, a schedule, an augmentation."""

    name: str
    arguments: dict[str, bool | int | float | str | list[int | float] | None]


class RecipeStageJson(TypedDict):
    """A stage of progressive learning: epochs from `first` up to `end`, counted from 0."""

    first: int
    end: int
    values: dict[str, int | float]


RecipeJson = TypedDict(
    "RecipeJson",
    {
        "name": str,
        "source": str,
        "amends": str | None,
        "for": list[str],
        "settings": dict[str, PartJson | bool | int | float | str | list[str] | list[int | float] | None],
        "parameters": dict[str, bool | int | float | str | list[int | float]],
        "stages": list[RecipeStageJson],
    },
)
"""A recipe, with what is as by default; `parameters` are those of the model."""


class SettingJson(TypedDict):
    """A setting of two recipes, as a spec writes it; empty where one does not mention it."""

    setting: str
    before: str
    after: str


class ExportedJson(TypedDict):
    """A recipe for another trainer. `missing`: in words, what the trainer cannot say."""

    trainer: str
    settings: dict[str, bool | int | float | str | list[int | float] | dict[str, int | float]]
    missing: list[str]
    text: str


class RecipeDocument(Document):
    """`archdsl recipe --json`: the recipes of a file, the one that is shown, or the two that are compared."""

    file: str
    recipes: list[RecipeJson]
    differences: list[SettingJson] | None
    exported: ExportedJson | None
    path: str | None


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
    weights: str
    notes: list[str]
    predictions: list[PredictionJson]


class ConvertDocument(Document):
    """`archdsl convert --json`; `names` are those in the file, `to` those written."""

    variant: str
    file: str
    output: str
    names: str
    to: str
    tensors: int
    renamed: int
    reshaped: int
    turned: int
    left_out: list[str]
    notes: list[str]


class TrainingPlanJson(TypedDict):
    """What a training will be. `macs` are those of all its steps, `test_macs` those of testing after every epoch;
    `memory` are bytes, about, of a step on one device; `differences` are from the recipe, in words."""

    variant: str
    recipe: str
    classes: list[str]
    train_pictures: int
    test_pictures: int
    epochs: int
    batch: int
    micro_batch: int
    devices: int
    steps: int
    images: int
    macs: int
    test_macs: int
    memory: int
    lr: float
    differences: list[str]


class TrainingRunJson(TypedDict):
    """What was trained: `best` is the top-1 accuracy in percent of the best weights, null where none is tested."""

    folder: str
    epochs: int
    steps: int
    best: float | None
    files: list[str]


class TrainDocument(Document):
    """`run` is null with `--plan`."""

    plan: TrainingPlanJson
    run: TrainingRunJson | None


class PlotPointJson(TypedDict):
    """A network in a plot: `weights` is the published file whose accuracy it has, null where `expect` says it."""

    name: str
    variant: str
    weights: str | None
    x: float
    y: float


class PlotDocument(Document):
    """`archdsl plot --json`: what is on both axes (null with `--depth`), the points, names that have no room."""

    x: str | None
    y: str | None
    points: list[PlotPointJson]
    unnamed: list[str]
    format: str
    path: str | None
    text: str | None
