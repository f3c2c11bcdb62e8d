"""The bound tree: expressions and statements in which every name is resolved, and every argument has its parameter.

`resolve` makes it of the syntax, `evaluate` and `execute` read it. What has been refused, and reported, stands in it as
`Refused`, or as a call that is not `whole`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeAlias

from archdsl.ops.spec import OpSpec
from archdsl.semantics.values import Arg, Builtin
from archdsl.source import Span
from archdsl.syntax.ast import Target, TypeRef

if TYPE_CHECKING:
    from archdsl.semantics.program import Definition


@dataclass(slots=True, eq=False, repr=False)
class Bound:
    """Base: every piece knows the place of its syntax. Never changed once made."""

    span: Span


# --- names -----------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class Local(Bound):
    """A parameter, or what the body has bound; `otherwise`: what the name means where it has not done so."""

    name: str
    otherwise: Expression | None


@dataclass(slots=True, eq=False, repr=False)
class Input(Bound):
    """`in`, the only input of a block."""


@dataclass(slots=True, eq=False, repr=False)
class Identity(Bound):
    """`id`"""


@dataclass(slots=True, eq=False, repr=False)
class Op(Bound):
    """An op by its name: a layer without arguments."""

    op: OpSpec


@dataclass(slots=True, eq=False, repr=False)
class Reference(Bound):
    """A block, fn, scaling, model or table by its name."""

    definition: Definition


@dataclass(slots=True, eq=False, repr=False)
class Function(Bound):
    """A function of the language by its name."""

    builtin: Builtin


@dataclass(slots=True, eq=False, repr=False)
class Refused(Bound):
    """What is wrong, which has been reported: its value is unknown."""


# --- calls -----------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class Argument(Bound):
    """`64`, `stride = 2` or `..compound(phi = 1)` (spread) in a call."""

    name: str | None
    value: Expression
    spread: bool
    name_span: Span | None

    @property
    def place(self) -> Span:
        """Where the name stands, or what has none."""
        return self.name_span or self.value.span


@dataclass(slots=True, eq=False, repr=False)
class Arguments:
    """The arguments of a call, and the parameter that each is for (none of a spread one).

    `whole`: whether they fit the parameters, as far as that can be said of their names; else it has been reported.
    """

    given: tuple[Argument, ...]
    names: tuple[str | None, ...]
    whole: bool = True


@dataclass(slots=True, eq=False, repr=False)
class CallOp(Bound):
    """`conv(64, 3)`, and `image(3, 224, 224)`; `literal`: the arguments' values, where all of them are literals."""

    op: OpSpec
    arguments: Arguments
    literal: Mapping[str, Arg] | None


@dataclass(slots=True, eq=False, repr=False)
class CallBlock(Bound):
    """`Bottleneck(64, stride = 2)`"""

    block: Definition
    arguments: Arguments


@dataclass(slots=True, eq=False, repr=False)
class CallFunction(Bound):
    """`divisible(64 * factor)`: of a fn or a scaling."""

    definition: Definition
    arguments: Arguments


@dataclass(slots=True, eq=False, repr=False)
class CallBuiltin(Bound):
    """`max(a, b)`"""

    builtin: Builtin
    operands: tuple[Expression, ...]
    place: Span
    """Of its only operand, or of the call: where what it refuses stands."""


@dataclass(slots=True, eq=False, repr=False)
class Combine(Bound):
    """`concat(a, b)`, `add(a, b)`: of layers or tensors."""

    op: OpSpec
    operands: tuple[Expression, ...]


@dataclass(slots=True, eq=False, repr=False)
class CallValue(Bound):
    """A call of what is known only when it is evaluated: `act()` of a parameter. Its arguments are bound then."""

    callee: Expression
    given: tuple[Argument, ...]


# --- other expressions -----------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class Number(Bound):
    value: int | float


@dataclass(slots=True, eq=False, repr=False)
class Literal(Bound):
    value: str | bool


@dataclass(slots=True, eq=False, repr=False)
class Attribute(Bound):
    """`x.channels`, `row.out`"""

    value: Expression
    name: str
    name_span: Span


@dataclass(slots=True, eq=False, repr=False)
class Subscript(Bound):
    """`depths[i]`, `widths[1..4]`"""

    value: Expression
    index: Expression


@dataclass(slots=True, eq=False, repr=False)
class Unary(Bound):
    op: str
    operand: Expression


