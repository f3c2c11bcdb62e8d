"""The abstract syntax of a `.arch` file: immutable dataclasses, as close to the text as possible.

`span` never takes part in equality, so `parse(fmt(file)) == file` holds for every file.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, TypeAlias

from archdsl.source import Span


@dataclass(slots=True, eq=False, repr=False)
class Syntax:
    """Base: every piece of syntax knows its place. Never changed once made.

    Equality, hash and repr are written here once, for all: generated for each of the classes below, and with them what
    `frozen=True` adds, they would take a tenth of the time that checking a family may take.
    """

    span: Span = field(compare=False, repr=False, kw_only=True)

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
    name_span: Span = field(compare=False, repr=False)


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
    name_span: Span | None = field(default=None, compare=False, repr=False)


@dataclass(slots=True, eq=False, repr=False)
class CallExpr(Syntax):
    callee: Expression
    arguments: tuple[Argument, ...]


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
    op_span: Span = field(compare=False, repr=False)


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
    label_span: Span = field(compare=False, repr=False)
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
    name_span: Span = field(compare=False, repr=False)
    quoted: bool = False


@dataclass(slots=True, eq=False, repr=False)
class Output(Syntax):
    """`output aux_logits = e`, `output p{i} = e`, `output "{name}" = e`: a tensor that the model gives under a name.

    `quoted` if the name is written as a string.
    """

    parts: tuple[LabelPart, ...]
    name_span: Span = field(compare=False, repr=False)
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

# --- items -----------------------------------------------------------------------------------


@dataclass(slots=True, eq=False, repr=False)
class TypeRef(Syntax):
    """`int`, `float`, `bool`, `string`, `layer`, `tensor`, `record`, `list`, `list(int)`."""

    name: str
    element: TypeRef | None = None


@dataclass(slots=True, eq=False, repr=False)
class Parameter(Syntax):
    """`name`, `name: type`, `name: type in 1..10`, `name: string in ["a", "b"]`, each with `= default`."""

    name: str
    type: TypeRef | None
    allowed: Expression | None
    default: Expression | None


@dataclass(slots=True, eq=False, repr=False)
class Docstring(Syntax):
    text: str


@dataclass(slots=True, eq=False, repr=False)
class UsedName(Syntax):
    name: str


@dataclass(slots=True, eq=False, repr=False)
class Use(Syntax):
    """`use "common.arch" (SE, divisible)`"""

    path: String
    names: tuple[UsedName, ...]


@dataclass(slots=True, eq=False, repr=False)
class Default(Syntax):
    """`default bn(eps = 1e-3), conv(bias = false)`"""

    calls: tuple[CallExpr, ...]


@dataclass(slots=True, eq=False, repr=False)
class Definition(Syntax):
    """`block`, `fn`, `scaling` and `model`: a name, parameters and a body.

    `kind` says which; `inputs` are the names after `on` (a block only; empty means `in`); `expression`
    says that the body was written as `= e` (one Result) rather than in braces.
    """

    kind: str
    name: str
    name_span: Span = field(compare=False, repr=False)
    parameters: tuple[Parameter, ...]
    inputs: tuple[UsedName, ...]
    body: tuple[Statement, ...]
    docstring: Docstring | None
    expression: bool


@dataclass(slots=True, eq=False, repr=False)
class Row(Syntax):
    """One row of a table: its values in order."""

    values: tuple[Expression, ...]


@dataclass(slots=True, eq=False, repr=False)
class Table(Syntax):
    name: str
    name_span: Span = field(compare=False, repr=False)
    columns: tuple[UsedName, ...]
    rows: tuple[Row, ...]
    docstring: Docstring | None


@dataclass(slots=True, eq=False, repr=False)
class VariantRow(Syntax):
    """`resnet18: Basic, [2, 2, 2, 2]` in `variants`; a value may be `name = value` or a spread."""

    name: str
    name_span: Span = field(compare=False, repr=False)
    arguments: tuple[Argument, ...]


@dataclass(slots=True, eq=False, repr=False)
class Variants(Syntax):
    """`variants ResNet(unit, depths) { rows }`"""

    model: Name
    columns: tuple[UsedName, ...]
    rows: tuple[VariantRow, ...]
    docstring: Docstring | None


@dataclass(slots=True, eq=False, repr=False)
class Variant(Syntax):
    """`variant n = Model(…)` or `variant n = other with (…)`: `base` names the model or the other variant."""

    name: str
    name_span: Span = field(compare=False, repr=False)
    base: Name
    arguments: tuple[Argument, ...]
    amends: bool
    docstring: Docstring | None


@dataclass(slots=True, eq=False, repr=False)
class Entry(Syntax):
    """`key = value` in `expect`, `reference`, `preprocess`, `recipe`, `space` and a row of `weights`."""

    key: str
    key_span: Span = field(compare=False, repr=False)
    value: Expression


@dataclass(slots=True, eq=False, repr=False)
class Expect(Syntax):
    """`expect resnet50 { params = 25_557_032, macs = 4.09G }`"""

    variant: Name
    entries: tuple[Entry, ...]


@dataclass(slots=True, eq=False, repr=False)
class ReferenceTarget(Syntax):
    """`a`, or `a = "name"`: a variant or a model, and the library's name for it; None: the variant's own."""

    target: Name
    model: String | None


@dataclass(slots=True, eq=False, repr=False)
class Reference(Syntax):
    """`reference timm for a, b = "name of b" with (drop_rate = 0.2) { "why" tolerance = 1e-9 }`"""

    library: Name
    targets: tuple[ReferenceTarget, ...]
    arguments: tuple[Argument, ...]
    docstring: Docstring | None
    entries: tuple[Entry, ...]


@dataclass(slots=True, eq=False, repr=False)
class Preprocess(Syntax):
    """`preprocess resnet50 { size = 224, … }`: `targets` are models or variants."""

    targets: tuple[Name, ...]
    entries: tuple[Entry, ...]


@dataclass(slots=True, eq=False, repr=False)
class Rule(Syntax):
    """`conv: kaiming_normal(mode = "fan_out")` in `init`; `"features.*.fc": …` is a path pattern."""

    pattern: str
    pattern_span: Span = field(compare=False, repr=False)
    quoted: bool
    value: Expression


@dataclass(slots=True, eq=False, repr=False)
class Init(Syntax):
    """`init Model { rules }`: the last rule that matches a module wins."""

    targets: tuple[Name, ...]
    rules: tuple[Rule, ...]


@dataclass(slots=True, eq=False, repr=False)
class Shape(Syntax):
    """`[C, 1, 1]`: the shape of a tensor, whose sizes are numbers or have names."""

    sizes: tuple[Name | Number, ...]


@dataclass(slots=True, eq=False, repr=False)
class KeyRule(Syntax):
    """`"blocks.{s}.{i}.conv" = "stages.{s + 1}.{i}.conv"`: theirs on the left, ours on the right."""

    theirs: String
    ours: String
    their_shape: Shape | None = None
    our_shape: Shape | None = None


@dataclass(slots=True, eq=False, repr=False)
class Absent(Syntax):
    """`"AuxLogits" = none`: keys of theirs that a model without such a part leaves aside."""

    theirs: String


@dataclass(slots=True, eq=False, repr=False)
class Counter(Syntax):
    """`count n in "blocks.{s}.{i}"`: numbers the paths of ours that match, 0, 1, 2 … in the order of the graph."""

    name: str
    name_span: Span = field(compare=False, repr=False)
    ours: String


@dataclass(slots=True, eq=False, repr=False)
class Checkpoint(Syntax):
    """`checkpoint timm for Model { rules }`: how another library names this model's weights."""

    name: str
    name_span: Span = field(compare=False, repr=False)
    targets: tuple[Name, ...]
    rules: tuple[KeyRule | Absent | Counter, ...]
    docstring: Docstring | None


