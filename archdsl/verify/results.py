"""What a comparison found: plain data, without torch."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from archdsl.graph.reference import Reference

Verdict = Literal["equal", "close", "refused", "differs", "skipped"]
"""`close`: within the tolerance that the reference states. `refused`: the files of the
library's model of this name do not load, as the reference states. `skipped` is not a pass."""


@dataclass(frozen=True)
class Finding:
    """One thing that is not as the reference says: which check, and what."""

    check: str
    detail: str


@dataclass
class Result:
    """One variant held against one reference.

    `params` and `macs` (of one image of the variant's size) are the variant's, `keys` the entries of its state_dict.
    `differences`: size of the images -> max |difference| / std of the outputs; `training` the greatest difference of a
    gradient or a buffer after one training step, in units of its greatest value. Empty and None where only the
    structure was compared. `refused`: nothing more was compared, since its files do not load, as the reference says.
    `skipped` says why nothing could be compared.
    """

    family: str
    variant: str
    reference: Reference
    version: str = ""
    params: int = 0
    macs: int = 0
    keys: int = 0
    findings: list[Finding] = field(default_factory=list)
    differences: Mapping[int, float] = field(default_factory=dict)
    training: float | None = None
    refused: bool = False
    skipped: str = ""
    seconds: float = 0.0

    def find(self, check: str, detail: str) -> None:
        self.findings.append(Finding(check, detail))

    @property
    def numbers(self) -> bool:
        """Whether outputs were compared, not the structure alone."""
        return bool(self.differences)

    @property
    def worst(self) -> float | None:
        """The greatest of the differences; None where only the structure was compared."""
        found = [*self.differences.values(), *([] if self.training is None else [self.training])]
        return max(found) if found else None

    @property
    def verdict(self) -> Verdict:
        if self.skipped:
            return "skipped"
        if self.findings:
            return "differs"
        if self.refused:
            return "refused"
        return "close" if self.worst else "equal"


def words(result: Result) -> str:
    """The verdict in words: with what was compared, where that is not everything, and where it holds."""
    said = {"close": "within tolerance", "refused": "files refused"}.get(result.verdict, result.verdict)
    if result.verdict == "equal" and not result.numbers:
        said = "equal in structure"
    if result.verdict in ("equal", "close") and not result.reference.comparison.everywhere:
        said += f" at {listed(result.reference.comparison.sizes)} only"
    return said


def listed(things: Iterable[object]) -> str:
    """`32 and 33`"""
    *first, last = map(str, things)
    return f"{', '.join(first)} and {last}" if first else last


def difference(value: float | None) -> str:
    """`0` for equality, `3e-14`, a dash where nothing was compared."""
    return "–" if value is None else "0" if value == 0 else f"{value:.0e}"
