"""Making nodes: each is named, validated and typed at once, so no half-typed graph exists.

Takes an op, its arguments and its tensors; gives the tensors of the new node, or UNKNOWN once an error has been
reported (E103, E107, E2xx, E301, E302, E314, E315, E317, E333).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from archdsl.diagnostics.core import Bag, Label
from archdsl.graph.ir import Node, Ref
from archdsl.graph.scopes import Scope, ScopeKind
from archdsl.graph.sizes import has_sizes
from archdsl.ops.registry import OPS
from archdsl.ops.spec import OpParams, OpSpec, Problem
from archdsl.semantics.arguments import argument_problem, problem_help
from archdsl.semantics.calls import CallRules
from archdsl.semantics.core import Frame
from archdsl.semantics.sizes import (
    excessive_argument,
    excessive_branches,
    excessive_output,
    excessive_weight,
    excessive_window,
    is_wide,
)
from archdsl.semantics.values import (
    UNKNOWN,
    Arg,
    Identity,
    Layer,
    Merge,
    Named,
    OpLayer,
    Tensor,
    Traced,
    is_long,
    plain,
    traces_of,
    type_name,
)  # fmt: skip
from archdsl.source import Span
from archdsl.symbolic import IN_CHANNELS, Const, Expr, substitute, symbols, total

_BY_A_NUMBER = "a tensor is multiplied by a number with `x -> scale(0.5)`; nothing else takes a tensor and a number"


class NodeRules(CallRules):
    """`combine`, the naming of scopes and nodes, and the making of nodes."""

    def __init__(self, bag: Bag, traced: bool = True) -> None:
        super().__init__(bag)
        self.traced = traced
        self._params: dict[tuple[Any, ...], OpParams] = {}

    def _size(self) -> int:
        return len(self.graph.nodes) if self.graph else 0

    def _open(self, kind: ScopeKind, stem: str, span: Span, frame: Frame, name: Named | None) -> Scope | None:
        assert frame.scope is not None
        taken = self._claim(stem, span, frame, name)
        if taken is None:
            return None
        path = f"{frame.scope.path}.{taken}" if frame.scope.path else taken
        self.grow(frame, span)
        scope = Scope(kind, taken, path, frame.scope, span, stage=bool(name and name.stage), start=self._size())
        frame.scope.members.append(scope)
        if scope.stage:
            self.claim_stage(scope, frame)
        return scope

    def _claim(self, stem: str, span: Span, frame: Frame, name: Named | None) -> str | None:
        """The name of a new member of the current scope: its label, or the stem and an ordinal."""
        assert frame.scope is not None
        scope = frame.scope
        if name is None:
            while True:
                scope.counters[stem] = scope.counters.get(stem, 0) + 1
                text = f"{stem}{scope.counters[stem]}"
                if text not in scope.names:
                    break
        else:
            text, span = name.name, name.span
            if text in scope.names:
                path = f"{scope.path}.{text}" if scope.path else text
                first = Label(scope.names[text], "first used here")
                self.error("E107", span, frame, what="layers have the path", path=path, secondary=[first])
                return None
        scope.names[text] = span
        return text

    def _container(self, part: str, scope: Scope, span: Span, frame: Frame) -> Scope | None:
        """The level before a dot of a label: one for all that begin with it, with a scope in each choice and stage."""
        for member in scope.members:
            if isinstance(member, Scope) and member.kind == "container" and member.name == part:
                return member
        first = self.containers.get((id(scope.names), part))
        if first is None:
            named = Named(span, part, False, Identity(span))
            made = self._open("container", part, span, replace(frame, scope=scope), named)
            if made is not None:
                self.containers[id(scope.names), part] = made
            return made
        self.grow(frame, span)
        another = Scope("container", part, first.path, scope, span, start=self._size())
        another.names, another.counters = first.names, first.counters
        scope.members.append(another)
        return another

    def combine(self, op: str, operands: Sequence[Any], frame: Frame, span: Span, spans: Sequence[Span]) -> Any:
        """`f + g`, `concat(…)`: of layers a layer, of tensors a tensor."""
        tensors = [isinstance(operand, Tensor) for operand in operands]
        if operands and all(tensors):
            return self._add_node(OPS[op], {}, {}, operands, frame, span, None, spans)
        if operands and all(isinstance(operand, Layer) for operand in operands):
            return Merge(span, OPS[op], tuple(operands), size=self.sized(operands, span, frame))
        if any(tensors) and any(isinstance(operand, Layer) for operand in operands):
            return self.error("E314", span, frame, op=op)
        odd, place = next(
            (pair for pair in zip(operands, spans, strict=True) if not isinstance(pair[0], Layer | Tensor)),
            (None, span),
        )
        got = "nothing" if not operands else type_name(odd)
        repeats = op == "mul" and isinstance(plain(odd), int) and any(isinstance(o, Layer) for o in operands)
        help_ = "to repeat a layer, write `3 of layer` in a list: `[3 of layer]`" if repeats else None
        if help_ is None and isinstance(plain(odd), int | float) and not isinstance(plain(odd), bool):
            help_ = _BY_A_NUMBER
        what = f"an operand of {op}"
        return self.error("E301", place, frame, what=what, expected="a layer or a tensor", got=got, help=help_)

    def _op_layer(self, layer: OpLayer, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        args = {**layer.defaults, **layer.args} if layer.defaults else layer.args
        if name is not None and name.stage:
            frame = replace(frame, scope=self.open_stage(name.name, name.span, frame))
        if layer.defaults and any(arg.value is UNKNOWN for arg in args.values()):
            return UNKNOWN
        return self._add_node(layer.op, args, layer.defaults, tensors, frame, layer.span, name, ())

    def _add_node(
        self,
        op: OpSpec,
        args: Mapping[str, Arg],
        defaults: Mapping[str, Arg],
        tensors: Sequence[Tensor],
        frame: Frame,
        span: Span,
        name: Named | None,
        spans: Sequence[Span],
    ) -> Any:
        least, most = op.inputs
        if len(tensors) < least or (most is not None and len(tensors) > most):
            takes = (
                f"{least or 'no'} input" + ("s" if least > 1 else "") if most == least else f"at least {least} inputs"
            )
            return self.error("E211", span, frame, op=op.name, takes=takes, got=len(tensors))
        self.branches(f"inputs of {op.name}", len(tensors), frame, span)
        params = self._validated(op, args, frame, span)
        if params is None:
            return UNKNOWN
        if self.reads_sizes:
            args = self.settled_args(args, frame)
        shapes = tuple(t.shape for t in tensors)
        outputs = op.shape(params, shapes)
        if isinstance(outputs, Problem):
            return self._problem(outputs, op, args, frame, span, tensors, spans)
        self.branches(f"outputs of {op.name}", len(outputs), frame, span)
        weights = op.weights(params, shapes)
        excess = excessive_output(op, outputs) or (excessive_weight(op, weights) if weights else None)
        if excess is None and args and is_wide(args):
            excess = excessive_window(op, params, shapes)
        if excess is not None:
            return self.error(excess[0], span, frame, facts=excess[1])
        if weights:
            self.weigh(frame, span, sum([weight.elements for weight in weights]))
        claimed = self._claim(op.name, span, frame, name)
        if claimed is None:
            return UNKNOWN
        self.grow(frame, span)
        graph, scope = self.graph, frame.scope
        assert graph is not None
        assert scope is not None
        exprs = {n: a.expr for n, a in args.items() if not isinstance(a.expr, Const)}
        actual = outputs[0].channels
        channels = _width(op, exprs, tensors, actual, params) if self.traced else Const(actual)
        node = Node(
            len(graph.nodes), op, params, tuple(t.ref for t in tensors), shapes, outputs, claimed,
            f"{scope.path}.{claimed}" if scope.path else claimed, scope, span, exprs, name is not None, weights,
        )  # fmt: skip
        if is_long(channels):
            self.structural(channels, frame)
            channels = Const(outputs[0].channels)
        graph.add(node)
        widths = scope.frame.widths
        for port in range(len(outputs)):
            widths[Ref(node.id, port)] = channels
        if len(outputs) == 1:
            return Tensor(Ref(node.id, 0), outputs[0], channels)
        return tuple(Tensor(Ref(node.id, port), shape, channels) for port, shape in enumerate(outputs))

    def branches(self, what: str, got: int, frame: Frame, span: Span) -> None:
        """E333, and an end to the evaluation, where a layer or block has too many inputs or outputs."""
        excess = excessive_branches(what, got)
        if excess is not None:
            self.unwind(excess[0], frame, span, excess[1])

    def settled_args(self, args: Mapping[str, Arg], frame: Frame) -> dict[str, Arg]:
        """The arguments without what they say of the size of the image, which is noted."""
        found: dict[str, Arg] = {}
        for name, arg in args.items():
            found[name] = arg
            if has_sizes(arg.expr):
                self.unsized(Traced(arg.value, arg.expr), arg.span, frame)
                found[name] = Arg(arg.value, Const(arg.value), arg.span)
            for expr in traces_of(arg.value):  # of a layer: it forgets them itself where it enters a block
                self.unsized(Traced(None, expr), arg.span, frame)
        return found

    def _validated(self, op: OpSpec, args: Mapping[str, Arg], frame: Frame, span: Span) -> OpParams | None:
        values = {name: arg.value for name, arg in args.items()}
        try:
            # bool and int, int and float are equal keys of a dict but not equal arguments
            key = (op.name, *((n, _typed(v)) for n, v in values.items()))
            cached = self._params.get(key)
        except TypeError:
            key, cached = (), None
        if cached is not None:
            return cached
        try:
            params = op.params(**{n: list(v) if isinstance(v, tuple) else v for n, v in values.items()})
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                code, place, facts = argument_problem(op, args, detail, span)
                self.error(code, place, frame, facts=facts, help=problem_help(op, facts))
            return None
        excessive = excessive_argument(op, args)
        if excessive is not None:
            arg, (code, facts) = excessive
            self.error(code, arg.span, frame, facts=facts)
            return None
        if key:
            self._params[key] = params
        return params

    def _problem(
        self,
        problem: Problem,
        op: OpSpec,
        args: Mapping[str, Arg],
        frame: Frame,
        span: Span,
        tensors: Sequence[Tensor],
        spans: Sequence[Span],
    ) -> Any:
        """Report what a shape rule refused, pointing at the argument or the operands at fault."""
        place = args[problem.argument].span if problem.argument and problem.argument in args else span
        secondary: list[Label] = []
        if len(spans) == len(tensors) > 1:
            secondary = [Label(s, str(t.shape)) for s, t in zip(spans, tensors, strict=True) if s != span]
        return self.error(
            problem.code, place, frame, help=problem.help, secondary=secondary, facts={"op": op.name, **problem.facts}
        )


def _width(op: OpSpec, exprs: Mapping[str, Expr], tensors: Sequence[Tensor], actual: int, params: OpParams) -> Expr:
    """How wide a node's output is, as an expression of the frame."""
    if op.channels == "sum":
        return total([t.channels for t in tensors])
    if op.channels is None or not tensors:
        # flatten after gap, for example: as wide as its input, though not by rule
        return tensors[0].channels if len(tensors) == 1 and tensors[0].shape.channels == actual else Const(actual)
    if op.channels is IN_CHANNELS:
        # Of several equal inputs any serves; a constant says most. A gate for each position has one channel.
        widths = [t.channels for t in tensors if t.shape.channels == actual]
        return next((width for width in widths if isinstance(width, Const)), widths[0])
    values: dict[str, Expr] = {IN_CHANNELS.name: tensors[0].channels}
    for symbol in symbols(op.channels) - {IN_CHANNELS.name}:
        values[symbol] = exprs.get(symbol, Const(getattr(params, symbol)))
    return substitute(op.channels, values)


def _typed(value: Any) -> Any:
    """A key that tells 1 from 1.0 and true, in lists too."""
    return tuple(map(_typed, value)) if isinstance(value, tuple) else (type(value), value)
