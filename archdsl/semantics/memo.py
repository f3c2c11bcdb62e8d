"""What is worked out once for all networks of a program, and holds as long as its files are in use."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from archdsl.diagnostics.diagnostic import Diagnostic
from archdsl.ops.spec import OpParams

if TYPE_CHECKING:
    from archdsl.semantics.instances import Recorded
    from archdsl.semantics.program import Definition, FileScope
    from archdsl.semantics.values import Arg, Record


@dataclass(eq=False)
class Memo:
    """One for a program; definitions and files are told apart by their identity."""

    tables: dict[Definition, tuple[Record, ...]] = field(default_factory=dict)
    """Evaluated tables."""
    defaults: dict[tuple[FileScope, str], dict[str, Arg]] = field(default_factory=dict)
    """The arguments that `default` gives an op in a file."""
    params: dict[tuple[Hashable, ...], OpParams] = field(default_factory=dict)
    """By op and arguments: its parameters, checked."""
    instances: dict[tuple[Definition, Hashable], Recorded] = field(default_factory=dict)
    """What was elaborated of a block for which arguments and inputs."""
    rates: dict[Definition, frozenset[str]] = field(default_factory=dict)
    """Parameters of a block that only a regularizer's number depends on."""
    elaborated: set[Definition] = field(default_factory=set)
    """Definitions whose body was executed: of others no more is known than that their names make sense."""
    faults: tuple[Diagnostic, ...] = ()
    """The errors found where names were resolved: of a network that cannot be made for one of them, they are why."""
    items: dict[Any, Any] = field(default_factory=dict)
    """What was read of items: init rules, weights."""
