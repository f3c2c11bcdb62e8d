"""One class for many instances: bodies of equal structure become one, their numbers expressions.

Takes the bodies of some instances of a block; gives the body they share, or raises `Mismatch`. Every number of
every instance is checked: where the common expression would not give it, there is no common class.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from archdsl.backends.python.modules import (
    Body, Branch, Built, Instance, Listed, ModuleExpr, Option, Region, Step, Weight,
)  # fmt: skip
from archdsl.graph.ir import Graph, Ref, Scope
from archdsl.symbolic import Const, Expr, evaluate

Environment = Mapping[str, Any]
"""The values of a class's parameters in one instance."""


class Mismatch(Exception):
    """The instances do not share one class."""


@dataclass(frozen=True, slots=True)
class Case:
    """A body and the parameter values it was made with."""

    environment: Environment
    body: Body


def environment_of(graph: Graph, scope: Scope) -> dict[str, Any]:
    """The values of all parameters of a scope's frame, widths of its inputs included."""
    frame = scope.frame
    values = {name: bound.value for name, bound in frame.arguments.items()}
    if frame.input_names == ("in",):
        values["in_channels"] = graph.shape(frame.inputs[0]).channels
    else:
        for name, ref in zip(frame.input_names, frame.inputs, strict=True):
            values[f"{name}_channels"] = graph.shape(ref).channels
    return values


def unify(cases: Sequence[Case]) -> Body:
    """The one body of several instances, or Mismatch."""
    cases = sorted(cases, key=lambda case: _absent(case.body))
    first = cases[0].body
    for case in cases[1:]:
        if outline(case.body) != outline(first) or not _same_wiring(first, case.body):
            raise Mismatch
    environments = [case.environment for case in cases]
    members = []
    for index, (name, _) in enumerate(first.members):
        module = _module(environments, [case.body.members[index][1] for case in cases])
        members.append((module.name if isinstance(module, Option) and module.name else name, module))
    renamed = {old: new for (old, _), (new, _) in zip(first.members, members, strict=True)}
    steps: list[Step] = []
    for index in range(len(first.steps)):
        alike = [case.body.steps[index] for case in cases]
        if alike[0].region is None:
            steps.append(_step(environments, alike, renamed))
        else:
            found, inner = unify_region(environments, alike, first.scope)
            members += inner
            steps += found
    return Body(first.scope, first.inputs, first.outputs, members, steps)


def outline(body: Body) -> tuple[Any, ...]:
    """The structure of a body without its numbers and wires: what is called, and how members are named."""
    steps = tuple(
        (step.path, step.template, len(step.inputs), len(step.outputs), step.region.site.start if step.region else -1)
        for step in body.steps
    )
    return (len(body.inputs), steps, len(body.outputs), tuple(name for name, _ in body.members))


def _absent(body: Body) -> int:
    """How many options this instance left out."""
    regions = [step.region for step in body.steps if step.region is not None]
    empty = sum(not branch.steps for region in regions for _, branch in region.branches)
    return empty + sum(isinstance(m, Option) and all(b is None for _, b in m.branches) for _, m in body.members)


def _same_wiring(template: Body, other: Body) -> bool:
    """Whether the steps of two bodies of equal outline are fed alike.

    Where `other` left an option out, its step's output is its input: then one tensor stands for two of the template.
    """
    wires = dict(zip(template.inputs, other.inputs, strict=True))
    for ours, theirs in zip(template.steps, other.steps, strict=True):
        if [wires.get(ref) for ref in ours.inputs] != list(theirs.inputs):
            return False
        wires.update(zip(ours.outputs, theirs.outputs, strict=True))
    return [wires.get(ref) for ref in template.outputs] == list(other.outputs)


