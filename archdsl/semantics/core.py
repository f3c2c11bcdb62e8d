"""The state of one elaboration, and what its parts may ask of each other.

`Elaborator` (in `elaborate`) is assembled from rules for expressions, statements, calls and
application. Each part sees the others only through the abstract methods of `Core`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from archdsl.diagnostics.core import Bag, Label
from archdsl.graph.describe import describe_scope
from archdsl.graph.ir import Graph, Ref
from archdsl.graph.scopes import Scope
from archdsl.graph.sizes import decided, has_sizes
from archdsl.semantics.program import FileScope
from archdsl.semantics.sizes import MAX_PARAMETERS
from archdsl.semantics.values import UNKNOWN, Arg, Layer, OpLayer, Record, Tensor, expr_of, plain, size_of
from archdsl.source import Span
from archdsl.symbolic import Const, Expr, expand, substitute, symbols
from archdsl.syntax import ast

MAX_PARTS = 200_000
"""Nodes and scopes of all graphs of a run: layers, and the blocks, sequences and labels around them."""
MAX_STEPS = 2_000_000
"""Steps of evaluation of a run."""
MAX_ASIDE = 500_000
"""Steps of what is evaluated only to learn how numbers were computed; beyond, that stays unknown."""
MAX_DEPTH = 60
ELEMENTS_A_STEP = 4


T = TypeVar("T")


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

    def __init__(self, code: str, span: Span, facts: Mapping[str, object]) -> None:
        self.code = code
        self.span = span
        self.facts = facts

    def report(self, bag: Bag) -> None:
        bag.report(self.code, self.span, facts=self.facts)


class Core(ABC):
    """State shared by all rules; one instance elaborates one variant."""

    def __init__(self, bag: Bag) -> None:
        self.bag = bag
        self._own_bag = bag
        self.failed = False
        """Whether an error was found, be it one that an earlier variant had too; not one found `_aside`."""
        self.graph: Graph | None = None
        self.steps, self.parts = bag.steps, bag.parts
        self.most = MAX_STEPS
        self.aside = 0
        self.parameters = 0
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
        if self.steps > self.most:
            self.limit(frame, span, "steps of evaluation", MAX_STEPS, spent=True)

    def walk(self, value: Any, span: Span, frame: Frame) -> int:
        """How much a value holds, counted as work: whoever asks goes through all of it."""
        value = plain(value)
        if not isinstance(value, tuple | Record):
            return 1
        held = size_of(value)
        self.step(frame, span, 2 * held)
        return held

    def trial(self, work: Callable[[], T], otherwise: T) -> T:
        """What `work` gives, whose errors and steps do not count; `otherwise` after errors, or if it takes too long."""
        bag, depth, steps, most = self.bag, self.depth, self.steps, self.most
        outermost = bag is self._own_bag
        self.bag = Bag()
        if outermost:
            self.most = steps + MAX_ASIDE - self.aside
        try:
            value = work()
            return otherwise if len(self.bag) else value
        except (LimitReached, RecursionError):
            return otherwise
        finally:
            self.bag, self.depth = bag, depth
            if outermost:
                self.aside += self.steps - steps
                self.steps, self.most = steps, most

    def grow(self, frame: Frame, span: Span, parts: int = 1) -> None:
        """Count nodes and scopes before they are made."""
        self.parts += parts
        if self.parts > MAX_PARTS:
            self.limit(frame, span, "layers, blocks and sequences", MAX_PARTS, spent=True)

    def settle(self) -> None:
        """Say what this evaluation has cost, in favour of the next one of the run."""
        self._own_bag.steps, self._own_bag.parts = self.steps, self.parts

    def limit(self, frame: Frame, span: Span, what: str, limit: int, *, spent: bool = False) -> None:
        """E315, and an end to the evaluation; `spent`: to that of all that follows in the run too."""
        if self.bag is self._own_bag:
            self.bag.spent = self.bag.spent or spent
        self.unwind("E315", frame, span, {"what": what, "limit": f"{limit:_}"})

    def unwind(self, code: str, frame: Frame, span: Span, facts: Mapping[str, object]) -> None:
        """An error that ends the evaluation."""
        self.error(code, span, frame, facts=facts)
        raise LimitReached(code, span, facts)

    def weigh(self, frame: Frame, span: Span, parameters: int) -> None:
        """Count elements of weights; E332 where a network has too many."""
        self.parameters += parameters
        if self.parameters > MAX_PARAMETERS:
            self.unwind("E332", frame, span, {"limit": f"{MAX_PARAMETERS:_}"})

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
            if decision is not None:
                owner.decisions[decision] = None
        return plain(value)

    def structural(self, expr: Expr, frame: Frame) -> None:
        """Note that the shape of the network itself depends on these parameters, not only its numbers."""
        if frame.function is not None:
            frame.function.structural |= bool(symbols(expr))
        elif frame.scope is not None:
            frame.scope.frame.structural |= symbols(expr)
