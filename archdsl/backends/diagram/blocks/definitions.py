"""Which block definitions a graph uses, and which structures their instances take: takes a graph, gives `Definition`s.

Not drawn are blocks that hold stages (the overview shows them) and blocks of one layer (they are boxes in others).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from archdsl.backends.diagram.blocks.units import STRONG, Body, body_of
from archdsl.graph.ir import Graph, Node, Scope


@dataclass(slots=True, eq=False)
class Form:
    """Instances of one structure, in order of execution; what differs in them is only sizes and names."""

    bodies: list[Body]

    @property
    def first(self) -> Body:
        return self.bodies[0]


@dataclass(slots=True, eq=False)
class Definition:
    """A block, and its forms, that of the most instances first."""

    name: str
    scope: Scope
    forms: list[Form]
    run: list[Scope]
    """The longest row of instances of which each takes what the one before gives."""


def is_drawn(scope: Scope) -> bool:
    """Whether a scope is an instance of a block with a drawing of its own."""
    if scope.kind != "block":
        return False
    stack: list[Scope | Node] = list(scope.members)
    strong = 0
    while stack:
        member = stack.pop()
        if isinstance(member, Node):
            strong += member.op.role in STRONG
        elif member.stage:
            return False
        else:
            stack.extend(member.members)
    return strong > 1


def definitions_of(graph: Graph) -> list[Definition]:
    """The definitions, in the order in which they are first used."""
    found: dict[object, list[Scope]] = {}
    for scope in _scopes(graph.root):
        if is_drawn(scope):
            found.setdefault(scope.definition_site or scope.definition, []).append(scope)
    return [_definition(graph, scopes) for scopes in found.values()]


def _scopes(root: Scope) -> Iterator[Scope]:
    """All scopes, outer ones first."""
    stack = [root]
    while stack:
        scope = stack.pop()
        yield scope
        stack.extend(member for member in reversed(scope.members) if isinstance(member, Scope))


def _definition(graph: Graph, scopes: list[Scope]) -> Definition:
    forms: dict[object, Form] = {}
    for scope in scopes:
        body = body_of(graph, scope, is_drawn)
        forms.setdefault(body.structure, Form([])).bodies.append(body)
    ordered = sorted(forms.values(), key=lambda form: -len(form.bodies))
    return Definition(scopes[0].definition, scopes[0], ordered, _longest_run(scopes))


def _longest_run(scopes: list[Scope]) -> list[Scope]:
    longest: list[Scope] = []
    run: list[Scope] = []
    for scope in scopes:
        run = [*run, scope] if run and scope.inputs and scope.inputs[0] in run[-1].outputs else [scope]
        if len(run) > len(longest):
            longest = run
    return longest
