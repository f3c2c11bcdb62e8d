"""docs/parity.md: takes results, gives a page of Markdown."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence

import torch

from archdsl.variant import Variant
from archdsl.verify.results import Result, difference, listed, words

_HEAD = """\
# Parity with reference libraries

Every variant against the models that its spec names with `reference`
([docs/language.md](language.md#reference)), as `archdsl verify` compares them ([docs/verify.md](verify.md)). The
command writes this page; nothing in it is written by hand.

Both networks get the same weights: random ones under which errors show, with calibrated batch statistics. *eval* is
the greatest difference of the outputs at the *sizes*, in units of their standard deviation; *training* that of the
gradients and batch statistics after one training step, in units of their greatest value. 0 is equality bit for bit.
Parameters, MACs (multiply-accumulates of one image of the variant's size, by torch's counter), state_dict keys and
shapes, settings of every layer and drop rates are equal in every row that does not say otherwise.

The sizes are an even one, an odd one and the variant's own. A row that does not say "only" is a claim about every
size, and these suffice for it: strides, kernels and paddings of all layers are compared one by one, so that sizes
could matter only where padding depends on the image (TensorFlow's), that is, on whether a stride divides the size. 96
is halved without remainder down to 3, 97 with a remainder at every stride, so that each layer sees both cases. "Only"
is a network that equals the library's at these sizes and not at others, and says why. "Refused" are
the files of a model of the library that has the variant's name and is another network, or stores its weights in other
shapes: they do not load into the variant.
"""


def page(results: Sequence[Result], without: Iterable[Variant]) -> str:
    """The page: a summary, a table for each family, the reasons of what is not exact, and what has no reference."""
    families: dict[str, list[Result]] = {}
    for result in results:
        families.setdefault(result.family, []).append(result)
    parts = [_HEAD, _versions(results), _summary(families)]
    parts += [f"## {family}\n\n{_table(rows)}" for family, rows in families.items()]
    rest = _without(without)
    return "\n".join([*parts, rest] if rest else parts)


def _versions(results: Sequence[Result]) -> str:
    libraries = dict.fromkeys(f"{r.reference.library} {r.version}".strip() for r in results)
    return f"Compared with {', '.join(libraries)}, on the CPU ({platform.machine()}), torch {torch.__version__}.\n"


def _summary(families: dict[str, list[Result]]) -> str:
    lines = [
        "| family | rows | equal bit for bit | within tolerance | files refused | different | skipped |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    kinds = ("equal", "close", "refused", "differs", "skipped")
    counts = {family: [sum(r.verdict == kind for r in rows) for kind in kinds] for family, rows in families.items()}
    for family, found in counts.items():
        lines.append(_row(f"[{family}](#{family})", str(sum(found)), *(str(count or "") for count in found)))
    totals = [sum(found[i] for found in counts.values()) for i in range(len(kinds))]
    lines.append(_row("**total**", *(f"**{count}**" if count else "" for count in (sum(totals), *totals))))
    return "\n".join(lines) + "\n"


def _table(rows: Sequence[Result]) -> str:
    lines = [
        "| variant | reference | params | MACs | keys | sizes | eval | training | |",
        "|---|---|--:|--:|--:|---|--:|--:|---|",
    ]
    notes: dict[str, int] = {}
    for row in rows:
        marks = "".join(f"<sup>{notes.setdefault(text, len(notes) + 1)}</sup>" for text in _notes(row))
        model = row.reference.library + ("" if row.reference.model == row.variant else f" `{row.reference.model}`")
        differences = max(row.differences.values(), default=None)
        costs = (f"{row.params:,}", f"{row.macs:,}", str(row.keys))
        sizes = ", ".join(map(str, row.differences)) or "–"
        cells = (*costs, sizes, difference(differences), difference(row.training))
        lines.append(_row(f"`{row.variant}`", model, *cells, _verdict(row) + marks))
    lines.append("")
    lines += [f"<sup>{number}</sup> {text}  " for text, number in notes.items()]
    return "\n".join(lines).rstrip() + "\n"


def _verdict(row: Result) -> str:
    return f"**{words(row)}**" if row.verdict == "differs" else words(row)


def _notes(row: Result) -> list[str]:
    found = [row.skipped] if row.skipped else []
    found += [f"{finding.check}: {finding.detail}" for finding in row.findings]
    if row.reference.reason:
        tolerance, differs = row.reference.comparison.tolerance, row.reference.comparison.differs
        facts = [f"tolerance {tolerance:.0e}, in double precision"] if tolerance else []
        facts += [f"other {listed(differs)}"] if differs else []
        reason = " ".join(row.reference.reason.split())
        found.append(f"{reason} ({'; '.join(facts)})" if facts else reason)
    if row.reference.arguments:
        arguments = ", ".join(f"{name} = {value}" for name, value in row.reference.arguments.items())
        found.append(f"built with {arguments}")
    return [text.replace("|", "\\|") for text in found]


def _row(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _without(variants: Iterable[Variant]) -> str:
    names = ", ".join(f"`{variant.name}`" for variant in variants)
    if not names:
        return ""
    return (
        "## Without a reference\n\nNo library that is compared with has these; their specs say what they were written "
        f"from, `tests/equality` what they are held against: {names}.\n"
    )
