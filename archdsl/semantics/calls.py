"""Calls of ops, blocks, functions, scalings and built-ins.

Takes a call's syntax; gives a layer with more of its arguments, or the value of a function. Reports E102-E105, E301,
E302, E309, E312, E321 and E323.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from archdsl.diagnostics.core import Bag
from archdsl.ops.registry import OPS
from archdsl.semantics.builtins import BUILTINS, ValueProblem
from archdsl.semantics.core import MAX_DEPTH, Frame, FunctionTrace
from archdsl.semantics.operators import MAX_NUMBER
from archdsl.semantics.parameters import ParameterRules, parameters_of
from archdsl.semantics.program import Definition
from archdsl.semantics.values import (
    UNKNOWN,
    Arg,
    BlockLayer,
    Builtin,
    Choice,
    Named,
    OpLayer,
    Record,
    Traced,
    expr_of,
    list_of,
    members,
    plain,
    type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.symbolic import Function, Invoke, Symbol, Tuple, apply
from archdsl.syntax import ast


class CallRules(ParameterRules):
    """`call`: one rule for each kind of callee."""

    def __init__(self, bag: Bag) -> None:
        super().__init__(bag)
        self._functions: dict[tuple[Any, ...], tuple[Any, Function | None]] = {}
        """By definition and values: what `_traced_function` gave."""

    def call(self, node: ast.CallExpr, frame: Frame) -> Any:
        """The value of `callee(arguments)`."""
        callee = self.evaluate(node.callee, frame)
        if callee is UNKNOWN:
            return UNKNOWN
        while isinstance(callee, Choice):  # `(if tf then conv(padding = "tf_same") else conv)(64, 3)` calls the branch
            self.structural(callee.condition, frame)
            callee = callee.layer
        match callee:
            case OpLayer() if callee.op.inputs == (0, 0):
                layer = self._partial_op(callee, node, frame)
                if layer is UNKNOWN or not self._image_sizes(layer, frame):
                    return UNKNOWN
                return self.source(layer, frame, node.span)
            case OpLayer() if callee.op.combines:
                return self._merge(callee, node, frame)
            case OpLayer():
                return self._partial_op(callee, node, frame)
            case BlockLayer():
                names = [p.name for p in parameters_of(callee.block)]
                args = self.arguments(node.arguments, names, callee.block.name, frame, callee.args, node.span)
                if args is None:
                    return UNKNOWN
                size = self.sized((arg.value for arg in args.values()), node.span, frame)
                return BlockLayer(node.span, callee.block, args, size=size)
            case Named():
                return self.error("E309", node.callee.span, frame, what=f"the labelled layer {callee.name}")
            case Builtin():
                return self._builtin(callee, node, frame)
            case Definition():
                return self._function(callee, node, frame)
        name = node.callee.name if isinstance(node.callee, ast.Name) else ""
        help_ = (
            f"here `{name}` is a value, which hides the op or function `{name}`: rename it"
            if _is_hidden(name)
            else None
        )
        return self.error("E309", node.callee.span, frame, what=type_name(callee), help=help_)

    def _image_sizes(self, layer: OpLayer, frame: Frame) -> bool:
        """Whether the sizes of an image are whole numbers from 1; reports E323."""
        wrong = [arg for arg in layer.args.values() if type(arg.value) is not int or arg.value < 1]
        for arg in wrong:
            self.error("E323", arg.span, frame)
        return not wrong

    def _merge(self, callee: OpLayer, node: ast.CallExpr, frame: Frame) -> Any:
        operands: list[Any] = []
        spans: list[Span] = []
        for argument in node.arguments:
            if argument.name is not None:
                owner = callee.op.name
                place = argument.name_span or argument.span
                return self.error("E102", place, frame, name=argument.name, owner=owner, suggestion=None, known="none")
            value = self.evaluate(argument.value, frame)
            if value is UNKNOWN:
                return UNKNOWN
            given = value if isinstance(value, tuple) else (value,)
            operands.extend(given)
            spans.extend(argument.value.span for _ in given)
        return self.combine(callee.op.name, operands, frame, node.span, spans)

    def _partial_op(self, callee: OpLayer, node: ast.CallExpr, frame: Frame) -> Any:
        key = id(node)
        if key in frame.file.constants:
            return frame.file.constants[key]
        names = callee.op.parameter_names
        args = self.arguments(node.arguments, names, callee.op.name, frame, callee.args, node.span)
        if args is None:
            return UNKNOWN
        layer = OpLayer(node.span, callee.op, args, callee.defaults)
        # The callee is the op itself, found under its own name: the same each time if the arguments are literals.
        literal = all(isinstance(a.value, ast.Number | ast.String | ast.Bool) for a in node.arguments)
        if literal and not callee.args and frame.file.constants.get(id(node.callee)) is callee:
            frame.file.constants[key] = layer
        return layer

    def _builtin(self, builtin: Builtin, node: ast.CallExpr, frame: Frame) -> Any:
        values: list[Any] = []
        for argument in node.arguments:
            if argument.name is not None:
                place = argument.name_span or argument.span
                return self.error(
                    "E102", place, frame, name=argument.name, owner=builtin.name, suggestion=None, known="none"
                )
            values.append(self.evaluate(argument.value, frame))
        if any(value is UNKNOWN for value in values):
            return UNKNOWN
        if len(values) < builtin.least:
            return self.error("E103", node.span, frame, name="an argument", owner=builtin.name)
        if builtin.most is not None and len(values) > builtin.most:
            span = node.arguments[builtin.most].span
            return self.error("E105", span, frame, owner=builtin.name, limit=builtin.most, given=len(values))
        for value in values:
            items = list_of(value)
            if isinstance(items, range):
                self.step(frame, node.span, len(items))
            else:
                self.walk(items, node.span, frame)
        try:
            result = builtin.call(*map(plain, values))
        except ValueProblem as problem:
            span = node.arguments[0].span if len(values) == 1 else node.span
            return self.error(problem.code, span, frame, facts=problem.facts)
        except (OverflowError, ValueError):
            return self.error("E321", node.span, frame)
        except TypeError:  # members without an order, or that cannot be compared
            what, got = f"the argument of {builtin.name}", "other members"
            return self.error("E301", node.span, frame, what=what, expected="a list of numbers or strings", got=got)
        self.walk(result, node.span, frame)
        if isinstance(result, int | float) and abs(result) > MAX_NUMBER:
            return self.error("E321", node.span, frame)
        if builtin.name == "zip":
            self.sized(result, node.span, frame)
            return _zip_traced(result, values)
        if builtin.python is None:
            values = [self.unsized(value, node.span, frame) for value in values]
        exprs = [expr_of(value) for value in values]
        if builtin.python is None:
            for expr in exprs:  # what it was computed from is lost here
                self.structural(expr, frame)
            return result
        if not any(isinstance(value, Traced | tuple) for value in values):
            return result
        if any(isinstance(expr, Tuple) for expr in exprs) and builtin.name == "len":
            return result
        return self.kept(result, apply(builtin.python, *exprs), frame)

    def _function(self, definition: Definition, node: ast.CallExpr, frame: Frame) -> Any:
        if not isinstance(definition.syntax, ast.Definition) or definition.kind == "model":
            what = f"the {definition.kind} {definition.name}"
            return self.error("E309", node.callee.span, frame, what=what)
        names = [p.name for p in definition.syntax.parameters]
        args = self.arguments(node.arguments, names, definition.name, frame, {}, node.span, tensors=True)
        if args is None or definition.faulty:
            return UNKNOWN
        definition.elaborated = True
        inner = Frame(definition.file, frame.scope, inline=True, owner=definition.name)
        if not self.bind_parameters(definition, args, inner, frame, node.span):
            return UNKNOWN
        invoked = self._invoke(definition, args, inner)
        if invoked is not None:
            return invoked
        if self.depth >= MAX_DEPTH:
            self.limit(frame, node.span, "levels of calls", MAX_DEPTH)
        self.depth += 1
        value = self.execute(definition.syntax.body, inner)
        self.depth -= 1
        if definition.kind == "scaling":
            found = {n: v for n, v in inner.locals.items() if n not in names}
            self.sized(found.values(), node.span, frame)
            return Record(definition.name, found)
        if value is None:
            return self.error("E312", definition.span, frame, name=definition.name)
        return value

    def _invoke(self, definition: Definition, args: Mapping[str, Arg], inner: Frame) -> Traced | None:
        """A fn of numbers with a traced argument, as a call that generated source can print; None for any other."""
        syntax = definition.syntax
        assert isinstance(syntax, ast.Definition)
        values = {name: plain(value) for name, value in inner.locals.items()}
        numbers = all(isinstance(value, int | float | str | bool) for value in values.values())
        if definition.kind != "fn" or not numbers or not any(isinstance(v, Traced) for v in inner.locals.values()):
            return None
        key = (id(definition), *((name, name in args, type(value), value) for name, value in values.items()))
        known = self._functions.get(key)
        if known is None:
            known = self._functions[key] = self._traced_function(definition, args, values)
        result, function = known
        if function is None:
            return None
        given = tuple((p.name, args[p.name].expr) for p in syntax.parameters if p.name in args)
        return Traced(result, Invoke(function, given))

    def _traced_function(
        self, definition: Definition, args: Mapping[str, Arg], values: Mapping[str, Any]
    ) -> tuple[Any, Function | None]:
        """What a fn gives for these values, and how, over its parameters; no function where that cannot be said."""
        syntax = definition.syntax
        assert isinstance(syntax, ast.Definition)
        trace = FunctionTrace()
        own = Frame(definition.file, None, inline=True, owner=definition.name, function=trace)
        own.locals = {name: Traced(value, Symbol(name)) for name, value in values.items()}
        if self.depth >= MAX_DEPTH:
            return None, None
        self.depth += 1
        value = self.trial(lambda: self.execute(syntax.body, own), None)
        self.depth -= 1
        if trace.structural or not isinstance(value, Traced):
            return None, None
        if not isinstance(value.value, int | float | bool):
            return None, None
        parameters = tuple((p.name, None if p.name in args else values[p.name]) for p in syntax.parameters)
        return value.value, Function(definition.name, parameters, value.expr)


def _is_hidden(name: str) -> bool:
    return name in OPS or name in BUILTINS


def _zip_traced(rows: tuple[tuple[Any, ...], ...], lists: Sequence[Any]) -> Any:
    """zip keeps the traces of its lists' members."""
    if not any(isinstance(item, Traced) for item in lists):
        return tuple(zip(*lists, strict=True))
    return tuple(zip(*map(members, lists), strict=True))
