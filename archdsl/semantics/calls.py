"""Calls: arguments to ops, blocks, functions and scalings, with declared types and ranges.

Takes a call's syntax; gives a layer with more of its arguments, or the value of a function. Reports E102-E105, E301,
E302, E309, E312, E321 and E323.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from archdsl.diagnostics.core import Bag, Label
from archdsl.diagnostics.suggest import closest
from archdsl.ops.registry import OPS
from archdsl.semantics.builtins import BUILTINS, ValueProblem
from archdsl.semantics.core import MAX_DEPTH, Frame, FunctionTrace
from archdsl.semantics.expressions import MAX_NUMBER, as_tensors
from archdsl.semantics.program import Definition
from archdsl.semantics.statements import StatementRules
from archdsl.semantics.values import (
    UNKNOWN, Arg, BlockLayer, Builtin, Choice, Layer, Named, OpLayer, Record, Tensor, Traced, expr_of, plain, traced,
    type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.symbolic import Function, Invoke, Symbol, Tuple, apply, lift
from archdsl.syntax import ast

TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,), "float": (int, float), "bool": (bool,), "string": (str,), "layer": (Layer,), "tensor": (Tensor,),
    "record": (Record,), "list": (tuple, range),
}  # fmt: skip
_ARTICLE = {"int": "an int"}


class CallRules(StatementRules):
    """`call` and the binding of arguments."""

    def call(self, node: ast.CallExpr, frame: Frame) -> Any:
        """The value of `callee(arguments)`."""
        callee = self.evaluate(node.callee, frame)
        if callee is UNKNOWN:
            return UNKNOWN
        match callee:
            case OpLayer() if callee.op.inputs == (0, 0):
                layer = self._partial_op(callee, node, frame)
                if layer is UNKNOWN or not self._image_sizes(layer, frame):
                    return UNKNOWN
                return self.source(layer, frame, node.span)
            case OpLayer() if callee.op.inputs != (1, 1) and not callee.args:
                return self._merge(callee, node, frame)
            case OpLayer():
                return self._partial_op(callee, node, frame)
            case BlockLayer():
                names = [p.name for p in _parameters(callee.block)]
                args = self.arguments(node.arguments, names, callee.block.name, frame, callee.args, node.span)
                if args is None:
                    return UNKNOWN
                size = self.sized((arg.value for arg in args.values()), node.span, frame)
                return BlockLayer(node.span, callee.block, args, size=size)
            case Choice():
                return self.error("E309", node.callee.span, frame, what="a choice between layers")
            case Named():
                return self.error("E309", node.callee.span, frame, what=f"the labelled layer {callee.name}")
            case Builtin():
                return self._builtin(callee, node, frame)
            case Definition():
                return self._function(callee, node, frame)
        name = node.callee.name if isinstance(node.callee, ast.Name) else ""
        help_ = f"here `{name}` is a value, which hides the op or function `{name}`: rename it" if _is_hidden(name) else None
        return self.error("E309", node.callee.span, frame, what=type_name(callee), help=help_)

    def _image_sizes(self, layer: OpLayer, frame: Frame) -> bool:
        """Whether the sizes of an image are whole numbers from 1; reports E323."""
        wrong = [arg for arg in layer.args.values() if type(arg.value) is not int or arg.value < 1]
        for arg in wrong:
            self.error("E323", arg.span, frame)
        return not wrong

    def _merge(self, callee: OpLayer, node: ast.CallExpr, frame: Frame) -> Any:
        operands: list[Any] = []
        for argument in node.arguments:
            if argument.name is not None:
                owner = callee.op.name
                place = argument.name_span or argument.span
                return self.error("E102", place, frame, name=argument.name, owner=owner, suggestion=None, known="none")
            value = self.evaluate(argument.value, frame)
            if value is UNKNOWN:
                return UNKNOWN
            operands.extend(value if isinstance(value, tuple) else [value])
        spans = [argument.value.span for argument in node.arguments]
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
        if not callee.args and all(isinstance(a.value, ast.Number | ast.String | ast.Bool) for a in node.arguments):
            if frame.file.constants.get(id(node.callee)) is callee:
                frame.file.constants[key] = layer
        return layer

    def _builtin(self, builtin: Builtin, node: ast.CallExpr, frame: Frame) -> Any:
        values: list[Any] = []
        for argument in node.arguments:
            if argument.name is not None:
                place = argument.name_span or argument.span
                return self.error("E102", place, frame, name=argument.name, owner=builtin.name, suggestion=None, known="none")
            values.append(self.evaluate(argument.value, frame))
        if any(value is UNKNOWN for value in values):
            return UNKNOWN
        if len(values) < builtin.least:
            return self.error("E103", node.span, frame, name="an argument", owner=builtin.name)
        if builtin.most is not None and len(values) > builtin.most:
            span = node.arguments[builtin.most].span
            return self.error("E105", span, frame, owner=builtin.name, limit=builtin.most, given=len(values))
        self.step(frame, node.span, sum(len(v) for v in map(plain, values) if isinstance(v, tuple | range)))
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
        if isinstance(result, int | float) and abs(result) > MAX_NUMBER:
            return self.error("E321", node.span, frame)
        if builtin.name == "zip":
            self.sized(result, node.span, frame)
            return _zip_traced(result, values)
        exprs = [expr_of(value) for value in values]
        if builtin.python is None or not any(isinstance(value, Traced | tuple) for value in values):
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
            return Record(definition.name, {n: plain(v) for n, v in inner.locals.items() if n not in names})
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
        bag, self.bag = self.bag, Bag()
        trace = FunctionTrace()
        own = Frame(definition.file, None, inline=True, owner=definition.name, function=trace)
        own.locals = {name: Traced(value, Symbol(name)) for name, value in values.items()}
        self.depth += 1
        try:
            value = self.execute(syntax.body, own) if self.depth < MAX_DEPTH else None
        finally:
            self.depth -= 1
            bag, self.bag = self.bag, bag
        if len(bag) or trace.structural or not isinstance(value, Traced) or not isinstance(value.value, int | float | bool):
            return None
        parameters = tuple((p.name, None if p.name in args else values[p.name]) for p in syntax.parameters)
        function = Function(definition.name, parameters, value.expr)
        given = tuple((p.name, args[p.name].expr) for p in syntax.parameters if p.name in args)
        return Traced(value.value, Invoke(function, given))

    # --- arguments ---------------------------------------------------------------------------

    def arguments(
        self,
        given: Sequence[ast.Argument],
        names: Sequence[str],
        owner: str,
        frame: Frame,
        bound: Mapping[str, Arg],
        span: Span,
        tensors: bool = False,
    ) -> dict[str, Arg] | None:
        """Arguments by parameter name, added to those already `bound`; None after an error.

        Positional arguments fill the parameters not yet bound, in order.
        """
        result = dict(bound)
        fresh: dict[str, Span] = {}
        free = [name for name in names if name not in bound]
        position, ok = 0, True
        for argument in given:
            if argument.spread:
                ok = self._spread(argument, names, owner, frame, result, fresh) and ok
                continue
            value = self.evaluate(argument.value, frame)
            name, place = argument.name, argument.name_span or argument.value.span
            if name is None:
                if position >= len(free):
                    facts = {"owner": owner, "limit": len(free), "given": sum(a.name is None for a in given)}
                    self.error("E105", argument.value.span, frame, facts=facts)
                    return None
                name = free[position]
                position += 1
            if not tensors and _holds_tensor(value):
                what, help_ = f"{name} of {owner}", "a tensor goes through ->; for several inputs: block Name on (a, b)"
                got = type_name(value)
                self.error("E301", argument.value.span, frame, what=what, expected="a value", got=got, help=help_)
                value = UNKNOWN
            if name not in names:
                known = ", ".join(names) or "none"
                self.error("E102", place, frame, name=name, owner=owner, suggestion=closest(name, names), known=known)
                ok = False
            elif name in fresh:
                self.error("E104", place, frame, name=name, owner=owner, secondary=[Label(fresh[name], "given here first")])
                ok = False
            elif value is UNKNOWN:
                fresh[name] = place
                ok = False
            else:
                fresh[name] = place
                result[name] = Arg(value if as_tensors(value) else plain(value), expr_of(value), argument.value.span)
        return result if ok else None

    def _spread(
        self, argument: ast.Argument, names: Sequence[str], owner: str, frame: Frame, result: dict[str, Arg], fresh: dict[str, Span]
    ) -> bool:
        value = self.evaluate(argument.value, frame)
        if value is UNKNOWN:
            return False
        if not isinstance(value, Record):
            got = type_name(value)
            self.error("E301", argument.span, frame, what="what is spread into arguments", expected="a scaling or a record", got=got)
            return False
        ok = True
        for name, item in value.fields.items():
            if name not in names:
                known = ", ".join(names)
                suggestion = closest(name, names)
                self.error("E102", argument.span, frame, name=name, owner=owner, suggestion=suggestion, known=known)
                ok = False
            elif name in fresh:
                self.error("E104", argument.span, frame, name=name, owner=owner, secondary=[Label(fresh[name], "given here first")])
                ok = False
            elif item is UNKNOWN:
                ok = False
            else:
                fresh[name] = argument.span
                result[name] = Arg(item, lift(item), argument.span)
        return ok

    def bind_parameters(
        self, definition: Definition, args: Mapping[str, Arg], inner: Frame, frame: Frame, span: Span
    ) -> bool:
        """Put arguments and defaults into a fn's frame, with their traces; False after an error."""
        ok = True
        for parameter in _parameters(definition):
            arg = args.get(parameter.name)
            if arg is None and parameter.default is None:
                self.error("E103", span, frame, name=parameter.name, owner=definition.name, secondary=[Label(parameter.span, "declared here")])
                ok = False
            elif arg is None:
                assert parameter.default is not None
                value = self.evaluate(parameter.default, inner)
                if value is not UNKNOWN:
                    own = Arg(value if as_tensors(value) else plain(value), expr_of(value), parameter.default.span)
                    ok = self.accepts(parameter, own, definition, frame) and ok
                inner.locals[parameter.name] = value
            elif self.accepts(parameter, arg, definition, frame):
                inner.locals[parameter.name] = traced(arg.value, arg.expr)
            else:
                ok = False
        return ok and not any(value is UNKNOWN for value in inner.locals.values())

    def accepts(self, parameter: ast.Parameter, arg: Arg, definition: Definition, frame: Frame) -> bool:
        """Whether an argument has the declared type and lies in the declared range; reports E301, E302."""
        what = f"{parameter.name} of {definition.name}"
        declared = Label(parameter.span, "declared here")
        if parameter.type is not None and not _has_type(arg.value, parameter.type):
            expected = _type_text(parameter.type)
            self.error("E301", arg.span, frame, what=what, expected=expected, got=type_name(arg.value), secondary=[declared])
            return False
        if parameter.allowed is None:
            return True
        wanted = self._outside(arg.value, parameter.allowed, definition, frame)
        if wanted == "":
            return True
        if wanted is not None:
            got = _shown(arg.value)
            self.error("E302", arg.span, frame, what=what, expected=wanted, got=got, secondary=[declared])
        return False

    def _outside(self, value: Any, allowed: ast.Expression, definition: Definition, frame: Frame) -> str | None:
        """What a value should be; "" if it is that, None if the declaration itself is wrong, which is reported.

        Of a list every member must lie in the range, or be one of the values.
        """
        inner = Frame(definition.file, None, inline=True)
        found = value if isinstance(value, tuple | range) else (value,)
        if not isinstance(allowed, ast.Range):
            choices = plain(self.evaluate(allowed, inner))
            if choices is UNKNOWN:
                return None
            if not isinstance(choices, tuple | range):
                got = type_name(choices)
                self.error("E301", allowed.span, frame, what="what a parameter allows", expected="a range or a list", got=got)
                return None
            fits = all(any(item == choice and _alike(item, choice) for choice in choices) for item in found)
            return "" if fits else "one of " + ", ".join(map(_shown, choices))
        low, high = (None if end is None else plain(self.evaluate(end, inner)) for end in (allowed.start, allowed.stop))
        for end, bound in ((allowed.start, low), (allowed.stop, high)):
            if bound is UNKNOWN:
                return None
            if end is not None and not _is_number(bound):
                self.error("E301", end.span, frame, what="the bound", expected="a number", got=type_name(bound))
                return None
        text = f"in {'' if low is None else low}..{'' if high is None else high}"
        expected = text if high is None else f"{text} (less than {high})"
        fits = all(_is_number(i) and (low is None or low <= i) and (high is None or i < high) for i in found)
        return "" if fits else expected


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _alike(item: Any, choice: Any) -> bool:
    return isinstance(item, bool) == isinstance(choice, bool)


