"""Options that ask for memory, intensity and times, and how these are shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli.options import F

if TYPE_CHECKING:
    from archdsl.api import Variant
    from archdsl.cli.tables import Column
    from archdsl.graph.costs import Costs, PartCosts
    from archdsl.graph.devices import Device
    from archdsl.graph.ir import Node

LARGEST_BATCH = 1_000_000
DTYPES = ("float64", "float32", "tf32", "float16", "bfloat16")
_UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "K"))


@dataclass(frozen=True)
class CostOptions:
    """For which batch, numbers and device costs are wanted."""

    batch: int
    dtype: str
    device: Device | None

    @property
    def options(self) -> list[str]:
        """The options that ask for this."""
        found = ["--batch", str(self.batch)] if self.batch != 1 else []
        found += ["--dtype", self.dtype] if self.dtype != "float32" else []
        found += ["--device", self.device.name] if self.device is not None else []
        return found or ["--costs"]

    def of(self, variant: Variant) -> Costs:
        return variant.costs(self.batch, self.dtype)

    def seconds(self, costs: Costs | PartCosts) -> float | None:
        return None if self.device is None else costs.seconds(self.device)


def costs_flags(command: F) -> F:
    """`--costs`, `--batch`, `--dtype`, `--device`, as they are."""
    for option in (
        click.option("--device", metavar="NAME", help="A roofline time: a100, h100, v100, t4, i7-1165g7, 20T/900G."),
        click.option("--dtype", type=click.Choice(DTYPES), help="Costs with numbers of this kind. [float32]"),
        click.option(
            "--batch", metavar="N", type=click.IntRange(1, LARGEST_BATCH), help="Costs of so many images. [1]"
        ),
        click.option("--costs", is_flag=True, help="Memory, bytes of weights, MACs per byte (docs/costs.md)."),
    ):
        command = option(command)
    return command


def costs_options(command: Callable[..., int]) -> Callable[..., int]:
    """The same, each of which asks for costs: the command gets what they ask for as `wanted`."""

    @wraps(command)
    def asking(costs: bool, batch: int | None, dtype: str | None, device: str | None, **given: Any) -> int:
        return command(wanted=asked(costs, batch, dtype, device), **given)

    return costs_flags(asking)


def asked(costs: bool, batch: int | None, dtype: str | None, device: str | None) -> CostOptions | None:
    """What the options ask for; None without any. Raises BadParameter for a device that is not known."""
    if not costs and batch is None and dtype is None and device is None:
        return None
    kind = dtype or "float32"
    return CostOptions(batch or 1, kind, None if device is None else _device(device, kind))


def _device(text: str, dtype: str) -> Device:
    from archdsl.graph.devices import device_of

    try:
        device = device_of(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="'--device'") from None
    if dtype not in device.flops:
        kinds = ", ".join(device.flops)
        raise click.BadParameter(f"{device.name} has no peak for {dtype}, but for {kinds}", param_hint="'--dtype'")
    return device


# --- for readers -----------------------------------------------------------------------------


def size(count: float, unit: str = "B") -> str:
    """`102.2 MB`: four significant digits."""
    for factor, prefix in _UNITS:
        if count >= factor:
            digits = len(str(int(count / factor)))
            return f"{count / factor:.{max(0, 4 - digits)}f} {prefix}{unit}"
    return f"{count:.0f} {unit}"


def time(seconds: float) -> str:
    """`1.234 ms`"""
    for factor, unit in ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= factor:
            return f"{seconds / factor:.4g} {unit}"
    return f"{seconds / 1e-9:.4g} ns"


def columns(wanted: CostOptions | None) -> list[Column]:
    """What tables of several networks have more, and `cells` fills."""
    if wanted is None:
        return []
    names = ["weights", "memory", "training", "MACs/B", *([wanted.device.name] if wanted.device else [])]
    return [(name, "right") for name in names]


def cells(variant: Variant, wanted: CostOptions | None) -> list[str]:
    if wanted is None:
        return []
    costs = wanted.of(variant)
    seconds = wanted.seconds(costs)
    sizes = [size(costs.weights), size(costs.memory), size(costs.training), f"{costs.intensity:.1f}"]
    return [*sizes, *([] if seconds is None else [time(seconds)])]


def part_columns(wanted: CostOptions | None) -> list[Column]:
    """What tables of one network's stages or layers have more, and `part_cells` fills."""
    if wanted is None:
        return []
    names = ["memory", "moved", "MACs/B", *([wanted.device.name] if wanted.device else [])]
    return [(name, "right") for name in names]


def part_cells(costs: Costs | None, wanted: CostOptions | None, nodes: Sequence[Node]) -> list[str]:
    """Of some nodes: the most that is alive while one of them runs, bytes moved, intensity, time."""
    if wanted is None or costs is None or not nodes:
        return []
    part = costs.part(nodes)
    cells = [size(part.memory), *((size(part.moved), f"{part.intensity:.1f}") if part.moved else ("–", "–"))]
    seconds = wanted.seconds(part)
    return cells if seconds is None else [*cells, time(seconds) if seconds else "–"]


def csv_names(wanted: CostOptions | None) -> list[str]:
    if wanted is None:
        return []
    return [
        "weights_bytes",
        "memory",
        "saved",
        "training",
        "moved",
        "intensity",
        *(["seconds"] if wanted.device else []),
    ]


def csv_values(variant: Variant, wanted: CostOptions | None) -> Sequence[object]:
    if wanted is None:
        return ()
    costs = wanted.of(variant)
    seconds = wanted.seconds(costs)
    figures = (costs.weights, costs.memory, costs.saved, costs.training, costs.moved, costs.intensity)
    return figures if seconds is None else (*figures, seconds)


def lines(costs: Costs, wanted: CostOptions) -> list[str]:
    """The costs of one network, a line each."""
    images = "1 image" if costs.batch == 1 else f"{costs.batch:,} images"
    states = ", ".join(f"{name} {size(costs.optimizer(name))}" for name in ("momentum", "adam"))
    found = [
        f"costs of {images}, {costs.dtype}",
        f"  weights    {size(costs.weights)}; their gradients {size(costs.gradients)}; optimizer: {states}",
        f"  inference  {size(costs.memory)} at most, at {costs.peak.path or costs.peak.op.name}",
        f"  training   {size(costs.training)} at most, gradients included; {size(costs.saved)} kept for backward",
        f"  forward    {size(costs.macs, 'MACs')}, {size(costs.moved)} moved: {costs.intensity:.1f} MACs per byte",
    ]
    seconds = wanted.seconds(costs)
    if seconds is not None and wanted.device is not None:
        images_a_second = f"{costs.batch / seconds:,.0f} images/s"
        found.append(f"  roofline   {time(seconds)} on {wanted.device.name}: {images_a_second} at most")
    return found
