"""`archdsl search`: networks of a design space, counted, measured or trained, and the best of them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from archdsl.changes import command_line
from archdsl.cli import console
from archdsl.cli.codes import FINDINGS
from archdsl.cli.costing import asked, costs_flags
from archdsl.cli.options import TEXT, json_option
from archdsl.cli.search_tables import Shown, list_spaces, print_found
from archdsl.cli.shared import STDIN, ArchCommand, exit_code, open_spec
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.space import ASKED, FIGURES, SECONDS
from archdsl.search import LEARNING, MEASURED, SAMPLERS, TIMED, TRAINED

if TYPE_CHECKING:
    from archdsl.api import ArchFile
    from archdsl.search.candidates import Candidates, Counted
    from archdsl.search.objectives import MeasureOptions
    from archdsl.search.results import Better, ScoredNetwork
    from archdsl.semantics.points import Space

JOURNAL, VARIANTS = "study.journal", "variants.arch"
"""Of a folder of a search: its trials; the best networks as a spec would say them."""
FOUND = "Found by archdsl search"
"""What such variants begin with."""

_objective = click.Choice((*ASKED, *MEASURED))
_COUNT = click.IntRange(1, 1_000_000)
_BETTER: Mapping[str, Better] = {"minimize": "least", "maximize": "most"}
_ORDER = "archdsl.search.order"


class _SearchCommand(ArchCommand):
    """Keeps the order of the objectives, which click has not: it collects those of either option."""

    def look_at_order(self, ctx: click.Context, order: Sequence[click.Parameter]) -> None:
        super().look_at_order(ctx, order)
        ctx.meta[_ORDER] = [option.name for option in order if option.name in _BETTER]


@click.command("search", cls=_SearchCommand, short_help="Search a design space for the best networks.")
@click.argument("spec")
@click.argument("name", metavar="[SPACE]", type=TEXT, default="")
@click.option("--minimize", type=_objective, multiple=True, help="An objective: the less the better.")
@click.option("--maximize", type=_objective, multiple=True, help="An objective: the more the better.")
@click.option(
    "--require",
    "conditions",
    metavar="CONDITION",
    type=TEXT,
    multiple=True,
    help='A further condition: --require "macs > 390M and macs < 410M".',
)
@click.option(
    "--sampler",
    type=click.Choice(SAMPLERS),
    default="random",
    show_default=True,
    help="all: every network of the space, in order; tpe, nsga2: learn from those before.",
)
@click.option("--samples", type=_COUNT, help="How many networks. [100; with `all`, all]")
@click.option(
    "--best",
    "most",
    type=click.IntRange(1, 10_000),
    default=10,
    show_default=True,
    help="How many are the best, of one objective; of several it is the Pareto front.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="What is random follows from it.")
@click.option("-o", "--output", metavar="FOLDER", help="Keep the search; the same command goes on, or works on it too.")
@click.option(
    "--against",
    metavar="FOLDER",
    multiple=True,
    help="-o: compare the distribution of the first objective with that of another search.",
)
@click.option("--storage", metavar="URL", help="Keep the trials in a database, for several machines: sqlite:///a.db.")
@costs_flags
@click.option("--threads", type=_COUNT, help="latency, step: of the processor. [torch's]")
@click.option("--recipe", metavar="NAME", type=TEXT, help="accuracy, reward: how networks are trained.")
@click.option("--data", metavar="DATA", help="accuracy, reward: pictures, as of `archdsl train`.")
@click.option("--epochs", type=_COUNT, help="accuracy, reward: another number than the recipe's.")
@click.option("--image", type=_COUNT, help="accuracy, reward: another side of the images than the recipe's.")
@click.option(
    "--command", "user_command", metavar="COMMAND", help="command: prints a number as its last line; no shell reads it."
)
@click.option("--csv", "as_csv", is_flag=True, help="Print all networks as comma-separated values.")
@click.option("--variants", "as_variants", is_flag=True, help="Print the best as `variants` to paste into the spec.")
@json_option
def command(
    spec: str,
    name: str,
    minimize: tuple[str, ...],
    maximize: tuple[str, ...],
    conditions: tuple[str, ...],
    as_csv: bool,
    as_variants: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Search a design space of a spec for the best networks.

    SPEC alone lists its spaces. Networks are drawn from SPACE, or enumerated; those that its conditions refuse are left
    out, and of the others the costs are counted exactly. What no condition refuses and cannot be built is reported.

    Objectives are costs, or measured: latency and step (milliseconds of a forward pass, of a training step, here),
    accuracy (after a training by --recipe), reward (EfficientNetV2's, of accuracy, step and parameters) and command.
    With -o a search is kept: given again, the command goes on where it ended, and beside others it takes its share.
    """
    if sum((as_csv, as_variants, as_json)) > 1:
        raise click.UsageError("--csv, --variants and --json are forms of the same: give one")
    objectives = _objectives({"minimize": minimize, "maximize": maximize})
    file, variant = open_spec(spec)
    if variant is not None:
        whole = spec.replace(STDIN, "-", 1).rpartition(":")[0] or Path(file.name).stem
        raise click.UsageError(f"a space is one of a file: {command_line('search', whole)} SPACE")
    if not name:
        if given := sorted(_given() - {"spec", "as_json"}):
            raise click.UsageError(f"{_flag(given[0])} does nothing without SPACE: SPEC alone lists its spaces")
        return list_spaces(file, as_json)
    _refuse_idle(objectives, options)
    from archdsl.search.candidates import Candidates, with_conditions

    space = with_conditions(_space(file, name), conditions)
    candidates = Candidates(file, space, _counted(space, objectives, options))
    wanted = options["samples"] or (space.size if options["sampler"] == "all" else 100)
    against = _against(space, objectives, options)
    if options["output"] is not None:
        _refuse_foreign(Path(options["output"]))
    found, faults = _search(candidates, objectives, wanted, conditions, options)
    told = [*candidates.faults.values(), *{(fault.code, fault.message): fault for fault in faults}.values()]
    if options["output"] is not None:
        _write(Path(options["output"]), candidates, found, objectives, options, against)
    shown = Shown(candidates, found, objectives, options["most"], told)
    print_found(shown, as_csv=as_csv, as_variants=as_variants, as_json=as_json)
    if told and not as_json:
        console.diagnose(told, sys.stderr)
    return exit_code(told) or (0 if found else FINDINGS)


