"""Walking through what classes are made of: all expressions, all modules, all `if`s."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from archdsl.backends.python.modules import (
    Body,
    Branch,
    Built,
    Instance,
    Kwargs,
    Listed,
    ModuleExpr,
    Option,
    Region,
    Repeat,
    Step,
    Weight,
)  # fmt: skip
from archdsl.symbolic import Const, Expr, Local

Rule = Callable[[Expr], Expr]


def modules_in(modules: Iterable[ModuleExpr]) -> Iterator[ModuleExpr]:
    """The modules and all inside them."""
    for module in modules:
        yield module
        if isinstance(module, Listed):
            yield from modules_in(item for _, item in module.items)
        elif isinstance(module, Option):
            yield from modules_in(branch for _, branch in module.branches if branch is not None)
        elif isinstance(module, Repeat):
            yield from modules_in([module.module])


def modules_of(body: Body) -> Iterator[ModuleExpr]:
    """All modules of a class."""
    return modules_in(module for _, module in body.members)


def regions_in(steps: Iterable[Step]) -> Iterator[Region]:
    """All `if`s of a forward, those inside others included."""
    for step in steps:
        if step.region is not None:
            yield step.region
            for _, branch in step.region.branches:
                yield from regions_in(branch.steps)


def own_holes(module: ModuleExpr) -> Iterator[Expr]:
    """The expressions printed for a module itself, without those inside it."""
    match module:
        case Built():
            yield from module.args
            yield from (value for _, value in module.kwargs)
        case Weight():
            yield from module.shape
            yield module.init
        case Instance():
            yield from (value for _, value in module.kwargs)
        case Option() if module.is_open:
            yield module.condition


def holes(module: ModuleExpr) -> Iterator[Expr]:
    """All expressions that are printed for a module."""
    for inner in modules_in([module]):
        yield from own_holes(inner)


def body_holes(body: Body) -> Iterator[Expr]:
    """All expressions that are printed for a class."""
    for _, module in body.members:
        yield from holes(module)
    yield from _step_holes(body.steps)


def _step_holes(steps: Iterable[Step]) -> Iterator[Expr]:
    for step in steps:
        yield from (value for _, value in step.values)
        if step.region is not None:
            yield step.region.condition
            for _, branch in step.region.branches:
                yield from _step_holes(branch.steps)


def named_numbers(exprs: Iterable[Expr]) -> dict[str, Expr]:
    """Named numbers that some expressions use, definitions before uses."""
    found: dict[str, Expr] = {}

    def visit(expr: Expr) -> None:
        for part in expr.parts():
            visit(part)
        if isinstance(expr, Local):
            found.setdefault(expr.name, expr.definition)

    for expr in exprs:
        visit(expr)
    return found


def values_in(steps: Iterable[Step]) -> Iterator[tuple[str, Expr]]:
    """The arguments of the functions that `forward` calls, but for plain numbers, each with its name there."""
    for step in steps:
        yield from ((name, value) for name, value in step.values if not isinstance(value, Const))
        for _, branch in step.region.branches if step.region is not None else ():
            yield from values_in(branch.steps)


# --- rewriting -------------------------------------------------------------------------------


def rewrite(module: ModuleExpr, rule: Rule) -> ModuleExpr:
    """The module with every expression replaced by `rule(expression)`."""
    match module:
        case Built():
            return replace(module, args=tuple(map(rule, module.args)), kwargs=_kwargs(module.kwargs, rule))
        case Weight():
            return Weight(tuple(map(rule, module.shape)), rule(module.init))
        case Instance():
            return Instance(module.definition, _kwargs(module.kwargs, rule))
        case Listed():
            return replace(module, items=tuple((name, rewrite(m, rule)) for name, m in module.items))
        case Option():
            branches = tuple((value, rewrite(m, rule) if m else None) for value, m in module.branches)
            return replace(module, condition=rule(module.condition), branches=branches)
        case Repeat():
            return replace(module, module=rewrite(module.module, rule))


def rewrite_step(step: Step, rule: Rule) -> Step:
    """The step with every expression replaced."""
    region = step.region
    if region is not None:
        branches = tuple(
            (value, Branch(b.members, tuple(rewrite_step(s, rule) for s in b.steps), b.outputs))
            for value, b in region.branches
        )
        region = Region(region.site, rule(region.condition), branches)
    return replace(step, values=_kwargs(step.values, rule), region=region)


def rewrite_body(body: Body, rule: Rule) -> Body:
    """The body with every expression replaced."""
    members = [(name, rewrite(module, rule)) for name, module in body.members]
    return replace(body, members=members, steps=[rewrite_step(step, rule) for step in body.steps])


def _kwargs(kwargs: Kwargs, rule: Rule) -> Kwargs:
    return tuple((name, rule(value)) for name, value in kwargs)
