"""Expressions: names, tables, attributes, conditionals, arrows and labels.

Takes an expression's syntax and the `Frame` it stands in; gives its value, or UNKNOWN once an error has been reported.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from archdsl.diagnostics.core import declared
from archdsl.diagnostics.suggest import closest, meant
from archdsl.graph.sizes import SizeOf
from archdsl.ops.registry import OPS
from archdsl.semantics.builtins import BUILTINS
from archdsl.semantics.core import Frame
from archdsl.semantics.lists import ListRules
from archdsl.semantics.operators import MAX_NUMBER
from archdsl.semantics.program import Definition
from archdsl.semantics.reserved import label_problem
from archdsl.semantics.values import (
    UNKNOWN,
    Arg,
    BlockLayer,
    Chain,
    Choice,
    Identity,
    Layer,
    Named,
    OpLayer,
    Record,
    Tensor,
    Traced,
    as_tensors,
    expr_of,
    list_of,
    members,
    plain,
    traced,
    type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.symbolic import Conditional, Const, item_of, lift
from archdsl.syntax import ast

_LABEL = re.compile(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*(\.[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*)*")
_EMPTY = "it has no members here, so there is nothing to apply: `id` is the layer that does nothing"
_TENSOR_FACTS = ("channels", "height", "width")


class ExpressionRules(ListRules):
    """`evaluate` and everything it needs; one method for each kind of syntax."""

    def evaluate(self, node: ast.Expression, frame: Frame) -> Any:
        """The value of an expression; UNKNOWN where an error has been reported."""
        self.steps += 1
        return _RULES[type(node)](self, node, frame)

    def _literal(self, node: ast.String | ast.Bool, frame: Frame) -> Any:
        return node.value

    def _number(self, node: ast.Number, frame: Frame) -> Any:
        return node.value if node.value <= MAX_NUMBER else self.error("E321", node.span, frame)

    def _name(self, node: ast.Name, frame: Frame) -> Any:
        name = node.name
        if name in frame.locals:
            return frame.locals[name]
        if name == "in":
            return self._input(node, frame)
        if name == "id":
            return Identity(node.span)
        definition = frame.file.names.get(name)
        if definition is not None:
            return self.reference(definition, node.span, frame)
        if name in OPS:
            layer = frame.file.constants.get(id(node))
            if layer is None:
                layer = OpLayer(node.span, OPS[name], {}, self.op_defaults(name, frame))
                frame.file.constants[id(node)] = layer
            return layer
        if name in BUILTINS:
            return BUILTINS[name]
        if name in frame.file.missing:
            return UNKNOWN
        known = [*frame.locals, *frame.file.names, *OPS, *BUILTINS]
        near, help_ = meant(name, known)
        return self.error("E101", node.span, frame, name=name, suggestion=near, help=help_)

    def _input(self, node: ast.Name, frame: Frame) -> Any:
        if len(frame.inputs) == 1:
            return frame.inputs[0]
        if frame.inputs:
            return self.error("E101", node.span, frame, name="in", suggestion=None)
        help_ = "`in` is the input of a block; a fn takes its tensors as parameters"
        return self.error("E101", node.span, frame, name="in", suggestion=None, help=help_)

    def reference(self, definition: Definition, span: Span, frame: Frame) -> Any:
        """What a top-level name stands for where it is not called."""
        syntax = definition.syntax
        if isinstance(syntax, ast.Table):
            return self._table(definition, syntax, frame)
        if definition.kind == "block":
            return BlockLayer(span, definition, {})
        return definition

    def _table(self, definition: Definition, table: ast.Table, frame: Frame) -> Any:
        if definition.faulty:
            return UNKNOWN
        if table.name in definition.file.constants:
            return definition.file.constants[table.name]
        own = Frame(definition.file, None, inline=True, owner=table.name)
        rows = []
        for row in table.rows:
            if len(row.values) != len(table.columns):
                given, wanted = len(row.values), len(table.columns)
                return self.error("E318", row.misfit(wanted), frame, given=given, wanted=wanted)
            cells = [self.evaluate(value, own) for value in row.values]
            self.sized(cells, row.span, frame)
            values = [plain(cell) for cell in cells]
            rows.append(Record(table.name, dict(zip((c.name for c in table.columns), values, strict=True))))
        if all(value is not UNKNOWN for row in rows for value in row.fields.values()):
            definition.file.constants[table.name] = tuple(rows)
        return tuple(rows)

    def op_defaults(self, name: str, frame: Frame) -> dict[str, Arg]:
        """The `default` arguments that the current file gives an op."""
        call = frame.file.defaults.get(name)
        if call is None:
            return {}
        known: dict[str, Arg] | None = frame.file.constants.get(("default", name))
        if known is not None:
            return known
        constant = Frame(frame.file, None, inline=True, owner=f"default {name}")
        found: dict[str, Arg] = {}
        for argument in call.arguments:
            # An unknown name, or none, was reported where names are checked.
            if argument.name in OPS[name].parameter_names:
                value = plain(self.evaluate(argument.value, constant))
                found[argument.name] = Arg(value, lift(value), argument.value.span)
        frame.file.constants["default", name] = found
        return found

    # --- parts of values ---------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Any:
        value = self.evaluate(node.value, frame)
        if value is UNKNOWN:
            return UNKNOWN
        name = node.name
        if isinstance(value, Tensor):
            if name in _TENSOR_FACTS:
                return self._tensor_fact(value, name)
            known: tuple[str, ...] = _TENSOR_FACTS
        elif isinstance(value, Record):
            if name in value.fields:
                return value.fields[name]
            known = tuple(value.fields)
        else:
            known = ()
        near = closest(name, known)
        places = declared(_column(value, near, frame))
        facts = {"name": name, "type": type_name(value), "suggestion": near}
        return self.error("E114", node.name_span, frame, secondary=places, facts=facts)

    def _tensor_fact(self, tensor: Tensor, name: str) -> Any:
        """How wide, high or broad a tensor is; it remembers whether that depends on the size of the image."""
        assert self.graph is not None
        shape, node = tensor.shape, self.graph.nodes[tensor.ref.node]
        value = getattr(shape, name)
        if name == "channels":
            flattened = node.op.channels is None and shape.layout == "flat" and isinstance(tensor.channels, Const)
            if not (flattened and node.input_shapes and node.input_shapes[0].channels != value):
                return traced(value, tensor.channels)
            axis = 1
        elif shape.layout == "flat":
            return value
        else:
            axis = (2 if shape.layout == "chw" else 1) + (name == "width")
        self.reads_sizes = True
        return Traced(value, SizeOf(tensor.ref, axis, value))

    def _subscript(self, node: ast.Subscript, frame: Frame) -> Any:
        value = self.evaluate(node.value, frame)
        items = list_of(value)
        if value is UNKNOWN:
            return UNKNOWN
        if items is None:
            got = type_name(value)
            return self.error("E301", node.value.span, frame, what="what is indexed", expected="a list", got=got)
        if isinstance(node.index, ast.Range):
            ends = [
                None if e is None else self.integer(e, frame, "the bound") for e in (node.index.start, node.index.stop)
            ]
            if UNKNOWN in ends:
                return UNKNOWN
            start, stop = 0 if ends[0] is None else plain(ends[0]), len(items) if ends[1] is None else plain(ends[1])
            if not 0 <= start <= stop <= len(items):
                return self.error("E306", node.index.span, frame, index=f"{start}..{stop}", length=len(items))
            self.step(frame, node.span, len(items))
            for end in ends:  # which members there are is not written into their traces
                self.structural(expr_of(end), frame)
            return tuple(members(value))[start:stop]
        index = self.integer(node.index, frame, "the index")
        if index is UNKNOWN:
            return UNKNOWN
        position = plain(index)
        if not -len(items) <= position < len(items):
            return self.error("E306", node.index.span, frame, index=position, length=len(items))
        if isinstance(value, Traced):
            return traced(items[position], item_of(value.expr, expr_of(index)))
        self.structural(expr_of(index), frame)
        return value[position]

    def _if(self, node: ast.If, frame: Frame) -> Any:
        test = self.condition(node.condition, frame)
        if test is UNKNOWN:
            return UNKNOWN
        taken = plain(test)
        value = self.evaluate(node.yes if taken else node.no, frame)
        if not isinstance(test, Traced) or value is UNKNOWN:
            return value
        if isinstance(value, Layer):
            return Choice(node.span, test.expr, taken, node.span, value, size=value.size)
        if isinstance(value, Tensor) or _holds_tensors(value):
            self.structural(test.expr, frame)
            return value
        if isinstance(value.value if isinstance(value, Traced) else value, int | float | str | bool):
            # The other branch gives the rest of the expression; where it fails, it is not needed here.
            other = self._quietly(node.no if taken else node.yes, frame)
            if other is not None:
                branches = (expr_of(value), other) if taken else (other, expr_of(value))
                return self.kept(plain(value), Conditional(test.expr, *branches), frame)
        self.structural(test.expr, frame)
        return value

    # --- layers ------------------------------------------------------------------------------

    def _arrow(self, node: ast.Arrow, frame: Frame) -> Any:
        value = self.evaluate(node.operands[0], frame)
        layers: list[Layer] = [value] if isinstance(value, Layer) else []
        for operand in node.operands[1:]:
            if value is UNKNOWN:
                self.evaluate(operand, frame)
                continue
            layer = self.evaluate(operand, frame)
            if layer is UNKNOWN:
                value = UNKNOWN
            elif not isinstance(layer, Layer):
                help_ = _EMPTY if list_of(layer) == () else None
                value = self.error("E313", operand.span, frame, got=type_name(layer), help=help_)
            elif layers:
                layers.append(layer)
            else:
                tensors = as_tensors(value)
                if tensors is None:
                    what, got = "the left of ->", type_name(value)
                    value = self.error(
                        "E301", node.operands[0].span, frame, what=what, expected="a tensor or a layer", got=got
                    )
                else:
                    value = self.apply(layer, tensors, frame, operand.span)
        if value is UNKNOWN or not layers:
            return value
        return self._composed(layers, node.span, frame)

    def _composed(self, layers: list[Layer], span: Span, frame: Frame) -> Chain:
        size = self.sized(layers, span, frame)
        first = layers[0]
        if isinstance(first, Chain):  # it goes on where another one ended, so one made in a loop nests no deeper
            self.step(frame, span, len(first.layers) // 16)
            layers = [*first.layers, *layers[1:]]
        return Chain(span, tuple(layers), size=size)

    def _labelled(self, node: ast.Labelled, frame: Frame) -> Any:
        name = self.label_text(node.parts, node.label_span, frame)
        value = self.evaluate(node.value, frame)
        if value is UNKNOWN or name is None:
            return UNKNOWN
        if not isinstance(value, Layer):
            return self.error(
                "E301",
                node.value.span,
                frame,
                what=f"what the label {name} names",
                expected="a layer",
                got=type_name(value),
            )
        return Named(node.label_span, name, node.stage, value, size=value.size)

    def label_text(self, parts: Sequence[ast.LabelPart], span: Span, frame: Frame) -> str | None:
        """A label with its holes filled; None after E118 or E301."""
        text = self.filled(parts, frame)
        if text is None:
            return None
        problem = label_problem(text)
        if problem is not None or not _LABEL.fullmatch(text):
            self.error("E118", span, frame, text=text, help=problem)
            return None
        return text

    def filled(self, parts: Sequence[ast.LabelPart], frame: Frame) -> str | None:
        """What is written as a label is, with its holes filled; None after E301."""
        text = ""
        for part in parts:
            if part.value is None:
                text += part.text or ""
                continue
            value = self.evaluate(part.value, frame)
            if value is UNKNOWN:
                return None
            value = self.unsized(value, part.value.span, frame)
            self.structural(expr_of(value), frame)
            number = plain(value)
            if isinstance(number, bool) or not isinstance(number, int | str):
                self.error(
                    "E301",
                    part.value.span,
                    frame,
                    what="a part of a label",
                    expected="an int or a string",
                    got=type_name(value),
                )
                return None
            text += str(number)
        return text

    def _call(self, node: ast.CallExpr, frame: Frame) -> Any:
        return self.call(node, frame)


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, tuple) and any(isinstance(item, Tensor | Layer) for item in value)


def _column(value: Any, name: str | None, frame: Frame) -> Span | None:
    """Where a record's table declares a column."""
    table = frame.file.names.get(value.table) if isinstance(value, Record) else None
    columns = table.syntax.columns if table is not None and isinstance(table.syntax, ast.Table) else ()
    return next((column.span for column in columns if column.name == name), None)


_RULES: dict[type, Callable[[Any, Any, Frame], Any]] = {
    ast.Number: ExpressionRules._number,
    ast.String: ExpressionRules._literal,
    ast.Bool: ExpressionRules._literal,
    ast.Name: ExpressionRules._name,
    ast.Attribute: ExpressionRules._attribute,
    ast.Subscript: ExpressionRules._subscript,
    ast.CallExpr: ExpressionRules._call,
    ast.Unary: ExpressionRules._unary,
    ast.BinaryExpr: ExpressionRules._binary,
    ast.Range: ExpressionRules._range,
    ast.If: ExpressionRules._if,
    ast.Arrow: ExpressionRules._arrow,
    ast.Labelled: ExpressionRules._labelled,
    ast.ListExpr: ExpressionRules._list,
    ast.Comprehension: ExpressionRules._comprehension,
    ast.TupleExpr: ExpressionRules._tuple,
}
