"""The tree of scopes that an architecture was written in: its definitions' instances, sequences, labels, `if`s.

`Scope` is filled by the semantics, together with the `Graph` (`ir`), whose nodes are the leaves of the tree.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from archdsl.source import Span
from archdsl.symbolic import IN_CHANNELS, Expr

if TYPE_CHECKING:
    from archdsl.graph.ir import Node, Ref
    from archdsl.graph.sizes import SizeDecision

ScopeKind = Literal["model", "block", "sequence", "group", "container", "choice", "stage"]

TRANSPARENT = frozenset({"choice", "stage"})
"""Kinds of scopes that have no path and no names of their own."""


@dataclass(slots=True, unsafe_hash=True)
class Bound:
    """An argument of a block or model: its value, and what it was computed from in the caller."""

    value: Any
    expr: Expr
    explicit: bool = True


@dataclass(slots=True, eq=False)
class Scope:
    """A level of the architecture's tree.

    - `model`, `block`: an instance of a definition, with its `arguments`; `locals` are its named numbers.
    - `sequence`: `[…]`, members numbered; `group`: another labelled layer; `container`: the part before a dot
      of a dotted label (`features` of `features.0`).
    - `choice`: the branch taken by an `if` between layers (or a conditional member of a sequence); it has no
      path of its own. `condition` is over the enclosing block's parameters, `site` identifies the `if`.
    - `stage`: a `stage name { … }`, which has no path of its own either. A container whose members belong to several
      choices or stages is several scopes, of one path and with the same `names`.
    """

    kind: ScopeKind
    name: str
    path: str
    parent: Scope | None
    span: Span
    definition: str = ""
    arguments: dict[str, Bound] = field(default_factory=dict)
    locals: dict[str, Expr] = field(default_factory=dict)
    structural: set[str] = field(default_factory=set)
    input_names: tuple[str, ...] = ()
    inputs: tuple[Ref, ...] = ()
    outputs: tuple[Ref, ...] = ()
    members: list[Scope | Node] = field(default_factory=list)
    stage: bool = False
    condition: Expr | None = None
    taken: bool = True
    site: Span | None = None
    names: dict[str, Span] = field(default_factory=dict, repr=False)
    counters: dict[str, int] = field(default_factory=dict, repr=False)
    docstring: str = ""
    start: int = 0
    """How many nodes the graph had when this scope was opened: its place in the order of execution."""
    definition_site: Span | None = None
    decisions: dict[SizeDecision, None] = field(default_factory=dict, repr=False)
    """Of a block or model: what was decided in it by the sizes of tensors, each once, in order."""
    widths: dict[Ref, Expr] = field(default_factory=dict, repr=False)
    """Of a block or model: the widths of the tensors seen in it, as expressions over its parameters."""
    origin: Scope | None = field(default=None, repr=False)
    """The scope this one is a copy of, where an equal instance was elaborated before; that one is no copy itself."""
    frame: Scope = field(init=False, repr=False)
    """The nearest block or model: the scope in whose parameters expressions are written."""

    def __post_init__(self) -> None:
        if self.parent is None or self.kind in ("block", "model"):
            self.frame = self
        else:
            self.frame = self.parent.frame

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
        if self.kind != "stage":
            return self.path
        return f"{self.path}.{self.name}" if self.path else self.name

    @property
    def width_names(self) -> tuple[str, ...]:
        """What expressions call the widths of a block's inputs: `in_channels`, or `a_channels` of an input `a`.

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

    def ancestors(self) -> Iterator[Scope]:
        """This scope and those around it, innermost first."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

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
