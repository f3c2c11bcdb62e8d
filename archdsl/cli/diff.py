"""`archdsl diff`: what came, went and changed between two networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.codes import COULD_NOT_RUN, FINDINGS
from archdsl.cli.options import image_option, json_option, output_stride_option, set_option
from archdsl.cli.shared import ArchCommand, changed, find_next, find_variant, open_spec, write_document
from archdsl.graph.image import Image

if TYPE_CHECKING:
    from archdsl.api import Variant


class DiffCommand(ArchCommand):
    """A command for which 1 means that two things differ: whatever is wrong with one of them is 2."""

    def invoke(self, ctx: click.Context) -> int:
        code: int = super().invoke(ctx)
        return code if code != FINDINGS or ctx.meta.get("compared") else COULD_NOT_RUN


@click.command("diff", cls=DiffCommand)
@click.argument("before", metavar="SPEC")
@click.argument("after", metavar="[SPEC]", default="")
@set_option
@image_option
@output_stride_option
@json_option
def command(
    before: str,
    after: str,
    settings: dict[str, str],
    image: Image,
    output_stride: int | None,
    as_json: bool,
) -> int:
    """Print what came, went and changed from one network to another.

    Stages, blocks and layers that correspond are found by their structure, so that neither renamed labels nor other
    widths hide what is the same. The second SPEC may be `:VARIANT`, another variant of the first one's file. --set,
    --image and --output-stride are about the second network; without a second SPEC they change the first one. One SPEC
    alone whose variants amend each other is a chain of steps, and each is compared with the one it amends.

    Exit codes: 0 the networks are equal, 1 they differ, 2 could not compare. Names of layers, how pictures become the
    input and initial weights make no difference.
    """
    if not after and not settings and not image and not output_stride:
        return _steps(before, as_json)
    first = find_variant(before, {})
    second = _second(first, after, settings, image, output_stride)
    from archdsl.graph.diff.compare import diff
    from archdsl.graph.diff.transfer import transfer

    difference, weights = diff(first.graph, second.graph), transfer(first.graph, second.graph)
    click.get_current_context().meta["compared"] = True
    if as_json:
        from archdsl.cli.documents.differences import DiffDocument

        write_document(DiffDocument.of_variants(first, second, difference, weights))
    else:
        from archdsl.cli import differences

        console.show(differences.titles(first, second))
        if difference.equal:
            console.line("The networks are equal: the same layers with the same parameters on the same inputs.")
        else:
            console.show(differences.section_table(difference, console.width()), *differences.changes(difference))
        console.line()
        for note in differences.notes(first, second, difference, weights):
            console.line(note)
    return 0 if difference.equal else FINDINGS


def _steps(spec: str, as_json: bool) -> int:
    """Compare each variant of a file with the one that it amends."""
    from archdsl.steps import amendments

    file, named = open_spec(spec)
    steps = amendments(file) if named is None else []
    if not steps:
        raise click.UsageError(f"{spec} alone is no chain of amendments: diff wants a second SPEC, or --set")
    from archdsl.graph.diff.compare import diff

    compared = [(step, diff(step.before.graph, step.variant.graph) if step.before else None) for step in steps]
    click.get_current_context().meta["compared"] = True
    if as_json:
        from archdsl.cli.documents.differences import StepJson, StepsDocument

        write_document(StepsDocument(file=file.name, steps=[StepJson.of_step(*item) for item in compared]))
    else:
        from archdsl.cli.differences import step_table

        console.show(step_table(compared))
    return FINDINGS if any(difference and not difference.equal for _, difference in compared) else 0


def _second(first: Variant, spec: str, settings: dict[str, str], image: Image, output_stride: int | None) -> Variant:
    """The network to compare with: of the first one's file, or of another."""
    if spec:
        return find_next(first, spec, settings, image, output_stride)
    return changed(first, settings, image, output_stride)
