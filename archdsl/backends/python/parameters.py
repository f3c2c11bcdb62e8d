"""Constructor parameters of generated classes: which there are, of what type, and which may be changed.

A parameter is `frozen` if the structure of a class depends on it in a way that the class does not ask again, `fixed` if
another value would make a network that the spec does not mean, or none. Those of a model that are neither stay
parameters of the generated class (`classes`, drop rates); the others become numbers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archdsl.backends.python.arithmetic import simplified
from archdsl.backends.python.modules import Body, Option
from archdsl.backends.python.traversal import body_holes, modules_of, rewrite_body
from archdsl.backends.python.unify import Case
from archdsl.backends.python.values import Environment, same
from archdsl.graph.ir import Node, Ref
from archdsl.graph.scopes import BlockScope, Scope
from archdsl.ops.spec import LAYERS
from archdsl.symbolic import (
    IN_CHANNELS,
    Const,
    Expr,
    Local,
    Symbol,
    evaluate,
    substitute,
    symbols,
    walk,
)

_MISSING = object()


@dataclass(slots=True)
class Parameter:
    """A constructor parameter: `type` for its annotation; `default` where the spec has one."""

    name: str
    type: str
    default: Any = _MISSING

    @property
    def optional(self) -> bool:
        return self.default is not _MISSING


@dataclass(slots=True)
class ClassDef:
    """One class to print, for the instances whose parameters are in `environments`."""

    number: int
    name: str
    body: Body
    parameters: list[Parameter]
    docstring: str
    environments: list[Environment]
    frozen: set[str] = field(default_factory=set)
    fixed: set[str] = field(default_factory=set)
    floats: set[str] = field(default_factory=set)
    is_model: bool = False


# --- what depends on a parameter ---------------------------------------------------------------


def frozen_parameters(body: Body, cases: Sequence[Case], class_of: Mapping[int, ClassDef]) -> set[str]:
    """Parameters that decide about structure and are not asked again by a printed `if`."""
    frozen = set(body.decided)
    for case in cases:
        frozen |= case.body.scope.frame.template.structural
        frozen |= _passed_on(case.body.scope, class_of, lambda found: found.frozen)
    for module in modules_of(body):
        if isinstance(module, Option) and not module.is_open:
            frozen |= symbols(module.condition)
    return frozen


def fixed_parameters(cases: Sequence[Case], class_of: Mapping[int, ClassDef]) -> set[str]:
    """Parameters that do more than give a width or a float, here or in the classes inside."""
    fixed: set[str] = set()
    for case in cases:
        scope = case.body.scope
        fixed |= _passed_on(scope, class_of, lambda found: found.fixed)
        for node in _own_nodes(scope):
            fixed |= _fixed_by(node)
    return fixed


def float_parameters(cases: Sequence[Case], class_of: Mapping[int, ClassDef]) -> set[str]:
    """Parameters that are the value of a float somewhere, though the spec may give a whole number for it."""
    floats: set[str] = set()
    for case in cases:
        floats |= _passed_on(case.body.scope, class_of, lambda found: found.floats, alone=True)
        for node in _own_nodes(case.body.scope):
            for name, expr in node.exprs.items():
                if isinstance(expr, Symbol) and isinstance(getattr(node.params, name), float):
                    floats.add(expr.name)
    return floats


def _own_nodes(scope: Scope) -> Iterator[Node]:
    """The nodes inside a scope whose expressions are in its parameters."""
    for member in scope.members:
        if isinstance(member, Node):
            yield member
        elif member.frame is scope.frame:
            yield from _own_nodes(member)


def _passed_on(
    scope: Scope, class_of: Mapping[int, ClassDef], wanted: Callable[[ClassDef], set[str]], alone: bool = False
) -> set[str]:
    """Parameters that give those of the classes inside their values; `alone`: as they are."""
    found: set[str] = set()
    stack = list(scope.members)
    while stack:
        member = stack.pop()
        if not isinstance(member, Scope):
            continue
        known = class_of.get(id(member))
        if known is None:
            stack += member.members
            continue
        for name in wanted(known):
            expr = argument_of(member, name)
            if expr is not None and (not alone or isinstance(expr, Symbol)):
                found |= symbols(expr)
    return found


def argument_of(scope: Scope, name: str) -> Expr | None:
    """What a parameter of an instance was computed from, in the parameters of its surroundings."""
    if not isinstance(scope, BlockScope) or scope.parent is None:  # an unnamed scope has its surroundings' parameters
        return Symbol(name)
    if name in scope.arguments:
        return scope.arguments[name].expr
    widths = scope.width_names
    return scope.parent.frame.width(scope.inputs[widths.index(name)]) if name in widths else None


def _fixed_by(node: Node) -> set[str]:
    """Parameters a node depends on other than by a width that torch checks or a float."""
    op, frame = node.op, node.scope.frame
    found: set[str] = set()
    makes_width = symbols(op.channels) if isinstance(op.channels, Expr) and op.role in LAYERS else set()
    for name, expr in node.exprs.items():
        if name not in makes_width and not isinstance(getattr(node.params, name), float):
            found |= symbols(expr)
    taken = [frame.width(ref) for ref in node.inputs]
    made = frame.width(Ref(node.id, 0))
    follows = op.channels is not None and (op.role != "reshape" or op.channels is IN_CHANNELS)
    if not follows and not (len(taken) == 1 and made == taken[0]):  # its width is a number here, or a part of another
        found |= _all_symbols(taken)
    if op.channels is IN_CHANNELS:
        alike = [shape.channels == node.shape.channels for shape in node.input_shapes]
        same = [width for width, equal in zip(taken, alike, strict=True) if equal]
        if any(width != same[0] for width in same):  # equal by chance
            found |= _all_symbols(same)
        # a gate for each position, or a tensor that only has the size wanted
        found |= _all_symbols(width for width, equal in zip(taken, alike, strict=True) if not equal)
    return found


def _all_symbols(exprs: Iterable[Expr]) -> set[str]:
    return {name for expr in exprs for name in symbols(expr)}


# --- numbers for parameters --------------------------------------------------------------------


def specialized(body: Body, cases: Sequence[Case], frozen: set[str], fixed: set[str]) -> Body:
    """The body with numbers in the place of parameters that are none.

    A class of several instances keeps all but those that are frozen and the same for all. One instance says more with
    its numbers than with the way to them; there, a parameter stays one only if it is not frozen (of a model: nor
    fixed), and wherever it is used it stands alone or makes a float.
    """
    environments = [case.environment for case in cases]
    first = environments[0]
    if sum(len(case.scopes) for case in cases) > 1:
        known = {n for n in frozen if n in first and all(n in e and same(e[n], first[n]) for e in environments)}
    else:
        known = first.keys() - _free(body, first, frozen | fixed if body.scope.kind == "model" else frozen)
    numbers = {name: first[name] for name in known}
    values: dict[str, Expr] = {name: Const(value) for name, value in numbers.items()}

    def rule(expr: Expr) -> Expr:
        if isinstance(expr, Const):
            return expr
        try:
            return Const(evaluate(expr, numbers))
        except KeyError:
            return simplified(substitute(expr, values), environments)

    return rewrite_body(body, rule)


def _free(body: Body, environment: Environment, decided: set[str]) -> set[str]:
    numbers = {n for n, v in environment.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    free = numbers - decided
    for hole in body_holes(body):
        if isinstance(hole, Const):
            continue
        while isinstance(hole, Local):
            hole = hole.definition
        if not isinstance(hole, Symbol) and not isinstance(evaluate(hole, environment), float):
            free -= symbols(hole)
    return free


# --- constructor parameters --------------------------------------------------------------------


def parameters_of(body: Body, cases: Sequence[Case], floats: set[str]) -> list[Parameter]:
    """Constructor parameters for the symbols a body uses, in the spec's order, widths of inputs first."""
    used = list(dict.fromkeys(p.name for hole in body_holes(body) for p in walk(hole) if isinstance(p, Symbol)))
    scope = cases[0].body.scope.frame
    ordered = [name for name in used if name not in scope.arguments]
    ordered += [name for name in scope.arguments if name in used]
    found = []
    for name in ordered:
        values = [case.environment[name] for case in cases]
        parameter = Parameter(name, annotation([*values, 0.0] if name in floats else values))
        default = _default(name, [case.body.scope.frame for case in cases])
        if default is not _MISSING:
            parameter.default = default
        elif scope.kind == "model":
            parameter.default = values[0]
        if name in floats and parameter.optional:
            parameter.default = float(parameter.default)
        found.append(parameter)
    return sorted(found, key=lambda parameter: parameter.optional)


def _default(name: str, frames: Iterable[Scope]) -> Any:
    """The value of a parameter where the spec leaves it out, if that is always the same."""
    bound = [frame.arguments[name] for frame in frames if name in frame.arguments]
    implicit = [argument.value for argument in bound if not argument.explicit]
    return implicit[0] if implicit and all(same(value, implicit[0]) for value in implicit) else _MISSING


def annotation(values: Sequence[Any]) -> str:
    """A type for a parameter that has these values."""
    kinds = {type(value) for value in values}
    if kinds == {int, float}:
        return "float"
    wanted = [kind for kind in (bool, int, float, str) if kind in kinds and not (kind is int and float in kinds)]
    names = [kind.__name__ for kind in wanted]
    if kinds & {tuple, list}:
        items = [item for value in values if isinstance(value, tuple | list) for item in value]
        names.append(f"list[{annotation(items)}]" if items else "list")
    return " | ".join(names)
