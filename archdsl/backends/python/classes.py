"""Which classes a generated file has: one for each block definition, more where structure differs.

Takes a `Graph`; gives the `ClassDef`s in the order in which they must be defined, the model last.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archdsl.backends.python.bodies import BodyBuilder
from archdsl.backends.python.modules import (
    Body, Branch, Built, Instance, Listed, ModuleExpr, Option, Region, Step, Weight,
)  # fmt: skip
from archdsl.backends.python.unify import Case, Mismatch, environment_of, outline, unify
from archdsl.graph.ir import Graph, Scope
from archdsl.symbolic import Const, Expr, Local, Symbol, evaluate, expand, substitute, symbols, walk

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
    """One class to print. `frozen` are the parameters on which its structure depends beyond what is printed."""

    number: int
    name: str
    body: Body
    parameters: list[Parameter]
    docstring: str
    frozen: set[str] = field(default_factory=set)
    locals: dict[str, Expr] = field(default_factory=dict)
    is_model: bool = False


def classes_of(graph: Graph) -> list[ClassDef]:
    """All classes of a graph's generated file, dependencies first."""
    return _Classes(graph).build()


class _Classes:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.builder = BodyBuilder(graph, self._instance)
        self.found: list[ClassDef] = []
        self.class_of: dict[int, ClassDef] = {}  # by id of the scope
        self.names: set[str] = set()

    def build(self) -> list[ClassDef]:
        levels: dict[int, dict[Any, list[Scope]]] = {}
        self._levels(self.graph.root, levels)
        for level in sorted(levels):
            for scopes in levels[level].values():
                self._define(scopes)
        return self.found

    def _levels(self, scope: Scope, levels: dict[int, dict[Any, list[Scope]]]) -> int:
        """Sort scopes that need a class by how deeply classes nest inside them; equal definitions together."""
        inside = [self._levels(m, levels) for m in scope.members if isinstance(m, Scope)]
        deepest = max(inside, default=-1)
        if scope.kind in ("container", "choice") or (scope.kind in ("group", "sequence") and self.builder.is_chain(scope)):
            return deepest
        site = scope.definition_site or scope.span
        key = (site.source.name, site.start)
        level = deepest + 1
        for other in levels:  # all instances of a definition belong to one level: the deepest
            if key in levels[other] and other != level:
                top = max(level, other)
                moved = levels[other].pop(key)
                levels.setdefault(top, {})[key] = moved
                level = top
                break
        levels.setdefault(level, {}).setdefault(key, []).append(scope)
        return level

    # --- one definition ----------------------------------------------------------------------

    def _define(self, scopes: Sequence[Scope]) -> None:
        cases = [Case(environment_of(self.graph, scope), self.builder.body(scope)) for scope in scopes]
        buckets: dict[Any, list[Case]] = {}
        for case in cases:
            buckets.setdefault(outline(case.body), []).append(case)
        for bucket in buckets.values():
            for group in _groups(bucket):
                self._class(*group)

    def _class(self, cases: Sequence[Case], body: Body) -> None:
        scope = cases[0].body.scope
        is_model = scope.kind == "model"
        frozen = self._frozen(body, cases)
        if len(cases) == 1:  # one instance says more with its numbers than with the way to them
            body = _concrete(body, scope, self.graph, frozen)
        used = _symbols_in_order(body)
        parameters = _parameters(used, cases)
        name = self._name(scope)
        found = ClassDef(len(self.found), name, body, parameters, scope.docstring, frozen, named_numbers(body_holes(body)), is_model)
        self.found.append(found)
        for case in cases:
            self.class_of[id(case.body.scope)] = found

    def _frozen(self, body: Body, cases: Sequence[Case]) -> set[str]:
        """Parameters that decide about structure and are not asked again by a printed `if`."""
        frozen: set[str] = set()
        for case in cases:
            frozen |= case.body.scope.frame.structural
        printed = {step.region.site.start for step in body.steps if step.region is not None}
        for step in (step for case in cases for step in case.body.steps):
            if step.region is not None and step.region.site.start not in printed:
                frozen |= symbols(step.region.condition)
        for module in _modules(member for _, member in body.members):
            if isinstance(module, Option) and len(module.branches) < 2:
                frozen |= symbols(module.condition)
            if isinstance(module, Instance):
                inner = self.found[module.definition]
                for name, value in module.kwargs:
                    if name in inner.frozen:
                        frozen |= symbols(value)
        return frozen

    def _name(self, scope: Scope) -> str:
        stem = scope.definition or _camel(scope.name)
        if keyword.iskeyword(stem) or stem in ("nn", "F", "torch", "Tensor"):
            stem += "_"
        name, ordinal = stem, 2
        while name in self.names:
            name, ordinal = f"{stem}{ordinal}", ordinal + 1
        self.names.add(name)
        return name

    def _instance(self, scope: Scope) -> ModuleExpr:
        """The constructor call for a scope whose class is known, in the expressions of its surroundings."""
        found = self.class_of[id(scope)]
        outer = scope.parent.frame if scope.parent else scope
        kwargs: list[tuple[str, Expr]] = []
        for parameter in found.parameters:
            if scope.kind != "block":  # an unnamed scope has its surroundings' parameters
                kwargs.append((parameter.name, Symbol(parameter.name)))
            elif parameter.name in scope.arguments:
                kwargs.append((parameter.name, scope.arguments[parameter.name].expr))
            else:
                position = 0
                if scope.input_names != ("in",):
                    position = [f"{name}_channels" for name in scope.input_names].index(parameter.name)
                kwargs.append((parameter.name, outer.widths[scope.inputs[position]]))
        return Instance(found.number, tuple(kwargs))


