"""What several commands print of a network: variants, stages, costs, pictures."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any, Self, TypeAlias

from pydantic import Field

from archdsl.cli.documents.base import Shape, Size, Text
from archdsl.cli.wording import arguments
from archdsl.graph.stages import StageKind

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.cli.costing import Asked
    from archdsl.graph.sizes import SizeDecision
    from archdsl.graph.stages import Stage
    from archdsl.transform import Transform

Layers: TypeAlias = Annotated[int, Field(description="Convolutions and linear layers.")]
Params: TypeAlias = Annotated[int, Field(description="Trainable parameters.")]
Macs: TypeAlias = Annotated[int, Field(description="Multiply-accumulates of convolutions and matrix products.")]
Activations: TypeAlias = Annotated[int, Field(description="Elements of all outputs.")]


class OutputJson(Shape):
    """A tensor that a model gives."""

    name: Text | None
    """Null where that is its result alone, or one of a plain tuple."""
    output: Size


class SizeJson(Shape):
    """What the spec asks about the height or width of a tensor, and what came out for images of this size."""

    text: Text
    answer: Text
    file: Text
    line: int

    @classmethod
    def of(cls, decision: SizeDecision) -> Self:
        span = decision.span
        return cls(text=decision.text, answer=decision.answer, file=span.source.name, line=span.line)


class CostsJson(Shape):
    """Costs of a batch, of the whole network; sizes are in bytes ([costs.md](costs.md))."""

    batch: int
    dtype: str
    weights: int
    gradients: int
    memory: int
    """The most that is alive at once in inference, weights aside."""
    peak: Text
    """The path of the layer at which that is."""
    saved: int
    """What autograd keeps between the passes."""
    training: int
    """The most that is alive at once in a training step."""
    moved: int
    """What a forward pass reads and writes."""
    intensity: float
    """MACs for each byte moved."""
    device: Text | None
    seconds: float | None
    """The roofline time on that device."""

    @classmethod
    def of_variant(cls, variant: Variant, wanted: Asked) -> Self:
        costs = wanted.of(variant)
        return cls(
            batch=costs.batch,
            dtype=costs.dtype,
            weights=costs.weights,
            gradients=costs.gradients,
            memory=costs.memory,
            peak=costs.peak.path,
            saved=costs.saved,
            training=costs.training,
            moved=costs.moved,
            intensity=costs.intensity,
            device=None if wanted.device is None else wanted.device.name,
            seconds=wanted.seconds(costs),
        )


class VariantJson(Shape):
    """One configuration of a model."""

    name: Text
    model: Text
    arguments: dict[Text, Text]
    """Texts in the language, by parameter."""
    input: Size
    output: Size
    """The first of `outputs`."""
    outputs: list[OutputJson]
    """In the order in which the module returns them."""
    top1: float | None
    """The published accuracy in percent that its `expect` records."""
    sizes: list[SizeJson]
    layers: Layers
    params: Params
    macs: Macs
    activations: Activations
    costs: CostsJson | None = None
    """Where an option asks for them: `--costs`, `--batch`, `--dtype`, `--device`."""

    @classmethod
    def of(cls, variant: Variant, wanted: Asked | None = None) -> Self:
        graph, table = variant.graph, variant.table
        top1 = variant.published.get("top1")
        more: dict[str, Any] = {} if wanted is None else {"costs": CostsJson.of_variant(variant, wanted)}
        return cls(
            name=variant.name,
            model=graph.root.definition,
            arguments=arguments(variant),
            input=list(graph.input_shape.dims),
            output=list(graph.output_shape.dims),
            outputs=[
                OutputJson(name=name, output=list(graph.shape(ref).dims))
                for name, ref in zip_longest(graph.output_names, graph.outputs)
            ],
            top1=None if top1 is None else float(top1),
            sizes=list(map(SizeJson.of, graph.size_decisions)),
            layers=table.layers,
            params=graph.params,
            macs=graph.macs,
            activations=table.activations,
            **more,
        )


class BlocksJson(Shape):
    """What a stage repeats."""

    count: int
    name: Text

    @classmethod
    def several(cls, repeats: Iterable[tuple[int, str]]) -> list[Self]:
        return [cls(count=count, name=name) for count, name in repeats]


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

    @classmethod
    def of(cls, stage: Stage, blocks: Iterable[tuple[int, str]] | None = None) -> Self:
        return cls(
            name=stage.name,
            kind=stage.kind,
            output=list(stage.output.dims),
            blocks=BlocksJson.several(stage.repeats if blocks is None else blocks),
            layers=stage.layers,
            params=stage.params,
            macs=stage.macs,
            activations=stage.activations,
        )


class PreprocessJson(Shape):
    """How pictures become the input: resized, a central crop, then (x - mean) / std."""

    resize: int
    """The shorter side; both sides where `squash`."""
    size: list[int]
    """Height and width of the crop."""
    squash: bool
    interpolation: str
    mean: list[float]
    std: list[float]
    labels: Text | None
    """The name of the list of classes."""

    @classmethod
    def of(cls, transform: Transform) -> Self:
        settings = transform.settings
        return cls(
            resize=max(transform.resized),
            size=list(transform.size),
            squash=settings.squash,
            interpolation=settings.interpolation,
            mean=list(settings.mean),
            std=list(settings.std),
            labels=settings.labels,
        )


Value: TypeAlias = int | float | bool | Text | list[int] | list[float] | None
"""The value of a parameter. A layer, or anything else without a plain value, is a text."""


class ParameterJson(Shape):
    """A parameter that differs."""

    name: Text
    values: list[list[Value]]
    """Pairs, before and after, one for each distinct pair."""
