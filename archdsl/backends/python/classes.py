"""Which classes a generated file has: one for each block definition, more where structure differs.

Takes a `Graph`; gives the `ClassDef`s in the order in which they must be defined, the model last.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from archdsl.backends.python.bodies import BodyBuilder
from archdsl.backends.python.common import Mismatch
from archdsl.backends.python.modules import Body, Instance, ModuleExpr
from archdsl.backends.python.parameters import (
    ClassDef,
    argument_of,
    fixed_parameters,
    float_parameters,
    frozen_parameters,
    parameters_of,
    specialized,
)  # fmt: skip
from archdsl.backends.python.unify import Case, outline, shared
from archdsl.graph.ir import Graph
from archdsl.graph.scopes import TRANSPARENT, Scope
from archdsl.symbolic import Expr

_Key = tuple[Any, ...]


def classes_of(graph: Graph) -> list[ClassDef]:
    """All classes of a graph's generated file, dependencies first."""
    return _Classes(graph).build()


class _Classes:
    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.builder = BodyBuilder(graph, self._instance)
        self.found: list[ClassDef] = []
        self.class_of: dict[int, ClassDef] = {}  # by id of the scope

    def build(self) -> list[ClassDef]:
        for scopes in _in_order(self.graph.root, self.builder):
            self._define(scopes)
        return self.found

    def _define(self, scopes: Sequence[Scope]) -> None:
        buckets: dict[Any, list[Case]] = {}
        bodies: dict[_Key, Body] = {}
        cases: dict[_Key, Case] = {}
        for scope in scopes:
            # Equal instances have one body: they differ in drop rates at most.
            same = (*scope.equality, *self._seen_outside(scope))
            environment = self.builder.environment(scope)
            numbers = ((n, type(v), v) for n, v in environment.items() if isinstance(v, int | float))
            case = cases.get(key := (same, *numbers))
            if case is None:
                body = bodies.get(same)
                if body is None:
                    body = bodies[same] = self.builder.body(scope)
                    body.decided.update(self.builder.untraced.get(id(scope.frame), ()))
                case = cases[key] = Case(environment, body)
                buckets.setdefault(outline(body), []).append(case)
            case.scopes.append(scope)
        for bucket in buckets.values():
            for group, body in _groups(bucket):
                self._class(group, body)

    def _seen_outside(self, scope: Scope) -> Iterator[int]:
        """How often each of several outputs is used: what nobody uses may be overwritten."""
        if len(scope.outputs) > 1:
            yield from (self.graph.uses[ref.node] for ref in scope.outputs)

    def _class(self, cases: Sequence[Case], body: Body) -> None:
        scope = cases[0].body.scope
        frozen = frozen_parameters(body, cases, self.class_of)
        fixed = frozen | fixed_parameters(cases, self.class_of)
        floats = float_parameters(cases, self.class_of)
        body = specialized(body, cases, frozen, fixed)
        found = ClassDef(
            len(self.found),
            scope.definition or _camel(scope.name),
            body,
            parameters_of(body, cases, floats),
            scope.docstring,
            [case.environment for case in cases],
            frozen,
            fixed,
            floats,
            scope.kind == "model",
        )
        self.found.append(found)
        for case in cases:
            self.class_of |= {id(scope): found for scope in case.scopes}

    def _instance(self, scope: Scope) -> ModuleExpr:
        """The constructor call for a scope whose class is known, in the expressions of its surroundings."""
        found = self.class_of[id(scope)]
        outer = scope.parent.frame if scope.parent else scope
        inner = self.builder.environment(scope)
        kwargs: list[tuple[str, Expr]] = []
        for parameter in found.parameters:
            name = parameter.name
            expr = argument_of(scope, name)
            assert expr is not None
            if scope.kind == "block":
                value = scope.arguments[name].value if name in scope.arguments else inner[name]
                expr = self.builder.checked(expr, value, outer)
            kwargs.append((name, expr))
        return Instance(found.number, tuple(kwargs))


def _in_order(root: Scope, builder: BodyBuilder) -> Iterator[list[Scope]]:
    """The scopes that need a class, those of one definition together, after those inside them.

    A block that is given itself as a layer (`Twice(Twice(conv))`) has a class for each depth.
    """
    inside: dict[int, list[Scope]] = {}
    everything: list[Scope] = []
    height: dict[int, int] = {}

    def visit(scope: Scope) -> list[Scope]:
        below = [found for member in scope.members if isinstance(member, Scope) for found in visit(member)]
        chain = scope.kind in ("group", "sequence") and builder.is_chain(scope)
        if chain or scope.kind == "container" or scope.kind in TRANSPARENT:
            return below
        inside[id(scope)] = below
        height[id(scope)] = 1 + max((height[id(other)] for other in below), default=0)
        everything.append(scope)
        return [scope]

    visit(root)
    uses: dict[_Key, set[_Key]] = {}
    for scope in everything:
        uses.setdefault(_site(scope), set()).update(map(_site, inside[id(scope)]))
    cyclic = {key for key in uses if key in _reachable(key, uses)}
    members: dict[_Key, list[Scope]] = {}
    for scope in everything:
        key = _site(scope)
        members.setdefault((*key, height[id(scope)]) if key in cyclic else key, []).append(scope)
    where = {id(scope): key for key, scopes in members.items() for scope in scopes}
    done: set[_Key] = set()

    def emit(key: _Key) -> Iterator[list[Scope]]:
        if key in done:
            return
        done.add(key)
        for scope in members[key]:
            for other in inside[id(scope)]:
                yield from emit(where[id(other)])
        yield members[key]

    yield from emit(where[id(root)])


def _site(scope: Scope) -> _Key:
    """What instances of one definition have in common."""
    return (scope.kind, scope.site)


def _reachable(start: _Key, uses: dict[_Key, set[_Key]]) -> set[_Key]:
    found: set[_Key] = set()
    queue = list(uses[start])
    while queue:
        key = queue.pop()
        if key not in found:
            found.add(key)
            queue.extend(uses[key])
    return found


def _groups(cases: Sequence[Case]) -> list[tuple[Sequence[Case], Body]]:
    """Split instances of equal outline into those that share a class: all, if possible."""
    try:
        return [(cases, shared(cases))]
    except Mismatch:
        pass
    groups: list[list[Case]] = []
    bodies: list[Body] = []
    for case in cases:
        for index, group in enumerate(groups):
            try:
                bodies[index] = shared([*group, case])
            except Mismatch:
                continue
            group.append(case)
            break
        else:
            groups.append([case])
            bodies.append(shared([case]))
    return list(zip(groups, bodies, strict=True))


def _camel(name: str) -> str:
    words = re.split(r"[^A-Za-z0-9]+", name)
    text = "".join(word[:1].upper() + word[1:] for word in words if word)
    return text if text[:1].isalpha() else f"Block{text}"
