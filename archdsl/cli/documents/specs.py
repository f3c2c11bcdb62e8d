"""One network, its stages and layers: `build`, `show`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Self

from archdsl.cli.documents.base import Document, Shape, Size, Text
from archdsl.cli.documents.networks import (
    Activations,
    Layers,
    Macs,
    Params,
    PreprocessJson,
    VariantJson,
)
from archdsl.cli.wording import description, prepared
from archdsl.graph.stages import StageKind

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.backends.proof import Proof
    from archdsl.cli.costing import CostOptions
    from archdsl.graph.costs import Costs
    from archdsl.graph.ir import Node
    from archdsl.graph.stages import Stage


class PartCostsJson(Shape):
    """Costs of a batch, of a stage or a layer; sizes are in bytes."""

    weights: int
    memory: int
    """The most that is alive at once in inference while it runs, weights aside."""
    moved: int
    """What it reads and writes in a forward pass."""
    intensity: float
    """MACs for each byte moved; 0 where none is."""
    seconds: float | None
    """The roofline time on the device."""

    @classmethod
    def of_nodes(cls, nodes: Sequence[Node], costs: Costs, wanted: CostOptions) -> Self:
        part = costs.part(nodes)
        return cls.of(part, seconds=wanted.seconds(part))


class BlocksJson(Shape):
    """What a stage repeats."""

    count: int
    name: Text

    @classmethod
    def differs(cls, repeats: tuple[int, str]) -> dict[str, Any]:
        return {"count": repeats[0], "name": repeats[1]}


class StageJson(Shape):
    """A row of the stage table."""

    name: Text
    kind: StageKind
    """`part`: of a model without stages; `aux`: what a further output alone needs."""
    output: Size
    blocks: list[BlocksJson]
    layers: Layers
    params: Params
    macs: Macs
    activations: Activations
    costs: PartCostsJson | None = None
    """With `--costs`, `--batch`, `--dtype` or `--device`."""

    @classmethod
    def differs(cls, stage: Stage) -> dict[str, Any]:
        return {"blocks": stage.repeats}


class LayerJson(Shape):
    """One node of the graph."""

    path: Text
    op: Text
    label: Text
    inputs: list[Text]
    """The paths of what it reads."""
    output: Size
    params: Params
    macs: Macs
    activations: Activations
    file: Text
    """Where it is written."""
    line: int
    costs: PartCostsJson | None = None
    """With `--costs`, `--batch`, `--dtype` or `--device`."""

    @classmethod
    def differs(cls, node: Node) -> dict[str, Any]:
        """All but `inputs`."""
        span = node.span
        return {
            "op": node.op.name,
            "output": node.shape,
            "params": node.trainable,
            "file": span.source.name,
            "line": span.line,
        }


class ProofJson(Shape):
    """What was found equal to the graph after the source was built and run."""

    device: str
    """`cpu`, or `meta` for a network too large to compute here, where only shapes are compared."""
    params: int
    keys: int
    """Entries of the state_dict."""
    output: list[int]
    """The first of `outputs`."""
    outputs: list[list[int]]
    seconds: float

    @classmethod
    def differs(cls, proof: Proof) -> dict[str, Any]:
        return {"output": proof.outputs[0], "seconds": round(proof.seconds, 3)}


class BuiltJson(Shape):
    """A variant that was built."""

    variant: VariantJson
    stages: list[StageJson]
    path: Text | None
    """Null where the source was printed (`-o -`)."""
    source: Text | None
    """The text of it, with `-o -`."""
    proof: ProofJson | None
    """Null where none was asked for."""


class BuildDocument(Document):
    """PyTorch source that was written, or printed."""

    command: ClassVar[str] = "build"
    file: Text
    built: list[BuiltJson]


class ShowDocument(Document):
    """Of a file with several variants, none of them named, `variants` alone is filled."""

    command: ClassVar[str] = "show"
    file: Text
    doc: Text
    """Docstrings: of the file, and of the model and the variant that are shown."""
    variants: list[VariantJson]
    variant: VariantJson | None
    stages: list[StageJson]
    layers: list[LayerJson]
    """In the order of execution."""
    preprocess: PreprocessJson | None

    @classmethod
    def of_variant(cls, variant: Variant, wanted: CostOptions | None) -> Self:
        """Of one network, with costs if they are asked for."""
        nodes, rows = variant.graph.nodes, variant.table.rows
        costs = None if wanted is None else wanted.of(variant)

        def costed(part: Sequence[Node]) -> dict[str, PartCostsJson]:
            if costs is None or wanted is None:
                return {}
            return {"costs": PartCostsJson.of_nodes(part, costs, wanted)}

        told = VariantJson.costed(variant, wanted, costs)
        return cls.of(
            file=variant.file.name,
            doc=description(variant),
            variants=[told],
            variant=told,
            stages=[StageJson.of(row, **costed(row.nodes)) for row in rows],
            layers=[
                LayerJson.of(node, inputs=[nodes[ref.node].path for ref in node.inputs], **costed([node]))
                for node in nodes
            ],
            preprocess=prepared(variant),
        )
