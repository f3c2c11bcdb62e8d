"""Plots of networks: takes variants, gives points and pictures. Accuracies are published ones; costs are static.

An accuracy stands at the costs of the images that it was measured with, whatever size the variant says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from archdsl.backends.diagram.chart import short
from archdsl.diagnostics.core import ArchError
from archdsl.graph.space import SECONDS

if TYPE_CHECKING:
    from archdsl.backends.diagram import Drawing
    from archdsl.backends.diagram.plot import PlotAxis
    from archdsl.graph.costs import Costs
    from archdsl.graph.devices import Device
    from archdsl.variant import Variant

TOP1 = "top1"
MOST = 1_000


def _bytes(value: float) -> str:
    return short(value, "B")


def _time(value: float) -> str:
    factor, unit = next(((f, u) for f, u in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")) if value >= f), (1e-9, "ns"))
    return f"{value / factor:.4g} {unit}"


@dataclass(frozen=True, slots=True)
class Quantity:
    """What an axis may show: a figure of a network and its costs."""

    title: str
    of: Callable[[Variant, Costs], float]
    text: Callable[[float], str] = short


QUANTITIES: Mapping[str, Quantity] = {
    "macs": Quantity("MACs for one image", lambda variant, costs: variant.graph.macs),
    "params": Quantity("parameters", lambda variant, costs: variant.graph.params),
    "activations": Quantity("activations, elements", lambda variant, costs: variant.graph.activations),
    "layers": Quantity("layers", lambda variant, costs: variant.graph.layers),
    "weights": Quantity("weights", lambda variant, costs: costs.weights, _bytes),
    "memory": Quantity("memory of inference", lambda variant, costs: costs.memory, _bytes),
    "training": Quantity("memory of a training step", lambda variant, costs: costs.training, _bytes),
    "intensity": Quantity("MACs for each byte moved", lambda variant, costs: costs.intensity),
}


@dataclass(frozen=True, slots=True)
class PlotPoint:
    """A point: what it is called, its variant, the weights whose accuracy it has, and both values."""

    name: str
    variant: Variant
    weights: str | None
    x: float
    y: float


@dataclass(frozen=True)
class Plot:
    """What is to be drawn against what; `batch`, `dtype` and `device` say for what costs are."""

    x: str = "macs"
    y: str = TOP1
    batch: int = 1
    dtype: str = "float32"
    device: Device | None = None

    def axis(self, name: str, values: Sequence[float] = ()) -> PlotAxis:
        """The axis of a figure, or of a knob that has these values."""
        from archdsl.backends.diagram.plot import PlotAxis

        if name == TOP1:
            return PlotAxis("published top-1 accuracy on ImageNet, %", lambda value: f"{value:g}", linear=True)
        if name == SECONDS:
            device = self.device.name if self.device else ""
            return PlotAxis(f"roofline time of {self._images} on {device}", _time)
        if name not in QUANTITIES:
            return PlotAxis.of(name, lambda value: f"{value:.4g}", values, linear=True)
        quantity = QUANTITIES[name]
        batched = name in ("memory", "training", "intensity")
        title = f"{quantity.title}, {self._images}" if batched else quantity.title
        return PlotAxis(title, quantity.text, whole=name == "layers")

    @property
    def _images(self) -> str:
        images = "1 image" if self.batch == 1 else f"{self.batch:,} images"
        return f"{images}, {self.dtype}"

    def value(self, name: str, variant: Variant) -> float:
        costs = variant.costs(self.batch, self.dtype)
        if name == SECONDS:
            assert self.device is not None
            return costs.seconds(self.device)
        return float(QUANTITIES[name].of(variant, costs))

    def spots(self, variants: Iterable[Variant], weights: bool = False) -> list[PlotPoint]:
        """A point for each variant, or, with `weights`, each published file that has an accuracy. Raises ArchError."""
        found = [spot for variant in variants for spot in self._of(variant, weights)]
        if not found:
            raise ArchError.of("E666", what=TOP1 if TOP1 in (self.x, self.y) else self.y)
        bounded(len(found))
        return found

    def _of(self, variant: Variant, weights: bool) -> list[PlotPoint]:
        if TOP1 not in (self.x, self.y):
            return [PlotPoint(variant.name, variant, None, self.value(self.x, variant), self.value(self.y, variant))]
        spots = []
        for name, accuracy, size, file in _accuracies(variant, weights):
            shown = variant if size in (None, variant.graph.input_shape.height) else variant.for_image(size=size)
            values = [accuracy if axis == TOP1 else self.value(axis, shown) for axis in (self.x, self.y)]
            spots.append(PlotPoint(name, shown, file, *values))
        return spots


def _accuracies(variant: Variant, weights: bool) -> Sequence[tuple[str, float, int | None, str | None]]:
    """Published accuracies: what they are called, the side of their images, the file they are of."""
    files = [entry for entry in variant.weights.values() if entry.top1 is not None]
    if weights:
        return [(f"{e.model}.{e.tag}", float(e.top1 or 0), e.top1_size, e.name) for e in files]
    if TOP1 in variant.published:
        return [(variant.name, float(variant.published[TOP1]), None, None)]
    return [(variant.name, float(e.top1 or 0), e.top1_size, e.name) for e in files if e.default][:1]


def bounded(count: int) -> None:
    """Raise ArchError E667 for more points than a picture can show."""
    if count > MOST:
        raise ArchError.of("E667", count=f"{count:,}", limit=f"{MOST:,}")


def draw(
    plot: Plot, spots: Sequence[PlotPoint], name: str, *, columns: int = 2, joined: bool = False
) -> tuple[Drawing, list[str]]:
    """The picture, and names that have no room in it. A colour is a file's."""
    from archdsl.backends.diagram.plot import Mark, scatter

    marks = [Mark(spot.x, spot.y, spot.name, PurePath(spot.variant.file.name).stem) for spot in spots]
    across, up = plot.axis(plot.x, [spot.x for spot in spots]), plot.axis(plot.y)
    return scatter(name, f"{up.title} against {across.title}", marks, across, up, columns=columns, joined=joined)


def depth(variant: Variant, batch: int = 1, dtype: str = "float32") -> Drawing:
    """One network along its depth: MACs, parameters, activations of each layer, and the memory alive while it runs."""
    from archdsl.backends.diagram.plot import Panel, along
    from archdsl.backends.diagram.style import look_of

    costs = variant.costs(batch, dtype)
    nodes = [node for node in variant.graph.nodes[1:] if not node.op.view]
    bounded(len(nodes))
    order = {node.id: place for place, node in enumerate(nodes)}
    parts: list[tuple[str, int, int]] = []
    for row in variant.table.rows:
        places = [order[node.id] for node in row.nodes if node.id in order]
        if places:
            parts.append((row.name, min(places), max(places) + 1))
    images = "1 image" if batch == 1 else f"{batch:,} images"
    panels = [
        Panel("MACs", [node.macs for node in nodes], short),
        Panel("parameters", [node.trainable for node in nodes], short),
        Panel("activations", [node.activations for node in nodes], short),
        Panel(f"memory alive in inference, {images}, {dtype}", [costs.alive[node.id] for node in nodes], _bytes),
    ]
    return along(variant.name, f"{variant.name} along its depth", panels, [look_of(n.op.role) for n in nodes], parts)
