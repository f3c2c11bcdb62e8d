"""A network of another output stride: once its strides have come to a limit, further ones become 1, and what follows is
dilated.

Takes a `Graph`, gives a new one with the same paths and the same weights. How each op goes on it says itself
(`OpSpec.dilate`); the rule is that of `archdsl.ops.dilation`. Reports E627-E630.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any

from pydantic import ValidationError

from archdsl.diagnostics.core import Bag
from archdsl.graph.ir import Graph, Node
from archdsl.graph.scopes import BlockScope, Scope
from archdsl.graph.sizes import SizeDecision
from archdsl.graph.templates import Template
from archdsl.ops.spec import POINTWISE, Holes, OpParams, Problem, Reach, Shape

Steps = tuple[int | Fraction, int | Fraction]


@dataclass(frozen=True, slots=True)
class _Grid:
    """Where the positions of a tensor lie: `step` pixels of the image apart, and `spread` of its own positions apart
    those that were neighbours before."""

    step: Steps = (1, 1)
    spread: tuple[int, int] = (1, 1)


def own_stride(graph: Graph) -> int | Fraction:
    """The greatest distance, in pixels, of neighbouring positions of a feature map."""
    grids: list[_Grid | None] = []
    for node in graph.nodes:
        grids.append(_after(node, _met(node, grids), None))
    return max((step for grid in grids if grid for step in grid.step), default=1)


def dilated(graph: Graph, limit: int, bag: Bag) -> Graph | None:
    """The network with `limit` as its output stride; the graph itself if that is its own; None after an error."""
    own = own_stride(graph)
    if own == limit:
        return graph
    if own < limit:
        bag.report("E627", None, name=graph.name, limit=limit, own=_number(own))
        return None
    made = _Dilation(graph, limit, bag)
    return made.run()


class _Refusal(Exception):
    """An op that cannot go on, and why."""


class _Dilation:
    """Copies a graph with other parameters where strides became 1."""

    def __init__(self, graph: Graph, limit: int, bag: Bag) -> None:
        self.graph = graph
        self.limit = limit
        self.bag = bag
        self.grids: list[_Grid | None] = []
        self.params: list[OpParams] = []
        self.outputs: list[tuple[Shape, ...]] = []
        self.nodes: list[Node | None] = [None] * len(graph.nodes)
        self.templates: dict[Hashable, Template] = {}

    def run(self) -> Graph | None:
        for node in self.graph.nodes:
            try:
                self._node(node)
            except _Refusal as reason:
                facts = {"name": self.graph.name, "limit": self.limit, "path": node.path, "detail": str(reason)}
                self.bag.report("E628", node.span, facts=facts)
                return None
        reached = max(step for grid in self.grids if grid for step in grid.step)
        if reached != self.limit:
            self.bag.report("E629", None, name=self.graph.name, limit=self.limit, reached=_number(reached))
            return None
        root = self._scope(self.graph.root, None)
        assert isinstance(root, BlockScope)
        if self.bag.errors:
            return None
        nodes = [node for node in self.nodes if node is not None]
        return replace(self.graph, root=root, nodes=nodes, output_stride=self.limit, plain=self.graph, maker=None)

    def _node(self, node: Node) -> None:
        """Work out parameters, shapes and grid of a node."""
        shapes = self._shapes(node)
        grid = _met(node, self.grids)
        params, op = node.params, node.op
        after = _after(node, grid, self.limit)
        reach = op.reach(params, node.input_shapes)
        if grid is not None and after is not None and (grid.spread, after.spread) != ((1, 1), (1, 1)):
            params = self._dilated(node, grid, after, reach)
        outputs = op.shape(params, shapes) if shapes or not node.inputs else ()
        if isinstance(outputs, Problem):
            detail = str(outputs.facts.get("detail") or "its inputs are no longer of sizes that go together")
            raise _Refusal(outputs.help or detail)
        if shapes != node.input_shapes and node.weights:
            weights = op.weights(params, shapes)
            if [weight.shape for weight in weights] != [weight.shape for weight in node.weights]:
                raise _Refusal("its weights would have another size: it sees all positions at once")
        self.params.append(params)
        self.outputs.append(outputs)
        self.grids.append(after)

    def _dilated(self, node: Node, grid: _Grid, after: _Grid, reach: Reach) -> OpParams:
        """The parameters with which a node goes on where positions lie apart."""
        params, op = node.params, node.op
        if op.dilate is None:
            if reach == POINTWISE:
                return params
            raise _Refusal("what it sees cannot be spread")
        drop = (after.spread[0] != grid.spread[0], after.spread[1] != grid.spread[1])
        found = op.dilate(params, Holes(grid.spread, drop))
        if isinstance(found, str):
            raise _Refusal(found)
        changed = {name: value for name, value in found.items() if value != getattr(params, name)}
        if not changed:
            return params
        try:
            return type(params)(**{name: getattr(params, name) for name in type(params).model_fields} | changed)
        except ValidationError:
            raise _Refusal("its padding would have to be uneven, which it cannot be") from None

    def _shapes(self, node: Node) -> tuple[Shape, ...]:
        return tuple(self.outputs[ref.node][ref.port] for ref in node.inputs)

    def _scope(self, old: Scope, parent: Scope | None) -> Scope:
        new = replace(old, parent=parent, members=[])
        if isinstance(old, BlockScope):
            assert isinstance(new, BlockScope)
            new.template = self._template(old)
        for member in old.members:
            new.members.append(self._scope(member, new) if isinstance(member, Scope) else self._copy(member, new))
        return new

    def _template(self, old: BlockScope) -> Template:
        """What is known of a block here: one for all that are changed alike."""
        decisions: dict[SizeDecision, None] = {}
        for decision in old.decisions:
            again = decision.at(lambda ref: self.outputs[ref.node][ref.port].dims)
            if again is None:
                detail = f"`{decision.text}` {decision.answer}"
                facts = {"name": self.graph.name, "limit": self.limit, "detail": detail}
                self.bag.report("E630", decision.span, facts=facts)
            else:
                decisions[again] = None
        made = tuple((self.params[node.id], self.outputs[node.id]) for node in old.nodes())
        key = (old.template, made, tuple(self.outputs[ref.node][ref.port] for ref in old.inputs))
        if key not in self.templates:
            widths = dict(old.widths())
            known = replace(old.template, start=old.start, inputs=old.inputs, widths=widths, decisions=decisions)
            self.templates[key] = known
        return self.templates[key]

    def _copy(self, old: Node, scope: Scope) -> Node:
        params = self.params[old.id]
        exprs: Mapping[str, Any] = old.exprs
        if params is not old.params:
            exprs = {name: expr for name, expr in exprs.items() if getattr(params, name) == getattr(old.params, name)}
        shapes, outputs = self._shapes(old), self.outputs[old.id]
        changes: dict[str, Any] = {"params": params, "exprs": exprs, "input_shapes": shapes, "outputs": outputs}
        node = replace(old, **changes, scope=scope, known_weights=None, _lowering=None)
        self.nodes[old.id] = node
        return node


def _met(node: Node, grids: list[_Grid | None]) -> _Grid | None:
    """The grid of a node's operands; None where they have no positions: means of the whole image."""
    if not node.inputs:
        return _Grid()
    found = [grid for ref in node.inputs[: node.op.valued] if (grid := grids[ref.node]) is not None]
    if not found:
        return None
    if any(grid.spread != found[0].spread for grid in found):
        raise _Refusal("its inputs come by different strides")
    steps = max(grid.step[0] for grid in found), max(grid.step[1] for grid in found)
    return _Grid(steps, found[0].spread)


def _after(node: Node, grid: _Grid | None, limit: int | None) -> _Grid | None:
    """The grid of a node's output, with no step above the limit."""
    reach = node.op.reach(node.params, node.input_shapes)
    if grid is None or reach.everything:
        return None
    if reach.step == (1, 1):
        return grid
    if any(isinstance(step, Fraction) for step in reach.step) or node.op.dilate is None:  # not windows at equal steps
        if grid.spread != (1, 1):
            if node.op.role == "pool":
                return None  # to a size of its own
            raise _Refusal("it changes the size of a map whose positions lie apart")
        return _Grid((grid.step[0] * reach.step[0], grid.step[1] * reach.step[1]))
    steps: list[int | Fraction] = []
    spread: list[int] = []
    for step, apart, own in zip(grid.step, grid.spread, reach.step, strict=True):
        drop = limit is not None and step * own > limit
        steps.append(step if drop else step * own)
        spread.append(apart * int(own) if drop else apart)
    return _Grid((steps[0], steps[1]), (spread[0], spread[1]))


def _number(value: int | Fraction) -> str:
    return f"{float(value):.4g}"
