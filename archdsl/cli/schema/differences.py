"""Two networks side by side: `diff`, and `verify` with those of other libraries."""

from __future__ import annotations

from typing import TypedDict

from archdsl.cli.schema.common import Costs, Document, ParameterJson, PreprocessJson, StageJson, VariantJson


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