def unify_region(
    environments: Sequence[Environment], steps: Sequence[Step], scope: Scope
) -> tuple[list[Step], list[tuple[str, ModuleExpr]]]:
    """The steps and members for an `if` in `forward`; without the `if` where all instances went the same way."""
    first = steps[0]
    regions = [step.region for step in steps if step.region is not None]
    branches: list[tuple[bool, Branch]] = []
    raw: dict[str, list[tuple[Environment, ModuleExpr]]] = {}
    sides: dict[str, set[bool]] = {}
    for value in (True, False):
        taken = [
            (environment, step, dict(region.branches)[value])
            for environment, step, region in zip(environments, steps, regions, strict=True)
            if value in dict(region.branches)
        ]
        if not taken:
            continue
        inner = [e for e, _, _ in taken]
        bodies = [Body(scope, s.inputs, b.outputs, list(b.members), list(b.steps)) for _, s, b in taken]
        body = unify([Case(e, b) for e, b in zip(inner, bodies, strict=True)])
        wires = dict(zip(body.inputs, first.inputs, strict=True))
        branches.append((value, Branch((), tuple(_rewired(body.steps, wires)), tuple(wires.get(r, r) for r in body.outputs))))
        for environment, found in zip(inner, bodies, strict=True):
            for name, module in found.members:
                raw.setdefault(name, []).append((environment, module))
                sides.setdefault(name, set()).add(value)
    condition = _hole(environments, [region.condition for region in regions]) if len(branches) > 1 else regions[0].condition
    members: list[tuple[str, ModuleExpr]] = []
    for name, cases in raw.items():
        module = _module([e for e, _ in cases], [m for _, m in cases])
        if len(branches) > 1 and len(sides[name]) == 1 and not _stateless(module):
            (side,) = sides[name]
            module = Option(regions[0].site, condition, name, ((side, module), (not side, None)))
        members.append((name, module))
    if len(branches) == 1:
        return list(branches[0][1].steps), members
    common, branches = _hoisted(branches)
    region = Region(regions[0].site, condition, tuple(branches))
    read = dict.fromkeys(ref for _, b in branches for s in b.steps for ref in s.inputs)
    made = {ref for _, b in branches for s in b.steps for ref in s.outputs}
    inputs = tuple(ref for ref in [*read, *(r for _, b in branches for r in b.outputs)] if ref not in made)
    return [*common, Step(tuple(dict.fromkeys(inputs)), first.outputs, role="module", region=region)], members


def _hoisted(branches: Sequence[tuple[bool, Branch]]) -> tuple[list[Step], list[tuple[bool, Branch]]]:
    """What both branches do first, and the rest of each."""
    (yes, one), (no, two) = branches
    wires: dict[Ref, Ref] = {}
    common: list[Step] = []
    for a, b in zip(one.steps, two.steps, strict=False):
        same = (a.path, a.template, a.values) == (b.path, b.template, b.values) and a.region is None and b.region is None
        if not same or a.optional != b.optional or a.inputs != tuple(wires.get(ref, ref) for ref in b.inputs):
            break
        wires.update(zip(b.outputs, a.outputs, strict=True))
        common.append(a)
    rest = tuple(_rewired(two.steps[len(common) :], wires))
    outputs = tuple(wires.get(ref, ref) for ref in two.outputs)
    return common, [(yes, replace(one, steps=one.steps[len(common) :])), (no, replace(two, steps=rest, outputs=outputs))]


_STATELESS = ("DropPath", "nn.Dropout")


def _stateless(module: ModuleExpr) -> bool:
    """Whether a module may be built though one branch never calls it: it has no weights."""
    return isinstance(module, Built) and module.target in _STATELESS


def _rewired(steps: Sequence[Step], wires: Mapping[Ref, Ref]) -> list[Step]:
    return [replace(s, inputs=tuple(wires.get(r, r) for r in s.inputs)) for s in steps]


def _module(environments: Sequence[Environment], modules: Sequence[ModuleExpr]) -> ModuleExpr:
    first = modules[0]
    if any(type(module) is not type(first) for module in modules):
        raise Mismatch
    if isinstance(first, Option):
        return _option(environments, [m for m in modules if isinstance(m, Option)])
    if isinstance(first, Listed):
        return _listed(environments, [m for m in modules if isinstance(m, Listed)])
    if isinstance(first, Built):
        return _built(environments, [m for m in modules if isinstance(m, Built)])
    if isinstance(first, Instance):
        return _instance(environments, [m for m in modules if isinstance(m, Instance)])
    assert isinstance(first, Weight)
    weights = [m for m in modules if isinstance(m, Weight)]
    if len({len(w.shape) for w in weights}) > 1:
        raise Mismatch
    shape = tuple(_hole(environments, [w.shape[i] for w in weights]) for i in range(len(first.shape)))
    return Weight(shape, _hole(environments, [w.init for w in weights]))


