"""Sameness: what instances of a block have in common is a `Template`, to which each of them refers.

A block sees nothing but its arguments and its inputs, so instances that agree in these agree in everything but paths
and the numbers of nodes; and in the rates of regularizers, which are the free numbers of a template. The semantics
makes a template where it elaborates the first instance, and copies that to where the others stand (`instantiate`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.scopes import TRANSPARENT, BlockScope, ChoiceScope, Scope, below
from archdsl.ops.spec import OpParams
from archdsl.source import Span
from archdsl.symbolic import Expr

if TYPE_CHECKING:
    from archdsl.graph.sizes import SizeDecision


@dataclass(slots=True, eq=False)
class Template:
    """What is known of a block or model whatever instance of it is looked at.

    Tensors are those of the first instance, which begins at the node `start` and reads `inputs`.
    """

    definition: str
    site: Span
    docstring: str = ""
    input_names: tuple[str, ...] = ()
    start: int = 0
    inputs: tuple[Ref, ...] = ()
    structural: set[str] = field(default_factory=set)
    """The parameters on which more depends than numbers: which layers there are."""
    widths: dict[Ref, Expr] = field(default_factory=dict, repr=False)
    """How many channels the tensors have that are seen in it, as expressions over its parameters."""
    decisions: dict[SizeDecision, None] = field(default_factory=dict, repr=False)
    """What was decided in it by the sizes of tensors, each once, in order."""

    def first(self, ref: Ref, scope: BlockScope) -> Ref:
        """The tensor of the first instance that has the place of this one of another."""
        if ref.node >= scope.start:
            return Ref(ref.node - scope.start + self.start, ref.port)
        return self.inputs[scope.inputs.index(ref)]

    def of(self, ref: Ref, scope: BlockScope) -> Ref:
        """The tensor of an instance that has the place of this one of the first."""
        if ref.node >= self.start:
            return Ref(ref.node - self.start + scope.start, ref.port)
        return scope.inputs[self.inputs.index(ref)]

    def decided_in(self, scope: BlockScope) -> Sequence[SizeDecision]:
        """The decisions, about the tensors of an instance."""
        if (self.start, self.inputs) == (scope.start, scope.inputs):
            return tuple(self.decisions)
        moved = (decision.moved({ref: self.of(ref, scope) for ref in decision.refs}) for decision in self.decisions)
        return tuple(decision for decision in moved if decision is not None)


def instantiate(
    first: BlockScope, nodes: Sequence[Node], scope: BlockScope, graph: Graph, renewed: Mapping[int, OpParams]
) -> None:
    """Copy the first instance of a template, with its nodes, into another of known inputs, at the end of a graph.

    `renewed` are the parameters of those nodes that do not keep theirs.
    """
    start, offset = first.start, scope.start - first.start
    outer = dict(zip(first.inputs, scope.inputs, strict=True))

    def moved(refs: tuple[Ref, ...]) -> tuple[Ref, ...]:
        return tuple([Ref(ref.node + offset, ref.port) if ref.node >= start else outer[ref] for ref in refs])

    copies: dict[int, Scope | Node] = {}
    scopes: dict[int, Scope] = {id(first): scope}
    pairs: list[tuple[Scope, Scope]] = [(first, scope)]
    for old, new in pairs:  # grows while it is walked
        for member in old.members:
            if isinstance(member, Scope):
                copy = copies[id(member)] = scopes[id(member)] = _empty(member, new, offset)
                copy.inputs, copy.outputs = moved(member.inputs), moved(member.outputs)
                pairs.append((member, copy))
    scope.outputs = moved(first.outputs)
    for node in nodes:
        home = scopes[id(node.scope)]
        copied = Node(
            node.id + offset, node.op, renewed.get(node.id, node.params), moved(node.inputs), node.input_shapes,
            node.outputs, node.name, below(home.path, node.name), home, node.span, node.exprs, node.labelled,
            node.known_weights,
        )  # fmt: skip
        graph.nodes.append(copied)
        copies[id(node)] = copied
    for old, new in pairs:
        new.members = [copies[id(member)] for member in old.members]


def _empty(old: Scope, parent: Scope, offset: int) -> Scope:
    """A copy of a scope below another one, without members."""
    path = parent.path if old.kind in TRANSPARENT else below(parent.path, old.name)
    given = old.kind, old.name, path, parent, old.span, old.start + offset, old.stage
    if isinstance(old, BlockScope):
        return BlockScope(*given, template=old.template, arguments=old.arguments)
    if isinstance(old, ChoiceScope):
        return ChoiceScope(*given, condition=old.condition, taken=old.taken, site=old.site)
    return Scope(*given)
