"""Tables, lines and the picture of `archdsl scale`; rich is imported by whoever calls this."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table

from archdsl.changes import command_line, command_options
from archdsl.cli import console
from archdsl.cli.costing import CostOptions, cells, columns, size
from archdsl.cli.tables import Column, count, macs, plain_table

if TYPE_CHECKING:
    from archdsl.backends.diagram import Drawing
    from archdsl.scaling import Answer, Curve, Knob, KnobPoint, PublishedPoint

_NAMES = {"macs": "MACs", "params": "params", "activations": "activations"}
_BYTES = {"memory": "of memory", "training": "in a training step", "weights": "of weights"}


def brief(value: object) -> str:
    """A value in a table: four digits."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return f"[{', '.join(map(brief, value))}]" if isinstance(value, tuple | list | range) else str(value)


def amount_of(cost: str, amount: int) -> str:
    return macs(amount) if cost == "macs" else size(amount) if cost in _BYTES else count(amount)


def _settings(points: Sequence[KnobPoint]) -> list[str]:
    return list(dict.fromkeys(name for point in points for name in point.given))


def _costs(point: KnobPoint) -> list[str]:
    return [count(point.cost("params")), macs(point.cost("macs")), count(point.cost("activations"))]


def curve_table(found: Curve, wanted: CostOptions | None = None) -> Table:
    """A value a row: what it sets, the costs, by how much the MACs have grown, and what the rule promised."""
    names = [] if found.knob.rule is None else _settings(found.points)
    promised = [cost for cost in _NAMES if any(cost in point.promise for point in found.points)]
    shown: list[Column] = [(found.knob.title, "right"), *((name, "right") for name in names), ("params", "right")]
    shown += [("MACs", "right"), ("activations", "right"), *columns(wanted), ("× MACs", "right")]
    shown += [("rule" if cost == "macs" else f"rule ({_NAMES[cost]})", "right") for cost in promised]
    made = plain_table(*shown)
    for point in found.points:
        row = [f"{point.value:.12g}", *(brief(point.given.get(name, "")) for name in names), *_costs(point)]
        row += cells(point.variant, wanted)
        row += [f"{found.factor(point, 'macs'):.3g}", *(f"{point.promise[cost]:.3g}" for cost in promised)]
        made.add_row(*map(console.text, row))
    return made


def growth(found: Curve) -> Iterator[str]:
    """`MACs grow by 1.89 for each 1 of compound.phi`, or as which power."""
    rates = {name: found.rate(cost) for cost, name in _NAMES.items()}
    known = {name: rate for name, rate in rates.items() if rate is not None}
    if not known:
        return
    yield ""
    if found.knob.additive:
        each = ", ".join(f"{name} × {rate:.3g}" for name, rate in known.items())
        yield f"for each 1 of {found.knob.title}: {each}"
    else:
        each = ", ".join(f"{name} ^{rate:.2f}" for name, rate in known.items())
        yield f"as powers of {found.knob.title}: {each}"


def published_table(found: Curve, rows: Sequence[PublishedPoint]) -> Table:
    """The variants of the file, and where their MACs lie on the curve."""
    shown: list[Column] = [("variant", "left"), ("input", "right"), ("params", "right"), ("MACs", "right")]
    made = plain_table(*shown, ("× MACs", "right"), (f"{found.knob.title} of its MACs", "right"))
    origin = found.origin
    for row in rows:
        graph = row.variant.graph
        factor = graph.macs / origin.cost("macs") if origin else 0
        place = "–" if row.place is None else f"{row.place:.2f}"
        cells = [str(graph.input_shape), count(graph.params), macs(graph.macs), f"{factor:.3g}", place]
        made.add_row(*map(console.text, [row.variant.name, *cells]))
    return made


def answer_table(knob: Knob, answer: Answer, wanted: CostOptions | None = None) -> Table:
    """The value that was found, between those next to it."""
    values = {answer.value: answer.cost} | {pair[0]: pair[1] for pair in (answer.below, answer.above) if pair}
    points = [knob.at(value) for value in sorted(values, key=lambda value: (values[value], value))]
    names = [] if knob.rule is None else _settings(points)
    shown: list[Column] = [(knob.title, "right"), *((name, "right") for name in names), ("params", "right")]
    made = plain_table(*shown, ("MACs", "right"), ("activations", "right"), *columns(wanted), ("", "left"))
    for point in points:
        mark = "nearest" if point.value == answer.value else ""
        row = [f"{point.value:.12g}", *(brief(point.given.get(name, "")) for name in names), *_costs(point)]
        row += [*cells(point.variant, wanted), mark]
        made.add_row(*map(console.text, row), style="bold" if mark else "dim")
    return made


def answer_lines(knob: Knob, answer: Answer, cost: str, amount: float, near: float) -> Iterator[str]:
    """How near it came, and why not nearer."""
    error = answer.cost / amount - 1
    target, name = amount_of(cost, round(amount)), (_NAMES | _BYTES)[cost]
    yield ""
    yield f"{knob.title} = {answer.value:.12g}: {amount_of(cost, answer.cost)} {name}, {100 * error:+.2f} % of {target}"
    if abs(error) > near:
        kind = "is a whole number" if knob.whole else "moves the network in steps (widths and depths are rounded)"
        yield f"none was found nearer: {knob.title} {kind}, and the rows are the steps next to the target"


def shown_by(knob: Knob, point: KnobPoint, spec: str, wanted: CostOptions | None) -> str:
    """The command that shows the network at a value: SPEC as it was given, and all that was changed of it."""
    own = knob.rule is not None and knob.rule is knob.base.file.program.root.names.get(knob.rule.name)
    if own and knob.rule and not (knob.maps or knob.without):
        knobs = {f"{knob.rule.name}.{name}": text for name, text in knob.fixed.items()}
        knobs[knob.title] = repr(point.value)
    else:
        knobs = {name: text for name, text in point.texts.items() if name != "image"}
    kept = {name: text for name, text in knob.base.assigned.items() if name not in point.given}
    asked = [] if wanted is None else wanted.options
    image = point.variant.configured.image
    return command_line("show", spec, *command_options(kept | knobs, image), *asked)


def picture(found: Curve) -> Drawing:
    """MACs, parameters and activations along the knob as factors, beside what the rule promises."""
    from archdsl.backends.diagram.chart import short
    from archdsl.backends.diagram.plot import Mark, PlotAxis, scatter

    curves = {name: [(p.value, found.factor(p, cost)) for p in found.points] for cost, name in _NAMES.items()}
    for cost, name in _NAMES.items():
        curves[f"rule: {name}"] = [(p.value, p.promise[cost]) for p in found.points if cost in p.promise]
    marks = []
    for name, curve in curves.items():
        points = [(x, y) for x, y in curve if math.isfinite(y)]
        marks += [Mark(x, y, name if (x, y) == points[-1] else "", name) for x, y in points]
    title, origin = f"{found.knob.base.name} along {found.knob.title}", found.origin
    across = PlotAxis.of(found.knob.title, lambda value: f"{value:.4g}", [x for x, *_ in curves["MACs"]], linear=True)
    start = f" over {found.knob.title} = {origin.value:g}" if origin else ""
    up = PlotAxis(f"growth of {found.knob.base.name}{start}", short)
    return scatter("scale", title, marks, across, up, joined=True)[0]
