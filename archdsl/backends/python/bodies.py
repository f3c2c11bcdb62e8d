"""From a scope of the graph to the body of a class: its members, and the steps of its forward.

Takes a `Scope` and the classes of the blocks inside it; gives a `Body`. Members of a dotted label
(`features.0`) are put back together: into an nn.Sequential where they are called one after the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from archdsl.backends.python.modules import (
    DECISION,
    Body,
    Branch,
    Built,
    Listed,
    ModuleExpr,
    Option,
    Region,
    Step,
    Weight,
)  # fmt: skip
from archdsl.backends.python.values import Environment, agrees, environment_of
from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.scopes import ChoiceScope, Scope
from archdsl.graph.sizes import SizeDecision
from archdsl.source import Span
from archdsl.symbolic import IN_CHANNELS, Const, Expr, Symbol, evaluate, substitute, symbols

InstanceOf = Callable[[Scope], ModuleExpr]
"""The constructor call of the class generated for a block (or other non-sequential scope)."""


@dataclass(slots=True)
class BodyUnit:
    """One unit of a body: its member, if it has one, and its step."""

    path: tuple[str, ...]
    module: ModuleExpr | None
    step: Step


@dataclass(slots=True)
class _Draft:
    """What is known of a body while it is built: names given so far, sites of `if`s met, parameters decided on."""

    taken: set[str]
    sites: Counter[Span]
    decided: set[str]


class BodyBuilder:
    """Builds the bodies of one graph's classes."""

    def __init__(self, graph: Graph, instance_of: InstanceOf) -> None:
        self.graph = graph
        self.instance_of = instance_of
        self.region_sites = _region_sites(graph.root)
        self.environments: dict[int, Environment] = {}
        self.chains: dict[int, bool] = {}
        self.untraced: dict[int, set[str]] = {}
        """By id of the frame: parameters some numbers depend on in a way that was lost."""

    def body(self, scope: Scope) -> Body:
        """The body of the class for one scope."""
        inputs = scope.inputs or tuple(Ref(node.id, 0) for node in scope.nodes() if not node.inputs)
        if scope.kind == "block" and self._is_chain(scope):
            listed = self._listed(scope)
            if listed.items and all(name == "" for name in _names(listed)):
                return Body(scope, inputs, scope.outputs, [("", listed)], [], sequential=True)
        draft = _Draft(scope.names, Counter(), set())
        entries = _with_decisions(self._entries(scope, draft), scope)
        uses = Counter(ref for entry in entries for ref in entry.step.inputs)
        uses.update(scope.outputs)
        entries = _fold(entries, uses)
        members = [(e.path[0], e.module) for e in entries if e.module is not None and len(e.path) == 1]
        members += _containers(entries)
        order = {entry.path[0]: i for i, entry in reversed(list(enumerate(entries))) if entry.path}
        members.sort(key=lambda member: order[member[0]])
        steps = [entry.step for entry in entries]
        return Body(scope, inputs, scope.outputs, members, steps, decided=draft.decided)

    def is_chain(self, scope: Scope) -> bool:
        """Whether a group or sequence is an nn.Sequential: each member feeds the next and nothing else."""
        return scope.kind in ("group", "sequence") and self._is_chain(scope)

    def _is_chain(self, scope: Scope) -> bool:
        known = self.chains.get(id(scope))
        if known is None:
            known = self.chains[id(scope)] = self._feeds_through(scope)
        return known

    def _feeds_through(self, scope: Scope) -> bool:
        if len(scope.inputs) != 1 or len(scope.outputs) != 1 or scope.decisions:
            return False
        current = scope.inputs
        for unit in scope.units():
            if isinstance(unit[1], Node):
                if unit[1].lowering.module is None or len(unit[1].outputs) != 1 or unit[1].inputs != current:
                    return False
                current = (Ref(unit[1].id, 0),)
            else:
                if unit[1].inputs != current or len(unit[1].outputs) != 1:
                    return False
                if isinstance(unit[1], ChoiceScope) and not self._is_optional(unit[1]):
                    return False
                current = unit[1].outputs
            if len(unit[0]) != 1:
                return False
        return current == scope.outputs

    # --- units -------------------------------------------------------------------------------

    def _entries(self, scope: Scope, draft: _Draft, contained: bool = False) -> list[BodyUnit]:
        """The units of a scope; `contained`: they stand in a container, which has no optional members."""
        entries: list[BodyUnit] = []
        for path, unit in scope.units():
            if isinstance(unit, Node):
                if unit.inputs or scope.kind != "model":
                    entries.append(self._node(unit, path, draft))
            elif isinstance(unit, ChoiceScope):
                entries.extend(self._choice(unit, path[:-1], draft, contained))
            else:
                module = self.scope_module(unit)
                entries.append(BodyUnit(path, module, Step(unit.inputs, unit.outputs, path, role="module")))
        return entries

    def _node(self, node: Node, path: tuple[str, ...], draft: _Draft) -> BodyUnit:
        lowering = node.lowering
        outputs = tuple(Ref(node.id, port) for port in range(len(node.outputs)))
        if lowering.call is not None and node.form is lowering.call:
            resolve = self._resolver(node)
            values = tuple((name, resolve(value)) for name, value in lowering.call.values.items())
            inplace = lowering.call.inplace if self.graph.may_overwrite(node) else ""
            step = Step(node.inputs, outputs, (), lowering.call.template, values, node.op.role, inplace)
            return BodyUnit((), None, step)
        module = self.node_module(node)
        if not node.labelled and not node.weights:
            path = (*path[:-1], _plain_name(node, draft.taken))
        template = lowering.parameter.template if lowering.parameter is not None else ""
        return BodyUnit(path, module, Step(node.inputs, outputs, path, template, (), node.op.role))

    def _choice(self, scope: ChoiceScope, prefix: tuple[str, ...], draft: _Draft, contained: bool) -> list[BodyUnit]:
        """What stands in the place of an `if`: an optional member, or a step with a branch."""
        contained = contained or bool(prefix)
        option = None if contained else self._option(scope)
        if option is not None:
            # A fn used twice in one body brings the same `if` twice.
            draft.sites[option.site] += 1
            path = (f"@{option.site}#{draft.sites[option.site]}",)
            return [BodyUnit(path, option, Step(scope.inputs, scope.outputs, path, role="module"))]
        inner = self._entries(scope, draft, contained)
        if contained or any(len(entry.path) > 1 for entry in inner):
            draft.decided |= symbols(scope.condition)
            return [replace_path(entry, prefix) for entry in inner]
        members = tuple((e.path[0], e.module) for e in inner if e.module is not None)
        branch = Branch(members, tuple(e.step for e in inner), scope.outputs)
        region = Region(scope.site, scope.condition, ((scope.taken, branch),))
        return [BodyUnit((), None, Step(scope.inputs, scope.outputs, role="module", region=region))]

    def _option(self, scope: ChoiceScope) -> Option | None:
        """A choice as one optional member; None where its branch is more than one member."""
        if not self._is_optional(scope):
            return None
        branch: ModuleExpr | None = None
        name = ""
        for path, unit in scope.units():
            branch = self.node_module(unit) if isinstance(unit, Node) else self.scope_module(unit)
            name = path[0]
        return Option(scope.site, scope.condition, name, ((scope.taken, branch),))

    def _is_optional(self, scope: ChoiceScope) -> bool:
        return scope.site not in self.region_sites

    # --- modules -----------------------------------------------------------------------------

    def scope_module(self, scope: Scope) -> ModuleExpr:
        """A block as a call of its class; `[…]` and other chains as nn.Sequential."""
        return self._listed(scope) if self.is_chain(scope) else self.instance_of(scope)

    def _listed(self, scope: Scope) -> Listed:
        """The members of a chain; those with the name of their position lose it."""
        items: list[tuple[str, ModuleExpr]] = []
        position = 0
        for path, unit in scope.units():
            name = "" if path[-1] == str(position) else path[-1]
            if isinstance(unit, ChoiceScope):
                option = self._option(unit)
                assert option is not None
                items.append(("", replace(option, name="" if option.name == str(position) else option.name)))
                position += not option.is_absent
                continue
            items.append((name, self.node_module(unit) if isinstance(unit, Node) else self.scope_module(unit)))
            position += 1
        return Listed(tuple(items))

    def node_module(self, node: Node) -> ModuleExpr:
        """The module an op's lowering asks for, in the expressions of its block."""
        lowering = node.lowering
        resolve = self._resolver(node)
        if lowering.parameter is not None:
            return Weight(tuple(map(resolve, lowering.parameter.shape)), resolve(lowering.parameter.init))
        module = lowering.module
        assert module is not None, f"{node.op.name} has no module form"
        kwargs = tuple([(name, resolve(value)) for name, value in module.kwargs.items()])
        args = tuple([resolve(arg) for arg in module.args])
        inplace = module.inplace and self.graph.may_overwrite(node)
        return Built(module.target, args, kwargs, tuple(module.defaults.items()), inplace)

    def _resolver(self, node: Node) -> Callable[[Expr], Expr]:
        """What turns an expression over an op's parameters into one over the block's."""
        given = dict(node.exprs)
        if node.inputs:
            given[IN_CHANNELS.name] = node.scope.frame.width(node.inputs[0])
        actual: dict[str, Any] = {name: getattr(node.params, name) for name in node.op.parameter_names}
        if node.inputs:
            actual[IN_CHANNELS.name] = node.input_shapes[0].channels

        def resolve(expr: Expr) -> Expr:
            if isinstance(expr, Const):
                return expr
            value = evaluate(expr, actual)
            asked = (expr.name,) if isinstance(expr, Symbol) else symbols(expr)
            if not any(name in given for name in asked):
                return _constant(value)
            values = {name: given[name] if name in given else _constant(actual[name]) for name in asked}
            return self.checked(substitute(expr, values), value, node.scope.frame)

        return resolve

    def checked(self, expr: Expr, value: Any, frame: Scope) -> Expr:
        """The expression if it has the value it should have in this frame; else the value alone."""
        if isinstance(expr, Const):
            return expr
        if agrees(expr, self.environment(frame), value):
            return expr
        self.untraced.setdefault(id(frame), set()).update(symbols(expr))
        return _constant(value)

    def environment(self, scope: Scope) -> Environment:
        """The values of the parameters that a scope's expressions are written in."""
        frame = scope.frame
        known = self.environments.get(id(frame))
        if known is None:
            known = self.environments[id(frame)] = environment_of(self.graph, frame)
        return known


