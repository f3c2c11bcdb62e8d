"""The generated file: imports, helper classes, functions, one class for each block, the model."""

from __future__ import annotations

import symtable
from collections.abc import Iterator, Mapping, Sequence

from archdsl.backends.python.arithmetic import divisions
from archdsl.backends.python.classes import classes_of
from archdsl.backends.python.construction import Construction
from archdsl.backends.python.docstrings import docstring_lines
from archdsl.backends.python.functions import Functions, function_lines
from archdsl.backends.python.helpers import helper_names, helper_sources
from archdsl.backends.python.initialization import initialization
from archdsl.backends.python.layout import INDENT, signature, statement
from archdsl.backends.python.meaning import meaning_of
from archdsl.backends.python.methods import methods
from archdsl.backends.python.modules import Listed
from archdsl.backends.python.naming import Names, helpers_used
from archdsl.backends.python.parameters import ClassDef, Parameter
from archdsl.backends.python.text import argument, text
from archdsl.backends.python.traversal import body_holes, named_numbers, regions_in, values_in
from archdsl.backends.python.vetting import vet
from archdsl.graph.ir import Graph
from archdsl.graph.settings import InitRule
from archdsl.symbolic import Const, Expr, Local

_MOST_DECISIONS = 5
"""Questions about sizes that the docstring of a file lists."""

_STANDARD = {
    "math": "import math",
    "OrderedDict": "from collections import OrderedDict",
    "fnmatchcase": "from fnmatch import fnmatchcase",
    "NamedTuple": "from typing import NamedTuple",
}


def generate(graph: Graph, docstring: str = "", rules: Sequence[InitRule] = ()) -> str:
    """The PyTorch source of a graph, initialized by `rules`: deterministic, formatted as ruff format leaves it.

    No other text is ever run or written: raises ArchError E604 if it is not what was meant.
    """
    classes = classes_of(graph)
    functions = Functions(classes)
    names = Names(classes, helpers_used(classes, helper_names()), functions)
    parts = helper_sources(names.helpers)
    for found, function in names.functions.items():
        parts.append("\n".join(function_lines(found, function)))
    if graph.form == "named":
        fields = [f"{INDENT}{name}: Tensor" for name in graph.output_names]
        parts.append("\n".join([f"class {names.outputs}(NamedTuple):", *fields]))
    parts += ["\n".join(_class(known, classes, names, graph, rules)) for known in classes]
    body = "\n\n\n".join(parts)
    texts = [_title(graph), docstring, _sizes(graph)]
    source = "\n".join([*docstring_lines(texts, ""), "", *_imports(body), "", "", body, ""])
    vet(source, meaning_of(graph, texts, classes, names, rules))
    return source


def _title(graph: Graph) -> str:
    shape = graph.input_shape
    facts = f"{graph.params:,} parameters, {graph.macs:,} MACs at {shape.channels}×{shape.height}×{shape.width}."
    stride = f" Output stride {graph.output_stride}, by dilation." if graph.output_stride else ""
    return f"{graph.name}: {facts}{stride}"


def _sizes(graph: Graph) -> str:
    """What the reader of the file has to know where the network depends on the size of the image."""
    asked = list(map(str, graph.size_decisions))
    if not asked:
        return ""
    more = f"; and {len(asked) - _MOST_DECISIONS} more" if len(asked) > _MOST_DECISIONS else ""
    size = f"{graph.input_shape.height}×{graph.input_shape.width}"
    answers = "; ".join(asked[:_MOST_DECISIONS]) + more
    return (
        f"What the spec asks about sizes, for images of {size}: {answers}. `forward` refuses images where it is not so."
    )


def _imports(body: str) -> Iterator[str]:
    """The imports that the code needs; attributes, words in docstrings and labels are none of its names."""
    names: set[str] = set()
    tables = [symtable.symtable(body, "<generated>", "exec")]
    for table in tables:  # grows while it is walked
        names.update(table.get_identifiers())
        tables += table.get_children()
    standard = [line for name, line in _STANDARD.items() if name in names]
    if standard:
        yield from standard
        yield ""
    if "torch" in names:
        yield "import torch"
    if "F" in names:
        yield "import torch.nn.functional as F"
    yield f"from torch import {', '.join(sorted(names & {'Tensor', 'nn'}))}"


def _class(
    known: ClassDef, classes: Sequence[ClassDef], names: Names, graph: Graph, rules: Sequence[InitRule]
) -> Iterator[str]:
    body = known.body
    yield f"class {known.name}({'nn.Sequential' if body.sequential else 'nn.Module'}):"
    if docstring := docstring_lines([known.docstring], INDENT):
        yield from docstring
        yield ""
    yield from signature("def __init__", ["self", *map(_parameter, known.parameters)], " -> None:", 1)
    construction = Construction(known, classes, names.helpers)
    kept = names.kept[known.number]
    refusals = divisions(body_holes(body), known.environments, 2)
    if body.sequential:
        yield from _assignments(known, kept)
        yield from refusals
        ((_, listed),) = body.members
        assert isinstance(listed, Listed)
        yield from construction.sequence(listed, 2)
        return
    yield f"{INDENT * 2}super().__init__()"
    yield from _assignments(known, kept)
    yield from refusals
    yield from construction.members(body.members, 2)
    if known.is_model:
        yield from initialization(graph, rules, names.helpers)
    yield ""
    yield from methods(known, graph, kept, names.outputs)


def _assignments(known: ClassDef, kept: Mapping[Expr, str]) -> Iterator[str]:
    """Named numbers, and what `forward` asks for."""
    body = known.body
    asked = {id(region.condition) for region in regions_in(body.steps)} | {
        id(value) for _, value in values_in(body.steps)
    }
    elsewhere = [hole for hole in body_holes(body) if id(hole) not in asked]
    needed = named_numbers([*elsewhere, *(part for expr in kept for part in expr.parts())])
    for name, definition in named_numbers(body_holes(body)).items():
        if name in needed:
            yield from statement(f"{name} = ", text(definition), "", 2)
    for expr, attribute in kept.items():
        value = expr.definition if isinstance(expr, Local) and expr.name not in needed else expr
        yield from statement(f"self.{attribute} = ", argument(value), "", 2)


def _parameter(parameter: Parameter) -> str:
    default = f" = {text(Const(parameter.default))}" if parameter.optional else ""
    return f"{parameter.name}: {parameter.type}{default}"