def _built(environments: Sequence[Environment], modules: Sequence[Built]) -> Built:
    first = modules[0]
    forms = {(m.target, len(m.args), tuple(n for n, _ in m.kwargs), m.defaults) for m in modules}
    if len(forms) > 1:
        raise Mismatch
    args = tuple(_hole(environments, [m.args[i] for m in modules]) for i in range(len(first.args)))
    return Built(first.target, args, _kwargs(environments, [m.kwargs for m in modules]), first.defaults)


def _instance(environments: Sequence[Environment], modules: Sequence[Instance]) -> Instance:
    if len({(m.definition, tuple(n for n, _ in m.kwargs)) for m in modules}) > 1:
        raise Mismatch
    return Instance(modules[0].definition, _kwargs(environments, [m.kwargs for m in modules]))


def _kwargs(
    environments: Sequence[Environment], kwargs: Sequence[tuple[tuple[str, Expr], ...]]
) -> tuple[tuple[str, Expr], ...]:
    names = [name for name, _ in kwargs[0]]
    return tuple((n, _hole(environments, [k[i][1] for k in kwargs])) for i, n in enumerate(names))


def _listed(environments: Sequence[Environment], modules: Sequence[Listed]) -> Listed:
    first = modules[0]
    if len({len(m.items) for m in modules}) > 1 or len({m.sequential for m in modules}) > 1:
        raise Mismatch
    items = []
    for index, (name, member) in enumerate(first.items):
        if not isinstance(member, Option) and any(m.items[index][0] != name for m in modules):
            raise Mismatch
        items.append((name, _module(environments, [m.items[index][1] for m in modules])))
    return Listed(tuple(items), first.sequential)


def _option(environments: Sequence[Environment], options: Sequence[Option]) -> Option:
    first = options[0]
    if len({option.site.start for option in options}) > 1:
        raise Mismatch
    branches: list[tuple[bool, ModuleExpr | None]] = []
    for value in (True, False):
        taken = [
            (e, dict(o.branches)[value]) for e, o in zip(environments, options, strict=True) if value in dict(o.branches)
        ]
        if not taken:
            continue
        present = [(environment, module) for environment, module in taken if module is not None]
        if present and len(present) < len(taken):
            raise Mismatch
        branch = _module([e for e, _ in present], [m for _, m in present]) if present else None
        branches.append((value, branch))
    names = {option.name for option in options if option.name}
    if len(names) > 1:
        raise Mismatch
    condition = _hole(environments, [option.condition for option in options]) if len(branches) > 1 else first.condition
    return Option(first.site, condition, names.pop() if names else "", tuple(branches))


def _step(environments: Sequence[Environment], steps: Sequence[Step], renamed: Mapping[str, str]) -> Step:
    first = steps[0]
    if len({tuple(name for name, _ in step.values) for step in steps}) > 1:
        raise Mismatch
    path = tuple(renamed.get(part, part) if i == 0 else part for i, part in enumerate(first.path))
    values = _kwargs(environments, [step.values for step in steps]) if first.values else ()
    return Step(first.inputs, first.outputs, path, first.template, values, first.role, first.optional)


def _hole(environments: Sequence[Environment], exprs: Sequence[Expr]) -> Expr:
    """An expression that gives every instance its number; Mismatch where there is none."""
    values = [evaluate(expr, environment) for expr, environment in zip(exprs, environments, strict=True)]
    for candidate in dict.fromkeys(exprs):
        if all(_gives(candidate, e, v) for e, v in zip(environments, values, strict=True)):
            return candidate
    if all(_same(value, values[0]) for value in values):
        return Const(values[0])
    raise Mismatch


def _gives(candidate: Expr, environment: Environment, value: Any) -> bool:
    try:
        return _same(evaluate(candidate, environment), value)
    except (KeyError, TypeError, ValueError, IndexError, ArithmeticError):
        return False


def _same(a: Any, b: Any) -> bool:
    return type(a) is type(b) and bool(a == b)