def _region_sites(root: Scope) -> set[Span]:
    """The `if`s between layers that cannot be one optional member: some instance makes more of it, or another name."""
    sites: set[Span] = set()
    names: dict[Span, set[str]] = {}
    stack = [root]
    while stack:
        scope = stack.pop()
        stack += [member for member in scope.members if isinstance(member, Scope)]
        if isinstance(scope, ChoiceScope):
            names.setdefault(scope.site, set()).update(member.name for member in scope.members)
            if not _is_option(scope):
                sites.add(scope.site)
    return sites | {site for site, found in names.items() if len(found) > 1 and not all(n.isdigit() for n in found)}


def _is_option(scope: ChoiceScope) -> bool:
    """Whether the branch that a choice took is nothing, or a single member."""
    units = scope.units()
    if not units:
        return scope.inputs == scope.outputs
    path, unit = units[0]
    if len(units) > 1 or len(path) > 1 or unit.inputs != scope.inputs:
        return False
    if isinstance(unit, Node):
        return unit.lowering.module is not None and (Ref(unit.id, 0),) == scope.outputs
    return unit.kind != "choice" and unit.outputs == scope.outputs


def _with_decisions(entries: list[BodyUnit], scope: Scope) -> list[BodyUnit]:
    """The entries and, as soon as the tensors are there that they ask about, the decisions of a block or model."""
    for decision in reversed(scope.decisions):
        refs = set(decision.refs)
        place = next((i + 1 for i, e in reversed(list(enumerate(entries))) if refs & set(e.step.outputs)), 0)
        said = (("said", Const(_refusal(decision))),)
        step = Step(decision.refs, (), (), decision.condition(), said, role=DECISION)
        entries = [*entries[:place], BodyUnit((), None, step), *entries[place:]]
    return entries