def _parameters(definition: Definition) -> Iterable[ast.Parameter]:
    return definition.syntax.parameters if isinstance(definition.syntax, ast.Definition) else ()


def _is_hidden(name: str) -> bool:
    return name in OPS or name in BUILTINS


def _holds_tensor(value: Any) -> bool:
    if isinstance(value, Record):
        return any(map(_holds_tensor, value.fields.values()))
    return isinstance(value, Tensor) or (type(value) is tuple and any(map(_holds_tensor, value)))


def _has_type(value: Any, type_: ast.TypeRef) -> bool:
    if isinstance(value, bool) and type_.name != "bool":
        return False
    if not isinstance(value, TYPES.get(type_.name, (object,))):
        return False
    if type_.element is not None and isinstance(value, tuple | range):
        return all(_has_type(item, type_.element) for item in value)
    return True


def _type_text(type_: ast.TypeRef) -> str:
    if type_.element is not None:
        return f"a list of {type_.element.name}"
    return _ARTICLE.get(type_.name, f"a {type_.name}")


def _shown(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _zip_traced(rows: tuple[tuple[Any, ...], ...], lists: Sequence[Any]) -> Any:
    """zip keeps the traces of its lists' members."""
    from archdsl.semantics.expressions import members

    if not any(isinstance(item, Traced) for item in lists):
        return tuple(zip(*lists, strict=True))
    return tuple(zip(*map(members, lists), strict=True))
