"""What a model gives: its result, the outputs that it names, or several results alike.

Takes the value of a model's body and the outputs it has named; gives the graph its outputs.
Reports E301, E312, E319, E333.
"""

from __future__ import annotations

from collections.abc import Sequence

from archdsl.diagnostics.core import Bag
from archdsl.semantics.context import Run
from archdsl.semantics.program import Definition
from archdsl.semantics.sizes import excessive_branches
from archdsl.semantics.values import UNKNOWN, Tensor, Value, as_tensors, plain, type_name
from archdsl.source import Span
from archdsl.syntax import ast

_NAME_ALL = "give each of them a name, `output name = tensor`, and end the body without a result"
_ONE_LIST = "a model gives one list of tensors: join them, `a + b`, or give each a name, `output name = tensor`"


def give_results(value: Value | None, run: Run, model: Definition, bag: Bag) -> bool:
    """Set the outputs of the graph; False where there are none, which is reported.

    A tensor is the result; with named outputs as well it is the first of a named tuple. In a body without a result the
    named outputs are all there is; where it is there in some cases only, it has to be. A list of tensors is a plain
    tuple.
    """
    graph = run.graph
    assert graph is not None
    named = [(name, tensor) for name, (tensor, _) in run.outputs.items()]
    tensors = as_tensors(value)
    body = model.syntax.body if isinstance(model.syntax, ast.Definition) else ()
    if value is None and named and graph.nodes and lacks_result(body):
        graph.form, graph.main = "named", False
    elif tensors is None or not graph.nodes or (named and not isinstance(value, Tensor)):
        if value is not UNKNOWN and not run.failed:
            _report(value, run, model, bag)
        return False
    elif named:
        graph.form = "named"
        named.insert(0, ("logits", tensors[0]))
    elif not isinstance(value, Tensor):
        graph.form, graph.main = "tuple", False
    given = [tensor for _, tensor in named] or tensors or ()
    excess = excessive_branches(f"outputs of {model.name}", len(given))
    if excess is not None:
        bag.report(excess[0], _place(model), facts=excess[1])
        return False
    graph.output_names = tuple(name for name, _ in named)
    graph.outputs = graph.root.outputs = tuple(tensor.ref for tensor in given)
    return True


def lacks_result(body: Sequence[ast.Statement]) -> bool:
    """Whether a body has no result, whatever its conditions are."""
    last = body[-1] if body else None
    if isinstance(last, ast.IfStatement):
        return lacks_result(last.yes) and lacks_result(last.no)
    if isinstance(last, ast.Stage):
        return lacks_result(last.body)
    return not isinstance(last, ast.Result)


def _report(value: Value | None, run: Run, model: Definition, bag: Bag) -> None:
    """Why what a model's body gives is no result."""
    name = model.name
    assert run.graph is not None
    if not run.graph.nodes:
        bag.report("E319", model.span)
    elif value is None:
        bag.report("E312", model.span, name=name)
    elif run.outputs and as_tensors(value):
        what = f"the result of {name}, which names outputs besides,"
        bag.report("E301", _place(model), what=what, expected="one tensor", got=type_name(value), help=_NAME_ALL)
    else:
        help_ = _ONE_LIST if _holds_tensors(value) else None
        what = f"the result of {name}"
        bag.report("E301", _place(model), what=what, expected="a tensor", got=type_name(value), help=help_)


def _holds_tensors(value: Value | None) -> bool:
    items = None if value is None else plain(value)
    return isinstance(items, tuple) and any(isinstance(item, Tensor) or _holds_tensors(item) for item in items)


def _place(model: Definition) -> Span:
    """Where the result stands: the last line of the body, if it is an expression."""
    body = model.syntax.body if isinstance(model.syntax, ast.Definition) else ()
    return body[-1].span if body and isinstance(body[-1], ast.Result) else model.span
