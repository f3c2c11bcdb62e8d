"""Pictures of a search: the Pareto front, a value against each number that varies, the distribution of values."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from archdsl.backends.diagram.chart import Curve, CurvePanel, chart, short
from archdsl.backends.diagram.plot import Mark, PlotAxis, scatter
from archdsl.diagnostics.core import ArchError
from archdsl.graph.space import ASKED
from archdsl.plots import Plot
from archdsl.search.candidates import Counted
from archdsl.search.results import Better, ScoredNetwork
from archdsl.semantics.points import Space

MOST = 1_000
"""Points of a picture; of more networks so many of the first are drawn, and that is said in its title."""
_TITLES = {
    "latency": "latency, ms", "step": "training step, ms", "accuracy": "top-1, %",
    "reward": "reward A · S^-0.07 · P^-0.05",
}  # fmt: skip


def pictures(
    found: Sequence[ScoredNetwork],
    chosen: Sequence[ScoredNetwork],
    space: Space,
    objectives: Mapping[str, Better],
    counted: Counted,
) -> dict[str, str]:
    """SVG by name: `front`, and `by_DIMENSION` for every number that varies."""
    if not found:
        return {}
    drawn = {}
    best = {result.number for result in chosen}
    names = list(objectives)
    up = names[0]
    upwards = _axis(up, counted)
    some = _best_first(found[:MOST], best)
    cut = "" if len(found) <= MOST else f", the first {MOST:,} of {len(found):,}"
    if len(names) > 1:
        marks = [_mark(r, _value(r, names[1]), _value(r, up), r.number in best) for r in some]
        across = _axis(names[1], counted)
        title = f"{upwards.title} against {across.title} in {space.name}{cut}"
        drawn["front"] = scatter("front", title, marks, across, upwards)[0].svg
    for axis in space.axes:
        numbers = [_number(axis.name, result) for result in some]
        if axis.domain.size < 2 or None in numbers:
            continue
        marks = [
            _mark(r, x, _value(r, up), r.number in best) for r, x in zip(some, numbers, strict=True) if x is not None
        ]
        file = re.sub(r"\W+", "_", axis.name).strip("_")
        across = PlotAxis.of(axis.name, short, [mark.x for mark in marks])
        title = f"{upwards.title} against {axis.name} in {space.name}{cut}"
        drawn[f"by_{file}"] = scatter(file, title, marks, across, upwards)[0].svg
    return drawn


def distribution(spaces: Mapping[str, Sequence[float]], what: str) -> str:
    """For each space the share of its networks with a value below that on the axis (Radosavovic et al., 2019)."""
    lines = []
    for name, values in spaces.items():
        ordered = sorted(values)
        points = [(value, (place + 1) / len(ordered)) for place, value in enumerate(ordered)]
        lines.append(Curve(f"{name} ({len(ordered):,})", [(ordered[0], 0.0), *points], steps=True))
    return chart("Share of networks with a value of at most so much", [CurvePanel("share", lines)], axis=what)


def values_of(results: Sequence[ScoredNetwork], objective: str, counted: Counted) -> tuple[list[float], str]:
    """The values that a distribution is of, and what they are called: of an accuracy the errors."""
    values = [_value(result, objective) for result in results]
    if objective == "accuracy":
        return [100 - value for value in values], "error, %"
    return values, _axis(objective, counted).title


def read(folder: Path, objective: str) -> list[ScoredNetwork]:
    """The results that another search has written into its folder, with this objective; raises ArchError E677."""
    path = folder / "results.json"
    if not path.exists():
        raise _incomparable(
            folder, "no search has written its results there" if folder.is_dir() else "there is no such folder"
        )
    try:
        found = [_read(entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
        if not found:
            raise ValueError("it has no results")
        if not all(math.isfinite(_value(result, objective)) for result in found):
            raise ValueError(f"not every {objective} is a number")
    except KeyError as error:
        raise _incomparable(path, f"its networks have no {error.args[0]}") from None
    except OSError as error:
        raise _incomparable(path, error.strerror or str(error)) from None
    except (ValueError, TypeError, AttributeError) as error:
        raise _incomparable(path, str(error) or type(error).__name__) from None
    return found


def _incomparable(path: Path, detail: str) -> ArchError:
    return ArchError.of("E677", path=str(path), detail=detail, doing="compare with", other="--against")


def _read(entry: Mapping[str, Mapping[str, float]]) -> ScoredNetwork:
    costs = {str(key): float(value) for key, value in entry["costs"].items()}
    return ScoredNetwork(0, {}, {}, costs, {str(key): float(value) for key, value in entry["values"].items()})


def _best_first(results: Sequence[ScoredNetwork], best: set[int]) -> list[ScoredNetwork]:
    """Names stand where there is room: those of the best come first. So each group keeps its colour."""
    return sorted(results, key=lambda result: result.number not in best)


def _mark(result: ScoredNetwork, x: float, y: float, best: bool) -> Mark:
    return Mark(x, y, str(result.number), "the best" if best else "others", minor=not best)


def _value(result: ScoredNetwork, name: str) -> float:
    return result.values[name] if name in result.values else float(result.costs[name])


def _number(axis: str, result: ScoredNetwork) -> float | None:
    """What an axis is in a network, where it is a number: `depth`, or `depths[2]` of a list."""
    name, bracket, place = axis.partition("[")
    text = result.texts[name]
    if bracket:
        text = text.strip("[]").split(", ")[int(place.rstrip("]"))]
    try:
        return float(text)
    except ValueError:
        return None


def _axis(name: str, counted: Counted) -> PlotAxis:
    if name in ASKED:
        return Plot(batch=counted.batch, dtype=counted.dtype, device=counted.device).axis(name)
    return PlotAxis(_TITLES.get(name, name), short)
