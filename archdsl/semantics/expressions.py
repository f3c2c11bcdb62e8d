"""Expressions: names, tables, attributes, conditionals, arrows and labels.

Takes an expression's syntax and the `Context` it stands in; gives its value, or UNKNOWN once an error has been
reported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from archdsl.diagnostics.diagnostic import declared
from archdsl.diagnostics.suggest import closest, meant
from archdsl.graph.sizes import SizeOf
from archdsl.ops.registry import OPS
from archdsl.ops.spec import OpSpec
from archdsl.semantics import bound
from archdsl.semantics.builtins import BUILTINS
from archdsl.semantics.conditions import condition, integer, kept, quietly
from archdsl.semantics.context import Context
from archdsl.semantics.evaluate import evaluate, evaluates
from archdsl.semantics.program import Definition
from archdsl.semantics.reserved import label_problem
from archdsl.semantics.values import (
    MAX_NUMBER,
    UNKNOWN,
    Arg,
    BlockLayer,
    Builtin,
    Choice,
    Identity,
    Layer,
    Named,
    OpLayer,
    Record,
    Tensor,
    Traced,
    Unknown,
    Value,
    expr_of,
    is_true,
    list_of,
    members,
    plain,
    traced,
    type_name,
    whole,
)  # fmt: skip
from archdsl.source import Span
from archdsl.symbolic import Conditional, Const, item_of, lift
from archdsl.syntax import ast

_LABEL = re.compile(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*(\.[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*)*")
_TENSOR_FACTS = ("channels", "height", "width")


@evaluates(bound.Literal)
def _literal(node: bound.Literal, ctx: Context) -> str | bool:
    return node.value


@evaluates(bound.Number)
def _number(node: bound.Number, ctx: Context) -> Value:
    return node.value if node.value <= MAX_NUMBER else ctx.error("E321", node.span)


# --- names -----------------------------------------------------------------------------------


@evaluates(bound.Local)
def _local(node: bound.Local, ctx: Context) -> Value:
    if node.name in ctx.locals:
        return ctx.locals[node.name]
    if node.otherwise is not None:
        return evaluate(node.otherwise, ctx)
    near, help_ = meant(node.name, [*ctx.locals, *ctx.file.names, *OPS, *BUILTINS])
    return ctx.error("E101", node.span, name=node.name, suggestion=near, help=help_)


@evaluates(bound.Input)
def _input(node: bound.Input, ctx: Context) -> Tensor:
    return ctx.inputs[0]


@evaluates(bound.Identity)
def _identity(node: bound.Identity, ctx: Context) -> Identity:
    return Identity(node.span)


@evaluates(bound.Op)
def _op(node: bound.Op, ctx: Context) -> OpLayer:
    return OpLayer(node.span, node.op, {}, op_defaults(node.op, ctx))


@evaluates(bound.Function)
def _function(node: bound.Function, ctx: Context) -> Builtin:
    return node.builtin


@evaluates(bound.Refused)
def _refused(node: bound.Refused, ctx: Context) -> Unknown:
    ctx.run.fail()
    return UNKNOWN


@evaluates(bound.Reference)
def _reference(node: bound.Reference, ctx: Context) -> Value:
    definition = node.definition
    if isinstance(definition.syntax, ast.Table):
        return _table(definition, definition.syntax, ctx)
    if definition.kind == "block":
        return BlockLayer(node.span, definition, {})
    return definition


def _table(definition: Definition, table: ast.Table, ctx: Context) -> Value:
    if definition.faulty:
        return UNKNOWN
    known = ctx.file.memo.tables.get(definition)
    if known is not None:
        return known
    own = Context(ctx.run, definition.file)
    rows = []
    for row in definition.rows:
        cells = [evaluate(value, own) for value in row.values]
        ctx.sized(cells, row.span)
        values = [plain(cell) for cell in cells]
        rows.append(Record(table.name, dict(zip((c.name for c in table.columns), values, strict=True))))
    if all(value is not UNKNOWN for row in rows for value in row.fields.values()):
        ctx.file.memo.tables[definition] = tuple(rows)
    return tuple(rows)


def op_defaults(op: OpSpec, ctx: Context) -> Mapping[str, Arg]:
    """The `default` arguments that the current file gives an op."""
    file = ctx.file
    call = file.defaults.get(op.name)
    if call is None:
        return {}
    known = file.memo.defaults.get((file, op.name))
    if known is not None:
        return known
    constant = Context(ctx.run, file)
    found: dict[str, Arg] = {}
    for argument in file.arguments[id(call.arguments)]:
        # An unknown name, or none, was reported where names are resolved.
        if argument.name in op.parameter_names:
            value = plain(evaluate(argument.value, constant))
            found[argument.name] = Arg(value, lift(value), argument.value.span)
    file.memo.defaults[file, op.name] = found
    return found


# --- parts of values -------------------------------------------------------------------------


@evaluates(bound.Attribute)
def _attribute(node: bound.Attribute, ctx: Context) -> Value:
    value = evaluate(node.value, ctx)
    if value is UNKNOWN:
        return UNKNOWN
    name = node.name
    if isinstance(value, Tensor):
        if name in _TENSOR_FACTS:
            return _tensor_fact(value, name, ctx)
        known: tuple[str, ...] = _TENSOR_FACTS
    elif isinstance(value, Record):
        if name in value.fields:
            return value.fields[name]
        known = tuple(value.fields)
    else:
        known = ()
    near = closest(name, known)
    places = declared(_column(value, near, ctx))
    facts = {"name": name, "type": type_name(value), "suggestion": near}
    return ctx.error("E114", node.name_span, secondary=places, facts=facts)


def _tensor_fact(tensor: Tensor, name: str, ctx: Context) -> Value:
    """How wide, high or broad a tensor is; it remembers whether that depends on the size of the image."""
    assert ctx.run.graph is not None
    shape, node = tensor.shape, ctx.run.graph.nodes[tensor.ref.node]
    value: int = getattr(shape, name)
    if name == "channels":
        flattened = node.op.channels is None and shape.layout == "flat" and isinstance(tensor.channels, Const)
        if not (flattened and node.input_shapes and node.input_shapes[0].channels != value):
            return traced(value, tensor.channels)
        axis = 1
    elif shape.layout == "flat":
        return value
    else:
        axis = (2 if shape.layout == "chw" else 1) + (name == "width")
    ctx.run.reads_sizes = True
    return Traced(value, SizeOf(tensor.ref, axis, value))


@evaluates(bound.Subscript)
def _subscript(node: bound.Subscript, ctx: Context) -> Value:
    value = evaluate(node.value, ctx)
    items = list_of(value)
    if value is UNKNOWN:
        return UNKNOWN
    if items is None:
        got = type_name(value)
        return ctx.error("E301", node.value.span, what="what is indexed", expected="a list", got=got)
    if isinstance(node.index, bound.Range):
        start, stop = _end(node.index.start, 0, ctx), _end(node.index.stop, len(items), ctx)
        if start is UNKNOWN or stop is UNKNOWN:
            return UNKNOWN
        low, high = whole(start), whole(stop)
        if not 0 <= low <= high <= len(items):
            return ctx.error("E306", node.index.span, index=f"{low}..{high}", length=len(items))
        ctx.step(node.span, len(items))
        for end in (start, stop):  # which members there are is not written into their traces
            ctx.structural(expr_of(end))
        return tuple(members(value))[low:high]
    index = integer(node.index, ctx, "the index")
    if index is UNKNOWN:
        return UNKNOWN
    position = whole(index)
    if not -len(items) <= position < len(items):
        return ctx.error("E306", node.index.span, index=position, length=len(items))
    if isinstance(value, Traced):
        return traced(items[position], item_of(value.expr, expr_of(index)))
    ctx.structural(expr_of(index))
    return items[position]


def _end(node: bound.Expression | None, otherwise: int, ctx: Context) -> int | Traced | Unknown:
    return otherwise if node is None else integer(node, ctx, "the bound")


@evaluates(bound.If)
def _if(node: bound.If, ctx: Context) -> Value:
    test = condition(node.condition, ctx)
    if test is UNKNOWN:
        return UNKNOWN
    taken = is_true(test)
    value = evaluate(node.yes if taken else node.no, ctx)
    if not isinstance(test, Traced) or value is UNKNOWN:
        return value
    if isinstance(value, Layer):
        return Choice(node.span, test.expr, taken, node.span, value, size=value.size)
    if isinstance(value, Tensor) or _holds_tensors(value):
        ctx.structural(test.expr)
        return value
    if isinstance(value.value if isinstance(value, Traced) else value, int | float | str | bool):
        # The other branch gives the rest of the expression; where it fails, it is not needed here.
        other = quietly(node.no if taken else node.yes, ctx)
        if other is not None:
            branches = (expr_of(value), other) if taken else (other, expr_of(value))
            return kept(plain(value), Conditional(test.expr, *branches), ctx)
    ctx.structural(test.expr)
    return value


# --- layers ------------------------------------------------------------------------------


@evaluates(bound.Labelled)
def _labelled(node: bound.Labelled, ctx: Context) -> Value:
    name = label_text(node.parts, node.label_span, ctx)
    value = evaluate(node.value, ctx)
    if value is UNKNOWN or name is None:
        return UNKNOWN
    if not isinstance(value, Layer):
        return ctx.error(
            "E301",
            node.value.span,
            what=f"what the label {name} names",
            expected="a layer",
            got=type_name(value),
        )
    return Named(node.label_span, name, node.stage, value, size=value.size)


def label_text(parts: Sequence[bound.LabelPart], span: Span, ctx: Context) -> str | None:
    """A label with its holes filled; None after E118 or E301."""
    text = filled(parts, ctx)
    if text is None:
        return None
    problem = label_problem(text)
    if problem is not None or not _LABEL.fullmatch(text):
        ctx.error("E118", span, text=text, help=problem)
        return None
    return text


def filled(parts: Sequence[bound.LabelPart], ctx: Context) -> str | None:
    """What is written as a label is, with its holes filled; None after E301."""
    text = ""
    for part in parts:
        if part.value is None:
            text += part.text
            continue
        value = evaluate(part.value, ctx)
        if value is UNKNOWN:
            return None
        value = ctx.unsized(value, part.value.span)
        ctx.structural(expr_of(value))
        number = plain(value)
        if isinstance(number, bool) or not isinstance(number, int | str):
            ctx.error(
                "E301",
                part.value.span,
                what="a part of a label",
                expected="an int or a string",
                got=type_name(value),
            )
            return None
        text += str(number)
    return text


def _holds_tensors(value: Value) -> bool:
    return isinstance(value, tuple) and any(isinstance(item, Tensor | Layer) for item in value)


def _column(value: Value, name: str | None, ctx: Context) -> Span | None:
    """Where a record's table declares a column."""
    table = ctx.file.names.get(value.table) if isinstance(value, Record) else None
    columns = table.syntax.columns if table is not None and isinstance(table.syntax, ast.Table) else ()
    return next((column.span for column in columns if column.name == name), None)
