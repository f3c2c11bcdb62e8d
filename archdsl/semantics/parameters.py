"""Arguments and parameters: values by name, declared types and ranges.

Takes the bound arguments of a call; gives their values by parameter, or None once E102-E104, E301 or E302 has been
reported.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.diagnostics.diagnostic import Label
from archdsl.diagnostics.suggest import closest
from archdsl.semantics import bound
from archdsl.semantics.arguments import THROUGH
from archdsl.semantics.context import Context
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.program import Definition
from archdsl.semantics.values import (
    TYPES,
    UNKNOWN,
    Arg,
    Record,
    Tensor,
    Value,
    as_tensors,
    expr_of,
    is_number,
    plain,
    traced,
    traces_of,
    type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.syntax import ast

_ARTICLE = {"int": "an int"}


def evaluate_arguments(
    arguments: bound.Arguments,
    names: Sequence[str],
    owner: str,
    ctx: Context,
    already: Mapping[str, Arg],
    tensors: bool = False,
) -> dict[str, Arg] | None:
    """Arguments by parameter name, added to those there are `already`; None after an error."""
    result = dict(already)
    fresh: dict[str, Span] = {}
    spread: dict[str, Span] = {}
    ok = arguments.whole
    if not ok:
        ctx.run.fail()
    for name, argument in zip(arguments.names, arguments.given, strict=True):
        value = evaluate(argument.value, ctx)
        if name is None:
            ok = _spread(argument, value, names, owner, ctx, result, fresh) and ok
            spread = dict(fresh)
            continue
        place, span = argument.place, argument.value.span
        if not tensors and _holds_tensor(value):
            what, help_ = f"{name} of {owner}", f"{THROUGH}; for several inputs: block Name on (a, b)"
            ctx.error("E301", span, what=what, expected="a value", got=type_name(value), help=help_)
            value = UNKNOWN
        if name in spread:
            ctx.error("E104", place, name=name, owner=owner, secondary=[Label(spread[name], "given here first")])
            ok = False
            continue
        fresh[name] = place
        if value is UNKNOWN:
            ok = False
            continue
        if isinstance(value, Record):
            for expr in traces_of(value):
                ctx.structural(expr)
        ctx.walk(value, span)
        result[name] = Arg(value if as_tensors(value) else plain(value), expr_of(value), span)
    return result if ok else None


def _spread(
    argument: bound.Argument,
    value: Value,
    names: Sequence[str],
    owner: str,
    ctx: Context,
    result: dict[str, Arg],
    fresh: dict[str, Span],
) -> bool:
    """Add what a spread argument gives; whether all of it fits."""
    place = argument.span
    if value is UNKNOWN:
        return False
    if not isinstance(value, Record):
        what, expected = "what is spread into arguments", "a scaling or a record"
        ctx.error("E301", place, what=what, expected=expected, got=type_name(value))
        return False
    ok = True
    for name, item in value.fields.items():
        if name.startswith("_"):  # its author keeps it to himself
            continue
        if name not in names:
            near, known = closest(name, names), ", ".join(names)
            ctx.error("E102", place, name=name, owner=owner, suggestion=near, known=known)
            ok = False
        elif name in fresh:
            ctx.error("E104", place, name=name, owner=owner, secondary=[Label(fresh[name], "given here first")])
            ok = False
        elif item is UNKNOWN:
            ok = False
        else:
            fresh[name] = place
            ctx.walk(item, place)
            result[name] = Arg(plain(item), expr_of(item), place)
    return ok


def bind_parameters(definition: Definition, args: Mapping[str, Arg], inner: Context, ctx: Context, span: Span) -> bool:
    """Put arguments and defaults into a fn's frame, with their traces; False after an error."""
    ok = True
    for parameter in definition.parameters:
        arg = args.get(parameter.name)
        if arg is None and parameter.default is None:
            ctx.error(
                "E103",
                span,
                name=parameter.name,
                owner=definition.name,
                secondary=[Label(parameter.span, "declared here")],
            )
            ok = False
        elif arg is None:
            assert parameter.default is not None
            value = evaluate(parameter.default, inner)
            if value is not UNKNOWN:
                ctx.walk(value, parameter.default.span)
                own = Arg(value if as_tensors(value) else plain(value), expr_of(value), parameter.default.span)
                ok = accepts(parameter, own, definition, ctx) and ok
            inner.locals[parameter.name] = value
        elif accepts(parameter, arg, definition, ctx):
            inner.locals[parameter.name] = traced(arg.value, arg.expr)
            ctx.note_discarded(parameter.name, arg.value)
        else:
            ok = False
    return ok and not any(value is UNKNOWN for value in inner.locals.values())


