"""The abstract syntax of a `.arch` file: immutable dataclasses, as close to the text as possible.

`span` never takes part in equality, so `parse(fmt(file)) == file` holds for every file. Here are the items of a file;
the expressions and statements in them are those of `ast_bodies`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from archdsl.source import Span
from archdsl.syntax.ast_bodies import (
    Argument,
    Arrow,
    Assign,
    Attribute,
    BinaryExpr,
    Bool,
    CallExpr,
    Clause,
    Comprehension,
    Expression,
    For,
    If,
    IfStatement,
    Item,
    Labelled,
    LabelPart,
    ListExpr,
    Name,
    Number,
    Output,
    Range,
    Require,
    Result,
    Splice,
    Stage,
    Statement,
    String,
    Subscript,
    Syntax,
    Target,
    TupleExpr,
    Unary,
)


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
    name_span: Span = field(compare=False)
    parameters: tuple[Parameter, ...]
    inputs: tuple[UsedName, ...]
    body: tuple[Statement, ...]
    docstring: Docstring | None
    expression: bool


@dataclass(slots=True, eq=False, repr=False)
class Row(Syntax):
    """One row of a table: its values in order."""

    values: tuple[Expression, ...]

    def misfit(self, columns: int) -> Span:
        """Where a row that has not as many values as there are columns is wrong: at the first one too many, or all.

        A line that begins with a comma continues the row above, so what is too many may stand in the next line.
        """
        return self.span if len(self.values) < columns else self.values[columns].span


@dataclass(slots=True, eq=False, repr=False)
class Table(Syntax):
    name: str
    name_span: Span = field(compare=False)
    columns: tuple[UsedName, ...]
    rows: tuple[Row, ...]
    docstring: Docstring | None


@dataclass(slots=True, eq=False, repr=False)
class VariantRow(Syntax):
    """`resnet18: Basic, [2, 2, 2, 2]` in `variants`; a value may be `name = value` or a spread."""

    name: str
    name_span: Span = field(compare=False)
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
    name_span: Span = field(compare=False)
    base: Name
    arguments: tuple[Argument, ...]
    amends: bool
    docstring: Docstring | None


@dataclass(slots=True, eq=False, repr=False)
class Entry(Syntax):
    """`key = value` in `expect`, `reference`, `preprocess`, `recipe`, `space` and a row of `weights`."""

    key: str
    key_span: Span = field(compare=False)
    value: Expression

    @property
    def takes_back(self) -> bool:
        """Whether it is `key = none`: in an amendment, without what was said of the key."""
        return isinstance(self.value, Name) and self.value.name == "none"


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
    pattern_span: Span = field(compare=False)
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
    """`"AuxLogits" = none`: keys of theirs that a model without such a part leaves out."""

    theirs: String


@dataclass(slots=True, eq=False, repr=False)
class Counter(Syntax):
    """`count n in "blocks.{s}.{i}"`: numbers the paths of ours that match, 0, 1, 2 … in the order of the graph."""

    name: str
    name_span: Span = field(compare=False)
    ours: String


@dataclass(slots=True, eq=False, repr=False)
class Checkpoint(Syntax):
    """`checkpoint timm for Model { rules }`: how another library names this model's weights."""

    name: str
    name_span: Span = field(compare=False)
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
    name_span: Span = field(compare=False)
    targets: tuple[Name, ...]
    base: Name | None
    docstring: Docstring | None
    members: tuple[Entry | Progressive, ...]
    braces: bool


@dataclass(slots=True, eq=False, repr=False)
class Dimension(Syntax):
    """`depth in 12..29` in a space: what varies, and over which values."""

    key: str
    key_span: Span = field(compare=False)
    domain: Expression


@dataclass(slots=True, eq=False, repr=False)
class Space(Syntax):
    """`space small for RegNet { depth in 12..29 … }`: of a model, or a variant whose other parameters it keeps.

    `space few = small with { depth in 12..15 }`: `base` is what is amended, whose `target` it may keep.
    """

    name: str
    name_span: Span = field(compare=False)
    target: Name | None
    base: Name | None
    docstring: Docstring | None
    members: tuple[Dimension | Entry | Require, ...]
    braces: bool


@dataclass(slots=True, eq=False, repr=False)
class WeightsRow(Syntax):
    """`a1_in1k: hub = "timm/resnet50.a1_in1k", top1 = 80.2`: one published file."""

    tag: str
    tag_span: Span = field(compare=False)
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


__all__ = [
    "Absent", "Argument", "Arrow", "Assign", "Attribute", "BinaryExpr", "Bool", "CallExpr", "Checkpoint", "Clause",
    "Comprehension", "Counter", "Default", "Definition", "Dimension", "Docstring", "Entry", "Expect", "Expression",
    "File", "For", "If", "IfStatement", "Init", "Item", "ItemSyntax", "KeyRule", "LabelPart", "Labelled",
    "ListExpr", "Name", "Number", "Output", "Parameter", "Preprocess", "Progressive", "Range", "Recipe",
    "Reference", "ReferenceTarget", "Require", "Result", "Row", "Rule", "Shape", "Space", "Splice", "Stage",
    "Statement", "String", "Subscript", "Syntax", "Table", "Target", "TupleExpr", "TypeRef", "Unary", "Use",
    "UsedName", "Variant", "VariantRow", "Variants", "Weights", "WeightsList", "WeightsRow",
]  # fmt: skip
