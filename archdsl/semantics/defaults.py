"""Defaults, and what parameters allow, are checked where they are written, whether or not anything uses them.

Takes a `Program`; reports E301 and E302, and what is wrong in the values themselves. A default that is computed from
other parameters has a value only where they have: it is checked at each call.
"""

from __future__ import annotations

from collections.abc import Set
from functools import partial

from pydantic import ValidationError

from archdsl.diagnostics.core import Bag
from archdsl.ops.registry import OPS
from archdsl.semantics import bound
from archdsl.semantics.arguments import argument_problem
from archdsl.semantics.context import Context, Run
from archdsl.semantics.elaborate import guarded
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.expressions import op_defaults
from archdsl.semantics.parameters import accepts, outside
from archdsl.semantics.program import Definition, Program
from archdsl.semantics.values import UNKNOWN, Arg, Value, as_tensors, expr_of, plain

_PLAIN: dict[type, str] = {bool: "bool", str: "string"}


def check_defaults(program: Program, bag: Bag) -> None:
    """Check the defaults of every file of a program: of parameters, and those of ops that `default` gives."""
    run = Run(bag)
    for file in program.files.values():
        ctx = Context(run, file)
        for definition in file.names.values():
            if definition.file is file and not definition.faulty:
                names = frozenset(parameter.name for parameter in definition.parameters)
                for parameter in definition.parameters:
                    if not _is_plain(parameter) and not bag.spent:
                        check = partial(_parameter, parameter, definition, names, ctx)
                        guarded(check, parameter.span, bag)
        for name, call in file.defaults.items():
            if not bag.spent:
                guarded(partial(_op, name, ctx), call.span, bag)
    run.hand_on_costs()


def _is_plain(parameter: bound.Parameter) -> bool:
    """Whether there is nothing to check, as in most parameters: no type, or a literal of it, and any value allowed."""
    if parameter.allowed is not None:
        return False
    default, type_ = parameter.default, parameter.type
    if default is None or type_ is None:
        return default is None
    return isinstance(default, bound.Literal) and _PLAIN[type(default.value)] == type_.name


def _parameter(parameter: bound.Parameter, definition: Definition, names: Set[str], ctx: Context) -> None:
    """Check one of the parameters that have these `names`."""
    default = parameter.default
    computed = any(isinstance(node, bound.Local) and node.name in names for node in bound.walk(default))
    value: Value = UNKNOWN if default is None or computed else evaluate(default, ctx)
    if value is not UNKNOWN:
        assert default is not None
        given = Arg(value if as_tensors(value) else plain(value), expr_of(value), default.span)
        accepts(parameter, given, definition, ctx)
    elif parameter.allowed is not None:
        outside((), parameter.allowed, definition, ctx)


def _op(name: str, ctx: Context) -> None:
    """The arguments that `default` gives an op; the others are not known here."""
    args = {key: arg for key, arg in op_defaults(OPS[name], ctx).items() if arg.value is not UNKNOWN}
    try:
        OPS[name].params(**{key: arg.value for key, arg in args.items()})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["type"] != "missing" and detail["loc"]:
                code, place, facts = argument_problem(OPS[name], args, detail, ctx.file.defaults[name].span)
                ctx.error(code, place, facts=facts)
