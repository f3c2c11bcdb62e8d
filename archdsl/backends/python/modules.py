"""What a generated class builds: the data between the graph and the text.

A `ModuleExpr` is one expression of `__init__`; a `Body` is one class, for one instance or, after `unify`, for
all instances that share it. Numbers are expressions over the parameters of the class.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from archdsl.graph.ir import Ref, Scope
from archdsl.source import Span
from archdsl.symbolic import Expr


@dataclass(frozen=True, slots=True)
class Built:
    """`nn.Conv2d(64, 128, 3, bias=False)`; arguments equal to `defaults` are not printed."""

    target: str
    args: tuple[Expr, ...]
    kwargs: tuple[tuple[str, Expr], ...] = ()
    defaults: tuple[tuple[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class Weight:
    """`nn.Parameter(torch.full((width, 1, 1), 1e-6))`"""

    shape: tuple[Expr, ...]
    init: Expr


@dataclass(frozen=True, slots=True)
class Instance:
    """A generated class (by its number) and its constructor's arguments."""

    definition: int
    kwargs: tuple[tuple[str, Expr], ...]


@dataclass(frozen=True, slots=True)
class Option:
    """What stands where the spec has an `if`. `branches` maps the condition's value, where some instance took
    that branch, to its module, or to None where it is `id`. With both present the `if` is printed.
    """

    site: Span
    condition: Expr
    name: str
    branches: tuple[tuple[bool, ModuleExpr | None], ...]


@dataclass(frozen=True, slots=True)
class Listed:
    """`nn.Sequential(…)`, or `nn.ModuleDict` where the members are not called one after the other.

    A member named "" gets the number of its position.
    """

    items: tuple[tuple[str, ModuleExpr], ...]
    sequential: bool = True


@dataclass(frozen=True, slots=True)
class Repeat:
    """`*[module for i in range(count)]`: `module` is over the loop variable `i`; `name` formats a member's name.

    Only made just before printing, by `reroll`.
    """

    count: int
    module: ModuleExpr
    name: str = ""


ModuleExpr: TypeAlias = Built | Weight | Instance | Option | Listed | Repeat


@dataclass(frozen=True, slots=True)
class Step:
    """One call in `forward`: of a member (`path`), or of a function without state (`template`, with `values`).

    `optional` is the site of the `if` in the place of which the member stands.
    """

    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    path: tuple[str, ...] = ()
    template: str = ""
    values: tuple[tuple[str, Expr], ...] = ()
    role: str = ""
    optional: Span | None = None
    region: Region | None = None


@dataclass(frozen=True, slots=True)
class Branch:
    """What one side of an `if` between layers builds and does."""

    members: tuple[tuple[str, ModuleExpr], ...]
    steps: tuple[Step, ...]
    outputs: tuple[Ref, ...]


@dataclass(frozen=True, slots=True)
class Region:
    """An `if` between layers that is more than one optional member: an `if` in `forward`."""

    site: Span
    condition: Expr
    branches: tuple[tuple[bool, Branch], ...]


@dataclass(slots=True)
class Body:
    """One class body: members in order of construction, steps in order of execution."""

    scope: Scope
    inputs: tuple[Ref, ...]
    outputs: tuple[Ref, ...]
    members: list[tuple[str, ModuleExpr]]
    steps: list[Step]


def option_name(site: Span) -> str:
    """The provisional name of the member in the place of an `if`."""
    return f"@{site.start}"
