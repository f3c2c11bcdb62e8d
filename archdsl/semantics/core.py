"""The state of one elaboration, and what its parts may ask of each other.

`Elaborator` (in `elaborate`) is assembled from rules for expressions, statements, calls and
application. Each part sees the others only through the abstract methods of `Core`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from archdsl.diagnostics.core import Bag, Label
from archdsl.graph.describe import describe_scope
from archdsl.graph.ir import Graph, Ref, Scope
from archdsl.graph.sizes import decided, has_sizes
from archdsl.semantics.program import FileScope
from archdsl.semantics.values import UNKNOWN, Arg, Layer, OpLayer, Tensor, expr_of, plain
from archdsl.source import Span
from archdsl.symbolic import Const, Expr, expand, substitute, symbols
from archdsl.syntax import ast

MAX_NODES = 200_000
MAX_STEPS = 2_000_000
MAX_DEPTH = 60
ELEMENTS_A_STEP = 4


@dataclass(slots=True)
class Frame:
    """The names a body sees. `scope` is where applied layers make their nodes; None outside a model.

    `inline` frames (fn, scaling) leave no trace in generated source: their locals are substituted.
    """

    file: FileScope
    scope: Scope | None
    locals: dict[str, Any] = field(default_factory=dict)
    inputs: tuple[Tensor, ...] = ()
    inline: bool = False
    owner: str = ""
    function: FunctionTrace | None = None


@dataclass(slots=True)
class FunctionTrace:
    """What generated source needs to print a fn as a function: its named numbers.

    `structural`: an `if` statement or a loop depends on a parameter, so this run says nothing about other values.
    """

    locals: dict[str, Expr] = field(default_factory=dict)
    structural: bool = False


class LimitReached(Exception):
    """Unwinds the elaboration of one variant. Internal; `report` says why, in whichever bag outlives it."""

    def __init__(self, span: Span, what: str, limit: str) -> None:
        self.span = span
        self.what = what
        self.limit = limit

    def report(self, bag: Bag) -> None:
        bag.report("E315", self.span, what=self.what, limit=self.limit)


class Core(ABC):
    """State shared by all rules; one instance elaborates one variant."""

    def __init__(self, bag: Bag) -> None:
        self.bag = bag
        self._own_bag = bag
        self.failed = False
        """Whether an error was found, be it one that an earlier variant had too; not one found `_aside`."""
        self.graph: Graph | None = None
        self.steps = 0
        self.depth = 0
        self.stages: dict[str, Span] = {}
        """The stages met so far by name, and where they are named."""
        self.image: Mapping[str, Arg] = {}
        """Arguments of `image(…)` that take the place of the spec's."""
        self.outputs: dict[str, tuple[Tensor, Span]] = {}
        """The outputs that the model names, and where it does."""
        self.discarded: list[Ref] = []
        """Tensors that were given a name with `_` in front: the author lets go of them."""
        self.requirement = ""
        """What the `require` says that is being looked at."""
        self.reads_sizes = False
        """Whether a size of a tensor was asked for that depends on the image's."""
        self.containers: dict[tuple[int, str], Scope] = {}
        """The first scope of each container, by the identity of the names around it and its own name."""

    @abstractmethod
    def evaluate(self, node: ast.Expression, frame: Frame) -> Any: ...

    @abstractmethod
    def execute(self, body: Sequence[ast.Statement], frame: Frame) -> Any: ...

    @abstractmethod
    def list_value(self, values: list[Any], span: Span, frame: Frame) -> Any: ...

    @abstractmethod
    def call(self, node: ast.CallExpr, frame: Frame) -> Any: ...

    @abstractmethod
    def apply(self, layer: Layer, tensors: tuple[Tensor, ...], frame: Frame, span: Span) -> Any: ...

    @abstractmethod
    def source(self, layer: OpLayer, frame: Frame, span: Span) -> Any: ...

    @abstractmethod
    def combine(self, op: str, operands: Sequence[Any], frame: Frame, span: Span, spans: Sequence[Span]) -> Any: ...

    def error(
        self,
        code: str,
        span: Span | None,
        frame: Frame,
        *,
        label: str | None = None,
        help: str | None = None,
        secondary: Iterable[Label] = (),
        facts: Mapping[str, object] | None = None,
        **more_facts: object,
    ) -> Any:
        """Report, with the chain of instantiations as notes, and give back UNKNOWN."""
        self.failed = self.failed or self.bag is self._own_bag
        self.bag.report(
            code,
            span,
            label=label,
            help=help,
            secondary=secondary,
            notes=self.chain(frame.scope),
            facts={**(facts or {}), **more_facts},
        )
        return UNKNOWN

    def chain(self, scope: Scope | None) -> list[str]:
        """One note for each block instance around a scope, innermost first."""
        if scope is None:
            return []
        blocks = [s for s in scope.ancestors() if s.kind in ("block", "model")]
        return [f"in {describe_scope(block)}, from {block.span}" for block in blocks]

    def step(self, frame: Frame, span: Span, elements: int = 0) -> None:
        """Count one unit of work and some for a list; a spec that asks for too much is an error, not a hang."""
        self.steps += 1 + elements // ELEMENTS_A_STEP
        if self.steps > MAX_STEPS:
            self.limit(frame, span, "steps of evaluation", MAX_STEPS)

    def limit(self, frame: Frame, span: Span, what: str, limit: int) -> None:
        self.error("E315", span, frame, what=what, limit=f"{limit:_}")
        raise LimitReached(span, what, f"{limit:_}")

    def unsized(self, value: Any, span: Span, frame: Frame) -> Any:
        """A value on which the network now depends, without what it says of the size of the image, which is noted."""
        expr = expr_of(value) if self.reads_sizes else None
        if expr is None or not has_sizes(expr):
            return value
        self.structural(expr, frame)
        if frame.scope is not None:
            owner = frame.scope.frame
            known = {name: Const(plain(bound.value)) for name, bound in owner.arguments.items()}
            asked = substitute(expand(expr), known)
            # A choice by a parameter may leave the size aside.
            decision = decided(asked, plain(value), span, self.requirement) if has_sizes(asked) else None
            if decision is not None and decision not in owner.decisions:
                owner.decisions.append(decision)
        return plain(value)

    def structural(self, expr: Expr, frame: Frame) -> None:
        """Note that the shape of the network itself depends on these parameters, not only its numbers."""
        if frame.function is not None:
            frame.function.structural |= bool(symbols(expr))
        elif frame.scope is not None:
            frame.scope.frame.structural |= symbols(expr)
