"""What a spec computes with: numbers, strings, lists and records; layers; tensors.

Numbers, booleans and strings are Python's own; a list or tuple of the language is a Python tuple. A
number that depends on a parameter of the enclosing block travels as `Traced`, together with the
expression it was computed from. A *layer* is a template, not yet applied; applying it
(`semantics.application`) makes nodes. A *tensor* is one output of a node.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard

from archdsl.graph.describe import value_text
from archdsl.graph.ir import Ref
from archdsl.ops.spec import OpSpec, Shape
from archdsl.source import Source, Span
from archdsl.symbolic import Const, Expr, Tuple, item_of, lift, size

if TYPE_CHECKING:
    from archdsl.semantics.program import Definition


class Unknown(Enum):
    """The value of what has already been reported; whatever touches it is unknown too, silently."""

    UNKNOWN = "unknown"


UNKNOWN: Final = Unknown.UNKNOWN

Value: TypeAlias = (
    "bool | int | float | str | range | tuple[Value, ...] | Traced | Record | Tensor | Layer | Builtin | Definition"
    " | Unknown"
)
"""Whatever an expression may give."""


@dataclass(slots=True, eq=False, repr=False)
class Traced:
    """A plain value and the expression over the frame's parameters that it was computed from."""

    value: Value
    expr: Expr


@dataclass(slots=True, eq=False, repr=False)
class Record:
    """A row of a table."""

    table: str
    fields: Mapping[str, Value]


@dataclass(slots=True, eq=False, repr=False)
class Tensor:
    """A wire: one output of a node; `channels` is its width as an expression of the frame."""

    ref: Ref
    shape: Shape
    channels: Expr


Tensors: TypeAlias = Tensor | tuple[Tensor, ...]
"""What a layer gives: one tensor, or several."""


@dataclass(slots=True, eq=False, repr=False)
class Arg:
    """An evaluated argument: plain value, what it was computed from, and where it stands."""

    value: Value
    expr: Expr
    span: Span


def args_from(origin: str, values: Mapping[str, Any]) -> dict[str, Arg]:
    """Plain values from outside the language as arguments. They stand in a text of their own: `classes = 10`."""
    texts = {name: value_text(value) for name, value in values.items()}
    source = Source(origin, ", ".join(f"{name} = {text}" for name, text in texts.items()))
    found, end = {}, -2
    for name, text in texts.items():
        start = end + len(f", {name} = ")
        end = start + len(text)
        found[name] = Arg(values[name], lift(values[name]), Span(source, start, end))
    return found


@dataclass(slots=True, eq=False, repr=False)
class Layer:
    """Base of layers: `span` is where it was written, `size` how many layers it is made of, repeats included."""

    span: Span
    size: int = field(default=1, kw_only=True)

    def __repr__(self) -> str:
        """As the spec writes it, on one line: for notes."""
        return " ".join(self.span.text.split())


@dataclass(slots=True, eq=False, repr=False)
class OpLayer(Layer):
    """An op with some or all of its arguments; `defaults` are those of the file it was written in."""

    op: OpSpec
    args: Mapping[str, Arg]
    defaults: Mapping[str, Arg]


@dataclass(slots=True, eq=False, repr=False)
class BlockLayer(Layer):
    """A block with some or all of its arguments."""

    block: Definition
    args: Mapping[str, Arg]


@dataclass(slots=True, eq=False, repr=False)
class Chain(Layer):
    """`f -> g -> h`"""

    layers: tuple[Layer, ...]


@dataclass(slots=True, eq=False, repr=False)
class Merge(Layer):
    """`f + g`, `f * g`, `concat(f, g)`: each layer gets the same input, `op` combines."""

    op: OpSpec
    layers: tuple[Layer, ...]


@dataclass(slots=True, eq=False, repr=False)
class Sequence(Layer):
    """`[f, g]`: members numbered in the path, unless labelled."""

    layers: tuple[Layer, ...]


@dataclass(slots=True, eq=False, repr=False)
class Named(Layer):
    """`label: f`, `stage label: f`; `name` is the rendered label, dots included."""

    name: str
    stage: bool
    layer: Layer


@dataclass(slots=True, eq=False, repr=False)
class Choice(Layer):
    """The branch an `if` took; `layer` is Identity where the branch is `id` or a member was left out."""

    condition: Expr
    taken: bool
    site: Span
    layer: Layer


@dataclass(slots=True, eq=False, repr=False)
class Identity(Layer):
    """`id`"""


@dataclass(slots=True, eq=False, repr=False)
class Builtin:
    """A function of the language itself; `python` is its name in generated source, if it has one."""

    name: str
    call: Callable[..., Value]
    least: int
    most: int | None
    python: str | None = None


SINGLE: frozenset[type] = frozenset({int, float, str, bool})
"""What most values are: nothing is in them."""


def plain(value: Value) -> Value:
    """The value without its trace."""
    if type(value) in SINGLE:
        return value
    if isinstance(value, Traced):
        return value.value
    if type(value) is tuple:
        return tuple(map(plain, value))
    if isinstance(value, Record) and any(isinstance(item, Traced | tuple) for item in value.fields.values()):
        return Record(value.table, {name: plain(item) for name, item in value.fields.items()})
    return value


def whole(value: int | Traced) -> int:
    """A whole number without its trace."""
    number = value.value if isinstance(value, Traced) else value
    assert isinstance(number, int)
    return number


def is_true(value: bool | Traced) -> bool:
    """A bool without its trace."""
    return bool(value.value if isinstance(value, Traced) else value)


