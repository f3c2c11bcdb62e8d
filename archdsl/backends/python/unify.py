"""One class for many instances: bodies of equal structure become one, their numbers expressions.

Takes the bodies of some instances of a block; gives the body they share, or raises `Mismatch`. Every number of
every instance is checked: where the common expression would not give it, there is no common class. An `if` between
layers that is more than one optional member becomes an `if` in `forward`, its members options in `__init__`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archdsl.backends.python.common import Mismatch, common, common_kwargs, unify_modules
from archdsl.backends.python.modules import Body, Branch, ModuleExpr, Option, Region, Step
from archdsl.backends.python.traversal import body_holes, holes, modules_of, regions_in
from archdsl.backends.python.values import Environment, defined
from archdsl.graph.ir import Ref
from archdsl.graph.scopes import Scope
from archdsl.symbolic import Expr, symbols


@dataclass(frozen=True, slots=True)
class Case:
    """A body, the parameter values it was made with, and the scopes that are alike in both."""

    environment: Environment
    body: Body
    scopes: list[Scope] = field(default_factory=list)


def unify(cases: Sequence[Case]) -> Body:
    """The one body of several instances, or Mismatch."""
    cases = sorted(cases, key=lambda case: (_absent(case.body), -len(set(case.body.inputs))))
    first = cases[0].body
    for case in cases[1:]:
        if outline(case.body) != outline(first) or not (first.sequential or _same_wiring(first, case.body)):
            raise Mismatch
    environments = [case.environment for case in cases]
    decided = set().union(*(case.body.decided for case in cases))
    members = []
    for index, (name, _) in enumerate(first.members):
        module = unify_modules(environments, [case.body.members[index][1] for case in cases])
        members.append((module.name if isinstance(module, Option) and module.name else name, module))
    renamed = {old: new for (old, _), (new, _) in zip(first.members, members, strict=True)}
    steps: list[Step] = []
    for index in range(len(first.steps)):
        alike = [case.body.steps[index] for case in cases]
        if alike[0].region is None:
            steps.append(_step(environments, alike, renamed))
        else:
            found = unify_region(environments, alike, first.scope)
            steps += found.steps
            members += found.members
            decided |= found.decided
    if len({name for name, _ in members}) < len(members):
        raise Mismatch  # two options that are never there together may have the same name
    members.sort(key=_by_use(steps))
    return replace(first, members=members, steps=steps, decided=decided)


def shared(cases: Sequence[Case]) -> Body:
    """The class body of several instances, or Mismatch: as `unify`, and every instance has all its parameters.

    Where a function's layer stands in different blocks, the branch that one took may ask for what another block lacks.
    """
    body = unify(cases)
    if any(case.environment.keys() != cases[0].environment.keys() for case in cases):
        asked = {name for hole in body_holes(body) for name in symbols(hole)}
        if any(name not in case.environment for case in cases for name in asked):
            raise Mismatch
    return body


def _by_use(steps: Sequence[Step]) -> Any:
    """A key that sorts members by the first step that calls them."""
    order: dict[str, int] = {}

    def visit(steps: Sequence[Step]) -> None:
        for step in steps:
            if step.path:
                order.setdefault(step.path[0], len(order))
            for _, branch in step.region.branches if step.region is not None else ():
                visit(branch.steps)

    visit(steps)
    return lambda member: order.get(member[0], len(order))


def outline(body: Body) -> tuple[Any, ...]:
    """The structure of a body without its numbers and wires: what is called, and how members are named."""
    steps = tuple(
        (step.path, step.template, len(step.inputs), len(step.outputs), step.region.site if step.region else None)
        for step in body.steps
    )
    return (body.sequential, len(body.inputs), steps, len(body.outputs), tuple(name for name, _ in body.members))


def _absent(body: Body) -> int:
    """How many options this instance left out: the fullest has the expressions that say most."""
    empty = sum(not branch.steps for region in regions_in(body.steps) for _, branch in region.branches)
    return empty + sum(isinstance(module, Option) and module.is_absent for module in modules_of(body))


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


def _step(environments: Sequence[Environment], steps: Sequence[Step], renamed: Mapping[str, str]) -> Step:
    first = steps[0]
    if len({tuple(name for name, _ in step.values) for step in steps}) > 1:
        raise Mismatch
    path = tuple(renamed.get(part, part) if i == 0 else part for i, part in enumerate(first.path))
    values = common_kwargs(environments, [step.values for step in steps]) if first.values else ()
    inplace = first.inplace if all(step.inplace for step in steps) else ""
    return replace(first, path=path, values=values, inplace=inplace)


# --- `if`s between layers --------------------------------------------------------------------


@dataclass(slots=True)
class Unified:
    """What an `if` becomes: steps (what both sides begin with, then the `if`), members, parameters decided on."""

    steps: list[Step]
    members: list[tuple[str, ModuleExpr]]
    decided: set[str] = field(default_factory=set)


def unify_region(environments: Sequence[Environment], steps: Sequence[Step], scope: Scope) -> Unified:
    """The `if` of several instances; without the `if` where all of them went the same way."""
    first = steps[0]
    regions = [step.region for step in steps if step.region is not None]
    conditions = [region.condition for region in regions]
    branches: list[tuple[bool, Branch]] = []
    members = _Members(environments)
    decided: set[str] = set()
    for value in (True, False):
        taken = [
            Case(environment, _body(scope, step, dict(region.branches)[value]))
            for environment, step, region in zip(environments, steps, regions, strict=True)
            if value in dict(region.branches)
        ]
        if not taken:
            continue
        body = unify(taken)
        decided |= body.decided
        wires = dict(zip(body.inputs, first.inputs, strict=True))
        outputs = tuple(wires.get(ref, ref) for ref in body.outputs)
        branches.append((value, Branch((), tuple(_rewired(body.steps, wires)), outputs)))
        members.add(value, body, [case.environment for case in taken])
    if len(branches) == 1:
        # Its results are known by the names of the first instance, which need not be that of this branch's body.
        found = _renamed(branches[0][1], first.outputs)
        return Unified(found, members.plain(), decided | _symbols(conditions))
    condition = common(environments, conditions)
    shared, branches = _hoisted(branches)
    region = Region(regions[0].site, condition, tuple(branches))
    read = dict.fromkeys(ref for _, b in branches for s in b.steps for ref in s.inputs)
    made = {ref for _, b in branches for s in b.steps for ref in s.outputs}
    inputs = tuple(ref for ref in [*read, *(r for _, b in branches for r in b.outputs)] if ref not in made)
    step = Step(tuple(dict.fromkeys(inputs)), first.outputs, role="module", region=region)
    return Unified([*shared, step], members.optional(region), decided)


def _body(scope: Scope, step: Step, branch: Branch) -> Body:
    return Body(scope, step.inputs, branch.outputs, list(branch.members), list(branch.steps))


def _renamed(branch: Branch, outputs: Sequence[Ref]) -> list[Step]:
    """A branch's steps with its results under other names."""
    wires = {old: new for old, new in zip(branch.outputs, outputs, strict=True) if old != new}
    if not wires:
        return list(branch.steps)
    if any(ref not in {made for step in branch.steps for made in step.outputs} for ref in wires):
        raise Mismatch  # an input handed on under another name
    return _rewired(branch.steps, wires)


