"""Modules and numbers of many instances as one: expressions that give every instance its own value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archdsl.backends.python.modules import Built, Instance, Kwargs, Listed, ModuleExpr, Option, Weight
from archdsl.backends.python.values import Environment, gives, same
from archdsl.symbolic import Const, Expr, evaluate


class Mismatch(Exception):
    """The instances do not share one class."""


def unify_modules(environments: Sequence[Environment], modules: Sequence[ModuleExpr]) -> ModuleExpr:
    """The one module of several instances, or Mismatch."""
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
    shape = tuple(common(environments, [w.shape[i] for w in weights]) for i in range(len(first.shape)))
    return Weight(shape, common(environments, [w.init for w in weights]))


def _built(environments: Sequence[Environment], modules: Sequence[Built]) -> Built:
    first = modules[0]
    forms = {(m.target, len(m.args), tuple(n for n, _ in m.kwargs), m.defaults) for m in modules}
    if len(forms) > 1:
        raise Mismatch
    args = tuple(common(environments, [m.args[i] for m in modules]) for i in range(len(first.args)))
    kwargs = common_kwargs(environments, [m.kwargs for m in modules])
    return Built(first.target, args, kwargs, first.defaults, all(m.inplace for m in modules))


def _instance(environments: Sequence[Environment], modules: Sequence[Instance]) -> Instance:
    if len({(m.definition, tuple(n for n, _ in m.kwargs)) for m in modules}) > 1:
        raise Mismatch
    return Instance(modules[0].definition, common_kwargs(environments, [m.kwargs for m in modules]))


def common_kwargs(environments: Sequence[Environment], kwargs: Sequence[Kwargs]) -> Kwargs:
    """As `common`, for arguments of equal names."""
    names = [name for name, _ in kwargs[0]]
    return tuple((n, common(environments, [k[i][1] for k in kwargs])) for i, n in enumerate(names))


def _listed(environments: Sequence[Environment], modules: Sequence[Listed]) -> Listed:
    first = modules[0]
    if len({len(m.items) for m in modules}) > 1 or len({m.sequential for m in modules}) > 1:
        raise Mismatch
    items = []
    for index, (name, _) in enumerate(first.items):
        if any(m.items[index][0] != name for m in modules):
            raise Mismatch
        items.append((name, unify_modules(environments, [m.items[index][1] for m in modules])))
    return Listed(tuple(items), first.sequential)


def _option(environments: Sequence[Environment], options: Sequence[Option]) -> Option:
    first = options[0]
    if len({option.site for option in options}) > 1:
        raise Mismatch
    branches: list[tuple[bool, ModuleExpr | None]] = []
    for value in (True, False):
        taken = [
            (e, dict(o.branches)[value])
            for e, o in zip(environments, options, strict=True)
            if value in dict(o.branches)
        ]
        if not taken:
            continue
        present = [(environment, module) for environment, module in taken if module is not None]
        if present and len(present) < len(taken):
            raise Mismatch
        branch = unify_modules([e for e, _ in present], [m for _, m in present]) if present else None
        branches.append((value, branch))
    names = {option.name for option in options if not option.is_absent}
    if len(names) > 1:
        raise Mismatch
    condition = first.condition
    if len(branches) > 1:
        condition = common(environments, [option.condition for option in options])
    return Option(first.site, condition, names.pop() if names else "", tuple(branches), first.called)


def common(environments: Sequence[Environment], exprs: Sequence[Expr]) -> Expr:
    """An expression that gives every instance its number; Mismatch where there is none."""
    first = exprs[0]
    if all(expr is first or expr == first for expr in exprs):
        return first  # each instance's own, so it gives each its number
    values = [evaluate(expr, environment) for expr, environment in zip(exprs, environments, strict=True)]
    for candidate in _distinct(exprs):
        if all(gives(candidate, e, v) for e, v in zip(environments, values, strict=True)):
            return candidate
    if all(same(value, values[0]) for value in values):
        return Const(values[0])
    raise Mismatch


def _distinct(exprs: Sequence[Expr]) -> Iterator[Expr]:
    """Each expression once. The first is mostly the one that serves, so the others are not compared before."""
    yield exprs[0]
    yield from (expr for expr in dict.fromkeys(exprs) if expr != exprs[0])