def _groups(cases: Sequence[Case]) -> Iterable[tuple[Sequence[Case], Body]]:
    """Split instances of equal outline into those that share a class: all, if possible."""
    try:
        return [(cases, unify(cases))]
    except Mismatch:
        pass
    groups: list[list[Case]] = []
    bodies: list[Body] = []
    for case in cases:
        for index, group in enumerate(groups):
            try:
                bodies[index] = unify([*group, case])
            except Mismatch:
                continue
            group.append(case)
            break
        else:
            groups.append([case])
            bodies.append(unify([case]))
    return list(zip(groups, bodies, strict=True))


def _parameters(used: Sequence[str], cases: Sequence[Case]) -> list[Parameter]:
    """Constructor parameters for the symbols a body uses, in the spec's order, widths of inputs first."""
    scope = cases[0].body.scope.frame
    widths = [name for name in used if name not in scope.arguments]
    ordered = widths + [name for name in scope.arguments if name in used]
    found = []
    for name in ordered:
        values = [case.environment[name] for case in cases]
        parameter = Parameter(name, _annotation(values))
        implicit = [
            c.body.scope.frame.arguments[name].value
            for c in cases
            if name in scope.arguments and not c.body.scope.frame.arguments[name].explicit
        ]
        if implicit and all(value == implicit[0] for value in implicit):
            parameter.default = implicit[0]
        elif scope.kind == "model":
            parameter.default = values[0]
        found.append(parameter)
    return sorted(found, key=lambda parameter: parameter.optional)


def _annotation(values: Sequence[Any]) -> str:
    kinds = {type(value) for value in values}
    if kinds == {bool}:
        return "bool"
    if kinds == {int}:
        return "int"
    if kinds <= {int, float}:
        return "float"
    if kinds == {str}:
        return "str"
    items = {type(item) for value in values for item in (value if isinstance(value, tuple) else ())}
    return "list[int]" if items == {int} else "list[float]" if items and items <= {int, float} else "list"


def _modules(modules: Iterable[ModuleExpr]) -> Iterable[ModuleExpr]:
    for module in modules:
        yield module
        if isinstance(module, Listed):
            yield from _modules(item for _, item in module.items)
        elif isinstance(module, Option):
            yield from _modules(branch for _, branch in module.branches if branch is not None)


