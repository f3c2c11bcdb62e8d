"""Expressions: names, arithmetic, lists, records, conditionals, arrows and labels.

Takes an expression's syntax and the `Frame` it stands in; gives its value, or UNKNOWN once an error has been reported.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any

from archdsl.diagnostics.suggest import closest
from archdsl.ops.registry import OPS
from archdsl.semantics.builtins import BUILTINS
from archdsl.semantics.core import Core, Frame
from archdsl.semantics.program import Definition
from archdsl.semantics.reserved import label_problem
from archdsl.semantics.values import (
    UNKNOWN, Arg, BlockLayer, Chain, Choice, Identity, Layer, Named, OpLayer, Record, Sequence, Tensor, Traced,
    expr_of, is_long, plain, size_of, traced, type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.symbolic import Conditional, Const, Expr, Not, binary, item_of, lift
from archdsl.syntax import ast

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "//": operator.floordiv, "%": operator.mod,
}  # fmt: skip
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
}  # fmt: skip
_LABEL = re.compile(r"[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*(\.[A-Za-z0-9_]+(-[A-Za-z0-9_]+)*)*")
_TENSOR_FACTS = ("channels", "height", "width")
MAX_LIST = 200_000
MAX_NUMBER = 10**18


class ExpressionRules(Core):
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
        return self.error("E101", node.span, frame, name=name, suggestion=closest(name, known))

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
                return self.error("E318", row.span, frame, given=given, wanted=wanted)
            values = [plain(self.evaluate(value, own)) for value in row.values]
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
            if argument.name is not None:
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
            if name == "channels":
                return traced(value.shape.channels, value.channels)
            if name in _TENSOR_FACTS:
                return getattr(value.shape, "height" if name == "height" else "width")
            known: tuple[str, ...] = _TENSOR_FACTS
        elif isinstance(value, Record):
            if name in value.fields:
                return value.fields[name]
            known = tuple(value.fields)
        else:
            known = ()
        suggestion = closest(name, known)
        return self.error("E114", node.name_span, frame, name=name, type=type_name(value), suggestion=suggestion)

    def _subscript(self, node: ast.Subscript, frame: Frame) -> Any:
        value = self.evaluate(node.value, frame)
        items = plain_list(value)
        if value is UNKNOWN:
            return UNKNOWN
        if items is None:
            got = type_name(value)
            return self.error("E301", node.value.span, frame, what="what is indexed", expected="a list", got=got)
        if isinstance(node.index, ast.Range):
            ends = [None if e is None else self.integer(e, frame, "the bound") for e in (node.index.start, node.index.stop)]
            if UNKNOWN in ends:
                return UNKNOWN
            start, stop = 0 if ends[0] is None else plain(ends[0]), len(items) if ends[1] is None else plain(ends[1])
            if not 0 <= start <= stop <= len(items):
                return self.error("E306", node.index.span, frame, index=f"{start}..{stop}", length=len(items))
            self.step(frame, node.span, len(items))
            return tuple(members(value))[start:stop]
        index = self.integer(node.index, frame, "the index")
        if index is UNKNOWN:
            return UNKNOWN
        position = plain(index)
        if not -len(items) <= position < len(items):
            return self.error("E306", node.index.span, frame, index=position, length=len(items))
        if isinstance(value, Traced):
            return traced(items[position], item_of(value.expr, expr_of(index)))
        return value[position]

    def integer(self, node: ast.Expression, frame: Frame, what: str) -> Any:
        """A whole number (perhaps traced), or UNKNOWN with E301 or E303 reported."""
        value = self.evaluate(node, frame)
        number = plain(value)
        if value is UNKNOWN or (isinstance(number, int) and not isinstance(number, bool)):
            return value
        if isinstance(number, float) and isinstance(node, ast.BinaryExpr) and node.op == "/":
            left, right = (plain(self.evaluate(side, frame)) for side in (node.left, node.right))
            return self.error("E303", node.span, frame, left=left, right=right)
        return self.error("E301", node.span, frame, what=what, expected="a whole number", got=type_name(value))

    # --- operators ---------------------------------------------------------------------------

    def _unary(self, node: ast.Unary, frame: Frame) -> Any:
        value = self.evaluate(node.operand, frame)
        number = plain(value)
        if value is UNKNOWN:
            return UNKNOWN
        if node.op == "not":
            if isinstance(number, bool):
                return traced(not number, _not(expr_of(value)))
            return self.error("E310", node.operand.span, frame, got=type_name(value))
        if isinstance(number, int | float) and not isinstance(number, bool):
            return traced(-number, binary("-", Const(0), expr_of(value)))
        return self.error("E301", node.operand.span, frame, what="the operand of -", expected="a number", got=type_name(value))

    def _binary(self, node: ast.BinaryExpr, frame: Frame) -> Any:
        op = node.op
        if op in ("and", "or"):
            return self._logic(node, frame)
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        if left is UNKNOWN or right is UNKNOWN:
            return UNKNOWN
        if isinstance(left, Layer | Tensor) or isinstance(right, Layer | Tensor):
            if op not in ("+", "*"):
                kinds = {"left": type_name(left), "right": type_name(right)}
                return self.error("E304", node.op_span, frame, op=op, facts=kinds)
            both = (node.left.span, node.right.span)
            return self.combine("add" if op == "+" else "mul", (left, right), frame, node.span, both)
        return self._arithmetic(node, frame, left, right)

    def _arithmetic(self, node: ast.BinaryExpr, frame: Frame, left: Any, right: Any) -> Any:
        op, a, b = node.op, plain(left), plain(right)
        if op in ("==", "!="):
            equal = _same(a, b)
            return self._result(equal if op == "==" else not equal, op, left, right, frame)
        if isinstance(a, tuple) and isinstance(b, tuple) and op == "+":
            return self.list_value([*members(left), *members(right)], node.span, frame)
        numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in (a, b))
        if not numbers and not (op in _ORDER and isinstance(a, str) and isinstance(b, str)):
            return self.error("E304", node.op_span, frame, op=op, left=type_name(a), right=type_name(b))
        if op in _ORDER:
            return self._result(_ORDER[op](a, b), op, left, right, frame)
        if op in ("/", "//", "%") and b == 0:
            return self.error("E305", node.right.span, frame)
        if op == "/":
            exact = isinstance(a, int) and isinstance(b, int) and a % b == 0
            return self._result(a // b if exact else a / b, "//" if exact else "/", left, right, frame)
        if op == "^":
            return self._power(node, frame, left, right)
        value = _ARITHMETIC[op](a, b)
        if abs(value) > MAX_NUMBER:
            return self.error("E321", node.span, frame)
        return self._result(value, op, left, right, frame)

    def _power(self, node: ast.BinaryExpr, frame: Frame, left: Any, right: Any) -> Any:
        a, b = plain(left), plain(right)
        try:
            huge = abs(a) > 1 and abs(float(a)) ** float(b) > MAX_NUMBER
            value = None if huge or (a == 0 and b < 0) else a**b
        except OverflowError:
            value = None
        if value is None or isinstance(value, complex):
            return self.error("E321", node.span, frame)
        return self._result(value, "**", left, right, frame)

    def _result(self, value: Any, op: str, left: Any, right: Any, frame: Frame) -> Any:
        if isinstance(left, Traced) or isinstance(right, Traced):
            return self.kept(value, binary(op, expr_of(left), expr_of(right)), frame)
        return value

    def kept(self, value: Any, expr: Expr, frame: Frame) -> Any:
        """A value with its trace, unless that has grown too long to be printed: then the number itself is used."""
        if is_long(expr):
            self.structural(expr, frame)
            return value
        return traced(value, expr)

    def _logic(self, node: ast.BinaryExpr, frame: Frame) -> Any:
        left = self.condition(node.left, frame)
        if left is UNKNOWN:
            return UNKNOWN
        if plain(left) is (node.op == "or"):  # decided: the right side need not make sense, as in `i > 0 and xs[i - 1]`
            other = self._quietly(node.right, frame) if isinstance(left, Traced) else None
            if other is not None:
                return self.kept(plain(left), binary(node.op, expr_of(left), other), frame)
            self.structural(expr_of(left), frame)
            return plain(left)
        right = self.condition(node.right, frame)
        return UNKNOWN if right is UNKNOWN else self._result(plain(right), node.op, left, right, frame)

    def condition(self, node: ast.Expression, frame: Frame) -> Any:
        """A bool (perhaps traced), or UNKNOWN with E310 reported."""
        value = self.evaluate(node, frame)
        if value is UNKNOWN or isinstance(plain(value), bool):
            return value
        return self.error("E310", node.span, frame, got=type_name(value))

    # --- conditionals, lists -----------------------------------------------------------------

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
        if isinstance(plain(value), int | float | str | bool):
            # The other branch gives the rest of the expression; where it fails, it is not needed here.
            other = self._quietly(node.no if taken else node.yes, frame)
            if other is not None:
                branches = (expr_of(value), other) if taken else (other, expr_of(value))
                return self.kept(plain(value), Conditional(test.expr, *branches), frame)
        self.structural(test.expr, frame)
        return value

    def _quietly(self, node: ast.Expression, frame: Frame) -> Expr | None:
        value = self._aside(node, frame)
        return expr_of(value) if isinstance(plain(value), int | float | str | bool) else None

    def _list(self, node: ast.ListExpr, frame: Frame) -> Any:
        values: list[Any] = []
        for item in node.items:
            members_ = self._item(item, frame)
            if members_ is UNKNOWN:
                return UNKNOWN
            values.extend(members_)
        return self.list_value(values, node.span, frame)

    def list_value(self, values: list[Any], span: Span, frame: Frame) -> Any:
        """A list of values, or a sequence if its members are layers."""
        self.step(frame, span, len(values))
        if len(values) > MAX_LIST:
            self.limit(frame, span, "members of a list", MAX_LIST)
        if any(type(value) is tuple for value in values):
            self.sized(values, span, frame)
        layers = [isinstance(value, Layer) for value in values]
        if not any(layers):
            return tuple(values)
        if not all(layers):
            odd = next(value for value in values if not isinstance(value, Layer))
            got = type_name(odd)
            return self.error("E301", span, frame, what="every member of a sequence", expected="a layer", got=got)
        return Sequence(span, tuple(values), size=self.sized(values, span, frame))

    def sized(self, values: Iterable[Any], span: Span, frame: Frame) -> int:
        """How much some values hold together; E315 where that is too much to work with."""
        total = 1
        for value in values:
            total += size_of(value)
            if total > MAX_LIST + 1:
                self.limit(frame, span, "members of a list or layer", MAX_LIST)
        return total

    def _item(self, item: ast.Item, frame: Frame) -> Any:
        if item.condition is not None:
            return self._optional(item, item.condition, frame)
        if item.count is not None:
            return self._repeated(item, item.count, frame)
        value = self.evaluate(item.value, frame)
        return UNKNOWN if value is UNKNOWN else [value]

    def _repeated(self, item: ast.Item, times: ast.Expression, frame: Frame) -> Any:
        count = self.integer(times, frame, "the number of repeats")
        if count is UNKNOWN:
            return UNKNOWN
        number = plain(count)
        if number < 0:
            what = "the number of repeats"
            return self.error("E302", times.span, frame, what=what, expected="at least 0", got=number)
        if number > MAX_LIST:
            self.limit(frame, item.span, "members of a list", MAX_LIST)
        self.structural(expr_of(count), frame)
        value = self.evaluate(item.value, frame)
        return UNKNOWN if value is UNKNOWN else [value] * number

    def _optional(self, item: ast.Item, condition: ast.Expression, frame: Frame) -> Any:
        test = self.condition(condition, frame)
        if test is UNKNOWN:
            return UNKNOWN
        always = _without_condition(item)
        if not isinstance(test, Traced) or item.count is not None:
            self.structural(expr_of(test), frame)
            return self._item(always, frame) if plain(test) else []
        if not test.value:
            if self._is_plain(item.value, frame):
                self.structural(test.expr, frame)
                return []
            # A layer left out still leaves a mark, so that instances with and without it share one class.
            return [Choice(item.span, test.expr, False, item.span, Identity(item.span))]
        value = self.evaluate(item.value, frame)
        if isinstance(value, Layer):
            return [Choice(item.span, test.expr, True, item.span, value, size=value.size)]
        self.structural(test.expr, frame)
        return UNKNOWN if value is UNKNOWN else [value]

    def _is_plain(self, node: ast.Expression, frame: Frame) -> bool:
        """Whether an expression that is not needed would give a number, string, list or record."""
        value = self._aside(node, frame)
        return value is not UNKNOWN and not isinstance(value, Layer)

    def _aside(self, node: ast.Expression, frame: Frame) -> Any:
        """The value of an expression that is not needed here: what it reports is forgotten, and UNKNOWN given back."""
        from archdsl.diagnostics.core import Bag

        bag, self.bag = self.bag, Bag()
        try:
            value = self.evaluate(node, replace(frame, scope=None, locals=dict(frame.locals)))
            return UNKNOWN if len(self.bag) else value
        finally:
            self.bag = bag

    def _comprehension(self, node: ast.Comprehension, frame: Frame) -> Any:
        listed = self.iterable(self.evaluate(node.iterable, frame), node.iterable.span, frame)
        if listed is UNKNOWN:
            return UNKNOWN
        outer = dict(frame.locals)
        values: list[Any] = []
        failed = False
        for index, value in listed:
            self.step(frame, node.span)
            if not self.bind_loop(node.target, index, value, frame):
                failed = True
                break
            if node.condition is not None:
                keep = self.condition(node.condition, frame)
                if keep is UNKNOWN:
                    failed = True
                    break
                self.structural(expr_of(keep), frame)
                if not plain(keep):
                    continue
            item = self.evaluate(node.value, frame)
            failed = failed or item is UNKNOWN
            values.append(item)
        frame.locals = outer
        return UNKNOWN if failed else self.list_value(values, node.span, frame)

    def iterable(self, value: Any, span: Span, frame: Frame) -> Any:
        """Pairs (index, member) of a list or range, or UNKNOWN with E311 reported."""
        if value is UNKNOWN:
            return UNKNOWN
        if plain_list(value) is None:
            return self.error("E311", span, frame, got=type_name(value))
        self.structural(expr_of(value), frame)
        return enumerate(members(value))

    def bind_loop(self, target: ast.Target, index: int, value: Any, frame: Frame) -> bool:
        """Bind the target of a loop: `v`, `(a, b)`, or with the index `i, v` and `i, (a, b)`."""
        if target.name is not None:
            frame.locals[target.name] = value
            return True
        if len(target.items) == 2:
            first, second = target.items
            return all([self.bind(first, index, frame), self.bind(second, value, frame)])
        if len(target.items) == 1:  # `(a, b)`: the member alone, without its index
            return self.bind(target.items[0], value, frame)
        help_ = "write the index first and the member in brackets: for i, (a, b) in list"
        given = "an index and a member"
        self.error("E307", target.span, frame, given=given, wanted=len(target.items), help=help_)
        self.bind_unknown(target, frame)
        return False

    def bind(self, target: ast.Target, value: Any, frame: Frame) -> bool:
        """Bind names to a value, unpacking lists; False after E307."""
        if target.name is not None:
            frame.locals[target.name] = value
            return True
        items = list(members(value)) if plain_list(value) is not None else None
        if items is None or len(items) != len(target.items):
            if value is not UNKNOWN:
                given = "1" if items is None else len(items)
                self.error("E307", target.span, frame, given=given, wanted=len(target.items))
            for part in target.items:
                self.bind_unknown(part, frame)
            return False
        return all([self.bind(part, item, frame) for part, item in zip(target.items, items, strict=True)])

    def bind_unknown(self, target: ast.Target, frame: Frame) -> None:
        """Bind every name of a target to UNKNOWN, so that no second error follows."""
        if target.name is not None:
            frame.locals[target.name] = UNKNOWN
        for part in target.items:
            self.bind_unknown(part, frame)

    def _range(self, node: ast.Range, frame: Frame) -> Any:
        if node.start is None or node.stop is None:
            help_ = "a range has two ends here: 0..n"
            return self.error("E301", node.span, frame, what="a range", expected="closed at both ends", got="an open one", help=help_)
        start, stop = self.integer(node.start, frame, "the bound"), self.integer(node.stop, frame, "the bound")
        if start is UNKNOWN or stop is UNKNOWN:
            return UNKNOWN
        self.structural(expr_of(start), frame)
        self.structural(expr_of(stop), frame)
        span = range(plain(start), plain(stop))
        if len(span) > MAX_LIST:
            self.limit(frame, node.span, "members of a range", MAX_LIST)
        return span

    def _tuple(self, node: ast.TupleExpr, frame: Frame) -> Any:
        values = tuple(self.evaluate(item, frame) for item in node.items)
        return UNKNOWN if any(value is UNKNOWN for value in values) else values

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
                value = self.error("E313", operand.span, frame, got=type_name(layer))
            elif layers:
                layers.append(layer)
            else:
                tensors = as_tensors(value)
                if tensors is None:
                    what, got = "the left of ->", type_name(value)
                    value = self.error("E301", node.operands[0].span, frame, what=what, expected="a tensor or a layer", got=got)
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
        name = self._label_text(node, frame)
        value = self.evaluate(node.value, frame)
        if value is UNKNOWN or name is None:
            return UNKNOWN
        if not isinstance(value, Layer):
            return self.error("E301", node.value.span, frame, what=f"what the label {name} names", expected="a layer", got=type_name(value))
        return Named(node.label_span, name, node.stage, value, size=value.size)

    def _label_text(self, node: ast.Labelled, frame: Frame) -> str | None:
        text = ""
        for part in node.parts:
            if part.value is None:
                text += part.text or ""
                continue
            value = self.evaluate(part.value, frame)
            if value is UNKNOWN:
                return None
            self.structural(expr_of(value), frame)
            number = plain(value)
            if isinstance(number, bool) or not isinstance(number, int | str):
                self.error("E301", part.value.span, frame, what="a part of a label", expected="an int or a string", got=type_name(value))
                return None
            text += str(number)
        problem = label_problem(text)
        if problem is not None or not _LABEL.fullmatch(text):
            self.error("E118", node.label_span, frame, text=text, help=problem)
            return None
        return text

    def _call(self, node: ast.CallExpr, frame: Frame) -> Any:
        return self.call(node, frame)


def _without_condition(item: ast.Item) -> ast.Item:
    """A member of a list without its condition."""
    return ast.Item(item.value, item.count, None, span=item.span)


def plain_list(value: Any) -> tuple[Any, ...] | range | None:
    """The members of a list or range without their traces; None for anything else."""
    items = plain(value)
    return items if isinstance(items, tuple | range) else None


def members(value: Any) -> Iterator[Any]:
    """The members of a list, each traced to its place if the list is a parameter."""
    if isinstance(value, Traced):
        for index, item in enumerate(value.value):
            yield traced(item, item_of(value.expr, Const(index)))
    else:
        yield from value


def as_tensors(value: Any) -> tuple[Tensor, ...] | None:
    """The tensors a layer can be applied to: one, or a tuple of them."""
    if isinstance(value, Tensor):
        return (value,)
    if isinstance(value, tuple) and value and all(isinstance(item, Tensor) for item in value):
        return value
    return None


def _holds_tensors(value: Any) -> bool:
    return isinstance(value, tuple) and any(isinstance(item, Tensor | Layer) for item in value)


def _not(expr: Expr) -> Expr:
    return Const(not expr.value) if isinstance(expr, Const) else Not(expr)


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, bool) != isinstance(b, bool):
        return False
    if isinstance(a, tuple | range) and isinstance(b, tuple | range):  # a range is a list like any other
        return tuple(a) == tuple(b)
    return bool(a == b)


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
