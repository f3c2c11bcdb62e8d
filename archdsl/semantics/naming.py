"""Names of scopes and nodes: every path, and every stage, there is once.

Takes the stem or label of a part and the `Context` it is made in; gives its scope or name, or None once E107 has been
reported.
"""

from __future__ import annotations

from typing import TypeVar

from archdsl.diagnostics.diagnostic import Label
from archdsl.graph.scopes import BlockScope, Scope, ScopeKind, below
from archdsl.graph.templates import Template
from archdsl.semantics.context import Context
from archdsl.semantics.values import Identity, Named
from archdsl.source import Span

T = TypeVar("T", bound=Scope)


def open_scope(kind: ScopeKind, stem: str, span: Span, ctx: Context, name: Named | None) -> Scope | None:
    """A new member of the current scope, with a path of its own."""
    assert ctx.scope is not None
    taken = claim(stem, span, ctx, name)
    if taken is None:
        return None
    return _opened(Scope(kind, taken, below(ctx.scope.path, taken), ctx.scope, span, ctx.run.size), ctx, name)


def open_block(stem: str, span: Span, ctx: Context, name: Named | None, template: Template) -> BlockScope | None:
    """An instance of a block, as a new member of the current scope."""
    assert ctx.scope is not None
    taken = claim(stem, span, ctx, name)
    if taken is None:
        return None
    path = below(ctx.scope.path, taken)
    scope = BlockScope("block", taken, path, ctx.scope, span, ctx.run.size, inputs=template.inputs, template=template)
    return _opened(scope, ctx, name)


def _opened(scope: T, ctx: Context, name: Named | None) -> T:
    assert scope.parent is not None
    ctx.grow(scope.span)
    scope.parent.members.append(scope)
    if name is not None and name.stage:
        scope.stage = True
        claim_stage(scope, ctx)
    return scope


def claim(stem: str, span: Span, ctx: Context, name: Named | None) -> str | None:
    """The name of a new member of the current scope: its label, or the stem and an ordinal."""
    assert ctx.scope is not None
    around, run = ctx.scope.path, ctx.run
    if name is None:
        while True:
            run.ordinals[around, stem] += 1
            text = f"{stem}{run.ordinals[around, stem]}"
            path = below(around, text)
            if path not in run.paths:
                break
    else:
        text, span = name.name, name.span
        path = below(around, text)
        if path in run.paths:
            first = Label(run.paths[path], "first used here")
            ctx.error("E107", span, what="layers have the path", path=path, secondary=[first])
            return None
    run.paths[path] = span
    return text


def container(part: str, scope: Scope, span: Span, ctx: Context) -> Scope | None:
    """The level before a dot of a label: one for all that begin with it, with a scope in each choice and stage."""
    for member in scope.members:
        if isinstance(member, Scope) and member.kind == "container" and member.name == part:
            return member
    path = below(scope.path, part)
    if path not in ctx.run.containers:
        named = Named(span, part, False, Identity(span))
        made = open_scope("container", part, span, ctx.within(scope), named)
        if made is not None:
            ctx.run.containers.add(path)
        return made
    return _opened(Scope("container", part, path, scope, span, ctx.run.size), ctx, None)


def open_stage(name: str, span: Span, ctx: Context) -> Scope:
    """A stage that is no level of the paths: its members have the paths that those of the scope around it have."""
    outer = ctx.scope
    assert outer is not None
    ctx.grow(span)
    scope = Scope("stage", name, outer.path, outer, span, ctx.run.size, stage=True)
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