_USES = {
    "recipe": TRAINED, "data": TRAINED, "epochs": TRAINED, "image": TRAINED, "user_command": {"command"},
    "threads": TIMED,
}  # fmt: skip
"""Options, and the objectives that they are about."""


def _given() -> set[str]:
    """The parameters of this command that stand on the command line."""
    from click.core import ParameterSource

    context = click.get_current_context()
    return {name for name in context.params if context.get_parameter_source(name) is ParameterSource.COMMANDLINE}


def _flag(parameter: str) -> str:
    """What a parameter is called on the command line."""
    return next(p.opts[-1] for p in click.get_current_context().command.params if p.name == parameter)


def _refuse_idle(objectives: Mapping[str, Better], options: Mapping[str, Any]) -> None:
    """Raise UsageError for options that change nothing, or that are missing."""
    given = _given()
    for option, about in _USES.items():
        if option in given and not about & objectives.keys():
            raise click.UsageError(f"{_flag(option)} does nothing without an objective {' or '.join(sorted(about))}")
    trained = TRAINED & objectives.keys()
    if "most" in given and len(objectives) > 1:
        raise click.UsageError(
            "--best does nothing with several objectives: their best are the Pareto front, which is shown whole"
        )
    if "seed" in given and options["sampler"] == "all" and not trained:
        raise click.UsageError("--seed does nothing with --sampler all: nothing is random")
    if trained and (options["recipe"] is None or options["data"] is None or options["output"] is None):
        raise click.UsageError(
            f"{' and '.join(sorted(trained))}: give --recipe, --data and -o, where trainings are kept"
        )
    if "command" in objectives and not (options["user_command"] or "").strip():
        raise click.UsageError("command: give --command, which prints the number")
    kept = options["output"] is not None or options["storage"] is not None
    if not objectives and (options["sampler"] in LEARNING or kept):
        raise click.UsageError("name an objective: --minimize macs")
    if options["against"] and options["output"] is None:
        raise click.UsageError("--against does nothing without -o: the picture is written there")
    if options["storage"] is not None and "://" not in options["storage"]:
        raise click.UsageError(
            f"--storage takes an address, as sqlite:///study.db; a folder is -o {options['storage']}"
        )


