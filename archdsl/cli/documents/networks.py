"""Variants: what several commands print of one; and `list`, which prints nothing else."""

from __future__ import annotations

from itertools import zip_longest
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Self, TypeAlias

from pydantic import BeforeValidator, Field

from archdsl.cli.documents.base import Document, Shape, Size, Text
from archdsl.cli.wording import arguments

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.cli.costing import CostOptions
    from archdsl.graph.costs import Costs
    from archdsl.graph.sizes import SizeDecision
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
    def differs(cls, decision: SizeDecision) -> dict[str, Any]:
        return {"file": decision.span.source.name, "line": decision.span.line}


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
    def of_costs(cls, costs: Costs, wanted: CostOptions) -> Self:
        device = wanted.device
        name = None if device is None else device.name
        return cls.of(costs, peak=costs.peak.path, device=name, seconds=wanted.seconds(costs))


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
    """With `--costs`, `--batch`, `--dtype` or `--device`."""

    @classmethod
    def differs(cls, variant: Variant) -> dict[str, Any]:
        graph = variant.graph
        return {
            "model": graph.root.definition,
            "arguments": arguments(variant),
            "input": graph.input_shape,
            "output": graph.output_shape,
            "outputs": [
                {"name": name, "output": graph.shape(ref)}
                for name, ref in zip_longest(graph.output_names, graph.outputs)
            ],
            "top1": variant.published.get("top1"),
            "sizes": graph.size_decisions,
            "layers": graph.layers,
            "params": graph.params,
            "macs": graph.macs,
            "activations": graph.activations,
        }

    @classmethod
    def costed(cls, variant: Variant, wanted: CostOptions | None, costs: Costs | None = None) -> Self:
        """With costs, if they are asked for: those that are known already, or computed."""
        if wanted is None:
            return cls.of(variant)
        return cls.of(variant, costs=CostsJson.of_costs(costs or wanted.of(variant), wanted))


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
    def differs(cls, transform: Transform) -> dict[str, Any]:
        settings = {n: getattr(transform.settings, n) for n in cls.model_fields}
        return {**settings, "resize": max(transform.resized), "size": transform.size}


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return list(map(_plain, value))
    return value if isinstance(value, bool | int | float | str | None) else str(value)


Value: TypeAlias = Annotated[bool | int | float | Text | list[Any] | None, BeforeValidator(_plain)]
"""The value of a parameter. A layer, or anything else without a plain value, is a text."""


class ParameterJson(Shape):
    """A parameter that differs."""

    name: Text
    values: list[list[Value]]
    """Pairs, before and after, one for each distinct pair."""


class FamilyJson(Shape):
    """A shipped spec."""

    name: Text
    file: Text
    doc: Text
    variants: list[VariantJson]


class ListDocument(Document):
    """What is shipped."""

    command: ClassVar[str] = "list"
    families: list[FamilyJson]