def _refusal(decision: SizeDecision) -> str:
    """What the module says of images for which it would be another network."""
    if decision.message:
        return f"{decision.place} requires: {decision.message}"
    return f"not the size that this network was built for, where {decision}; build it anew with image_size=..."


def _constant(value: object) -> Const:
    return Const(tuple(value) if isinstance(value, list) else value)


def _plain_name(node: Node, taken: set[str]) -> str:
    """A name for a member without weights: the op's own where it is free."""
    for name in (node.op.name, node.name):
        if name not in taken:
            taken.add(name)
            return name
    return f"{node.name}_"


def replace_path(entry: BodyUnit, prefix: tuple[str, ...]) -> BodyUnit:
    """The entry under a container."""
    if not prefix or not entry.path:
        return entry
    path = (*prefix, *entry.path)
    return BodyUnit(path, entry.module, replace(entry.step, path=path))


def _fold(entries: Sequence[BodyUnit], uses: Counter[Ref]) -> list[BodyUnit]:
    """Turn each container whose members are one unbroken chain into a single nn.Sequential."""
    names = [entry.path[0] if len(entry.path) > 1 else "" for entry in entries]
    result: list[BodyUnit] = []
    position = 0
    while position < len(entries):
        name = names[position]
        end = position + 1
        while name and end < len(entries) and names[end] == name:
            end += 1
        run = list(entries[position:end])
        position = end
        if name and names.count(name) == len(run):
            inner = _fold([BodyUnit(e.path[1:], e.module, replace(e.step, path=e.path[1:])) for e in run], uses)
            if _is_run(inner, uses):
                items = tuple((_number(e.path[0], i), e.module) for i, e in enumerate(inner) if e.module)
                step = Step(inner[0].step.inputs, inner[-1].step.outputs, (name,), role="module")
                result.append(BodyUnit((name,), Listed(items), step))
                continue
            run = [BodyUnit((name, *e.path), e.module, replace(e.step, path=(name, *e.path))) for e in inner]
        result.extend(run)
    return result


