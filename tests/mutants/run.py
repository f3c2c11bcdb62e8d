"""What `archdsl check` says of mutants, and the sums.

    python -m tests.mutants.run --count 20000 --jobs 2

writes the figures of docs/promises.md. `--show KIND` prints every mutant with that outcome.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import click

from archdsl.api import ArchFile
from archdsl.diagnostics.core import ArchError
from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.source import Source
from tests.mutants.mutate import SPECS, Mutant, mutant, texts


@dataclass(frozen=True)
class Outcome:
    """What became of one mutant."""

    mutant: Mutant
    accepted: bool
    same: bool
    """Accepted, and every network is what it was before the change."""
    warned: bool
    first: Diagnostic | None
    """The first error."""

    @property
    def on_line(self) -> bool:
        """Whether the first error is on the changed line."""
        return self.first is not None and self.first.span is not None and self.first.span.line == self.mutant.line

    @property
    def named_line(self) -> bool:
        """Whether the first error is on the changed line, or names it: a second place, a block or variant around it."""
        if self.first is None or self.on_line:
            return self.on_line
        places = {label.span.line for label in self.first.secondary}
        return self.mutant.line in places or any(f".arch:{self.mutant.line}:" in note for note in self.first.notes)

    @property
    def suggested(self) -> bool:
        """Whether the first error says the word that was meant."""
        words = f"{self.first.message} {self.first.label} {self.first.help}" if self.first else ""
        meant = self.mutant.meant or ""
        return re.search(rf"(?<![A-Za-z0-9_]){re.escape(meant)}(?![A-Za-z0-9_])", words) is not None


def outcome(number: int) -> Outcome:
    """Check one mutant; raises whatever the checker raises that is no ArchError."""
    changed = mutant(number)
    found, networks = _check(changed.spec, changed.text)
    errors = [d for d in found if d.severity == "error"]
    for diagnostic in found:
        assert diagnostic.span is not None, f"{changed}: {diagnostic} has no place"
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(diagnostic.span.source.text)
    same = not errors and networks == _original(changed.spec)
    return Outcome(changed, not errors, same, len(found) > len(errors), errors[0] if errors else None)


def _check(spec: str, text: str) -> tuple[tuple[Diagnostic, ...], object]:
    try:
        file = ArchFile(Source(str(SPECS / f"{spec}.arch"), text))
        found = file.check()
    except ArchError as error:
        return error.diagnostics, None
    if any(d.severity == "error" for d in found):
        return found, None
    return found, [(name, _network(variant.graph)) for name, variant in file.items()]


@cache
def _original(spec: str) -> object:
    return _check(spec, texts()[spec])[1]


def _network(graph: object) -> object:
    """All that decides what a network computes and what its weights are called."""
    nodes = [(node.op.name, repr(node.params), node.inputs, node.outputs, node.path) for node in graph.nodes]  # type: ignore[attr-defined]
    return hash((repr(nodes), graph.outputs, graph.output_names))  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Sums:
    """The figures over many mutants, as shares of 1."""

    mutants: int
    rejected: int
    on_line: float
    named_line: float
    misspelt: int
    suggested: float
    same: int

    def __str__(self) -> str:
        return (
            f"{self.mutants:,} mutants, {self.rejected:,} of them errors.\n"
            f"The first error is on the changed line: {self.on_line:.1%}; there, or it names that line: "
            f"{self.named_line:.1%}.\n"
            f"Of {self.misspelt:,} misspelt words that are errors {self.suggested:.1%} get the word that was meant.\n"
            f"Accepted without a change to any network and without a warning: {self.same:,}."
        )


def sums(outcomes: Iterable[Outcome]) -> Sums:
    """Add up outcomes."""
    every = list(outcomes)
    rejected = [o for o in every if not o.accepted]
    misspelt = [o for o in rejected if o.mutant.meant]
    return Sums(
        len(every),
        len(rejected),
        sum(o.on_line for o in rejected) / max(1, len(rejected)),
        sum(o.named_line for o in rejected) / max(1, len(rejected)),
        len(misspelt),
        sum(o.suggested for o in misspelt) / max(1, len(misspelt)),
        sum(o.same and not o.warned for o in every),
    )


def _run(numbers: Iterable[int], jobs: int) -> Iterator[Outcome]:
    if jobs == 1:
        yield from map(outcome, numbers)
        return
    from concurrent.futures import ProcessPoolExecutor

    with ProcessPoolExecutor(jobs) as pool:
        yield from pool.map(outcome, numbers, chunksize=50)


@click.command()
@click.option("--count", default=1000, help="How many mutants.")
@click.option("--first", default=0, help="The number of the first.")
@click.option("--jobs", default=1, help="Processes.")
@click.option("--show", type=click.Choice(["line", "word", "same"]), multiple=True, help="Print what misses.")
def main(count: int, first: int, jobs: int, show: tuple[str, ...]) -> None:
    """Check mutants and print the sums."""
    every = []
    for found in _run(range(first, first + count), jobs):
        every.append(found)
        missed = {
            "line": not found.accepted and not found.named_line,
            "word": not found.accepted and found.mutant.meant is not None and not found.suggested,
            "same": found.same and not found.warned,
        }
        for kind in show:
            if missed[kind]:
                click.echo(f"{kind}\t{found.mutant}\t{found.first} ({found.first.help if found.first else None})")
    click.echo(str(sums(every)))
    kinds = Counter(o.mutant.kind for o in every if not o.accepted and not o.on_line)
    click.echo(f"not on the changed line, by kind: {dict(kinds)}")


if __name__ == "__main__":
    main()