def _counted(space: Space, objectives: Mapping[str, Better], options: Mapping[str, Any]) -> Counted:
    """Which figures are wanted, and for what; raises UsageError for a time without a device."""
    from archdsl.search.candidates import Counted

    wanted = asked(True, options["batch"], options["dtype"], options["device"])
    assert wanted is not None
    names = objectives.keys() & {*FIGURES, SECONDS}
    if SECONDS in names | space.asked_more and wanted.device is None:
        raise click.UsageError("seconds are a device's: give --device a100")
    for_costs = options["costs"] or options["dtype"] or options["device"]
    if for_costs or (options["batch"] and not TIMED & objectives.keys()):
        names |= {*FIGURES, *([SECONDS] if wanted.device else [])}
    return Counted(wanted.batch, wanted.dtype, wanted.device, frozenset(names))


def _objectives(given: Mapping[str, Sequence[str]]) -> dict[str, Better]:
    """The objectives, in the order of the command line; raises UsageError for one that is named twice."""
    found: dict[str, Better] = {}
    names = {option: iter(of_option) for option, of_option in given.items()}
    for option in click.get_current_context().meta[_ORDER]:
        name = next(names[option])
        if name in found:
            raise click.UsageError(f"{name} is named twice among the objectives")
        found[name] = _BETTER[option]
    return found


def _space(file: ArchFile, name: str) -> Space:
    """The space of this name; raises ArchError E450."""
    from archdsl.diagnostics.suggest import closest

    known = file.spaces
    if name not in known:
        raise ArchError.of("E450", name=name, suggestion=closest(name, known), known=", ".join(known) or None)
    return known[name]


def _against(
    space: Space, objectives: Mapping[str, Better], options: Mapping[str, Any]
) -> dict[str, list[ScoredNetwork]]:
    """The searches that this one is compared with, each under a name of its own; raises ArchError E677."""
    folders = options["against"]
    if not folders:
        return {}
    from archdsl.search.pictures import read

    if len({Path(folder).resolve() for folder in folders}) < len(folders):
        raise click.UsageError("--against names a folder twice")
    names = [space.name, *(Path(folder).name for folder in folders)]
    alone = [folder if names.count(Path(folder).name) > 1 else Path(folder).name for folder in folders]
    alone = [f"./{name}" if name == space.name else name for name in alone]
    first = next(iter(objectives))
    return {name: read(Path(folder), first) for name, folder in zip(alone, folders, strict=True)}


def _search(
    candidates: Candidates,
    objectives: dict[str, Better],
    samples: int,
    conditions: tuple[str, ...],
    options: Mapping[str, Any],
) -> tuple[list[ScoredNetwork], list[Diagnostic]]:
    """The networks with their values, and what went wrong with those that have none."""
    from archdsl.search.objectives import BATCH, MeasureOptions, prepare, score
    from archdsl.search.plain import gives_up, networks
    from archdsl.search.results import result_of

    output = options["output"]
    how = MeasureOptions(
        batch=options["batch"] or BATCH,
        threads=options["threads"],
        recipe=options["recipe"],
        data=options["data"],
        epochs=options["epochs"],
        image=options["image"],
        command=options["user_command"],
        runs=None if output is None else Path(output, "runs"),
        seed=options["seed"],
    )
    prepare(candidates.file, candidates.space, objectives, how)
    kept = output is not None or options["storage"] is not None or options["sampler"] in LEARNING
    if kept:
        return _studied(candidates, objectives, samples, how, conditions, options)
    found: list[ScoredNetwork] = []
    measured = bool(objectives.keys() & set(MEASURED))
    faults: list[Diagnostic] = []
    tried = 0
    with console.busy(f"networks of {candidates.space.name} …"):
        for network in networks(candidates, options["sampler"], options["seed"]):
            try:
                values = score(network, objectives, how)
                found.append(result_of(tried, network, values))
                if measured:
                    _one(found[-1], objectives)
            except ArchError as error:
                faults += error.diagnostics
            tried += 1
            if tried >= samples:
                break
            if gives_up(len(found), tried - len(found)):
                _gave_up()
                break
    return found, faults


