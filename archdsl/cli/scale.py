"""`archdsl scale`: how costs grow along a knob, and which value of it has a given cost."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.costing import CostOptions, costs_options
from archdsl.cli.options import TEXT, force_option, image_option, json_option, set_option, split_setting
from archdsl.cli.shared import (
    STDIN,
    ArchCommand,
    exit_code,
    find_variant,
    may_replace,
    open_spec,
    picture_file,
    write_document,
    write_output,
)
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.image import Image

if TYPE_CHECKING:
    from archdsl.backends.diagram.choices import Picture
    from archdsl.scaling import Curve, Knob, KnobPoint

MOST = 1_000
NEAR = 0.01
"""How near a target is called reached."""

GROWING = ("macs", "params", "activations")
BYTES = ("memory", "training", "weights")
"""Targets in bytes: what `--costs` shows, for its batch and numbers."""
TARGETS = (*GROWING, *BYTES)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_TARGET = re.compile(r"(\w+)\s*=\s*([0-9]+(?:\.[0-9]+)?(?:e[0-9]{1,2})?)\s*([KMGT]?)(B?)")
_NUMBER = re.compile(r"-?[0-9]{1,9}(\.[0-9]{1,12})?")
_RANGE = re.compile(r"(-?[0-9]{1,9})\.\.(-?[0-9]{1,9})")

Target = tuple[str, float]
Along = tuple[str, list[float] | None]


def _along(ctx: click.Context, option: click.Parameter, value: str | None) -> Along | None:
    """The knob, and its values where they are given: `width=0.5,1,2`, `compound.phi=0..8`."""
    if value is None:
        return None
    if "=" not in value:
        return split_setting(f"{value}=0", ctx, option)[0], None
    name, text = split_setting(value, ctx, option)
    whole = _RANGE.fullmatch(text)
    if whole is not None:
        first, end = int(whole[1]), int(whole[2])
        found = [float(number) for number in range(first, min(end, first + MOST + 1))]
    else:
        parts = [part.strip() for part in text.split(",")]
        for part in parts:
            if not _NUMBER.fullmatch(part):
                raise click.BadParameter(f"{part!r} is no number: {name}=1,1.5,2 or {name}=0..8", ctx, option)
        found = [float(part) for part in parts]
    if not found:
        raise click.BadParameter(f"{text!r} is empty", ctx, option)
    if len(found) > MOST:
        raise click.BadParameter(f"more than {MOST:,} values", ctx, option)
    return name, sorted(set(found))


def _target(ctx: click.Context, option: click.Parameter, value: str | None) -> Target | None:
    if value is None:
        return None
    found = _TARGET.fullmatch(value.strip())
    if found is None or found[1] not in TARGETS or not float(found[2]) or (found[4] and found[1] not in BYTES):
        raise click.BadParameter(f"{value!r} is not COST=AMOUNT, the cost one of {', '.join(TARGETS)}", ctx, option)
    amount = float(found[2]) * _UNITS[found[3]]
    if amount > 10**18:
        raise click.BadParameter(f"{value!r} is beyond 10^18", ctx, option)
    return found[1], amount


def _maps(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> dict[str, str]:
    result: dict[str, str] = {}
    for value in values:
        name, text = split_setting(value, ctx, option)
        if "." in name or name in result:
            problem = "is set twice" if name in result else "is no parameter of the network"
            raise click.BadParameter(f"{name!r} {problem}", ctx, option)
        result[name] = text
    return result


@click.command("scale", cls=ArchCommand)
@click.argument("spec")
@click.option(
    "--along",
    metavar="KNOB[=VALUE,…]",
    type=TEXT,
    callback=_along,
    help="The knob, and its values: --along compound.phi=0..8, --along width=0.5,1,2, --along image=160,224. "
    "Without it, the knob of the file's scaling rule.",
)
@click.option(
    "--rule",
    metavar="[SPEC:]NAME",
    type=TEXT,
    help="The scaling rule, of this spec or of another: --rule efficientnet:compound.",
)
@click.option(
    "--map",
    "maps",
    metavar="NAME=EXPRESSION",
    type=TEXT,
    multiple=True,
    callback=_maps,
    help="What a parameter (or the image) gets from the rule: --map image=compound.resolution, "
    '--map "depths=[ceil(n * compound.depth) for n in base.depths]".',
)
@click.option(
    "--without",
    metavar="NAME",
    type=TEXT,
    multiple=True,
    help="What the rule gives and is left aside: --without depth.",
)
@click.option(
    "--target",
    metavar="COST=AMOUNT",
    type=TEXT,
    callback=_target,
    help="Find the value with this cost: --target macs=600M (macs, params, activations; in bytes memory, training, "
    "weights).",
)
@click.option("-o", "--output", metavar="FILE", help="Draw the curves: .svg, .png, .pdf, .dot; `-` prints SVG.")
@force_option()
@set_option
@image_option
@costs_options
@json_option
def command(
    spec: str,
    along: Along | None,
    rule: str | None,
    maps: dict[str, str],
    without: tuple[str, ...],
    target: Target | None,
    output: str | None,
    force: bool,
    settings: dict[str, str],
    image: Image,
    wanted: CostOptions | None,
    as_json: bool,
) -> int:
    """Show how the costs of a network grow along a knob, or find the value for a cost.

    The knob is a parameter of a scaling rule (`compound.phi`), a number among the parameters of the model (`width`), or
    the size of the image (`image`). Beside the costs stands what the rule promises, below them where the published
    variants lie. With --target the value is solved for: how near it comes is said, and what is next to it.

    A rule of another family sets the parameters that have the names of its results; for the others, --map says how.
    """
    if output is not None and target is not None:
        raise click.UsageError("-o draws curves, and --target finds one value: give one")
    where = None if output is None else picture_file(output)
    if output == "-" and as_json:
        raise click.UsageError("-o - and --json both print to standard output: give one")
    if force and output is None:
        raise click.UsageError("--force does nothing without -o")
    if target is not None and along is not None and along[1] is not None:
        raise click.UsageError(f"--target solves for the value: --along {along[0]}, without values")
    knob = _knob(spec, along, rule, settings, image, maps, without)
    if wanted is None and target is not None and target[0] in BYTES:
        wanted = CostOptions(1, "float32", None)
    if target is not None:
        return _solve(knob, spec.replace(STDIN, "-", 1), target, as_json, wanted)
    return _curve(knob, along[1] if along else None, where, force, as_json, wanted)


def _knob(
    spec: str,
    along: Along | None,
    rule: str | None,
    settings: Mapping[str, str],
    image: Image,
    maps: Mapping[str, str],
    without: Sequence[str],
) -> Knob:
    """The knob that the options mean; raises ArchError, UsageError."""
    from archdsl.scaling import knob_of

    rules, name = None, None
    if rule is not None:
        of, _, name = rule.rpartition(":")
        if of:
            rules = open_spec(of)[0].program.root
    named = along[0] if along else None
    owner = name or (named.partition(".")[0] if named and "." in named else None)
    base = find_variant(spec, {n: text for n, text in settings.items() if "." not in n}, image)
    if named is not None and name is not None:
        if "." in named and named.partition(".")[0] != name:
            raise click.UsageError(f"--along {named} is no knob of --rule {rule}")
        named = named if "." in named else f"{name}.{named}"
    fixed = {n.partition(".")[2]: text for n, text in settings.items() if n.partition(".")[0] == owner and "." in n}
    foreign = [n for n in settings if "." in n and n.partition(".")[2] not in fixed]
    if owner is None and foreign:
        fixed, foreign = {n.partition(".")[2]: settings[n] for n in foreign}, []
    if foreign:
        raise click.UsageError(f"--set {foreign[0]}: it is no knob of what is scaled by")
    found = knob_of(base, named, rules, name, fixed, maps, without)
    if found.rule is None and (maps or without or fixed):
        raise click.UsageError("--map, --without and knobs set are about a rule, and none scales here: --rule NAME")
    return found


# --- a curve ---------------------------------------------------------------------------------


def _curve(
    knob: Knob,
    values: list[float] | None,
    where: tuple[Picture, Path | None] | None,
    force: bool,
    as_json: bool,
    wanted: CostOptions | None,
) -> int:
    from archdsl.scaling import curve, published

    with console.busy(f"{knob.title} of {knob.base.name} …"):
        found = curve(knob, values)
    said = [*_refused(knob, found), *_other_base(knob)]
    rows = published(found)
    if where is not None and found.points:
        _draw(found, *where, force)
    if as_json:
        from archdsl.cli.documents.exploring import ScaleDocument, ScalePointJson

        told = ScaleDocument.of(
            base=knob.base.name,
            knob=knob.title,
            origin=found.origin.value if found.origin else None,
            points=ScalePointJson.of_curve(found, wanted),
            rates={cost: found.rate(cost) for cost in GROWING},
            published=rows,
            answer=None,
        )
        write_document(told, said)
        return exit_code(said)
    if found.points and (where is None or where[1] is not None):
        from archdsl.cli.scale_tables import curve_table, growth, published_table

        console.show(curve_table(found, wanted))
        for words in growth(found):
            console.line(words)
        if len(rows) > 1:
            console.line()
            console.show(published_table(found, rows))
    if said:
        console.diagnose(said, sys.stderr)
    return exit_code(said)


def _refused(knob: Knob, found: Curve) -> list[Diagnostic]:
    """What the spec says against values, each with the values; all of the same code and words once."""
    from dataclasses import replace

    same: dict[tuple[str, str], tuple[Diagnostic, list[str]]] = {}
    for value, error in found.refused:
        for one in error.diagnostics:
            same.setdefault((one.code, one.message), (one, []))[1].append(f"{value:.12g}")
    return [
        replace(one, notes=(*one.notes, f"left out: {knob.title} = {', '.join(values)}"), items=tuple(values))
        for one, values in same.values()
    ]


def _other_base(knob: Knob) -> list[Diagnostic]:
    """A warning where the rule does not begin at the network that was named."""
    if knob.rule is None or knob.neutral is None:
        return []
    start = knob.neutral
    values = knob.base_values | {"image": knob.base.graph.input_shape.height}
    other = [f"{name} {_shown(values[name])} becomes {_shown(now)}" for name, now in start.given.items()
             if _shown(values[name]) != _shown(now)]  # fmt: skip
    if not other:
        return []
    facts = {"knob": knob.title, "value": f"{start.value:g}", "name": knob.base.name, "detail": ", ".join(other)}
    return list(ArchError.of("E691", facts=facts).diagnostics)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.12g}"
    return str(list(value)) if isinstance(value, tuple) else str(value)


def _draw(found: Curve, kind: Picture, path: Path | None, force: bool) -> None:
    from archdsl.backends.diagram.provenance import is_ours
    from archdsl.cli.scale_tables import picture

    if path is not None:
        may_replace(path, is_ours, force)
    write_output(picture(found).render(kind), path)


# --- a target --------------------------------------------------------------------------------


def _solve(knob: Knob, spec: str, target: Target, as_json: bool, wanted: CostOptions | None) -> int:
    from archdsl.scaling import solve

    cost, amount = target

    def cost_at(value: float) -> int | None:
        try:
            return _cost(knob.at(value), cost, wanted)
        except ArchError:
            return None

    knob.at(knob.start)  # what is wrong with the network itself is said
    with console.busy(f"{knob.title} of {knob.base.name} …"):
        answer = solve(cost_at, knob.start, amount, knob.whole, knob.additive)
    assert answer is not None
    said = _other_base(knob)
    if not answer.reached:
        from archdsl.cli.scale_tables import amount_of

        nearest = f"{amount_of(cost, answer.cost)} at {knob.title} = {answer.value:.12g}"
        target_text = f"{cost} = {amount_of(cost, round(amount))}"
        raise ArchError.of("E690", knob=knob.title, name=knob.base.name, target=target_text, detail=nearest)
    point = knob.at(answer.value)
    if as_json:
        from archdsl.cli.documents.exploring import AnswerJson, ScaleDocument

        told = ScaleDocument.of(
            base=knob.base.name,
            knob=knob.title,
            origin=knob.start,
            points=[],
            rates={},
            published=[],
            answer=AnswerJson.of_answer(answer, point, cost, amount, wanted),
        )
        write_document(told, said)
        return exit_code(said)
    from archdsl.cli.scale_tables import answer_lines, answer_table, shown_by

    console.show(answer_table(knob, answer, wanted))
    for words in answer_lines(knob, answer, cost, amount, NEAR):
        console.line(words)
    console.line(shown_by(knob, point, spec, wanted))
    if said:
        console.diagnose(said, sys.stderr)
    return exit_code(said)


def _cost(point: KnobPoint, cost: str, wanted: CostOptions | None) -> int:
    if cost not in BYTES:
        return point.cost(cost)
    assert wanted is not None
    return int(getattr(wanted.of(point.variant), cost))
