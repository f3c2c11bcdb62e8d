"""What an evaluation carries along: a `Run` for the whole of it, a `Context` for each body it is in.

Every rule (`operators`, `lists`, `expressions`, `calls`, `statements`, `nodes`, `application`) is a function of a piece
of syntax, or a layer, and the `Context` it stands in. Steps and sizes are counted here, and errors reported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label
from archdsl.graph.describe import describe_scope
from archdsl.graph.ir import Graph, Ref
from archdsl.graph.scopes import Scope
from archdsl.graph.sizes import decided, has_sizes
from archdsl.semantics.program import FileScope
from archdsl.semantics.sizes import MAX_PARAMETERS
from archdsl.semantics.values import (
    MAX_SIZE,
    SINGLE,
    UNKNOWN,
    Arg,
    Layer,
    Record,
    Tensor,
    Unknown,
    Value,
    expr_of,
    plain,
    size_of,
)
from archdsl.source import Span
from archdsl.symbolic import Const, Expr, Function, expand, substitute, symbols

MAX_PARTS = 200_000
"""Nodes and scopes of all graphs of a run: layers, and the blocks, sequences and labels around them."""
MAX_STEPS = 2_000_000
"""Steps of evaluation of a run."""
MAX_TRIAL_STEPS = 500_000
"""Steps of what is evaluated only to learn how numbers were computed; beyond, that stays unknown."""
MAX_DEPTH = 60
MAX_LIST = MAX_SIZE
ELEMENTS_A_STEP = 4

T = TypeVar("T")


class LimitReached(Exception):
    """Unwinds the elaboration of one variant. Internal; `report` says why, in whichever bag outlives it."""

    def __init__(self, code: str, span: Span, facts: Mapping[str, object]) -> None:
        self.code = code
        self.span = span
        self.facts = facts

    def report(self, bag: Bag) -> None:
        bag.report(self.code, self.span, facts=self.facts)


class Run:
    """What one evaluation has found and spent: that of a variant, or of an expression that stands in no body."""

    def __init__(self, bag: Bag, traced: bool = True) -> None:
        self.bag = bag
        self._own_bag = bag
        self.traced = traced
        self.failed = False
        """Whether an error was found, be it one that an earlier variant had too; not one found in a `trial`."""
        self.graph: Graph | None = None
        self.steps, self.parts = bag.steps, bag.parts
        self.most = MAX_STEPS
        self.trial_steps = 0
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
        self.paths: dict[str, Span] = {}
        """The paths that are taken, and where they were given."""
        self.ordinals: Counter[tuple[str, str]] = Counter()
        """By the path of a scope and the stem of a name: how many of its members without a label have that."""
        self.containers: set[str] = set()
        """The paths of the containers."""
        self.functions: dict[tuple[Any, ...], tuple[Any, Function] | None] = {}
        """By definition and values: what a fn of numbers gives for them, and how; None where that cannot be said."""

    @property
    def size(self) -> int:
        """How many nodes there are."""
        return len(self.graph.nodes) if self.graph else 0

    def report(self, code: str, span: Span | None, **words: Any) -> None:
        """Add a diagnostic; it counts as a failure, unless it is found in a `trial`."""
        self.fail()
        self.bag.report(code, span, **words)

    def fail(self) -> None:
        """There is an error, reported now or where names were resolved."""
        self.failed = self.failed or self.bag is self._own_bag

    def exhaust(self) -> None:
        """Nothing that follows in the run is evaluated, for it has cost too much."""
        if self.bag is self._own_bag:
            self.bag.spent = True

    def trial(self, work: Callable[[], T], otherwise: T) -> T:
        """What `work` gives, whose errors and steps do not count; `otherwise` after errors, or if it takes too long."""
        bag, depth, steps, most = self.bag, self.depth, self.steps, self.most
        outermost = bag is self._own_bag
        self.bag = Bag()
        if outermost:
            self.most = steps + MAX_TRIAL_STEPS - self.trial_steps
        try:
            value = work()
            return otherwise if len(self.bag) else value
        except (LimitReached, RecursionError):
            return otherwise
        finally:
            self.bag, self.depth = bag, depth
            if outermost:
                self.trial_steps += self.steps - steps
                self.steps, self.most = steps, most

    def hand_on_costs(self) -> None:
        """Say what this evaluation has cost, in favour of the next one of the run."""
        self._own_bag.steps, self._own_bag.parts = self.steps, self.parts


@dataclass(slots=True)
class FunctionTrace:
    """What generated source needs to print a fn as a function: its named numbers.

    `structural`: an `if` statement or a loop depends on a parameter, so this run says nothing about other values.
    """

    locals: dict[str, Expr] = field(default_factory=dict)
    structural: bool = False


@dataclass(slots=True)
class Context:
    """The names a body sees, within a `Run`. `scope` is where applied layers make their nodes; None outside a model.

    What is `inline` (fn, scaling) leaves no trace in generated source: its locals are substituted.
    """

    run: Run
    file: FileScope
    scope: Scope | None = None
    locals: dict[str, Value] = field(default_factory=dict)
    inputs: tuple[Tensor, ...] = ()
    inline: bool = True
    function: FunctionTrace | None = None
    kept: dict[str, Expr] = field(default_factory=dict)
    """The numbers of a block that have a name in generated source, too."""

    def within(self, scope: Scope | None) -> Context:
        """The same names, in another scope."""
        return Context(self.run, self.file, scope, self.locals, self.inputs, self.inline, self.function, self.kept)

    # --- errors ------------------------------------------------------------------------------

    def error(
        self,
        code: str,
        span: Span | None,
        *,
        label: str | None = None,
        help: str | None = None,
        secondary: Iterable[Label] = (),
        facts: Mapping[str, object] | None = None,
        **more_facts: object,
    ) -> Unknown:
        """Report, with the chain of instantiations as notes, and give back UNKNOWN."""
        self.run.report(
            code,
            span,
            label=label,
            help=help,
            secondary=secondary,
            notes=chain(self.scope),
            facts={**(facts or {}), **more_facts},
        )
        return UNKNOWN

    def limit(self, span: Span, what: str, limit: int, *, spent: bool = False) -> None:
        """E315, and an end to the evaluation; `spent`: to that of all that follows in the run too."""
        if spent:
            self.run.exhaust()
        self.unwind("E315", span, {"what": what, "limit": f"{limit:_}"})

    def unwind(self, code: str, span: Span, facts: Mapping[str, object]) -> None:
        """An error that ends the evaluation."""
        self.error(code, span, facts=facts)
        raise LimitReached(code, span, facts)

    # --- what it costs -----------------------------------------------------------------------

    def step(self, span: Span, elements: int = 0) -> None:
        """Count one unit of work and some for a list; a spec that asks for too much is an error, not a hang."""
        run = self.run
        run.steps += 1 + elements // ELEMENTS_A_STEP
        if run.steps > run.most:
            self.limit(span, "steps of evaluation", MAX_STEPS, spent=True)

    def walk(self, value: Value, span: Span) -> int:
        """How much a value holds, counted as work: whoever asks goes through all of it."""
        if type(value) in SINGLE or not isinstance(value := plain(value), tuple | Record):
            return 1
        held = size_of(value)
        self.step(span, 2 * held)
        return held

    def sized(self, values: Iterable[Value], span: Span) -> int:
        """How much some values hold together; E315 where that is too much to work with."""
        total = 1
        for value in values:
            total += value.size if isinstance(value, Layer) else self.walk(value, span)
            if total > MAX_LIST + 1:
                self.limit(span, "members of a list or layer", MAX_LIST)
        return total

    def grow(self, span: Span, parts: int = 1) -> None:
        """Count nodes and scopes before they are made."""
        self.run.parts += parts
        if self.run.parts > MAX_PARTS:
            self.limit(span, "layers, blocks and sequences", MAX_PARTS, spent=True)

    def weigh(self, span: Span, parameters: int) -> None:
        """Count elements of weights; E332 where a network has too many."""
        self.run.parameters += parameters
        if self.run.parameters > MAX_PARAMETERS:
            self.unwind("E332", span, {"limit": f"{MAX_PARAMETERS:_}"})

    # --- what the network depends on ---------------------------------------------------------

    def unsized(self, value: Value, span: Span) -> Value:
        """A value on which the network now depends, without what it says of the size of the image, which is noted."""
        expr = expr_of(value) if self.run.reads_sizes else None
        if expr is None or not has_sizes(expr):
            return value
        self.decide(expr, plain(value), span)
        return plain(value)

    def decide(self, expr: Expr, answer: Value | None, span: Span) -> None:
        """Note that the network depends on what this says of the size of the image, if it says something."""
        if not (self.run.reads_sizes and has_sizes(expr)):
            return
        self.structural(expr)
        if self.scope is not None:
            owner = self.scope.frame
            known = {name: Const(plain(bound.value)) for name, bound in owner.arguments.items()}
            asked = substitute(expand(expr), known)
            # A choice by a parameter may leave the size out.
            decision = decided(asked, answer, span, self.run.requirement) if has_sizes(asked) else None
            if decision is not None:
                owner.template.decisions[decision] = None

    def structural(self, expr: Expr) -> None:
        """Note that the shape of the network itself depends on these parameters, not only its numbers."""
        if self.function is not None:
            self.function.structural |= bool(symbols(expr))
        elif self.scope is not None:
            self.scope.frame.template.structural |= symbols(expr)

    def note_discarded(self, name: str, value: Value) -> None:
        """Note that a tensor has a name that may stay unused."""
        if name.startswith("_") and isinstance(value, Tensor):
            self.run.discarded.append(value.ref)


def chain(scope: Scope | None) -> list[str]:
    """One note for each block instance around a scope, innermost first."""
    if scope is None:
        return []
    return [f"in {describe_scope(block)}, from {block.span}" for block in scope.frames]