class _Members:
    """The members of both sides of an `if`."""

    def __init__(self, environments: Sequence[Environment]) -> None:
        self.environments = environments
        self.found: dict[str, dict[bool, tuple[ModuleExpr, Sequence[Environment]]]] = {}
        self.regularizers: set[str] = set()
        """The names of those that have no state and do nothing but in training: they may be there unused."""

    def add(self, value: bool, body: Body, environments: Sequence[Environment]) -> None:
        """The members of the side where the condition has this value."""
        for name, module in body.members:
            self.found.setdefault(name, {})[value] = (module, environments)
        self.regularizers |= {step.path[0] for step in body.steps if step.path and step.role == "regularizer"}

    def plain(self) -> list[tuple[str, ModuleExpr]]:
        """The members where there is one side only."""
        return [(name, module) for name, sides in self.found.items() for module, _ in sides.values()]

    def optional(self, region: Region) -> list[tuple[str, ModuleExpr]]:
        """The members under the condition, but for those that both sides have or that may be there unused."""
        return [(name, self._member(name, sides, region)) for name, sides in self.found.items()]

    def _member(
        self, name: str, sides: dict[bool, tuple[ModuleExpr, Sequence[Environment]]], region: Region
    ) -> ModuleExpr:
        if len(sides) == 2:
            (one, _), (two, _) = sides[True], sides[False]
            try:
                environments = [*sides[True][1], *sides[False][1]]
                return unify_modules(environments, [one] * len(sides[True][1]) + [two] * len(sides[False][1]))
            except Mismatch:
                return Option(region.site, region.condition, name, ((True, one), (False, two)), called=False)
        ((side, (module, _)),) = sides.items()
        if name in self.regularizers and self._serves(module):
            return module
        return Option(region.site, region.condition, name, ((side, module), (not side, None)), called=False)

    def _serves(self, module: ModuleExpr) -> bool:
        """Whether its numbers can be computed in every instance."""
        return all(defined(hole, environment) for hole in holes(module) for environment in self.environments)


def _hoisted(branches: Sequence[tuple[bool, Branch]]) -> tuple[list[Step], list[tuple[bool, Branch]]]:
    """What both branches do first, and the rest of each."""
    (yes, one), (no, two) = branches
    wires: dict[Ref, Ref] = {}
    shared: list[Step] = []
    for a, b in zip(one.steps, two.steps, strict=False):
        alike = (a.path, a.template, a.values, a.inplace) == (b.path, b.template, b.values, b.inplace)
        if not alike or a.region is not None or b.region is not None:
            break
        if a.inputs != tuple(wires.get(ref, ref) for ref in b.inputs) or len(a.outputs) != len(b.outputs):
            break
        wires.update(zip(b.outputs, a.outputs, strict=True))
        shared.append(a)
    rest = tuple(_rewired(two.steps[len(shared) :], wires))
    outputs = tuple(wires.get(ref, ref) for ref in two.outputs)
    return shared, [
        (yes, replace(one, steps=one.steps[len(shared) :])),
        (no, replace(two, steps=rest, outputs=outputs)),
    ]


def _rewired(steps: Sequence[Step], wires: Mapping[Ref, Ref]) -> list[Step]:
    """The steps with some tensors under other names, inside their `if`s too."""
    return [_rewired_step(step, wires) for step in steps]


def _rewired_step(step: Step, wires: Mapping[Ref, Ref]) -> Step:
    region = step.region
    if region is not None:
        branches = tuple(
            (value, Branch(b.members, tuple(_rewired(b.steps, wires)), tuple(wires.get(r, r) for r in b.outputs)))
            for value, b in region.branches
        )
        region = replace(region, branches=branches)
    inputs, outputs = (tuple(wires.get(ref, ref) for ref in refs) for refs in (step.inputs, step.outputs))
    return replace(step, inputs=inputs, outputs=outputs, region=region)


def _symbols(exprs: Sequence[Expr]) -> set[str]:
    return set().union(*map(symbols, exprs))
