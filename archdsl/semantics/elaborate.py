"""Elaboration: from a model and its arguments to the graph.

Takes a bound `Definition` of kind model and its arguments; gives a `Graph`, or None after errors.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

from archdsl.diagnostics.core import Bag
from archdsl.garbage import collector_paused
from archdsl.graph.image import AS_WRITTEN, Image
from archdsl.graph.ir import Graph, Node, Ref
from archdsl.graph.scopes import BlockScope
from archdsl.semantics import bound, calls, operators  # noqa: F401 (they say what their rules are for)
from archdsl.semantics.application import enter
from archdsl.semantics.binding import bind_arguments
from archdsl.semantics.context import Context, LimitReached, Run
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.instances import template_of
from archdsl.semantics.parameters import evaluate_arguments
from archdsl.semantics.program import Definition, FileScope
from archdsl.semantics.resolve import resolve_arguments, resolve_expression
from archdsl.semantics.results import give_results
from archdsl.semantics.statements import execute
from archdsl.semantics.values import UNKNOWN, Arg, Value, args_from, plain
from archdsl.source import Span
from archdsl.syntax import ast

TOO_DEEP = "the interpreter's"


T = TypeVar("T")


def guarded(work: Callable[[], T], span: Span, bag: Bag) -> T | None:
    """What `work` gives; None, with a report, where it reaches a limit of evaluation."""
    try:
        return work()
    except LimitReached as limit:
        limit.report(bag)
    except RecursionError:
        bag.report("E315", span, what="levels of nesting", limit=TOO_DEEP)
    return None


def constant(expression: ast.Expression, file: FileScope, bag: Bag, names: Mapping[str, Value] | None = None) -> Value:
    """The plain value of an expression that stands in no body, over these names; UNKNOWN after an error."""
    if isinstance(expression, ast.Number | ast.String | ast.Bool):  # most of what items say
        return expression.value
    return value_of(resolve_expression(expression, file, bag, names or ()), file, bag, names)


def value_of(
    expression: bound.Expression, file: FileScope, bag: Bag, names: Mapping[str, Value] | None = None
) -> Value:
    """The same of what has been resolved."""
    run = Run(bag)
    ctx = Context(run, file, locals=dict(names or {}))
    value = UNKNOWN if bag.spent else guarded(lambda: evaluate(expression, ctx), expression.span, bag)
    run.hand_on_costs()
    return UNKNOWN if value is None or value is UNKNOWN else plain(value)


def call_arguments(
    given: tuple[ast.Argument, ...], names: Sequence[str], owner: str, span: Span, file: FileScope, bag: Bag
) -> dict[str, Arg] | None:
    """The arguments of a call that stands in no body, by these names; None after an error."""
    if bag.spent:
        return None
    run = Run(bag)
    arguments = bind_arguments(resolve_arguments(given, file, bag), names, owner, bag.report)
    args = guarded(lambda: evaluate_arguments(arguments, names, owner, Context(run, file), {}), span, bag)
    run.hand_on_costs()
    return args


def elaborate(
    name: str,
    model: Definition,
    args: Mapping[str, Arg],
    span: Span,
    bag: Bag,
    *,
    image: Image = AS_WRITTEN,
    traced: bool = True,
) -> Graph | None:
    """Build the graph of one variant. Every problem goes into the bag, all of them in one run.

    `image` takes the place of arguments of the model's `image(…)`.

    A `traced` graph also knows what its numbers were computed from, which only generated source needs: to check and
    to count, the numbers are enough, and come in half the time.
    """
    if bag.spent:
        return None
    root = BlockScope("model", model.name, "", None, span, template=template_of(model, ()))
    run = Run(bag, traced)
    run.image = args_from("<image>", image.given)
    run.graph = Graph(name, root, traced=traced)
    graph = None if model.faulty else _filled(run.graph, run, model, args)
    run.hand_on_costs()
    if graph is None and not bag.errors:  # it is what was reported where names were resolved
        for fault in model.file.memo.faults:
            bag.add(fault)
    return graph


def _filled(graph: Graph, run: Run, model: Definition, args: Mapping[str, Arg]) -> Graph | None:
    """The graph with what the model's body puts into it; None after errors."""
    span, bag = graph.root.span, run.bag
    try:
        with collector_paused():
            inner = enter(model, args, graph.root, Context(run, model.file), span)
            value = UNKNOWN if inner is None else execute(model.body, inner)
    except LimitReached as limit:
        limit.report(bag)
        return None
    except RecursionError:
        bag.report("E315", span, what="levels of nesting", limit=TOO_DEEP)
        return None
    graph.reads_sizes = run.reads_sizes
    if not give_results(value, run, model, bag):
        return None
    if not run.failed:
        _check_dead_ends(graph, run, model.file)
    return None if run.failed else graph


def _check_dead_ends(graph: Graph, run: Run, home: FileScope) -> None:
    """E325 for what is computed and reaches no output: a network with layers, or parts, less than it seems to have."""
    useful = [False] * len(graph.nodes)
    for ref in graph.outputs:
        useful[ref.node] = True
    several = []
    for node in reversed(graph.nodes):
        if useful[node.id]:
            for ref in node.inputs:
                useful[ref.node] = True
            if len(node.outputs) > 1:
                several.append(node)
    if not all(useful):
        for node, uses in zip(graph.nodes, graph.uses, strict=True):
            if not useful[node.id] and not uses:  # what leads to it is dead as well, and not said again
                ctx = Context(run, home, node.scope)
                ctx.error("E325", node.span, what=f"what `{node.path}` computes")
    if several:
        read = {ref for node in graph.nodes for ref in node.inputs}.union(graph.outputs, run.discarded)
        for node in reversed(several):
            unread = [port + 1 for port in range(len(node.outputs)) if Ref(node.id, port) not in read]
            if unread:
                _report_parts(unread, node, Context(run, home, node.scope))


def _report_parts(unread: list[int], node: Node, ctx: Context) -> None:
    """E325 for some of the outputs of a node, counted from 1."""
    *others, last = map(str, unread)
    parts = f"parts {', '.join(others)} and {last}" if others else f"part {last}"
    help_ = "use it, or bind it to a name that begins with `_`; some of the channels alone are slice(start, stop)"
    ctx.error("E325", node.span, what=f"{parts} of what `{node.path}` computes", help=help_)