def _studied(
    candidates: Candidates,
    objectives: dict[str, Better],
    samples: int,
    how: MeasureOptions,
    conditions: tuple[str, ...],
    options: Mapping[str, Any],
) -> tuple[list[ScoredNetwork], list[Diagnostic]]:
    from archdsl.search.objectives import score
    from archdsl.search.study import Study

    place = options["storage"]
    if place is None and options["output"] is not None:
        folder = make_folder(Path(options["output"]))
        place = str(folder / JOURNAL)
    said = {
        "networks": candidates.file.texts.digest,
        "space": candidates.space.name,
        "conditions": list(conditions),
        **candidates.counted.said,
        **how.said(objectives),
    }
    study = Study(candidates, objectives, options["sampler"], options["seed"], place, said)
    with console.busy(f"networks of {candidates.space.name} …"):
        study.run(
            samples, lambda network: score(network, objectives, how), lambda result: _one(result, objectives), _waits
        )
    if study.gave_up:
        _gave_up()
    return study.results(), study.faults


def _gave_up() -> None:
    console.note(
        "the search ends here, as none of its first networks could be scored; the same command tries them again"
    )


def _refuse_foreign(folder: Path) -> None:
    """Raise ArchError E607 for a folder with files of others by the names that a search writes there."""
    variants = folder / VARIANTS
    ours = (folder / JOURNAL).exists()
    with suppress(OSError, UnicodeDecodeError):  # it is not ours, then
        ours = ours or variants.read_text(encoding="utf-8").startswith(f"# {FOUND}")
    names = (VARIANTS, "results.csv", "results.json", "front.svg", "by_*.svg", "distribution.svg")
    taken = [path.name for name in names for path in sorted(folder.glob(name))]
    if taken and not ours:
        detail = f"the folder is of no search, and a search writes its own {taken[0]}: give another folder"
        raise ArchError.of("E607", path=str(folder / taken[0]), detail=detail)


def make_folder(path: Path) -> Path:
    """The folder at a path; raises ArchError E607 where there can be none."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ArchError.of("E607", path=str(path), detail=error.strerror or str(error)) from None
    return path


def _one(result: ScoredNetwork, objectives: Mapping[str, Better]) -> None:
    """A line of progress."""
    values = ", ".join(f"{name} {result.values[name]:.6g}" for name in objectives)
    console.note(f"network {result.number}: {values}")


def _waits(workers: frozenset[str]) -> None:
    console.note(f"waiting for networks that other processes (machine:number) have: {', '.join(sorted(workers))}")


def _write(
    folder: Path,
    candidates: Candidates,
    found: list[ScoredNetwork],
    objectives: Mapping[str, Better],
    options: Mapping[str, Any],
    against: Mapping[str, list[ScoredNetwork]],
) -> None:
    """Everything that was found, in the folder of the search."""
    from archdsl.cli.documents.exploring import FoundJson
    from archdsl.files import Staged
    from archdsl.search import pictures, results

    space, chosen = candidates.space, results.best(found, objectives, options["most"])
    words = f"{FOUND} in {space.name}: {len(chosen):,} of {len(found):,} networks."
    files = {
        "results.csv": results.as_csv(found, space, objectives),
        "results.json": json.dumps([FoundJson.of(result).plain() for result in found], indent=1) + "\n",
        VARIANTS: results.as_variants(chosen, space, words),
    }
    drawn = pictures.pictures(found, chosen, space, objectives, candidates.counted)
    files |= {f"{name}.svg": svg for name, svg in drawn.items()}
    if found:
        first = next(iter(objectives))
        values, what = pictures.values_of(found, first, candidates.counted)
        spaces = {space.name: values}
        for name, others in against.items():
            spaces[name] = pictures.values_of(others, first, candidates.counted)[0]
        files["distribution.svg"] = pictures.distribution(spaces, what)
    for name, text in files.items():
        with Staged(folder / name, text.encode()) as staged:
            staged.commit()
    console.note(f"wrote {', '.join(files)} in {folder}")
