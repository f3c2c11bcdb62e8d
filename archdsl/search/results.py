"""Results of a search: which are best, and CSV, JSON and `variants` of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from archdsl.diagnostics.core import Bag
from archdsl.graph.space import ASKED, COSTS
from archdsl.search.candidates import CandidateNetwork
from archdsl.semantics.points import Space
from archdsl.source import Source
from archdsl.syntax import format_file, parse

Better = Literal["least", "most"]


@dataclass(frozen=True)
class ScoredNetwork:
    """A network that was scored: its number in the search, and a value for each objective."""

    number: int
    texts: Mapping[str, str]
    arguments: Mapping[str, str]
    costs: Mapping[str, float]
    values: Mapping[str, float]


def result_of(number: int, network: CandidateNetwork, values: Mapping[str, float]) -> ScoredNetwork:
    return ScoredNetwork(
        number,
        network.point.texts,
        network.point.arguments,
        network.costs,
        {name: float(value) for name, value in values.items()},
    )


def best(results: Sequence[ScoredNetwork], objectives: Mapping[str, Better], most: int) -> list[ScoredNetwork]:
    """Of one objective the best, in order; of several the Pareto front: those that no other is at least as good as in
    all and better than in one. Without objectives, the first."""
    if not objectives:
        return list(results[:most])
    scored = [(tuple(r.values[n] if b == "least" else -r.values[n] for n, b in objectives.items()), r) for r in results]
    scored.sort(key=lambda pair: (pair[0], pair[1].number))
    if len(objectives) == 1:
        return [result for _, result in scored[:most]]
    front: list[tuple[tuple[float, ...], ScoredNetwork]] = []
    for values, result in scored:  # what dominates another stands before it
        if not any(all(a <= b for a, b in zip(other, values, strict=True)) for other, _ in front):
            front.append((values, result))
    return [result for _, result in front]


def measured(results: Sequence[ScoredNetwork], objectives: Iterable[str]) -> list[str]:
    """The values that are no costs: the objectives in order, then what these are made of (a reward's accuracy)."""
    made_of = results[0].values if results else {}
    return [name for name in dict.fromkeys([*objectives, *made_of]) if name not in ASKED]


def as_csv(results: Sequence[ScoredNetwork], space: Space, objectives: Mapping[str, Better]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    dimensions = list(dict.fromkeys(axis.dimension for axis in space.axes))
    own = measured(results, objectives)
    costs = [name for name in ASKED if name in (results[0].costs if results else COSTS)]
    writer.writerow(["number", *dimensions, *costs, *own])
    for r in results:
        cells = [r.texts[name] for name in dimensions], [r.costs[name] for name in costs], [r.values[n] for n in own]
        writer.writerow([r.number, *(cell for part in cells for cell in part)])
    return text.getvalue()


def as_variants(results: Sequence[ScoredNetwork], space: Space, said: str) -> str:
    """Variants as the spec would have them, with their costs in `expect`."""
    names = [f"{space.name}_{result.number}" for result in results]
    if not results:
        return f"# {said}\n"
    parameters = list(space.parameters)
    lines = [f"# {said}"]
    if space.base.args or space.base.name not in (space.name, space.base.model.name):  # not a model alone
        for name, result in zip(names, results, strict=True):
            given = ", ".join(f"{key} = {value}" for key, value in result.arguments.items())
            lines.append(f"variant {name} = {space.base.name} with ({given})")
    else:
        lines.append(f"variants {space.base.model.name}({', '.join(parameters)}) {{")
        lines += [
            f"  {name}: {', '.join(result.arguments[key] for key in parameters)}"
            for name, result in zip(names, results, strict=True)
        ]
        lines.append("}")
    lines.append("")
    for name, result in zip(names, results, strict=True):
        lines.append(f"expect {name} {{ params = {result.costs['params']:_}, macs = {result.costs['macs']:_} }}")
    text = "\n".join(lines) + "\n"
    syntax = parse(Source("variants.arch", text), Bag())
    return text if syntax is None else format_file(syntax)
