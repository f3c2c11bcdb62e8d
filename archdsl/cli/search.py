"""`archdsl search`: networks of a design space, counted, measured or trained, and the best of them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli import console
from archdsl.cli.shared import TEXT, ArchCommand, document, exit_code, json_option, open_spec, refuse
from archdsl.graph.space import COSTS

if TYPE_CHECKING:
    from archdsl.api import ArchFile
    from archdsl.search.candidates import Candidates
    from archdsl.search.results import Better, Result
    from archdsl.semantics.spaces import Space

SAMPLERS = ("random", "all")
_SHOWN = 20
"""Results that are shown on a terminal; CSV and JSON have all."""

_objective = click.Choice(tuple(COSTS))


@click.command("search", cls=ArchCommand, short_help="Search a design space for the best networks.")
@click.argument("spec")
@click.argument("name", metavar="[SPACE]", type=TEXT, default="")
@click.option("--minimize", type=_objective, multiple=True, help="An objective: the less the better.")
@click.option("--maximize", type=_objective, multiple=True, help="An objective: the more the better.")
@click.option("--require", "conditions", metavar="CONDITION", type=TEXT, multiple=True,
              help='A further condition: --require "macs > 390M and macs < 410M".')  # fmt: skip
@click.option("--sampler", type=click.Choice(SAMPLERS), default="random", show_default=True,
              help="all: every network of the space, in order.")  # fmt: skip
@click.option("--samples", type=click.IntRange(1, 1_000_000), help="How many networks. [100; with `all`, all]")
@click.option("--best", "most", type=click.IntRange(1, 10_000), default=10, show_default=True,
              help="How many are the best, of one objective; of several it is the Pareto front.")  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="What is random follows from it.")
@click.option("--csv", "as_csv", is_flag=True, help="Print all networks as comma-separated values.")
@click.option("--variants", "as_variants", is_flag=True, help="Print the best as `variants` to paste into the spec.")
@json_option
def command(
    spec: str,
    name: str,
    minimize: tuple[str, ...],
    maximize: tuple[str, ...],
    conditions: tuple[str, ...],
    sampler: str,
    samples: int | None,
    most: int,
    seed: int,
    as_csv: bool,
    as_variants: bool,
    as_json: bool,
) -> int:
    """Search a design space of a spec for the best networks.

    SPEC alone lists its spaces. Networks are drawn from SPACE, or enumerated; those that its conditions refuse are left
    out, and of the others the costs are counted exactly. What no condition refuses and cannot be built is reported.
    """
    if sum((as_csv, as_variants, as_json)) > 1:
        raise click.UsageError("--csv, --variants and --json are forms of the same: give one")
    objectives = _objectives(minimize, maximize)
    file, variant = open_spec(spec)
    if variant is not None:
        raise click.UsageError(f"a space is one of a file: archdsl search {spec.rpartition(':')[0]} SPACE")
    if not name:
        return _list(file, as_json)
    from archdsl.search.candidates import Candidates, with_conditions

    space = with_conditions(_space(file, name), conditions)
    candidates = Candidates(file, space)
    found = _search(candidates, sampler, samples or (space.size if sampler == "all" else 100), seed)
    _print(candidates, found, objectives, most, as_csv=as_csv, as_variants=as_variants, as_json=as_json)
    faults = list(candidates.faults.values())
    if faults and not as_json:
        console.diagnose(faults, sys.stderr)
    return exit_code(faults)


def _objectives(minimize: tuple[str, ...], maximize: tuple[str, ...]) -> dict[str, Better]:
    """The objectives in order; raises UsageError for one that is named twice."""
    found: dict[str, Better] = {}
    for names, better in ((minimize, "least"), (maximize, "most")):
        for name in names:
            if name in found:
                raise click.UsageError(f"{name} is named twice among the objectives")
            found[name] = "least" if better == "least" else "most"
    return found


def _space(file: ArchFile, name: str) -> Space:
    """The space of this name; raises ArchError E450."""
    from archdsl.diagnostics.suggest import closest

    known = file.spaces
    if name not in known:
        raise refuse("E450", name=name, suggestion=closest(name, known), known=", ".join(known) or None)
    return known[name]


def _search(candidates: Candidates, sampler: str, samples: int, seed: int) -> list[Result]:
    from archdsl.search.plain import networks
    from archdsl.search.results import result_of

    found: list[Result] = []
    with console.busy(f"networks of {candidates.space.name} …"):
        for network in networks(candidates, sampler, seed):
            found.append(result_of(len(found), network, network.costs))
            if len(found) >= samples:
                break
    return found


# --- what is printed -------------------------------------------------------------------------


def _list(file: ArchFile, as_json: bool) -> int:
    from archdsl.cli.tables import plain_table

    spaces = file.spaces
    if as_json:
        console.write_json(document("search", (), file=file.name, spaces=[_space_data(s) for s in spaces.values()],
                                    results=None, best=None, refused=None))  # fmt: skip
    elif not spaces:
        console.note(f"{file.name} has no space")
    else:
        table = plain_table(("space", "left"), ("for", "left"), ("networks", "right"), ("source", "left"))
        for space in spaces.values():
            source = " ".join(space.source.split())
            cells = (space.name, _target(space), f"{space.size:,}", source)
            table.add_row(*map(console.text, cells))
        console.show(table)
    return 0


def _target(space: Space) -> str:
    return space.base.model.name if space.base.name == space.name else space.base.name


def _space_data(space: Space) -> dict[str, Any]:
    return {
        "name": space.name,
        "target": _target(space),
        "source": space.source,
        "networks": str(space.size),
        "axes": [{"name": axis.name, "values": axis.domain.size} for axis in space.axes],
    }


def _print(
    candidates: Candidates,
    found: list[Result],
    objectives: Mapping[str, Better],
    most: int,
    *,
    as_csv: bool,
    as_variants: bool,
    as_json: bool,
) -> None:
    from archdsl.search import results

    space = candidates.space
    chosen = results.best(found, objectives, most)
    if as_json:
        faults = list(candidates.faults.values())
        refused = [{"condition": text, "count": count} for text, count in candidates.refused.most_common()]
        data = document("search", faults, file=candidates.file.name, spaces=[_space_data(space)],
                        results=list(map(_data, found)), best=[r.number for r in chosen], refused=refused)  # fmt: skip
        console.write_json(data)
    elif as_csv:
        console.write_data(results.as_csv(found, space, objectives))
    elif as_variants:
        words = f"Found by archdsl search in {space.name}: {len(chosen):,} of {len(found):,} networks."
        console.write_data(results.as_variants(chosen, space, words))
    elif chosen:
        console.show(_table(chosen[:_SHOWN], space, objectives))
    if not as_json:
        _say(candidates, found, chosen)


def _data(result: Result) -> dict[str, Any]:
    return {
        "number": result.number,
        "dimensions": dict(result.texts),
        "arguments": dict(result.arguments),
        "costs": dict(result.costs),
        "values": dict(result.values),
    }


def _table(chosen: list[Result], space: Space, objectives: Mapping[str, Better]) -> Any:
    from archdsl.cli.tables import count, macs, plain_table

    dimensions = list(dict.fromkeys(axis.dimension for axis in space.axes))
    own = [name for name in objectives if name not in COSTS]
    heads = ["number", *dimensions, "layers", "params", "MACs", "activations", *own]
    table = plain_table(*((head, "right") for head in heads))
    for result in chosen:
        costs = result.costs
        cells = [str(result.number), *(result.texts[name] for name in dimensions)]
        cells += [count(costs["layers"]), count(costs["params"]), macs(costs["macs"]), count(costs["activations"])]
        cells += [f"{result.values[name]:.6g}" for name in own]
        table.add_row(*map(console.text, cells))
    return table


def _say(candidates: Candidates, found: list[Result], chosen: list[Result]) -> None:
    """On standard error: how many there are, and what refused the others."""
    shown = f", {_SHOWN} of the {len(chosen):,} best shown" if len(chosen) > _SHOWN else ""
    console.note(f"{len(found):,} networks of {candidates.space.name}{shown}")
    for text, count in candidates.refused.most_common(5):
        console.note(f"refused {count:,}: {text}")
