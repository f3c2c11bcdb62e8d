"""What is the same: blocks that are equal by the way they were made, and parts of networks that are to look at.

A block sees nothing but its arguments and its inputs, so instances that agree in these agree in everything but paths
and the numbers of nodes; and in the rates of regularizers, which are the free numbers of a `Template`. The semantics
makes a template where it elaborates the first instance, and copies that to where the others stand (`instantiate`).

Parts of any origin are compared by what they hold: `EqualParts` takes a `PartTree` and says which are equal, and which
have one form. `Bodies` compares what is no part, or of another network; what counts of an op is said by who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.scopes import TRANSPARENT, BlockScope, ChoiceScope, Scope, below
from archdsl.ops.spec import OpParams
from archdsl.source import Span
from archdsl.symbolic import Expr

if TYPE_CHECKING:
    from archdsl.graph.parts import Part, PartTree
    from archdsl.graph.sizes import SizeDecision


# --- equal by construction -------------------------------------------------------------------


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


# --- the same to look at ---------------------------------------------------------------------


class Bodies:
    """Numbers for bodies: two have the same where their members are the same, wired alike, wherever they stand."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}

    def number(self, *key: Hashable) -> int:
        """A number that equal keys share, and no others."""
        return self._known.setdefault(key, len(self._known))

    def body(self, members: Iterable[Member], entries: Iterable[Ref], place: Callable[[int], int]) -> int:
        """The number of a body that is nothing but its members."""
        return self.number(*wired(members, entries, place))


Member: TypeAlias = tuple[Hashable, Iterable[Ref], int]
"""Of a body: what tells a member, what it reads, and the place from which the distance to that is counted."""


def wired(members: Iterable[Member], entries: Iterable[Ref], place: Callable[[int], int]) -> Iterator[Hashable]:
    """The members, with what each reads: which of the entries, or from how far away; `place` is that of a node."""
    entered = {ref: index for index, ref in enumerate(entries)}
    for told, reads, origin in members:
        yield (
            told,
            *((-1, entered[ref]) if ref in entered else (place(ref.node) - origin, ref.port) for ref in reads),
        )


class EqualParts:
    """Which parts of a network are the same."""

    def __init__(self, tree: PartTree) -> None:
        self.graph = tree.graph
        self._place = tree.place.__getitem__
        self._parts = list(tree.root.walk())

    def kind(self, part: Part) -> int:
        """A number that equal parts share: the same ops with the same arguments, shapes and labels, wired alike; only
        rates of regularizers may differ."""
        return self._kinds[id(part)]

    def form(self, part: Part) -> int:
        """A number that parts of one form share: the same ops wired alike, whatever sizes, counts and labels."""
        return self._forms[id(part)]

    def equal(self, scopes: Iterable[Scope]) -> bool:
        """Whether blocks are equal, wherever they stand."""
        parts = [self._part_of.get(id(scope)) for scope in scopes]
        return len({self.kind(part) for part in parts if part is not None}) == 1 and None not in parts

    @cached_property
    def _part_of(self) -> dict[int, Part]:
        return {id(part.scope): part for part in self._parts if part.scope is not None}

    @cached_property
    def _kinds(self) -> dict[int, int]:
        def key(part: Part, numbers: dict[int, int]) -> Iterable[Hashable]:
            item = part.item
            if isinstance(item, Node):
                params = None if item.op.role == "regularizer" else item.params
                return (item.op.name, params, item.input_shapes, item.outputs)
            members = (((m.name, numbers[id(m)]), m.entries, part.start) for m in part.parts)
            return (item.kind, item.definition, *wired(members, part.entries, self._place))

        return self._numbered(key)

    @cached_property
    def _forms(self) -> dict[int, int]:
        def key(part: Part, numbers: dict[int, int]) -> Iterable[Hashable]:
            item = part.item
            if isinstance(item, Node):
                return (item.op.name,)
            members = ((numbers[id(m)], m.entries, m.start) for m in part.parts)
            told = groupby(wired(members, part.entries, self._place))  # any number of alike neighbours is like two
            return (item.definition, *(member for member, _ in told))

        return self._numbered(key)

    def _numbered(self, key: Callable[[Part, dict[int, int]], Iterable[Hashable]]) -> dict[int, int]:
        """A number for every part, by identity; the key of one may use the numbers of its members."""
        bodies = Bodies()
        numbers: dict[int, int] = {}
        for part in reversed(self._parts):
            numbers[id(part)] = bodies.number(*key(part, numbers))
        return numbers
