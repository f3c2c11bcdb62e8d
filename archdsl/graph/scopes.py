"""The tree of scopes that an architecture was written in: its definitions' instances, sequences, labels, `if`s.

The semantics makes it together with the `Graph` (`ir`), whose nodes are the leaves of the tree. What equal blocks have
in common is their `Template` (`templates`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from archdsl.source import Span
from archdsl.symbolic import IN_CHANNELS, Expr

if TYPE_CHECKING:
    from archdsl.graph.ir import Node, Ref
    from archdsl.graph.sizes import SizeDecision
    from archdsl.graph.templates import Template

ScopeKind = Literal["model", "block", "sequence", "group", "container", "choice", "stage"]

TRANSPARENT = frozenset({"choice", "stage"})
"""Kinds of scopes that have no path and no names of their own."""

Labelled: TypeAlias = "tuple[tuple[str, ...], Scope | Node]"
"""A member and its label, in parts: `features.0` of a scope is `0` in its container `features`."""


@dataclass(slots=True, unsafe_hash=True)
class Bound:
    """An argument of a block or model: its value, and what it was computed from in the caller."""

    value: Any
    expr: Expr
    explicit: bool = True


@dataclass(slots=True, eq=False)
class Scope:
    """A level of the architecture's tree.

    - `model`, `block`: an instance of a definition (`BlockScope`).
    - `sequence`: `[…]`, members numbered; `group`: another labelled layer; `container`: the part before a dot
      of a dotted label (`features` of `features.0`).
    - `choice`: the branch taken by an `if` between layers (`ChoiceScope`); it has no path of its own.
    - `stage`: a `stage name { … }`, which has no path of its own either. A container whose members belong to several
      choices or stages is several scopes of one path.
    """

    kind: ScopeKind
    name: str
    path: str
    parent: Scope | None
    span: Span
    start: int = 0
    """How many nodes the graph had when this scope was opened: its place in the order of execution."""
    stage: bool = False
    inputs: tuple[Ref, ...] = ()
    outputs: tuple[Ref, ...] = ()
    members: list[Scope | Node] = field(default_factory=list)
    frame: BlockScope = field(init=False, repr=False)
    """The nearest block or model: the scope in whose parameters expressions are written."""

    def __post_init__(self) -> None:
        assert self.parent is not None
        self.frame = self.parent.frame

    # What only a block has; another scope has none of it.

    @property
    def definition(self) -> str:
        """The name of the definition that a block is an instance of."""
        return ""

    @property
    def docstring(self) -> str:
        return ""

    @property
    def input_names(self) -> tuple[str, ...]:
        return ()

    @property
    def arguments(self) -> Mapping[str, Bound]:
        return {}

    @property
    def decisions(self) -> Sequence[SizeDecision]:
        """What was decided in it by the sizes of tensors, each once, in order."""
        return ()

    @property
    def site(self) -> Span:
        """The place in the spec that all instances of this one have in common."""
        return self.span

    @property
    def equality(self) -> tuple[Template, str]:
        """What scopes share that are equal by the way they were made: the template, and the path in its block."""
        return self.frame.template, self.path[len(self.frame.path) :]

    @property
    def owner(self) -> Scope:
        """The nearest scope with a path of its own: this one, unless it is a choice or a `stage` in braces."""
        scope = self
        while scope.kind in TRANSPARENT and scope.parent is not None:
            scope = scope.parent
        return scope

    @property
    def stage_name(self) -> str:
        """The name of a stage: its path, or the one in front of its braces, behind the path of the block it is in."""
        return self.path if self.kind != "stage" else below(self.path, self.name)

    @property
    def names(self) -> set[str]:
        """What its members are called; the members of choices and stages are its own."""
        found: set[str] = set()
        for member in self.members:
            if isinstance(member, Scope) and member.kind in TRANSPARENT:
                found |= member.names
            else:
                found.add(member.name)
        return found

    def ancestors(self) -> Iterator[Scope]:
        """This scope and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    @property
    def frames(self) -> tuple[BlockScope, ...]:
        """The blocks around it, innermost first, ending with the model; a block is around itself."""
        return tuple(scope for scope in self.ancestors() if isinstance(scope, BlockScope))

    def units(self) -> list[Labelled]:
        """What generated source calls in it, in the order of execution: of containers and stages in braces, what is in
        them."""
        return sorted(self._labelled(()), key=lambda unit: unit[1].start)

    def _labelled(self, label: tuple[str, ...]) -> Iterator[Labelled]:
        for member in self.members:
            if isinstance(member, Scope) and member.kind in ("container", "stage"):
                yield from member._labelled((*label, member.name) if member.kind == "container" else label)
            else:
                yield (*label, member.name), member

    def nodes(self) -> Iterator[Node]:
        """All nodes in this scope and below."""
        stack: list[Scope | Node] = [self]
        while stack:
            member = stack.pop()
            if isinstance(member, Scope):
                stack.extend(reversed(member.members))
            else:
                yield member

    def scopes(self) -> Iterator[Scope]:
        """This scope and all below, in order."""
        stack = [self]
        while stack:
            scope = stack.pop()
            yield scope
            stack.extend(member for member in reversed(scope.members) if isinstance(member, Scope))


@dataclass(slots=True, eq=False)
class BlockScope(Scope):
    """A model, or a block in it: an instance of a template, with arguments of its own."""

    template: Template = field(kw_only=True, repr=False)
    arguments: dict[str, Bound] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.frame = self

    @property
    def definition(self) -> str:
        return self.template.definition

    @property
    def docstring(self) -> str:
        return self.template.docstring

    @property
    def input_names(self) -> tuple[str, ...]:
        return self.template.input_names

    @property
    def site(self) -> Span:
        return self.template.site

    @property
    def decisions(self) -> Sequence[SizeDecision]:
        return self.template.decided_in(self)

    def width(self, ref: Ref) -> Expr:
        """How many channels a tensor has that is seen in it, as an expression over its parameters."""
        return self.template.widths[self.template.first(ref, self)]

    def known_width(self, ref: Ref) -> Expr | None:
        """As `width`; None of a tensor that only a block in it sees."""
        return self.template.widths.get(self.template.first(ref, self))

    def widths(self) -> Iterator[tuple[Ref, Expr]]:
        """All tensors that are seen in it, with their widths."""
        return ((self.template.of(ref, self), width) for ref, width in self.template.widths.items())

    @property
    def width_names(self) -> tuple[str, ...]:
        """What expressions call the widths of its inputs: `in_channels`, or `a_channels` of an input `a`.

        A parameter of that name keeps it: the width is `a_channels_` then.
        """
        if self.input_names == ("in",):
            return (IN_CHANNELS.name,)
        names: list[str] = []
        for given in self.input_names:
            name = f"{given}_channels"
            while name in self.arguments or name in names:
                name += "_"
            names.append(name)
        return tuple(names)


@dataclass(slots=True, eq=False)
class ChoiceScope(Scope):
    """The branch that an `if` between layers took, or a member of a sequence that may be left out.

    `condition` is over the parameters of the block around it; `site` is where the `if` stands.
    """

    condition: Expr = field(kw_only=True)
    taken: bool = field(kw_only=True)
    site: Span = field(kw_only=True)


def below(path: str, name: str) -> str:
    """The path of a member of the scope at this one."""
    return f"{path}.{name}" if path else name