def is_number(value: Value | None) -> TypeGuard[int | float]:
    """Whether a plain value is a number; a bool is none."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def expr_of(value: Value) -> Expr:
    """What a value was computed from; a constant where it depends on no parameter."""
    if isinstance(value, Traced):
        return value.expr
    if type(value) is tuple and any(isinstance(item, Traced | tuple) for item in value):
        items = tuple(map(expr_of, value))
        return Const(plain(value)) if all(isinstance(item, Const) for item in items) else Tuple(items)
    return Const(value)


def traced(value: Value, expr: Expr) -> Value:
    """A plain value with its expression, or just the value where that is constant."""
    return value if isinstance(expr, Const) or isinstance(value, Layer | Tensor | Record) else Traced(value, expr)


MAX_NUMBER = 10**18
MAX_SIZE = 200_000
"""What a list or a layer may hold, and what it holds in turn."""


def size_of(value: Value) -> int:
    """How much a value holds: layers count what they are made of, lists and records their members, anything else is 1.

    It stops at `MAX_SIZE`: what is in a list twice is counted twice, and may be far more than there is memory for.
    """
    total, stack = 0, [value]
    while stack:
        item = stack.pop()
        if isinstance(item, Layer):
            total += item.size
        elif type(item) is tuple:
            total += 1
            stack.extend(item)
        elif isinstance(item, Record):
            total += 1
            stack.extend(item.fields.values())
        else:
            total += 1
        if total > MAX_SIZE:
            break
    return total


MAX_EXPRESSION = 500
"""Parts of an expression beyond which a number forgets what it was computed from."""


def is_long(expr: Expr) -> bool:
    """Whether an expression has more than `MAX_EXPRESSION` parts, the definitions of its locals included."""
    return size(expr) > MAX_EXPRESSION


def untraced(layer: Layer) -> Layer:
    """The layer with every trace replaced by its value: a layer that enters another block takes none along."""
    match layer:
        case OpLayer():
            return OpLayer(layer.span, layer.op, _untraced_args(layer.args), layer.defaults, size=layer.size)
        case BlockLayer():
            return BlockLayer(layer.span, layer.block, _untraced_args(layer.args), size=layer.size)
        case Chain():
            return Chain(layer.span, tuple(map(untraced, layer.layers)), size=layer.size)
        case Merge():
            return Merge(layer.span, layer.op, tuple(map(untraced, layer.layers)), size=layer.size)
        case Sequence():
            return Sequence(layer.span, tuple(map(untraced, layer.layers)), size=layer.size)
        case Named():
            return Named(layer.span, layer.name, layer.stage, untraced(layer.layer), size=layer.size)
        case Choice():
            return untraced(layer.layer)
    return layer


def traces_of(value: Value) -> Iterator[Expr]:
    """What the numbers inside a layer or record were computed from: lost where it enters another block."""
    match value:
        case Traced():
            yield value.expr
        case Record():
            for item in value.fields.values():
                yield from traces_of(item)
        case OpLayer() | BlockLayer():
            for arg in value.args.values():
                yield arg.expr
                yield from traces_of(arg.value)
        case Chain() | Merge() | Sequence():
            for layer in value.layers:
                yield from traces_of(layer)
        case Choice():
            yield value.condition
            yield from traces_of(value.layer)
        case Named():
            yield from traces_of(value.layer)


def _untraced_args(args: Mapping[str, Arg]) -> dict[str, Arg]:
    return {name: untraced_arg(arg) for name, arg in args.items()}


def untraced_arg(arg: Arg) -> Arg:
    """An argument as a constant."""
    value = untraced(arg.value) if isinstance(arg.value, Layer) else arg.value
    return Arg(value, Const(value), arg.span)


def type_name(value: Value | None) -> str:
    """The language's word for a value's type, for messages."""
    match None if value is None else plain(value):
        case bool():
            return "a bool"
        case int():
            return "an int"
        case float():
            return "a float"
        case str():
            return "a string"
        case range():
            return "a range"
        case tuple() as items:
            if not any(isinstance(item, Tensor) for item in items):
                return "a list"
            return "a tuple of one tensor" if len(items) == 1 else f"{len(items)} tensors"
        case Record():
            return "a record"
        case Tensor() as tensor:
            return f"a tensor {tensor.shape}"
        case Layer():
            return "a layer"
    return "a function"


def list_of(value: Value) -> tuple[Value, ...] | range | None:
    """A list or range as it is, its members with their traces; None for anything else."""
    items = value.value if isinstance(value, Traced) else value
    return items if isinstance(items, tuple | range) else None


def members(value: Value) -> Iterator[Value]:
    """The members of a list, each traced to its place if the list is a parameter."""
    items = list_of(value)
    assert items is not None
    if isinstance(value, Traced):
        for index, item in enumerate(items):
            yield traced(item, item_of(value.expr, Const(index)))
    else:
        yield from items


def as_tensors(value: Value | None) -> tuple[Tensor, ...] | None:
    """The tensors a layer can be applied to: one, or a tuple of them."""
    if isinstance(value, Tensor):
        return (value,)
    return value if isinstance(value, tuple) and _are_tensors(value) else None


def all_of(given: Tensors) -> tuple[Tensor, ...]:
    """The tensors of a layer, as a tuple."""
    return (given,) if isinstance(given, Tensor) else given


def one_or_all(tensors: tuple[Tensor, ...]) -> Tensors:
    """A single tensor by itself."""
    return tensors[0] if len(tensors) == 1 else tensors


def _are_tensors(items: tuple[Value, ...]) -> TypeGuard[tuple[Tensor, ...]]:
    return bool(items) and all(isinstance(item, Tensor) for item in items)


TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,), "float": (int, float), "bool": (bool,), "string": (str,), "layer": (Layer,), "tensor": (Tensor,),
    "record": (Record,), "list": (tuple, range),
}  # fmt: skip
"""The declared types of parameters."""
