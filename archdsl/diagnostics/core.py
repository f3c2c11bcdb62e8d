"""The diagnostics of a run: a `Bag` collects them, an `ArchError` carries them to the caller.

Their words come from `catalogue`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Self

from archdsl.diagnostics.diagnostic import Diagnostic, Label
from archdsl.source import Span


class ArchError(Exception):
    """Raised at the API's edge with every diagnostic of the run; prints them as the CLI does."""

    def __init__(self, diagnostics: Iterable[Diagnostic]) -> None:
        self.diagnostics = tuple(diagnostics)
        super().__init__(self.diagnostics)

    @classmethod
    def of(
        cls,
        code: str,
        span: Span | None = None,
        *,
        help: str | None = None,
        secondary: Iterable[Label] = (),
        notes: Iterable[str] = (),
        facts: Mapping[str, object] | None = None,
        **more_facts: object,
    ) -> Self:
        """The error of one diagnostic, as `Bag.report` words it."""
        bag = Bag()
        bag.report(code, span, help=help, secondary=secondary, notes=notes, facts={**(facts or {}), **more_facts})
        return cls(bag)

    def __str__(self) -> str:
        from archdsl.diagnostics.render import render_plain

        return "\n\n" + render_plain(self.diagnostics)


class Bag:
    """Collects the diagnostics of one run; phases add to it and go on. Identical ones are kept once.

    `steps` and `parts` are what the evaluation of the run has cost so far, which is limited for all variants of a file
    together; `spent`: a limit was reached, so the rest is left alone.
    """

    def __init__(self) -> None:
        self.steps = 0
        self.parts = 0
        self.spent = False
        self._seen: dict[tuple[object, ...], Diagnostic] = {}

    def part(self) -> Bag:
        """A bag for a part of the run, whose diagnostics are kept apart, and whose costs go on from these."""
        bag = Bag()
        bag.take_costs(self)
        return bag

    def take_costs(self, other: Bag) -> None:
        """Take over what the run has cost."""
        self.steps, self.parts, self.spent = other.steps, other.parts, other.spent

    def add(self, diagnostic: Diagnostic) -> None:
        span = diagnostic.span
        place = (span.source, span.start, span.end) if span else None
        self._seen.setdefault((diagnostic.code, diagnostic.message, place), diagnostic)

    def report(
        self,
        code: str,
        span: Span | None,
        *,
        label: str | None = None,
        secondary: Iterable[Label] = (),
        help: str | None = None,
        notes: Iterable[str] = (),
        items: Iterable[str] = (),
        facts: Mapping[str, object] | None = None,
        **more_facts: object,
    ) -> None:
        """Add the diagnostic `code`, worded by the catalogue from the facts."""
        from archdsl.diagnostics.catalogue import describe

        words = describe(code, {**(facts or {}), **more_facts})
        self.add(
            Diagnostic(
                code,
                words.message,
                span,
                words.label if label is None else label,
                tuple(secondary),
                words.help if help is None else help,
                tuple(notes),
                words.severity,
                tuple(items),
            )
        )

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self._seen.values())

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def errors(self) -> tuple[Diagnostic, ...]:
        return tuple(d for d in self if d.severity == "error")

    def raise_errors(self) -> None:
        if self.errors:
            raise ArchError(self)


@contextmanager
def errors_raised() -> Iterator[Bag]:
    """A bag for what is done in this block, at whose end its errors are raised together as one ArchError."""
    bag = Bag()
    yield bag
    bag.raise_errors()
