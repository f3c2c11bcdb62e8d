"""The abstract syntax of what stands in bodies, and the base of all of it: expressions and statements.

Other modules have it from `archdsl.syntax.ast`, with the items of a file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

from archdsl.source import Span


@dataclass(slots=True, eq=False, repr=False)
class Syntax:
    """Base: every piece of syntax knows its place. Never changed once made.

    Equality, hash and repr are written here once, for all: generated for each of the classes, and with them what
    `frozen=True` adds, they would take a tenth of the time that checking a family may take.
    """

    span: Span = field(compare=False, kw_only=True)

    def _parts(self) -> tuple[Any, ...]:
        return tuple(getattr(self, f.name) for f in fields(self) if f.compare)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Syntax) and type(self) is type(other) and self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash((type(self), self._parts()))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(repr, self._parts()))})"


# --- expressions -----------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class Number(Syntax):
    """`3`, `25_557_032`, `1e-3`, `4.09G`. `text` is the literal as written; value is exact."""

    value: int | float
    text: str = field(compare=False)


@dataclass(slots=True, eq=False, repr=False)
class String(Syntax):
    value: str


@dataclass(slots=True, eq=False, repr=False)
class Bool(Syntax):
    value: bool


@dataclass(slots=True, eq=False, repr=False)
class Name(Syntax):
    """A name; `in` (the input of the block) is the name `in`."""

    name: str


@dataclass(slots=True, eq=False, repr=False)
class Attribute(Syntax):
    """`x.channels`, `row.out`"""

    value: Expression
    name: str
    name_span: Span = field(compare=False)


@dataclass(slots=True, eq=False, repr=False)
class Subscript(Syntax):
    """`depths[i]`, `widths[1..4]`, `rates[..n]`"""

    value: Expression
    index: Expression


@dataclass(slots=True, eq=False, repr=False)
class Argument(Syntax):
    """`64`, `stride = 2` or `..compound(phi = 1)` (spread) in a call."""

    name: str | None
    value: Expression
    spread: bool = False
    name_span: Span | None = field(default=None, compare=False)


@dataclass(slots=True, eq=False, repr=False)
class CallExpr(Syntax):
    callee: Expression
    arguments: tuple[Argument, ...]

    @property
    def called(self) -> str:
        """The name that is called; empty where another expression is."""
        return self.callee.name if isinstance(self.callee, Name) else ""


@dataclass(slots=True, eq=False, repr=False)
class Unary(Syntax):
    """`-x`, `not x`"""

    op: str
    operand: Expression


@dataclass(slots=True, eq=False, repr=False)
class BinaryExpr(Syntax):
    """`+ - * / // % ^`, `== != < <= > >=`, `and or`."""

    op: str
    left: Expression
    right: Expression
    op_span: Span = field(compare=False)


@dataclass(slots=True, eq=False, repr=False)
class Range(Syntax):
    """`0..n`, half-open; an end may be missing where a list is cut (`xs[1..]`) or a parameter bounded."""

    start: Expression | None
    stop: Expression | None


@dataclass(slots=True, eq=False, repr=False)
class If(Syntax):
    """`if c then a else b`"""

    condition: Expression
    yes: Expression
    no: Expression


@dataclass(slots=True, eq=False, repr=False)
class Arrow(Syntax):
    """`a -> b -> c`, flattened: at least two operands."""

    operands: tuple[Expression, ...]


@dataclass(slots=True, eq=False, repr=False)
class LabelPart(Syntax):
    """One piece of a label: literal text or an interpolated expression (`{i + 1}`). Dots stay in the text."""

    text: str | None
    value: Expression | None


@dataclass(slots=True, eq=False, repr=False)
class Labelled(Syntax):
    """`conv1: conv(64)`, `stage layer{i}: […]`, `"block{s}-{j}": …`; `quoted` if written as a string."""

    parts: tuple[LabelPart, ...]
    stage: bool
    value: Expression
    label_span: Span = field(compare=False)
    quoted: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Splice(Syntax):
    """`..xs`, a member of a list or the value of a comprehension: each member of xs. By itself it is no expression."""

    value: Expression


@dataclass(slots=True, eq=False, repr=False)
class Item(Syntax):
    """A member of `[…]`: `f`, `n of f` (count) or `f if c` (condition), where f may be a `Splice`."""

    value: Expression | Splice
    count: Expression | None = None
    condition: Expression | None = None


@dataclass(slots=True, eq=False, repr=False)
class ListExpr(Syntax):
    """`[a, b, n of c, d if e]`: a list of values, or a numbered sequence of layers."""

    items: tuple[Item, ...]


@dataclass(slots=True, eq=False, repr=False)
class Target(Syntax):
    """What a loop or an assignment binds: a name, or a tuple of targets (`i, (n, dim)`)."""

    name: str | None
    items: tuple[Target, ...] = ()


@dataclass(slots=True, eq=False, repr=False)
class Clause(Syntax):
    """`for i in 0..n if c` of a comprehension; two targets (`i, v`) also bind the index."""

    target: Target
    iterable: Expression
    condition: Expression | None


@dataclass(slots=True, eq=False, repr=False)
class Comprehension(Syntax):
    """`[f(i, j) for i in 0..n for j in 0..i]`: the last clause changes fastest."""

    value: Expression | Splice
    clauses: tuple[Clause, ...]


@dataclass(slots=True, eq=False, repr=False)
class TupleExpr(Syntax):
    """`(a, b)`"""

    items: tuple[Expression, ...]


Expression: TypeAlias = (
    Number | String | Bool | Name | Attribute | Subscript | CallExpr | Unary | BinaryExpr | Range | If | Arrow
    | Labelled | ListExpr | Comprehension | TupleExpr
)  # fmt: skip

# --- statements ------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class Assign(Syntax):
    """`x = e`, `prev, cur = cur, next` (several values become a TupleExpr)."""

    target: Target
    value: Expression


@dataclass(slots=True, eq=False, repr=False)
class IfStatement(Syntax):
    """`if c { … } else { … }`; `else if` nests one IfStatement in `no`."""

    condition: Expression
    yes: tuple[Statement, ...]
    no: tuple[Statement, ...]


@dataclass(slots=True, eq=False, repr=False)
class For(Syntax):
    target: Target
    iterable: Expression
    body: tuple[Statement, ...]


@dataclass(slots=True, eq=False, repr=False)
class Stage(Syntax):
    """`stage stem { … }`, `stage stage{i} { … }`, `stage "3-4" { … }`; `quoted` if the name is written as a string."""

    parts: tuple[LabelPart, ...]
    body: tuple[Statement, ...]
    name_span: Span = field(compare=False)
    quoted: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Output(Syntax):
    """`output aux_logits = e`, `output p{i} = e`, `output "{name}" = e`: a tensor that the model gives under a name.

    `quoted` if the name is written as a string.
    """

    parts: tuple[LabelPart, ...]
    name_span: Span = field(compare=False)
    value: Expression
    quoted: bool = False

    @property
    def name(self) -> str | None:
        """The name, if it is the same each time."""
        texts = [part.text for part in self.parts if part.text is not None]
        return "".join(texts) if len(texts) == len(self.parts) else None


@dataclass(slots=True, eq=False, repr=False)
class Require(Syntax):
    """`require c, "message"`"""

    condition: Expression
    message: String | None


@dataclass(slots=True, eq=False, repr=False)
class Result(Syntax):
    """An expression as a statement; the last one of a body is its result."""

    value: Expression


Statement: TypeAlias = Assign | IfStatement | For | Stage | Output | Require | Result
