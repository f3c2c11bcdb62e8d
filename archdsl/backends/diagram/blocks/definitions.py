"""Which block definitions a graph uses, and which structures their instances take: takes a graph, gives `Definition`s.

Not drawn are blocks that hold stages (the overview shows them) and blocks of one layer (they are boxes in others).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from archdsl.backends.diagram.blocks.algebra import Algebra
from archdsl.backends.diagram.blocks.units import Body, body_of
from archdsl.graph.ir import Graph, Node
from archdsl.graph.parts import part_tree
from archdsl.graph.scopes import BlockScope, Scope
from archdsl.graph.templates import EqualParts
from archdsl.ops.spec import LEADING


@dataclass(frozen=True, slots=True, eq=False)
class Blocks:
    """All blocks of a network that are drawn: the instances of each definition, in order of execution."""

    same: EqualParts
    instances: Mapping[object, list[BlockScope]]

    @classmethod
    def of(cls, graph: Graph) -> Blocks:
        found: dict[object, list[BlockScope]] = {}
        for scope in graph.root.scopes():
            if isinstance(scope, BlockScope) and is_drawn(scope):
                found.setdefault(scope.site, []).append(scope)
        return cls(EqualParts(part_tree(graph)), found)

    def like(self, scope: BlockScope) -> list[BlockScope]:
        """The instances of a scope's definition."""
        return self.instances[scope.site]


@dataclass(slots=True, eq=False)
class Form:
    """Instances of one structure, in order of execution; what differs in them is only sizes and names."""

    bodies: list[Body]
    algebra: Algebra
    blocks: Blocks

    @property
    def first(self) -> Body:
        return self.bodies[0]


@dataclass(slots=True, eq=False)
class Definition:
    """A block, and its forms, that of the most instances first."""

    name: str
    scope: BlockScope
    forms: list[Form]
    run: list[BlockScope]
    """The longest row of instances of which each takes what the one before gives."""


def is_drawn(scope: BlockScope) -> bool:
    """Whether an instance of a block has a drawing of its own."""
    if scope.kind != "block":
        return False
    stack: list[Scope | Node] = list(scope.members)
    strong = 0
    while stack:
        member = stack.pop()
        if isinstance(member, Node):
            strong += member.op.role in LEADING
        elif member.stage:
            return False
        else:
            stack.extend(member.members)
    return strong > 1


def definitions_of(graph: Graph) -> list[Definition]:
    """The definitions, in the order in which they are first used."""
    blocks = Blocks.of(graph)
    return [_definition(blocks, scopes) for scopes in blocks.instances.values()]


def _definition(blocks: Blocks, scopes: list[BlockScope]) -> Definition:
    found: dict[object, list[Body]] = {}
    for scope in scopes:
        body = body_of(blocks.same, scope, is_drawn)
        found.setdefault(body.structure, []).append(body)
    graph = blocks.same.graph
    forms = [Form(bodies, Algebra(graph, [body.scope for body in bodies], scopes), blocks) for bodies in found.values()]
    ordered = sorted(forms, key=lambda form: -len(form.bodies))
    return Definition(scopes[0].definition, scopes[0], ordered, _longest_run(scopes))


def _longest_run(scopes: list[BlockScope]) -> list[BlockScope]:
    longest: list[BlockScope] = []
    run: list[BlockScope] = []
    for scope in scopes:
        run = [*run, scope] if run and scope.inputs and scope.inputs[0] in run[-1].outputs else [scope]
        if len(run) > len(longest):
            longest = run
    return longest
