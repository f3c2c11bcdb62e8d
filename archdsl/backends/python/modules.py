"""What a generated class builds: the data between the graph and the text.

A `ModuleExpr` is one expression of `__init__`; a `Body` is one class, for one instance or, after `unify`, for
all instances that share it. Numbers are expressions over the parameters of the class. Values but for `Body`: never
changed once made.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeAlias

from archdsl.graph.ir import Ref
from archdsl.graph.scopes import Scope
from archdsl.quoting import string_literal
from archdsl.source import Span
from archdsl.symbolic import Expr

Kwargs: TypeAlias = tuple[tuple[str, Expr], ...]


@dataclass(slots=True, unsafe_hash=True)
class Built:
    """`nn.Conv2d(64, 128, 3, bias=False)`; arguments equal to `defaults` are not printed."""

    target: str
    args: tuple[Expr, ...]
    kwargs: Kwargs = ()
    defaults: tuple[tuple[str, Any], ...] = ()
    inplace: bool = False


@dataclass(slots=True, unsafe_hash=True)
class Weight:
    """`nn.Parameter(torch.ones(width, 1, 1) * 1e-6)`"""

    shape: tuple[Expr, ...]
    init: Expr


@dataclass(slots=True, unsafe_hash=True)
class Instance:
    """A generated class (by its number) and its constructor's arguments."""

    definition: int
    kwargs: Kwargs


@dataclass(slots=True, unsafe_hash=True)
class Option:
    """What stands where the spec has an `if`. `branches` maps the condition's value, where some instance took
    that branch, to its module, or to None where it is `id`. With both present the `if` is printed.

    `name` is the label or ordinal of what is there, "" for a member of a sequence that has only its position.
    `called` says that `forward` calls the member in any case, so that there must be one.
    """

    site: Span
    condition: Expr
    name: str
    branches: tuple[tuple[bool, ModuleExpr | None], ...]
    called: bool = True

    @property
    def is_open(self) -> bool:
        """Whether instances differ: the class asks."""
        return len(self.branches) > 1

    @property
    def is_absent(self) -> bool:
        """Whether no instance has it."""
        return all(m is None or (isinstance(m, Option) and m.is_absent) for _, m in self.branches)


@dataclass(slots=True, unsafe_hash=True)
class Listed:
    """`nn.Sequential(…)`; where the members are not called one after the other `nn.ModuleList` or `nn.ModuleDict`.

    A member named "" gets the number of its position; options have their names themselves.
    """

    items: tuple[tuple[str, ModuleExpr], ...]
    sequential: bool = True

    @property
    def is_numbered(self) -> bool:
        """Whether it is an `nn.ModuleList`: modules called 0, 1, 2, …"""
        modules = not self.sequential and not any(isinstance(item, Weight) for _, item in self.items)
        return modules and [name for name, _ in self.items] == [str(i) for i in range(len(self.items))]

    def key(self, name: str) -> str:
        """What stands in the brackets that take a member out of an `nn.ModuleList` or `nn.ModuleDict`."""
        return name if self.is_numbered else string_literal(name)


@dataclass(slots=True, unsafe_hash=True)
class Repeat:
    """`*[module for i in range(start, start + count)]`: `module` is over the variable `loop`.

    `name`, if any, formats the members' names: `layer{}` with `i + offset`. Only `reroll` makes it, before printing.
    """

    count: int
    module: ModuleExpr
    name: str = ""
    offset: int = 0
    start: int = 0
    loop: str = "_"


ModuleExpr: TypeAlias = Built | Weight | Instance | Option | Listed | Repeat


DECISION = "decision"
"""The role of a step without outputs, which refuses images for which its template holds; `said` says why."""


@dataclass(slots=True, unsafe_hash=True)
class Step:
    """One call in `forward`: of a member (`path`), or of a function without state (`template`, with `values`).

    Both, where the member is a bare weight. `inplace` is the argument that lets a function overwrite its input.
    """

    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    path: tuple[str, ...] = ()
    template: str = ""
    values: Kwargs = ()
    role: str = ""
    inplace: str = ""
    region: Region | None = None


@dataclass(slots=True, unsafe_hash=True)
class Branch:
    """What one side of an `if` between layers builds and does."""

    members: tuple[tuple[str, ModuleExpr], ...]
    steps: tuple[Step, ...]
    outputs: tuple[Ref, ...]


@dataclass(slots=True, unsafe_hash=True)
class Region:
    """An `if` between layers that is more than one optional member: an `if` in `forward`."""

    site: Span
    condition: Expr
    branches: tuple[tuple[bool, Branch], ...]


@dataclass(slots=True)
class Body:
    """One class body: members in order of construction, steps in order of execution.

    `sequential`: the class is an nn.Sequential; its only member is a `Listed` without a name, and it has no steps.
    `decided` are parameters on which the structure depends though nothing printed asks for them.
    """

    scope: Scope
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    members: list[tuple[str, ModuleExpr]]
    steps: list[Step]
    sequential: bool = False
    decided: set[str] = field(default_factory=set)
