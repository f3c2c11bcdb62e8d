"""Which parameter each argument of a call is for: by position or by name. Reports E102-E105.

Bodies are bound when they are resolved, whatever is known of the callee then; a call of a value when it is evaluated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from archdsl.diagnostics.diagnostic import Label, declared
from archdsl.diagnostics.suggest import meant_parameter
from archdsl.semantics import bound
from archdsl.semantics.arguments import THROUGH
from archdsl.semantics.values import Builtin
from archdsl.source import Span

Places = Mapping[str, Span]


class Report(Protocol):
    """`Bag.report`, or `Context.error`."""

    def __call__(
        self,
        code: str,
        span: Span | None,
        *,
        help: str | None = None,
        secondary: Sequence[Label] = (),
        facts: Mapping[str, object] | None = None,
    ) -> object: ...


def bind_arguments(
    given: tuple[bound.Argument, ...],
    names: Sequence[str],
    owner: str,
    report: Report,
    *,
    taken: Mapping[str, object] | None = None,
    places: Places | None = None,
    is_layer: bool = False,
) -> bound.Arguments:
    """The arguments with the parameters of `owner` they are for, which are declared at `places`.

    Positional arguments fill the parameters not yet `taken`, in order. What a spread one gives is known later.
    """
    free = [name for name in names if name not in taken] if taken else names
    found: list[str | None] = []
    fresh: dict[str, Span] = {}
    position, whole = 0, True
    for argument in given:
        if argument.spread:
            found.append(None)
            continue
        name = argument.name
        if name is None:
            if position >= len(free):
                count = sum(a.name is None for a in given)
                facts: dict[str, object] = {"owner": owner, "limit": len(free), "given": count}
                help_ = _through(given, owner, len(free)) if is_layer else None
                report("E105", argument.value.span, facts=facts, help=help_)
                return bound.Arguments(given[: len(found)], tuple(found), whole=False)
            name = free[position]
            position += 1
        if name not in names:
            near, help_ = meant_parameter(name, names)
            facts = {"name": name, "owner": owner, "suggestion": near, "known": ", ".join(names) or "none"}
            report("E102", argument.place, facts=facts, help=help_, secondary=declared((places or {}).get(near or "")))
            whole = False
        elif name in fresh:
            first = [Label(fresh[name], "given here first")]
            report("E104", argument.place, facts={"name": name, "owner": owner}, secondary=first)
            whole = False
        fresh.setdefault(name, argument.place)
        found.append(name)
    return bound.Arguments(given, tuple(found), whole)


def refuse_names(given: Sequence[bound.Argument], owner: str, report: Report) -> bool:
    """Whether an argument has a name where none may have one; reports E102."""
    for argument in given:
        if argument.name is not None:
            facts = {"name": argument.name, "owner": owner, "suggestion": None, "known": "none"}
            report("E102", argument.name_span or argument.span, facts=facts)
            return True
    return False


def bind_builtin(
    span: Span, builtin: Builtin, given: tuple[bound.Argument, ...], report: Report
) -> bound.CallBuiltin | bound.Refused:
    """A call of a function of the language; reports E102, E103 and E105."""
    name = builtin.name
    if refuse_names(given, name, report):
        return bound.Refused(span)
    if len(given) < builtin.least:
        report("E103", span, facts={"name": "an argument", "owner": name})
        return bound.Refused(span)
    if builtin.most is not None and len(given) > builtin.most:
        facts = {"owner": name, "limit": builtin.most, "given": len(given)}
        report("E105", given[builtin.most].span, facts=facts)
        return bound.Refused(span)
    place = given[0].span if len(given) == 1 else span
    return bound.CallBuiltin(span, builtin, tuple([argument.value for argument in given]), place)


def _through(given: Sequence[bound.Argument], owner: str, limit: int) -> str | None:
    """The hint for a layer with too many arguments, if the first may be its input."""
    first = next(argument.value for argument in given if argument.name is None)
    if isinstance(first, bound.Number | bound.Literal | bound.List):
        return None
    name = first.span.text if first.span.text.isidentifier() else "x"
    return f"{THROUGH}: {name} -> {owner}{'(…)' if limit else ''}"
