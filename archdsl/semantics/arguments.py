"""From pydantic's errors about an op's parameters to diagnostics with a place."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.suggest import closest
from archdsl.semantics.values import Arg, type_name
from archdsl.source import Span

_RANGE = frozenset({"greater_than", "greater_than_equal", "less_than", "less_than_equal"})
_EXPECTED = {
    "int_type": "an int", "int_from_float": "a whole number", "float_type": "a number", "bool_type": "a bool",
    "string_type": "a string", "list_type": "a list", "tuple_type": "a list",
}  # fmt: skip


class Parametrized(Protocol):
    """What has parameters: an op, an initializer."""

    @property
    def name(self) -> str: ...

    @property
    def parameter_names(self) -> tuple[str, ...]: ...


THROUGH = "a tensor goes through ->"
"""The beginning of the hint where one is given as an argument."""


@dataclass(frozen=True)
class ArgumentOwner:
    """What has parameters and is no op: an initializer, an item with keys."""

    name: str
    parameter_names: tuple[str, ...]


Model = TypeVar("Model", bound=BaseModel)


def validated(
    owner: Parametrized,
    model: type[Model],
    args: Mapping[str, Arg],
    span: Span,
    bag: Bag,
    more: Mapping[str, object] | None = None,
) -> Model | None:
    """The pydantic `model` of these arguments, and of `more` that nobody wrote; None after its errors, which are
    reported."""
    try:
        return model(**{name: arg.value for name, arg in args.items()}, **(more or {}))
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            code, place, facts = argument_problem(owner, args, detail, span)
            bag.report(code, place, facts=facts)
        return None


def argument_problem(
    op: Parametrized, args: Mapping[str, Arg], detail: Mapping[str, Any], span: Span
) -> tuple[str, Span, dict[str, object]]:
    """Code, place and facts for one entry of `ValidationError.errors()` (`loc[0]` is the argument)."""
    location, kind = detail["loc"], detail["type"]
    name = str(location[0]) if location else ""
    arg = args.get(name)
    place = arg.span if arg else span
    if kind == "contradiction" and (contrary := args.get(detail["ctx"]["key"])) is not None:
        place = contrary.span
    if kind == "missing":
        return "E103", span, {"name": name, "owner": op.name}
    if kind == "extra_forbidden":
        known = op.parameter_names
        listed = ", ".join(known) or "none"
        return "E102", place, {"name": name, "owner": op.name, "suggestion": closest(name, known), "known": listed}
    what = f"{name} of {op.name}"
    value = arg.value if arg else None
    if kind in _RANGE:
        return "E302", place, {"what": what, "expected": _bound(detail), "got": value}
    if isinstance(value, float) and _EXPECTED.get(kind) in ("an int", "a whole number"):
        return "E301", place, {"what": what, "expected": "a whole number", "got": f"{value}"}
    if kind in _EXPECTED:
        return "E301", place, {"what": what, "expected": _EXPECTED[kind], "got": type_name(value)}
    words = str(detail["msg"]).removeprefix("Value error, ").replace("Input should be", "it must be")
    return "E317", place, {"owner": op.name, "detail": f"{name}: {words}" if name else words}


def problem_help(owner: Parametrized, facts: Mapping[str, object]) -> str | None:
    """What to do instead, of a problem with an argument, where that is known: other libraries say it so."""
    if owner.name == "linear" and facts.get("what") == "out of linear" and facts.get("got") == 0:
        return "a network without its classifier is `archdsl.load(…, features = True)`, which gives its feature maps"
    return None


def _bound(detail: Mapping[str, Any]) -> str:
    context = detail.get("ctx", {})
    words = {"gt": "greater than", "ge": "at least", "lt": "less than", "le": "at most"}
    return " and ".join(f"{words[k]} {v}" for k, v in context.items() if k in words) or str(detail["msg"])
