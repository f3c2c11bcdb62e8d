"""Arguments and parameters: binding by position and name, declared types and ranges.

Takes the arguments of a call and the parameters they are for; gives them by name, or None once E102-E105, E301 or E302
has been reported.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archdsl.diagnostics.core import Label
from archdsl.diagnostics.suggest import closest, meant_parameter
from archdsl.semantics.arguments import THROUGH
from archdsl.semantics.context import Context
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.program import Definition
from archdsl.semantics.values import (
    UNKNOWN,
    Arg,
    Layer,
    Record,
    Tensor,
    as_tensors,
    expr_of,
    plain,
    traced,
    traces_of,
    type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.syntax import ast

TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,), "float": (int, float), "bool": (bool,), "string": (str,), "layer": (Layer,), "tensor": (Tensor,),
    "record": (Record,), "list": (tuple, range),
}  # fmt: skip
_ARTICLE = {"int": "an int"}


def given_arguments(
    given: Sequence[ast.Argument],
    names: Sequence[str],
    owner: str,
    ctx: Context,
    bound: Mapping[str, Arg],
    tensors: bool = False,
) -> dict[str, Arg] | None:
    """Arguments by parameter name, added to those already `bound`; None after an error.

    Positional arguments fill the parameters not yet bound, in order.
    """
    result = dict(bound)
    fresh: dict[str, Span] = {}
    free = [name for name in names if name not in bound]
    position, ok = 0, True
    for argument in given:
        if argument.spread:
            ok = _spread(argument, names, owner, ctx, result, fresh) and ok
            continue
        value = evaluate(argument.value, ctx)
        name, place = argument.name, argument.name_span or argument.value.span
        if name is None:
            if position >= len(free):
                facts = {"owner": owner, "limit": len(free), "given": sum(a.name is None for a in given)}
                help_ = f"{THROUGH}: x -> {owner}" if _holds_tensor(value) else None
                ctx.error("E105", argument.value.span, facts=facts, help=help_)
                return None
            name = free[position]
            position += 1
        if not tensors and _holds_tensor(value):
            what, help_ = f"{name} of {owner}", f"{THROUGH}; for several inputs: block Name on (a, b)"
            got = type_name(value)
            ctx.error("E301", argument.value.span, what=what, expected="a value", got=got, help=help_)
            value = UNKNOWN
        if name not in names:
            known = ", ".join(names) or "none"
            near, absent = meant_parameter(name, names)
            facts = {"name": name, "owner": owner, "suggestion": near, "known": known}
            ctx.error("E102", place, help=absent, facts=facts)
            ok = False
        elif name in fresh:
            ctx.error("E104", place, name=name, owner=owner, secondary=[Label(fresh[name], "given here first")])
            ok = False
        elif value is UNKNOWN:
            fresh[name] = place
            ok = False
        else:
            fresh[name] = place
            if isinstance(value, Record):
                for expr in traces_of(value):
                    ctx.structural(expr)
            ctx.walk(value, argument.value.span)
            result[name] = Arg(value if as_tensors(value) else plain(value), expr_of(value), argument.value.span)
    return result if ok else None


def _spread(
    argument: ast.Argument,
    names: Sequence[str],
    owner: str,
    ctx: Context,
    result: dict[str, Arg],
    fresh: dict[str, Span],
) -> bool:
    value = evaluate(argument.value, ctx)
    if value is UNKNOWN:
        return False
    if not isinstance(value, Record):
        got = type_name(value)
        ctx.error(
            "E301",
            argument.span,
            what="what is spread into arguments",
            expected="a scaling or a record",
            got=got,
        )
        return False
    ok = True
    for name, item in value.fields.items():
        if name.startswith("_"):  # its author keeps it to himself
            continue
        if name not in names:
            known = ", ".join(names)
            suggestion = closest(name, names)
            ctx.error("E102", argument.span, name=name, owner=owner, suggestion=suggestion, known=known)
            ok = False
        elif name in fresh:
            ctx.error(
                "E104",
                argument.span,
                name=name,
                owner=owner,
                secondary=[Label(fresh[name], "given here first")],
            )
            ok = False
        elif item is UNKNOWN:
            ok = False
        else:
            fresh[name] = argument.span
            ctx.walk(item, argument.span)
            result[name] = Arg(plain(item), expr_of(item), argument.span)
    return ok


def bind_parameters(definition: Definition, args: Mapping[str, Arg], inner: Context, ctx: Context, span: Span) -> bool:
    """Put arguments and defaults into a fn's frame, with their traces; False after an error."""
    ok = True
    for parameter in parameters_of(definition):
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
            ctx.let_go(parameter.name, arg.value)
        else:
            ok = False
    return ok and not any(value is UNKNOWN for value in inner.locals.values())


def accepts(parameter: ast.Parameter, arg: Arg, definition: Definition, ctx: Context) -> bool:
    """Whether an argument has the declared type and lies in the declared range; reports E301, E302."""
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


def outside(value: Any, allowed: ast.Expression, definition: Definition, ctx: Context) -> str | None:
    """What a value should be; "" if it is that, None if the declaration itself is wrong, which is reported.

    Of a list every member must lie in the range, or be one of the values.
    """
    inner = Context(ctx.run, definition.file)
    found = value if isinstance(value, tuple | range) else (value,)
    if not isinstance(allowed, ast.Range):
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
    low, high = (None if end is None else plain(evaluate(end, inner)) for end in (allowed.start, allowed.stop))
    for end, bound in ((allowed.start, low), (allowed.stop, high)):
        if bound is UNKNOWN:
            return None
        if end is not None and not _is_number(bound):
            ctx.error("E301", end.span, what="the bound", expected="a number", got=type_name(bound))
            return None
    if isinstance(value, range) and value:  # what its ends keep to, all of it does
        found = (value[0], value[-1])
    text = f"in {'' if low is None else low}..{'' if high is None else high}"
    expected = text if high is None else f"{text} (less than {high})"
    fits = all(_is_number(i) and (low is None or low <= i) and (high is None or i < high) for i in found)
    return "" if fits else expected


def parameters_of(definition: Definition) -> Iterable[ast.Parameter]:
    """The declared parameters of a definition; a table has none."""
    return definition.syntax.parameters if isinstance(definition.syntax, ast.Definition) else ()


def parameters_by_name(definition: Definition) -> Mapping[str, ast.Parameter]:
    """The same by their names."""
    return {parameter.name: parameter for parameter in parameters_of(definition)}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _alike(item: Any, choice: Any) -> bool:
    return isinstance(item, bool) == isinstance(choice, bool)


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, Record):
        return any(map(_holds_tensor, value.fields.values()))
    return isinstance(value, Tensor) or (type(value) is tuple and any(map(_holds_tensor, value)))


def _has_type(value: Any, type_: ast.TypeRef) -> bool:
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


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)