@dataclass(slots=True, eq=False, repr=False)
class Progressive(Syntax):
    """`progressive(size, magnitude) in 4 { rows }` in a recipe: stages, or (`count` given) the ends of that many."""

    columns: tuple[UsedName, ...]
    count: Expression | None
    rows: tuple[Row, ...]


@dataclass(slots=True, eq=False, repr=False)
class Recipe(Syntax):
    """`recipe a2 for resnet50 = a1 with { epochs = 300 }`: `base` is what is amended, `targets` may be none.

    `braces`: whether there is a body.
    """

    name: str
    name_span: Span = field(compare=False, repr=False)
    targets: tuple[Name, ...]
    base: Name | None
    docstring: Docstring | None
    members: tuple[Entry | Progressive, ...]
    braces: bool


@dataclass(slots=True, eq=False, repr=False)
class Dimension(Syntax):
    """`depth in 12..29` in a space: what varies, and over which values."""

    key: str
    key_span: Span = field(compare=False, repr=False)
    domain: Expression


@dataclass(slots=True, eq=False, repr=False)
class Space(Syntax):
    """`space small for RegNet { depth in 12..29 … }`: of a model, or a variant whose other parameters it keeps."""

    name: str
    name_span: Span = field(compare=False, repr=False)
    target: Name
    docstring: Docstring | None
    members: tuple[Dimension | Entry | Require, ...]


@dataclass(slots=True, eq=False, repr=False)
class WeightsRow(Syntax):
    """`a1_in1k: hub = "timm/resnet50.a1_in1k", top1 = 80.2`: one published file."""

    tag: str
    tag_span: Span = field(compare=False, repr=False)
    quoted: bool
    entries: tuple[Entry, ...]


@dataclass(slots=True, eq=False, repr=False)
class Weights(Syntax):
    """`weights timm for resnet50 { rows }`: the files that are published for a variant, in a library's names."""

    library: Name
    about: ReferenceTarget
    rows: tuple[WeightsRow, ...]
    docstring: Docstring | None


@dataclass(slots=True, eq=False, repr=False)
class WeightsList(Syntax):
    """`weights "weights/resnet.arch"`: the file that holds the `weights` items of this one."""

    path: String


ItemSyntax: TypeAlias = (
    Docstring | Use | Default | Definition | Table | Variants | Variant | Expect | Reference | Preprocess | Init
    | Checkpoint | Recipe | Space | Weights | WeightsList
)  # fmt: skip


@dataclass(slots=True, eq=False, repr=False)
class File(Syntax):
    """A whole file. `docstring` is the first string standing alone."""

    docstring: Docstring | None
    items: tuple[ItemSyntax, ...]