def _number(name: str, position: int) -> str:
    return "" if name == str(position) else name


def _is_run(entries: Sequence[BodyUnit], uses: Counter[Ref]) -> bool:
    """Whether entries are plain members, each fed by the one before and by nothing else."""
    for entry in entries:
        step = entry.step
        simple = len(entry.path) == 1 and entry.module is not None and not step.template
        if not simple or isinstance(entry.module, Weight | Option) or len(step.inputs) != 1 or len(step.outputs) != 1:
            return False
    return all(a.step.outputs == b.step.inputs and uses[a.step.outputs[0]] == 1 for a, b in pairwise(entries))


def _containers(entries: Iterable[BodyUnit]) -> list[tuple[str, ModuleExpr]]:
    """Containers whose members are called one by one, as nested nn.ModuleDict."""
    grouped: dict[str, list[BodyUnit]] = {}
    for entry in entries:
        if len(entry.path) > 1 and entry.module is not None:
            grouped.setdefault(entry.path[0], []).append(entry)
    found: list[tuple[str, ModuleExpr]] = []
    for name, members in grouped.items():
        inner = [BodyUnit(e.path[1:], e.module, e.step) for e in members]
        items = [(e.path[0], e.module) for e in inner if len(e.path) == 1 and e.module is not None]
        found.append((name, Listed((*items, *_containers(inner)), sequential=False)))
    return found


def _names(listed: Listed) -> Iterator[str]:
    for name, item in listed.items:
        yield item.name if isinstance(item, Option) else name
