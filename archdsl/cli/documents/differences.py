"""Two networks side by side: `diff`, and `verify` with those of other libraries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

from archdsl.cli.documents.base import Document, Shape, Text
from archdsl.cli.documents.networks import (
    Activations,
    Layers,
    Macs,
    ParameterJson,
    Params,
    PreprocessJson,
    VariantJson,
)
from archdsl.cli.documents.specs import StageJson
from archdsl.cli.wording import prepared
from archdsl.graph.diff.changes import Status
from archdsl.graph.diff.initial import initial
from archdsl.verify.results import Verdict

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.graph.diff.changes import BlockChange, GraphDiff, OpChange, SectionChange
    from archdsl.graph.diff.transfer import Transfer
    from archdsl.graph.ir import Node
    from archdsl.steps import Step
    from archdsl.verify.results import Result


class OpJson(Shape):
    """A layer on one side of a difference."""

    path: Text
    op: Text
    label: Text

    @classmethod
    def differs(cls, node: Node) -> dict[str, Any]:
        return {"op": node.op.name}


class OpChangeJson(Shape):
    """What is not the same in a block."""

    status: Status
    before: OpJson | None
    """Null for what was added; `after` for what was removed."""
    after: OpJson | None
    parameters: list[ParameterJson]
    moved: bool
    """Whether it stands at another place among its neighbours."""
    reads: list[list[Text]] | None
    """The paths of what it reads, before and after, where these do not correspond."""

    @classmethod
    def differs(cls, change: OpChange) -> dict[str, Any]:
        return {"reads": change.rewired}


class SideJson(Shape):
    """Blocks on one side of a difference, with the costs of all of them."""

    name: Text
    """Empty for layers outside any block."""
    path: Text
    """Of the first."""
    count: int
    layers: Layers
    params: Params
    macs: Macs
    activations: Activations


class BlockChangeJson(Shape):
    """Like blocks in a row, and what they correspond to."""

    status: Status
    before: SideJson | None
    after: SideJson | None
    ops: list[OpChangeJson]

    @classmethod
    def differs(cls, change: BlockChange) -> dict[str, Any]:
        before, after = (
            None if unit is None else SideJson.of(cost, name=unit.name, path=unit.path, count=count)
            for unit, count, cost in zip((change.before, change.after), change.counts, change.costs, strict=True)
        )
        return {"before": before, "after": after, "ops": change.changes}


class SectionChangeJson(Shape):
    """A row of the stage table, and the row it corresponds to."""

    status: Status
    before: StageJson | None
    after: StageJson | None
    blocks: list[BlockChangeJson]

    @classmethod
    def differs(cls, change: SectionChange) -> dict[str, Any]:
        sides = (change.before, change.after)
        before, after = (None if stage is None else StageJson.of(stage, blocks=stage.blocks) for stage in sides)
        return {"before": before, "after": after}


class RenamedJson(Shape):
    """The paths of layers that correspond."""

    before: Text
    after: Text

    @classmethod
    def differs(cls, paths: tuple[str, str]) -> dict[str, Any]:
        return {"before": paths[0], "after": paths[1]}


class ResizedJson(Shape):
    """A key of both state_dicts whose tensors have other shapes."""

    key: Text
    before: list[int]
    after: list[int]


class TransferJson(Shape):
    """The keys of the state_dicts, by what the second network could take of the first one's weights."""

    fits: list[Text]
    """Both have them with one shape."""
    resized: list[ResizedJson]
    left: list[Text]
    """Only the first network has them."""
    new: list[Text]
    """Only the second."""
    covered: float
    """The share of the second network's elements that those of `fits` fill, 0 to 1."""

    @classmethod
    def differs(cls, weights: Transfer) -> dict[str, Any]:
        resized = [{"key": key, "before": old, "after": new} for key, (old, new) in weights.resized.items()]
        return {"fits": list(weights.fits), "resized": resized, "left": list(weights.left), "new": list(weights.new)}


class InitialJson(Shape):
    """How tensors of a kind (`conv.weight`) of layers that correspond begin, where they do not begin alike."""

    weight: Text
    before: Text
    after: Text
    count: int


class PicturesJson(Shape):
    """How pictures become the input of both networks."""

    before: PreprocessJson | None
    after: PreprocessJson | None


class DiffDocument(Document):
    """Two networks."""

    command: ClassVar[str] = "diff"
    equal: bool
    """Whether both compute the same."""
    before: VariantJson
    after: VariantJson
    image: list[ParameterJson]
    """What differs in the input."""
    outputs: list[list[Text]] | None
    """Names or paths of the outputs, before and after, where they differ."""
    sections: list[SectionChangeJson]
    renamed: list[RenamedJson]
    initial: list[InitialJson]
    pictures: PicturesJson
    weights: TransferJson

    @classmethod
    def of_variants(cls, before: Variant, after: Variant, difference: GraphDiff, weights: Transfer) -> Self:
        return cls.of(
            difference,
            before=before,
            after=after,
            initial=initial(difference, before.initializers, after.initializers),
            pictures={"before": prepared(before), "after": prepared(after)},
            weights=weights,
        )


class StepJson(Shape):
    """A step of a chain: a variant, and what differs from the one that it amends."""

    variant: VariantJson
    amends: Text | None
    """Its name; null for the first."""
    amendment: Text
    """What the spec says: `kernel = 7`."""
    leads_on: bool
    """Whether the last variant of the file comes from it."""
    training: Text
    """In words, how it is trained otherwise."""
    image: list[ParameterJson]
    sections: list[SectionChangeJson]

    @classmethod
    def of_step(cls, step: Step, difference: GraphDiff | None) -> Self:
        found: dict[str, Any] = {"image": [], "sections": []}
        if difference is not None:
            found = {"image": difference.image, "sections": difference.sections}
        return cls.of(step, amends=step.before.name if step.before else None, amendment=step.note, **found)


class StepsDocument(Document):
    """One spec alone, whose variants amend each other."""

    command: ClassVar[str] = "diff"
    file: Text
    steps: list[StepJson]


class FindingJson(Shape):
    """What differs from the reference: in which comparison, and what."""

    check: Text
    detail: Text


class VerifiedJson(Shape):
    """A variant against a reference."""

    family: Text
    variant: Text
    library: Text
    version: Text
    """Of the library."""
    model: Text
    """The library's name for it."""
    verdict: Verdict
    """`close`: within the tolerance; `refused`: the library's files do not load, as the spec says."""
    params: Params
    macs: Macs
    keys: int
    """Entries of the state_dict."""
    differences: dict[str, float]
    """By side of the images: the greatest difference of the outputs in units of their standard deviation; empty where
    the structure alone was compared."""
    training: float | None
    """The same for gradients and batch statistics after a training step."""
    everywhere: bool
    """Whether it is claimed for all sizes."""
    tolerance: float
    reason: Text
    findings: list[FindingJson]
    skipped: Text | None
    """Why nothing was compared."""
    seconds: float

    @classmethod
    def differs(cls, result: Result) -> dict[str, Any]:
        reference = result.reference
        return {
            "library": reference.library,
            "model": reference.model,
            "differences": {str(size): difference for size, difference in result.differences.items()},
            "everywhere": reference.comparison.everywhere,
            "tolerance": reference.comparison.tolerance,
            "reason": reference.reason,
            "skipped": result.skipped or None,
            "seconds": round(result.seconds, 3),
        }


class VerifyDocument(Document):
    """Variants held against the models of other libraries."""

    command: ClassVar[str] = "verify"
    results: list[VerifiedJson]
    without: list[Text]
    """Names of variants that have no reference."""
