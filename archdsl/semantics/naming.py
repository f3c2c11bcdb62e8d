"""Names of scopes and nodes: every path, and every stage, there is once.

Takes the stem or label of a part and the `Context` it is made in; gives its scope or name, or None once E107 has been
reported.
"""

from __future__ import annotations

from archdsl.diagnostics.core import Label
from archdsl.graph.scopes import Scope, ScopeKind
from archdsl.semantics.context import Context
from archdsl.semantics.values import Identity, Named
from archdsl.source import Span


def open_scope(kind: ScopeKind, stem: str, span: Span, ctx: Context, name: Named | None) -> Scope | None:
    """A new member of the current scope, with a path of its own."""
    assert ctx.scope is not None
    taken = claim(stem, span, ctx, name)
    if taken is None:
        return None
    path = f"{ctx.scope.path}.{taken}" if ctx.scope.path else taken
    ctx.grow(span)
    scope = Scope(kind, taken, path, ctx.scope, span, stage=bool(name and name.stage), start=ctx.run.size)
    ctx.scope.members.append(scope)
    if scope.stage:
        claim_stage(scope, ctx)
    return scope


def claim(stem: str, span: Span, ctx: Context, name: Named | None) -> str | None:
    """The name of a new member of the current scope: its label, or the stem and an ordinal."""
    assert ctx.scope is not None
    scope = ctx.scope
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
            ctx.error("E107", span, what="layers have the path", path=path, secondary=[first])
            return None
    scope.names[text] = span
    return text


def container(part: str, scope: Scope, span: Span, ctx: Context) -> Scope | None:
    """The level before a dot of a label: one for all that begin with it, with a scope in each choice and stage."""
    for member in scope.members:
        if isinstance(member, Scope) and member.kind == "container" and member.name == part:
            return member
    first = ctx.run.containers.get((id(scope.names), part))
    if first is None:
        named = Named(span, part, False, Identity(span))
        made = open_scope("container", part, span, ctx.within(scope), named)
        if made is not None:
            ctx.run.containers[id(scope.names), part] = made
        return made
    ctx.grow(span)
    another = Scope("container", part, first.path, scope, span, start=ctx.run.size)
    another.names, another.counters = first.names, first.counters
    scope.members.append(another)
    return another


def open_stage(name: str, span: Span, ctx: Context) -> Scope:
    """A stage that is no level of the paths: a scope that shares the names of the one around it."""
    outer = ctx.scope
    assert outer is not None
    ctx.grow(span)
    scope = Scope("stage", name, outer.path, outer, span, stage=True)
    scope.start = ctx.run.size
    scope.names, scope.counters = outer.names, outer.counters
    outer.members.append(scope)
    claim_stage(scope, ctx)
    return scope


def claim_stage(scope: Scope, ctx: Context) -> None:
    """E107 if another stage has this one's name."""
    name, place = scope.stage_name, scope.span
    if name in ctx.run.stages:
        secondary = [Label(ctx.run.stages[name], "first used here")]
        ctx.error("E107", place, what="stages have the name", path=name, secondary=secondary)
    ctx.run.stages.setdefault(name, place)
