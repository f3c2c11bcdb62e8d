"""Statements of a body: assignment, `if`, `for`, `stage`, `require` and results.

Takes the statements and the `Context` they change; gives the value of the last expression.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from archdsl.diagnostics.diagnostic import Label
from archdsl.graph.sizes import has_sizes
from archdsl.semantics import bound
from archdsl.semantics.conditions import condition
from archdsl.semantics.context import Context
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.expressions import filled, label_text
from archdsl.semantics.lists import bind, bind_loop, bind_unknown, iterable
from archdsl.semantics.naming import open_stage
from archdsl.semantics.reserved import output_problem
from archdsl.semantics.values import UNKNOWN, Tensor, Traced, Value, as_tensors, expr_of, is_true, type_name
from archdsl.symbolic import Local

_EACH = "give each of them a name: for i, x in list { output p{i} = x }"


def execute(body: Sequence[bound.Statement], ctx: Context) -> Value | None:
    """The result of a body, UNKNOWN after an error, or None where it has no result."""
    value: Value | None = None
    before: bound.Statement | None = None
    for statement in body:
        if before is not None and value is not None and value is not UNKNOWN:
            # Only the last expression counts: an earlier one would be computed and dropped.
            ctx.error("E322", before.span, what=type_name(value))
        before = statement
        ctx.step(statement.span)
        value = _statement(statement, ctx)
    return value


def _statement(statement: bound.Statement, ctx: Context) -> Value | None:
    """What a statement gives; None of one that is no expression."""
    match statement:
        case bound.Assign():
            _assign(statement, ctx)
        case bound.Result():
            return evaluate(statement.value, ctx)
        case bound.For():
            _for(statement, ctx)
        case bound.IfStatement():
            return _if_statement(statement, ctx)
        case bound.Stage():
            return _stage(statement, ctx)
        case bound.Output():
            _output(statement, ctx)
        case bound.Require():
            _require(statement, ctx)
    return None


def _assign(statement: bound.Assign, ctx: Context) -> None:
    value = evaluate(statement.value, ctx)
    if value is UNKNOWN:
        bind_unknown(statement.target, ctx)
        return
    name = statement.target.name
    if name is not None and isinstance(value, Traced):
        value = _keep_name(name, value, ctx)
    bind(statement.target, value, ctx)


def _keep_name(name: str, value: Traced, ctx: Context) -> Traced:
    """Keep a number's name for generated source, where a block body gives it one."""
    if ctx.run.reads_sizes and has_sizes(value.expr):
        return value
    taken: Mapping[str, object]
    if ctx.function is not None:
        kept, taken = ctx.function.locals, ctx.locals
    elif ctx.inline or ctx.scope is None:
        return value
    else:
        kept, taken = ctx.kept, ctx.scope.frame.arguments
    if isinstance(value.expr, Local) or name in taken or kept.get(name, value.expr) != value.expr:
        return value  # the name means something else elsewhere in this body
    kept[name] = value.expr
    return Traced(value.value, Local(name, value.expr))


def _for(statement: bound.For, ctx: Context) -> None:
    listed = iterable(evaluate(statement.iterable, ctx), statement.iterable.span, ctx)
    if listed is UNKNOWN:
        _forget(statement.body, ctx)
        return
    for index, value in listed:
        ctx.step(statement.span)
        if not bind_loop(statement.target, index, value, ctx):
            _forget(statement.body, ctx)
            return
        result = execute(statement.body, ctx)
        if result is not None and result is not UNKNOWN:
            ctx.error("E322", statement.body[-1].span, what=type_name(result))
            return


def _if_statement(statement: bound.IfStatement, ctx: Context) -> Value | None:
    test = condition(statement.condition, ctx)
    if test is UNKNOWN:
        _forget((*statement.yes, *statement.no), ctx)
        return None
    ctx.structural(expr_of(test))
    return execute(statement.yes if is_true(test) else statement.no, ctx)


def _stage(statement: bound.Stage, ctx: Context) -> Value | None:
    name = label_text(statement.parts, statement.name_span, ctx)
    if name is None or ctx.scope is None:
        _forget(statement.body, ctx)
        return None
    outer, ctx.scope = ctx.scope, open_stage(name, statement.name_span, ctx)
    value = execute(statement.body, ctx)
    ctx.scope = outer
    return value


def _output(statement: bound.Output, ctx: Context) -> None:
    name, value = filled(statement.parts, ctx), evaluate(statement.value, ctx)
    in_model = not ctx.inline and ctx.scope is not None and ctx.scope.frame.kind == "model"
    if value is UNKNOWN or not in_model or name is None:
        return  # reported here or where names are checked
    problem = output_problem(name)
    if problem is not None and not statement.fixed:
        ctx.error("E327", statement.name_span, name=name, help=problem)
    if not isinstance(value, Tensor):
        what, place = f"the output {name}", statement.value.span
        help_ = _EACH if as_tensors(value) else None
        ctx.error("E301", place, what=what, expected="a tensor", got=type_name(value), help=help_)
    elif name in ctx.run.outputs:
        first = Label(ctx.run.outputs[name][1], "first defined here")
        again = ctx.run.outputs[name][1] == statement.name_span
        help_ = "in a loop each output has a name of its own: output p{i} = x" if again else None
        ctx.error("E106", statement.name_span, name=name, secondary=[first], help=help_)
    else:
        ctx.run.outputs[name] = value, statement.name_span


def _require(statement: bound.Require, ctx: Context) -> None:
    message = statement.message
    outer, ctx.run.requirement = ctx.run.requirement, message
    test = condition(statement.condition, ctx)
    ctx.run.requirement = outer
    if test is not UNKNOWN and not is_true(test):
        ctx.error("E316", statement.condition.span, message=message)


def _forget(body: Sequence[bound.Statement], ctx: Context) -> None:
    """What a skipped body would have assigned is unknown, so that no second error follows."""
    for statement in body:
        match statement:
            case bound.Assign():
                bind_unknown(statement.target, ctx)
            case bound.For():
                _forget(statement.body, ctx)
            case bound.IfStatement():
                _forget((*statement.yes, *statement.no), ctx)
            case bound.Stage():
                _forget(statement.body, ctx)
