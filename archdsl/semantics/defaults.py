"""Defaults, and what parameters allow, are checked where they are written, whether or not anything uses them.

Takes a `Program`; reports E301 and E302, and what is wrong in the values themselves. A default that is computed from
other parameters has a value only where they have: it is checked at each call.
"""

from __future__ import annotations

from collections.abc import Set
from functools import partial
from typing import Any

from pydantic import ValidationError

from archdsl.diagnostics.core import Bag
from archdsl.ops.registry import OPS
from archdsl.semantics.arguments import argument_problem
from archdsl.semantics.core import Frame
from archdsl.semantics.elaborate import Elaborator, guarded
from archdsl.semantics.parameters import parameters_of
from archdsl.semantics.program import Definition, FileScope, Program
from archdsl.semantics.values import UNKNOWN, Arg, as_tensors, expr_of, plain
from archdsl.syntax import ast
from archdsl.syntax.walking import names_in

_PLAIN: dict[type, str] = {ast.Bool: "bool", ast.String: "string"}


def check_defaults(program: Program, bag: Bag) -> None:
    """Check the defaults of every file of a program: of parameters, and those of ops that `default` gives."""
    elaborator = Elaborator(bag)
    for file in program.files.values():
        frame = Frame(file, None, inline=True)
        for definition in file.names.values():
            if definition.file is file and not definition.faulty:
                names = frozenset(parameter.name for parameter in parameters_of(definition))
                for parameter in parameters_of(definition):
                    if not _is_plain(parameter) and not bag.spent:
                        check = partial(_parameter, elaborator, parameter, definition, names, frame)
                        guarded(check, parameter.span, bag)
        for name, call in file.defaults.items():
            if not bag.spent:
                guarded(partial(_op, elaborator, name, file, frame), call.span, bag)
    elaborator.settle()


def _is_plain(parameter: ast.Parameter) -> bool:
    """Whether there is nothing to check, as in most parameters: no type, or a literal of it, and any value allowed."""
    if parameter.allowed is not None:
        return False
    default, type_ = parameter.default, parameter.type
    return default is None or (type_ is not None and _PLAIN.get(type(default)) == type_.name)


def _parameter(
    elaborator: Elaborator, parameter: ast.Parameter, definition: Definition, names: Set[str], frame: Frame
) -> None:
    """Check one of the parameters that have these `names`."""
    default = parameter.default
    computed = not names.isdisjoint(names_in(default))
    value: Any = UNKNOWN if default is None or computed else elaborator.evaluate(default, frame)
    if value is not UNKNOWN:
        assert default is not None
        given = Arg(value if as_tensors(value) else plain(value), expr_of(value), default.span)
        elaborator.accepts(parameter, given, definition, frame)
    elif parameter.allowed is not None:
        elaborator.outside((), parameter.allowed, definition, frame)


def _op(elaborator: Elaborator, name: str, file: FileScope, frame: Frame) -> None:
    """The arguments that `default` gives an op; the others are not known here."""
    args = {key: arg for key, arg in elaborator.op_defaults(name, frame).items() if arg.value is not UNKNOWN}
    try:
        OPS[name].params(**{key: arg.value for key, arg in args.items()})
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["type"] != "missing" and detail["loc"]:
                code, place, facts = argument_problem(OPS[name], args, detail, file.defaults[name].span)
                elaborator.error(code, place, frame, facts=facts)