def accepts(parameter: bound.Parameter, arg: Arg, definition: Definition, ctx: Context) -> bool:
    """Whether an argument has the declared type and is in the declared range; reports E301, E302."""
    what = f"{parameter.name} of {definition.name}"
    declared = Label(parameter.span, "declared here")
    if parameter.type is not None and not _has_type(arg.value, parameter.type):
        expected = _type_text(parameter.type)
        ctx.error("E301", arg.span, what=what, expected=expected, got=type_name(arg.value), secondary=[declared])
        return False
    if parameter.allowed is None:
        return True
    wanted = outside(arg.value, parameter.allowed, definition, ctx)
    if wanted == "":
        return True
    if wanted is not None:
        got = _shown(arg.value)
        ctx.error("E302", arg.span, what=what, expected=wanted, got=got, secondary=[declared])
    return False


def outside(value: Value, allowed: bound.Expression, definition: Definition, ctx: Context) -> str | None:
    """What a value should be; "" if it is that, None if the declaration itself is wrong, which is reported.

    Of a list every member must be in the range, or be one of the values.
    """
    inner = Context(ctx.run, definition.file)
    found = value if isinstance(value, tuple | range) else (value,)
    if not isinstance(allowed, bound.Range):
        choices = plain(evaluate(allowed, inner))
        if choices is UNKNOWN:
            return None
        if not isinstance(choices, tuple | range):
            got = type_name(choices)
            ctx.error("E301", allowed.span, what="what a parameter allows", expected="a range or a list", got=got)
            return None
        ctx.step(allowed.span, len(found) * len(choices))
        fits = all(any(item == choice and _alike(item, choice) for choice in choices) for item in found)
        return "" if fits else "one of " + ", ".join(map(_shown, choices))
    ends: list[int | float | None] = []
    for end in (allowed.start, allowed.stop):
        limit = None if end is None else plain(evaluate(end, inner))
        if limit is UNKNOWN:
            return None
        if end is not None and not is_number(limit):
            ctx.error("E301", end.span, what="the bound", expected="a number", got=type_name(limit))
            return None
        ends.append(limit if is_number(limit) else None)
    low, high = ends
    if isinstance(value, range) and value:  # what its ends keep to, all of it does
        found = (value[0], value[-1])
    text = f"in {'' if low is None else low}..{'' if high is None else high}"
    expected = text if high is None else f"{text} (less than {high})"
    fits = all(is_number(i) and (low is None or low <= i) and (high is None or i < high) for i in found)
    return "" if fits else expected


def parameters_by_name(definition: Definition) -> Mapping[str, bound.Parameter]:
    """The parameters of a definition by their names."""
    return {parameter.name: parameter for parameter in definition.parameters}


def _alike(item: Value, choice: Value) -> bool:
    return isinstance(item, bool) == isinstance(choice, bool)


def _holds_tensor(value: Value) -> bool:
    if isinstance(value, Record):
        return any(map(_holds_tensor, value.fields.values()))
    return isinstance(value, Tensor) or (type(value) is tuple and any(map(_holds_tensor, value)))


def _has_type(value: Value, type_: ast.TypeRef) -> bool:
    if isinstance(value, bool) and type_.name != "bool":
        return False
    if not isinstance(value, TYPES.get(type_.name, (object,))):
        return False
    if type_.element is not None and isinstance(value, tuple | range):
        items = value[:1] if isinstance(value, range) else value  # one whole number is like another
        return all(_has_type(item, type_.element) for item in items)
    return True


def _type_text(type_: ast.TypeRef) -> str:
    if type_.element is not None:
        return f"a list of {type_.element.name}"
    return _ARTICLE.get(type_.name, f"a {type_.name}")


def _shown(value: Value) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
