"""`archdsl show`: the cost of one network stage by stage or layer by layer, or of several side by side."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from archdsl.cli import console
from archdsl.cli.costing import CostOptions, costs_options
from archdsl.cli.options import image_option, json_option, output_stride_option, set_option
from archdsl.cli.shared import ArchCommand, changed, exit_code, fail, open_spec, write_document
from archdsl.cli.wording import description, prepared
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.graph.image import Image

if TYPE_CHECKING:
    from archdsl.api import ArchFile, Variant
    from archdsl.cli.documents.specs import ShowDocument


@click.command("show", cls=ArchCommand)
@click.argument("spec")
@click.option("--layers", is_flag=True, help="Every layer: path, kind, output size, parameters, MACs.")
@set_option
@image_option
@output_stride_option
@costs_options
@json_option
def command(
    spec: str,
    layers: bool,
    settings: dict[str, str],
    image: Image,
    output_stride: int | None,
    wanted: CostOptions | None,
    as_json: bool,
) -> int:
    """Print a network's stages, or its layers, and what they cost.

    Where the file has several variants and none is named, they are compared. The column `layers` counts
    convolutions, those of shortcuts too, and linear layers. MACs are multiply-accumulates for one image. Sizes are
    channels × height × width. Figures that `expect` claims and the network has not are errors, after the table.
    """
    file, named = open_spec(spec)
    if not file:
        raise ArchError.of("E606", path=file.name)
    several = named is None and len(file) > 1
    variants = list(file.values()) if several and not layers else [file.only(named)]
    problems = [] if settings or image or output_stride else _claims(file, variants)
    variants = [changed(variant, settings, image, output_stride) for variant in variants]
    if as_json:
        write_document(_document(file, variants, several, wanted), problems)
    elif several:
        _compare(file, variants, wanted)
    else:
        _one(variants[0], layers, wanted)
    if problems and not as_json:
        sys.stdout.flush()
        fail(problems)
    return exit_code(problems)


def _claims(file: ArchFile, variants: list[Variant]) -> list[Diagnostic]:
    """What the file claims of these variants, with `expect`, and is not so: figures are not shown as if they were."""
    from archdsl.semantics.claims import check_claims

    bag = Bag()
    check_claims(file.program, {variant.name: variant.graph for variant in variants}, file.variants, bag)
    return list(bag)


def _document(file: ArchFile, variants: list[Variant], several: bool, wanted: CostOptions | None) -> ShowDocument:
    from archdsl.cli.documents.networks import VariantJson
    from archdsl.cli.documents.specs import ShowDocument

    if not several:
        return ShowDocument.of_variant(variants[0], wanted)
    told = [VariantJson.costed(variant, wanted) for variant in variants]
    nothing: dict[str, Any] = {"variant": None, "stages": [], "layers": [], "preprocess": None}
    return ShowDocument.of(file=file.name, doc=file.docstring, variants=told, **nothing)


def _compare(file: ArchFile, variants: list[Variant], wanted: CostOptions | None) -> None:
    from archdsl.cli import costing
    from archdsl.cli.tables import VariantRow, prose, variant_table

    rows = list(map(VariantRow.of, variants))
    made = (costing.columns(wanted), [costing.cells(variant, wanted) for variant in variants])
    console.show(*prose(file.docstring), variant_table(rows, costs=made))


def _one(variant: Variant, layers: bool, wanted: CostOptions | None) -> None:
    from archdsl.cli.tables import layer_table, prose, stage_table, title

    costs = None if wanted is None else wanted.of(variant)
    table = (layer_table if layers else stage_table)(variant, wanted, costs)
    console.show(title(variant), *prose(description(variant)), table)
    if wanted is not None and costs is not None:
        from archdsl.cli.costing import lines

        console.line("\n" + "\n".join(lines(costs, wanted)))
    if sizes := variant.graph.size_decisions:
        console.line("\nasks about sizes; its module refuses images where it is not so:")
        for decision in sizes:
            console.line(f"  {decision}")
    pictures = prepared(variant)
    if pictures is not None:
        settings, (height, width) = pictures.settings, pictures.size
        mean, std = ([f"{value:.4g}" for value in values] for values in (settings.mean, settings.std))
        sides = "both sides" if settings.squash else "shorter side"
        console.line(f"\npictures: {sides} to {max(pictures.resized)}, {settings.interpolation}")
        console.line(f"          centre {height}×{width}, mean {' '.join(mean)}, std {' '.join(std)}")
