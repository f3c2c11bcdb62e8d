"""Chains of networks: takes a file with amendments, or several variants; gives steps, and pictures of them.

A chain of amendments (`variant b = a with (…)`) is a story, such as the one from ResNet to ConvNeXt: each variant is
a step from the one it amends. Several variants in a row are a chain too, each a step from the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from archdsl.syntax import ast

if TYPE_CHECKING:
    from archdsl.api import ArchFile, Variant
    from archdsl.backends.diagram import Drawing, Options


@dataclass(frozen=True, eq=False)
class Step:
    """A variant and the one it is compared with, None for the first of a chain. `note` is what the spec amends;
    `training`, in words, how it is trained otherwise; `leads_on` is false for what was tried, but is on no way to the
    last variant of the file."""

    variant: Variant
    before: Variant | None
    note: str = ""
    leads_on: bool = True
    training: str = ""


def amendments(file: ArchFile) -> list[Step]:
    """The variants of a file that amend another, and those they begin from, in the order of the file."""
    bases = {name: base_of(file[name]) for name in file}
    chained = {name for name, base in bases.items() if base} | set(bases.values())
    names = [name for name in file if name in chained]
    way = {names[-1], *file[names[-1]].configured.lineage} if names else set()
    notes = {item.name: item for item in file.program.root.items(ast.Variant)}
    steps = []
    for name in names:
        base = bases[name]
        before = file[base] if base else None
        note = _note(notes.get(name)) if base else ""
        steps.append(Step(file[name], before, note, name in way, _training(before, file[name])))
    return steps


def _training(before: Variant | None, variant: Variant) -> str:
    """What changes where the recipe that is for a variant, or for what it amends, is not that of the one before."""
    if before is None or not variant.file.program.root.recipes:
        return ""
    from archdsl.graph.recipe_words import brief

    old, new = (
        next((recipe for recipe in network.recipes.values() if recipe.targets), None) for network in (before, variant)
    )
    return brief(old, new) if old is not None and new is not None else ""


def base_of(variant: Variant) -> str | None:
    """The name of the variant that this one amends."""
    lineage = variant.configured.lineage
    return lineage[1] if len(lineage) > 2 else None


def _note(item: ast.Variant | None) -> str:
    """What the amendment says, as written."""
    given = item.arguments if item is not None else ()
    return ", ".join(" ".join(argument.span.text.split()) for argument in given)


def chain(variants: Sequence[Variant]) -> list[Step]:
    """Variants in a row, each compared with the one before."""
    return [Step(variant, before) for before, variant in zip([None, *variants], variants, strict=False)]


def draw_steps(steps: Sequence[Step], name: str, options: Options | None = None) -> Drawing:
    """A picture of a chain: what changes in each step, MACs and published accuracies. Raises ArchError."""
    from archdsl.backends.diagram import Options as Defaults
    from archdsl.backends.diagram.diff.sequence import ChainStep, draw_sequence

    names = [step.variant.name for step in steps]
    cut = _shared(names)
    drawn = [
        ChainStep(
            step.variant.graph,
            step.before.graph if step.before else None,
            step.variant.graph.title[cut:],
            step.note,
            step.variant.published.get("top1"),
            step.leads_on,
            step.training,
        )
        for step in steps
    ]
    return draw_sequence(drawn, name, (options or Defaults()).columns)


def _shared(names: Sequence[str]) -> int:
    """The length of what all names begin with, up to an underscore: `roadmap_`."""
    first, last = min(names), max(names)
    same = next((i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), 0)
    return first.rfind("_", 0, same) + 1