@dataclass(slots=True, eq=False, repr=False)
class Binary(Bound):
    op: str
    left: Expression
    right: Expression
    op_span: Span


@dataclass(slots=True, eq=False, repr=False)
class Range(Bound):
    start: Expression | None
    stop: Expression | None


@dataclass(slots=True, eq=False, repr=False)
class If(Bound):
    condition: Expression
    yes: Expression
    no: Expression


@dataclass(slots=True, eq=False, repr=False)
class Arrow(Bound):
    operands: tuple[Expression, ...]


@dataclass(slots=True, eq=False, repr=False)
class LabelPart:
    """Literal text, or an expression in braces."""

    text: str
    value: Expression | None


@dataclass(slots=True, eq=False, repr=False)
class Labelled(Bound):
    parts: tuple[LabelPart, ...]
    stage: bool
    value: Expression
    label_span: Span


@dataclass(slots=True, eq=False, repr=False)
class Splice(Bound):
    """`..xs`"""

    value: Expression


@dataclass(slots=True, eq=False, repr=False)
class Item(Bound):
    """A member of a list: `f`, `n of f` or `f if c`."""

    value: Expression | Splice
    count: Expression | None
    condition: Expression | None


@dataclass(slots=True, eq=False, repr=False)
class List(Bound):
    items: tuple[Item, ...]


@dataclass(slots=True, eq=False, repr=False)
class Clause:
    """`for i in 0..n if c` of a comprehension."""

    target: Target
    iterable: Expression
    condition: Expression | None


@dataclass(slots=True, eq=False, repr=False)
class Comprehension(Bound):
    value: Expression | Splice
    clauses: tuple[Clause, ...]


@dataclass(slots=True, eq=False, repr=False)
class Tuple(Bound):
    items: tuple[Expression, ...]


Expression: TypeAlias = (
    Local | Input | Identity | Op | Reference | Function | Refused | CallOp | CallBlock | CallFunction | CallBuiltin
    | Combine | CallValue | Number | Literal | Attribute | Subscript | Unary | Binary | Range | If | Arrow | Labelled
    | List | Comprehension | Tuple
)  # fmt: skip

# --- statements ------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class Assign(Bound):
    target: Target
    value: Expression


@dataclass(slots=True, eq=False, repr=False)
class IfStatement(Bound):
    condition: Expression
    yes: tuple[Statement, ...]
    no: tuple[Statement, ...]


@dataclass(slots=True, eq=False, repr=False)
class For(Bound):
    target: Target
    iterable: Expression
    body: tuple[Statement, ...]


@dataclass(slots=True, eq=False, repr=False)
class Stage(Bound):
    """`stage stem { … }`"""

    parts: tuple[LabelPart, ...]
    name_span: Span
    body: tuple[Statement, ...]


@dataclass(slots=True, eq=False, repr=False)
class Output(Bound):
    """`output aux_logits = e`; `fixed`: whether the name is the same each time, and so has been checked."""

    parts: tuple[LabelPart, ...]
    name_span: Span
    value: Expression
    fixed: bool


@dataclass(slots=True, eq=False, repr=False)
class Require(Bound):
    """`require c, "message"`; without one the message is the condition's text."""

    condition: Expression
    message: str


@dataclass(slots=True, eq=False, repr=False)
class Result(Bound):
    """An expression as a statement; the last one of a body is its result."""

    value: Expression


Statement: TypeAlias = Assign | IfStatement | For | Stage | Output | Require | Result

# --- definitions -----------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class Parameter(Bound):
    """A parameter of a definition."""

    name: str
    type: TypeRef | None
    allowed: Expression | None
    default: Expression | None


@dataclass(slots=True, eq=False, repr=False)
class Row(Bound):
    """A row of a table."""

    values: tuple[Expression, ...]


# --- walking ---------------------------------------------------------------------------------


def walk(value: object) -> Iterator[Bound]:
    """Every piece of a tree, or of a tuple of such. What definitions it refers to say is no part of it."""
    if isinstance(value, tuple):
        for item in value:
            yield from walk(item)
    elif isinstance(value, Bound | Arguments | Clause | LabelPart):
        if isinstance(value, Bound):
            yield value
        kind: Any = type(value)
        for name in _parts(kind):
            yield from walk(getattr(value, name))


@cache
def _parts(kind: Any) -> tuple[str, ...]:
    return tuple(f.name for f in fields(kind))
