"""Applying layers to tensors: chains, sequences, labels, choices and blocks.

Takes a layer and tensors; adds to the graph, and gives the tensors that come out, or UNKNOWN. Reports E107, the shape
rules' E2xx, E301, E312-E314, E324 and what pydantic refuses in an op's arguments.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from archdsl.graph.scopes import Bound, Scope, ScopeKind
from archdsl.ops.spec import OpParams
from archdsl.semantics.core import ELEMENTS_A_STEP, MAX_DEPTH, Frame
from archdsl.semantics.inert import inert_parameters, renewed
from archdsl.semantics.nodes import NodeRules
from archdsl.semantics.program import Definition
from archdsl.semantics.replay import Recorded, instance_key, replay
from archdsl.semantics.values import (
    UNKNOWN,
    Arg,
    BlockLayer,
    Chain,
    Choice,
    Identity,
    Layer,
    Merge,
    Named,
    OpLayer,
    Tensor,
    as_tensors,
    plain,
    settled_arg,
    traced,
    traces_of,
    type_name,
)  # fmt: skip
from archdsl.semantics.values import (
    Sequence as SequenceLayer,
)
from archdsl.source import Span
from archdsl.symbolic import Const, Expr, Symbol, expand, substitute
from archdsl.syntax import ast

_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class ApplicationRules(NodeRules):
    """`apply`: one rule for each kind of layer."""

    def apply(self, layer: Layer, tensors: tuple[Tensor, ...], frame: Frame, span: Span) -> Any:
        """Apply a layer: a Tensor, a tuple of them, or UNKNOWN after an error."""
        if frame.scope is None:
            return self.error("E313", span, frame, got="a layer outside a model or block")
        return _APPLY[type(layer)](self, layer, tensors, frame, None)

    def _apply(self, layer: Layer, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        self.step(frame, layer.span)
        return _APPLY[type(layer)](self, layer, tensors, frame, name)

    # --- layers made of layers ---------------------------------------------------------------

    def _identity(self, layer: Identity, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        if name is not None and self._claim("id", layer.span, frame, name) is None:
            return UNKNOWN
        return tensors[0] if len(tensors) == 1 else tensors

    def _chain(self, layer: Chain, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        if name is not None:
            return self._grouped("group", layer, tensors, frame, name, self._chain)
        value: Any = tensors
        for part in layer.layers:
            value = self._apply(part, value, frame, None)
            if value is UNKNOWN:
                return UNKNOWN
            value = as_tensors(value)
        return value[0] if len(value) == 1 else value

    def _merge_layers(self, layer: Merge, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        if name is not None:
            return self._grouped("group", layer, tensors, frame, name, self._merge_layers)
        operands: list[Any] = []
        for part in layer.layers:
            value = self._apply(part, tensors, frame, None)
            if value is UNKNOWN:
                return UNKNOWN
            operands.extend(as_tensors(value) or ())
        return self._add_node(layer.op, {}, {}, operands, frame, layer.span, None, [p.span for p in layer.layers])

    def _sequence(self, layer: SequenceLayer, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        return self._grouped("sequence", layer, tensors, frame, name, self._members)

    def _members(self, layer: SequenceLayer, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        value: Any = tensors
        position = 0
        for part in layer.layers:
            passes = _is_identity(part)  # `id` is no layer of its own, so it takes no number
            numbered = _label_of(part) is None and not passes
            value = self._apply(part, value, frame, Named(part.span, str(position), False, part) if numbered else None)
            if value is UNKNOWN:
                return UNKNOWN
            value = as_tensors(value)
            position += not passes
        return value[0] if len(value) == 1 else value

    def _named(self, layer: Named, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        if name is not None:
            return self._grouped("group", layer, tensors, frame, name, self._named)
        assert frame.scope is not None
        *containers, last = layer.name.split(".")
        scope = frame.scope
        for part in containers:
            inner = self._container(part, scope, layer.span, frame)
            if inner is None:
                return UNKNOWN
            scope = inner
        label = Named(layer.span, last, layer.stage, layer.layer)
        return self._apply(layer.layer, tensors, replace(frame, scope=scope), label)

    def _choice(self, layer: Choice, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        return self._chosen(layer, tensors, frame, name, self._apply)

    def _chosen(
        self, layer: Choice, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None, inside: Callable[..., Any]
    ) -> Any:
        assert frame.scope is not None
        parent = frame.scope
        scope = Scope("choice", "", parent.path, parent, layer.span, site=layer.site, start=self._size())
        scope.condition, scope.taken, scope.inputs = layer.condition, layer.taken, tuple(t.ref for t in tensors)
        scope.names, scope.counters = parent.names, parent.counters  # a choice shares its owner's names
        parent.members.append(scope)
        value = inside(layer.layer, tensors, replace(frame, scope=scope), name)
        if value is not UNKNOWN:
            scope.outputs = tuple(t.ref for t in as_tensors(value) or ())
        return value

    def _grouped(
        self,
        kind: ScopeKind,
        layer: Any,
        tensors: tuple[Tensor, ...],
        frame: Frame,
        name: Named | None,
        inside: Callable[..., Any],
    ) -> Any:
        scope = self._open(kind, "sequence" if kind == "sequence" else "group", layer.span, frame, name)
        if scope is None:
            return UNKNOWN
        scope.inputs = tuple(t.ref for t in tensors)
        value = inside(layer, tensors, replace(frame, scope=scope), None)
        if value is not UNKNOWN:
            scope.outputs = tuple(t.ref for t in as_tensors(value) or ())
        return value

    # --- blocks ------------------------------------------------------------------------------

    def _block_layer(self, layer: BlockLayer, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        syntax = layer.block.syntax
        assert isinstance(syntax, ast.Definition)
        if layer.block.faulty:
            return UNKNOWN
        wanted = len(syntax.inputs) or 1
        if len(tensors) != wanted:
            takes = f"{wanted} inputs" if wanted > 1 else "one input"
            return self.error("E211", layer.span, frame, op=layer.block.name, takes=takes, got=len(tensors))
        if self.depth >= MAX_DEPTH:
            self.limit(frame, layer.span, "levels of blocks", MAX_DEPTH)
        scope = self._open("block", _WORDS.sub("_", layer.block.name).lower(), layer.span, frame, name)
        if scope is None:
            return UNKNOWN
        self.step(frame, layer.span, layer.size * ELEMENTS_A_STEP)
        if self.reads_sizes:
            layer = replace(layer, args=self.settled_args(layer.args, frame))
        for arg in layer.args.values() if self.traced else ():
            if isinstance(arg.value, Layer):
                for expr in traces_of(arg.value):
                    self.structural(expr, frame)
        key = instance_key(layer.args, tensors, inert_parameters(layer.block), self.traced)
        recorded = layer.block.instances.get(key) if key is not None else None
        if recorded is not None:
            params = self._renewed(recorded, layer, frame)
            if params is not None:
                return self._replayed(recorded, params, layer, scope, tensors, frame)
        inner = self.enter(layer.block, layer.args, scope, frame, layer.span)
        if inner is None:
            return UNKNOWN
        start, failed, let_go = self._size(), self.failed, len(self.discarded)
        parts, parameters = self.parts, self.parameters
        self.failed = False
        self.depth += 1
        value = self._run_block(syntax, scope, inner, tensors)
        self.depth -= 1
        seen = self._leave(value, scope, tensors)
        if key is not None and value is not UNKNOWN and not self.failed and self.graph is not None:
            nodes = tuple(self.graph.nodes[start:])
            layer.block.instances[key] = Recorded(
                scope,
                nodes,
                start,
                as_tensors(value) or (),
                tuple(self.discarded[let_go:]),
                self.parameters - parameters,
                self.parts - parts,
            )
        self.failed = self.failed or failed
        return seen

    def _renewed(self, recorded: Recorded, layer: BlockLayer, frame: Frame) -> dict[int, OpParams] | None:
        """Parameters of ops that differ between a recorded instance and this one; None where one is refused."""
        syntax = layer.block.syntax
        assert isinstance(syntax, ast.Definition)
        inert = inert_parameters(layer.block)
        changed: dict[str, Any] = {}
        for parameter in syntax.parameters:
            arg = layer.args.get(parameter.name)
            if parameter.name in inert and arg is not None:
                if not isinstance(arg.value, int | float) or not self.accepts(parameter, arg, layer.block, frame):
                    return None
                old = recorded.scope.arguments[parameter.name].value
                if type(old) is not type(arg.value) or old != arg.value:
                    changed[parameter.name] = arg.value
        return renewed(recorded, changed) if changed else {}

    def _replayed(
        self,
        recorded: Recorded,
        params: Mapping[int, OpParams],
        layer: BlockLayer,
        scope: Scope,
        tensors: tuple[Tensor, ...],
        frame: Frame,
    ) -> Any:
        """An instance like one that was elaborated before."""
        assert self.graph is not None
        old = recorded.scope
        scope.definition, scope.definition_site = old.definition, old.definition_site
        for name, bound in old.arguments.items():
            arg = layer.args.get(name)
            expr = bound.expr if arg is None or isinstance(arg.value, Layer) else arg.expr
            value = bound.value if arg is None or isinstance(arg.value, Layer) else arg.value
            scope.arguments[name] = Bound(value, expr, bound.explicit)
        self.grow(frame, layer.span, recorded.parts)
        self.weigh(frame, layer.span, recorded.parameters)
        results, let_go = replay(recorded, self.graph, scope, tensors, params)
        self.discarded += let_go
        return self._leave(results, scope, tensors)

    def enter(
        self, definition: Definition, args: Mapping[str, Arg], scope: Scope, frame: Frame, span: Span
    ) -> Frame | None:
        """The frame of a block or model instance: each parameter becomes a symbol of its own."""
        scope.definition, scope.definition_site = definition.name, definition.span
        definition.elaborated = True
        if isinstance(definition.syntax, ast.Definition) and definition.syntax.docstring is not None:
            scope.docstring = definition.syntax.docstring.text
        bound = Frame(definition.file, None, inline=True)
        layers = {n: settled_arg(a) if isinstance(a.value, Layer) else a for n, a in args.items()}
        if not self.bind_parameters(definition, layers, bound, frame, span):
            return None
        inner = Frame(definition.file, scope, owner=definition.name)
        inert = inert_parameters(definition)
        for parameter, value in bound.locals.items():
            arg = layers.get(parameter)
            own = plain(value)
            scope.arguments[parameter] = Bound(own, arg.expr if arg else Const(own), explicit=arg is not None)
            inner.locals[parameter] = traced(own, Symbol(parameter)) if self.traced or parameter in inert else own
        return inner

    def _run_block(self, syntax: ast.Definition, scope: Scope, inner: Frame, tensors: tuple[Tensor, ...]) -> Any:
        names = tuple(entry.name for entry in syntax.inputs) or ("in",)
        scope.input_names, scope.inputs = names, tuple(t.ref for t in tensors)
        inner.inputs = tuple(self._seen(t, Symbol(n)) for n, t in zip(scope.width_names, tensors, strict=True))
        if names != ("in",):
            inner.locals |= dict(zip(names, inner.inputs, strict=True))
            for input_name, tensor in zip(names, inner.inputs, strict=True):
                self.let_go(input_name, tensor)
        scope.widths |= {t.ref: t.channels for t in inner.inputs}
        value = self.execute(syntax.body, inner)
        if isinstance(value, Layer):
            value = self._body_layer(value, inner.inputs, inner, None)
        if value is not UNKNOWN and as_tensors(value) is None:
            code = "E312" if value is None else "E301"
            what, got = f"the result of {syntax.name}", type_name(value)
            return self.error(code, syntax.name_span, inner, name=syntax.name, what=what, expected="a tensor", got=got)
        self.branches(f"outputs of {syntax.name}", len(as_tensors(value) or ()), inner, syntax.name_span)
        return value

    def _body_layer(self, layer: Layer, tensors: tuple[Tensor, ...], frame: Frame, name: Named | None) -> Any:
        """The layer that a block is: of a sequence the members, with no level between, also where an `if` chose it."""
        if isinstance(layer, SequenceLayer):
            return self._members(layer, tensors, frame, None)
        if isinstance(layer, Choice):
            return self._chosen(layer, tensors, frame, None, self._body_layer)
        return self._apply(layer, tensors, frame, None)

    def _seen(self, tensor: Tensor, width: Expr) -> Tensor:
        """A tensor as a block sees it."""
        return Tensor(tensor.ref, tensor.shape, width if self.traced else Const(tensor.shape.channels))

    def _leave(self, value: Any, scope: Scope, tensors: tuple[Tensor, ...]) -> Any:
        """Results of a block as the caller sees them: widths in the caller's expressions."""
        if value is UNKNOWN:
            return UNKNOWN
        results = as_tensors(value)
        assert results is not None
        scope.outputs = tuple(t.ref for t in results)
        if not self.traced:
            return results[0] if len(results) == 1 else results
        outer: dict[str, Expr] = {name: bound.expr for name, bound in scope.arguments.items()}
        outer |= {name: tensor.channels for name, tensor in zip(scope.width_names, tensors, strict=True)}
        seen = tuple(Tensor(t.ref, t.shape, substitute(expand(t.channels), outer)) for t in results)
        if scope.parent is not None:
            scope.parent.frame.widths |= {t.ref: t.channels for t in seen}
        return seen[0] if len(seen) == 1 else seen

    def source(self, layer: OpLayer, frame: Frame, span: Span) -> Any:
        """The model's input: the first node of the graph, and its only one without inputs."""
        if frame.scope is None or frame.scope.owner.kind != "model" or self._size():
            return self.error("E324", span, frame)
        return self._op_layer(replace(layer, args={**layer.args, **self.image}), (), frame, None)


def _is_identity(layer: Layer) -> bool:
    return isinstance(layer, Identity) or (isinstance(layer, Choice) and _is_identity(layer.layer))


def _label_of(layer: Layer) -> Named | None:
    if isinstance(layer, Choice):
        return _label_of(layer.layer)
    return layer if isinstance(layer, Named) else None


_APPLY: dict[type, Callable[..., Any]] = {
    Identity: ApplicationRules._identity,
    Chain: ApplicationRules._chain,
    Merge: ApplicationRules._merge_layers,
    SequenceLayer: ApplicationRules._sequence,
    Named: ApplicationRules._named,
    Choice: ApplicationRules._choice,
    BlockLayer: ApplicationRules._block_layer,
    OpLayer: ApplicationRules._op_layer,
}