def holes(module: ModuleExpr) -> Iterable[Expr]:
    """All expressions that are printed for a module."""
    for inner in _modules([module]):
        match inner:
            case Built():
                yield from inner.args
                yield from (value for _, value in inner.kwargs)
            case Weight():
                yield from inner.shape
                yield inner.init
            case Instance():
                yield from (value for _, value in inner.kwargs)
            case Option():
                if len(inner.branches) > 1:
                    yield inner.condition


def body_holes(body: Body) -> Iterable[Expr]:
    """All expressions that are printed for a class."""
    for _, module in body.members:
        yield from holes(module)
    yield from _step_holes(body.steps)


def _step_holes(steps: Iterable[Step]) -> Iterable[Expr]:
    for step in steps:
        yield from (value for _, value in step.values)
        if step.region is not None:
            yield step.region.condition
            for _, branch in step.region.branches:
                yield from _step_holes(branch.steps)


def _symbols_in_order(body: Body) -> list[str]:
    return list(dict.fromkeys(p.name for hole in body_holes(body) for p in walk(hole) if isinstance(p, Symbol)))


def named_numbers(exprs: Iterable[Expr]) -> dict[str, Expr]:
    """Named numbers that some expressions use, definitions before uses."""
    found: dict[str, Expr] = {}

    def visit(expr: Expr) -> None:
        for part in expr.parts():
            visit(part)
        if isinstance(expr, Local):
            found.setdefault(expr.name, expr.definition)

    for expr in exprs:
        visit(expr)
    return found


def _concrete(body: Body, scope: Scope, graph: Graph, frozen: set[str]) -> Body:
    """The body of a model or other single instance with numbers for parameters, but for those a user may still choose:
    `classes`, drop rates.

    A parameter stays one if it decides about no structure, and wherever it is used it stands alone or makes a float.
    """
    environment = environment_of(graph, scope)
    free = {n for n, v in environment.items() if n not in frozen and isinstance(v, int | float) and not isinstance(v, bool)}
    for hole in body_holes(body):
        expanded = expand(hole)
        used = symbols(expanded)
        if used and not isinstance(expanded, Symbol) and not isinstance(evaluate(hole, environment), float):
            free -= used
    values: dict[str, Expr] = {n: Const(v) for n, v in environment.items() if n not in free}

    def settle(expr: Expr) -> Expr:
        return substitute(expr, values)

    members = [(name, rewrite(module, settle)) for name, module in body.members]
    steps = [_settled(step, settle) for step in body.steps]
    return Body(body.scope, body.inputs, body.outputs, members, steps)


def _settled(step: Step, settle: Callable[[Expr], Expr]) -> Step:
    values = tuple((name, settle(value)) for name, value in step.values)
    region = step.region
    if region is not None:
        branches = tuple(
            (value, Branch(b.members, tuple(_settled(s, settle) for s in b.steps), b.outputs)) for value, b in region.branches
        )
        region = Region(region.site, settle(region.condition), branches)
    return replace(step, values=values, region=region)


def rewrite(module: ModuleExpr, rule: Any) -> ModuleExpr:
    """The module with every expression replaced by `rule(expression)`."""
    match module:
        case Built():
            kwargs = tuple((name, rule(value)) for name, value in module.kwargs)
            return Built(module.target, tuple(map(rule, module.args)), kwargs, module.defaults)
        case Weight():
            return Weight(tuple(map(rule, module.shape)), rule(module.init))
        case Instance():
            return Instance(module.definition, tuple((name, rule(value)) for name, value in module.kwargs))
        case Listed():
            return Listed(tuple((name, rewrite(m, rule)) for name, m in module.items), module.sequential)
        case Option():
            branches = tuple((value, rewrite(m, rule) if m else None) for value, m in module.branches)
            return Option(module.site, rule(module.condition), module.name, branches)
    return module


def _camel(name: str) -> str:
    words = re.split(r"[^A-Za-z0-9]+", name)
    text = "".join(word[:1].upper() + word[1:] for word in words if word)
    return text if text[:1].isalpha() else f"Block{text}"
