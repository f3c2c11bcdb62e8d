"""`archdsl verify`: variants against the models of libraries that their specs name."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archdsl.cli import console
from archdsl.cli.codes import COULD_NOT_RUN, FINDINGS
from archdsl.cli.options import force_option, json_option
from archdsl.cli.shared import ArchCommand, locate, may_replace, write_document
from archdsl.diagnostics.core import ArchError

if TYPE_CHECKING:
    from archdsl.graph.reference import Reference
    from archdsl.variant import Variant
    from archdsl.verify.results import Result

    Row = tuple[Variant, Reference]


_PAGE = b"# Parity with reference libraries\n"
"""How every page of Markdown begins."""


@click.command("verify", cls=ArchCommand, short_help="Compare variants with reference libraries.")
@click.argument("specs", metavar="[SPEC]...", nargs=-1)
@click.option("--quick", is_flag=True, help="Numbers at small sizes of as few variants as cover every branch.")
@click.option("-o", "--output", metavar="FILE.md", help="Also write the table as a page of Markdown.")
@force_option("a file that is no such page")
@json_option
def command(specs: tuple[str, ...], quick: bool, output: str | None, force: bool, as_json: bool) -> int:
    """Compare variants with the models of libraries that their specs name with `reference`.

    Both get the same random weights. Compared are state_dict, parameters, MACs, every layer's settings, drop rates,
    operations, outputs in eval mode at an even and an odd image size and the variant's own, and gradients and batch
    statistics of a training step; a difference is in units of the outputs' standard deviation. Without SPEC, all
    shipped families are compared. A library that cannot be imported is said, and its variants are skipped: exit code 2,
    unless one of the others differs (1).
    """
    families, without = _rows(specs)
    rows = [row for family in families for row in family]
    if not rows:
        raise ArchError.of("E612")
    if output is not None:
        may_replace(Path(output), lambda content: content.startswith(_PAGE), force)
    with console.busy("choosing …"):
        numbers = _chosen(families) if quick else {_key(row) for row in rows}
    results = _compared(rows, numbers, output, without, own_size=not quick)
    if as_json:
        from archdsl.cli.documents.differences import VerifyDocument

        passed = all(result.verdict in ("equal", "close", "refused") for result in results)
        write_document(VerifyDocument.of(results=results, without=[v.name for v in without]), ok=passed)
    else:
        _print(results, without)
    verdicts = {result.verdict for result in results}
    return FINDINGS if "differs" in verdicts else COULD_NOT_RUN if "skipped" in verdicts else 0


def _rows(specs: Sequence[str]) -> tuple[list[list[Row]], list[Variant]]:
    """For each file the variants with their references, and the variants that have none; raises ArchError."""
    from archdsl.api import ArchFile
    from archdsl.library import families
    from archdsl.quiet import import_torch

    import_torch()

    found: list[list[Row]] = []
    without: list[Variant] = []
    for spec in specs or families():
        source, named = locate(spec)
        file = ArchFile(source)
        file.check()
        file.bag.raise_errors()
        variants = [file[named]] if named is not None else list(file.values())
        found.append([(variant, reference) for variant in variants for reference in variant.references])
        without += [variant for variant in variants if not variant.references]
    return found, without


def _key(row: Row) -> tuple[str, str, str]:
    variant, reference = row
    return variant.file.name, variant.name, reference.name


def _chosen(families: Sequence[Sequence[Row]]) -> set[tuple[str, str, str]]:
    from archdsl.verify.choose import representatives

    return {_key(row) for family in families if family for row in representatives(family)}


def _compared(
    rows: Sequence[Row],
    numbers: set[tuple[str, str, str]],
    output: str | None,
    without: Sequence[Variant],
    *,
    own_size: bool,
) -> list[Result]:
    """Compare, and write the page; that it cannot be written is found before the first comparison."""
    if output is None:
        return _results(rows, numbers, own_size)
    from archdsl.files import Staged

    with Staged(Path(output), ""):
        pass  # it could be written
    results = _results(rows, numbers, own_size)
    from archdsl.verify.page import page

    with Staged(Path(output), page(results, without)) as staged:
        staged.commit()
    console.note(f"wrote {output}")
    return results


def _results(rows: Sequence[Row], numbers: set[tuple[str, str, str]], own_size: bool) -> list[Result]:
    """Compare one after the other, so that no more than two networks are in memory."""
    import gc

    from archdsl.verify.compare import compare

    results = []
    with _progress(len(rows)) as progress:
        for row in rows:
            variant, reference = row
            progress.begin(f"{variant.name}, {reference.name}")
            compared = _key(row) in numbers
            result = compare(variant, reference, numbers=compared, own_size=own_size, progress=progress.step)
            results.append(result)
            progress.end(result)
            gc.collect()
    return results


class _Progress:
    """On a terminal a bar; elsewhere a line for each comparison. On standard error."""

    def __init__(self, total: int, update: Callable[[str, int], None] | None) -> None:
        self.total = total
        self.update = update
        self.done = 0
        self.name = ""

    def begin(self, name: str) -> None:
        self.name = name
        self.step("")

    def step(self, what: str) -> None:
        if self.update is not None:
            self.update(f"{self.name}  {what}", 0)

    def end(self, result: Result) -> None:
        self.done += 1
        if self.update is not None:
            self.update(self.name, 1)
        else:
            console.note(f"{self.done}/{self.total} {self.name}: {result.verdict} ({result.seconds:.1f} s)")


@contextmanager
def _progress(total: int) -> Iterator[_Progress]:
    if not sys.stderr.isatty():
        yield _Progress(total, None)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (MofNCompleteColumn(), BarColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console.console(sys.stderr), transient=True) as bar:
        task = bar.add_task("", total=total)
        yield _Progress(total, lambda what, by: bar.update(task, description=what, advance=by))


def _print(results: Sequence[Result], without: Sequence[Variant]) -> None:
    from archdsl.cli.parity import parity_table

    console.show(parity_table(results))
    for result in results:
        for finding in result.findings:
            console.line(f"{result.variant}, {result.reference.name}: {finding.check}: {finding.detail}")
    for why in dict.fromkeys(result.skipped for result in results if result.skipped):
        console.note(f"skipped, which is not a pass: {why}")
    if without:
        console.note(f"without a reference: {', '.join(variant.name for variant in without)}")
    console.note(_tally(results))


def _tally(results: Sequence[Result]) -> str:
    """`12 equal, 1 close, 2 skipped`"""
    verdicts = [result.verdict for result in results]
    words = {
        "equal": "equal",
        "close": "within tolerance",
        "refused": "refused",
        "differs": "different",
        "skipped": "skipped",
    }
    counts = [(verdicts.count(kind), word) for kind, word in words.items() if kind in verdicts]
    only = sum(1 for result in results if not result.numbers and result.verdict == "equal")
    said = ", ".join(f"{count} {word}" for count, word in counts)
    return said + (f"; of {only} the structure alone was compared" if only else "")
