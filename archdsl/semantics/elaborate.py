"""Elaboration: from a model and its arguments to the graph.

Takes a bound `Definition` of kind model and its arguments; gives a `Graph`, or None after errors.
"""

from __future__ import annotations

from collections.abc import Mapping

from archdsl.diagnostics.core import Bag
from archdsl.graph.ir import Graph, Scope
from archdsl.semantics.application import ApplicationRules
from archdsl.semantics.core import Frame, LimitReached
from archdsl.semantics.expressions import as_tensors
from archdsl.semantics.program import Definition
from archdsl.semantics.values import UNKNOWN, Arg
from archdsl.source import Span
from archdsl.syntax import ast


class Elaborator(ApplicationRules):
    """All rules together; one instance elaborates one variant."""


def elaborate(name: str, model: Definition, args: Mapping[str, Arg], span: Span, bag: Bag) -> Graph | None:
    """Build the graph of one variant. Every problem goes into the bag, all of them in one run."""
    syntax = model.syntax
    assert isinstance(syntax, ast.Definition)
    if model.faulty:
        return None
    before = len(bag.errors)
    elaborator = Elaborator(bag)
    root = Scope("model", model.name, "", None, span)
    root.docstring = syntax.docstring.text if syntax.docstring else ""
    graph = elaborator.graph = Graph(name, root)
    try:
        frame = elaborator.enter(model, args, root, Frame(model.file, None), span)
        value = UNKNOWN if frame is None else elaborator.execute(syntax.body, frame)
    except LimitReached:
        return None
    except RecursionError:
        bag.report("E315", span, what="levels of nesting", limit="the interpreter's")
        return None
    outputs = as_tensors(value)
    if outputs is None or not graph.nodes:
        if value is not UNKNOWN and len(bag.errors) == before:
            bag.report("E319", syntax.name_span, name=model.name)
        return None
    graph.outputs = root.outputs = tuple(t.ref for t in outputs)
    return graph if len(bag.errors) == before else None
