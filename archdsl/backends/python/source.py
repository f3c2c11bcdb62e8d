"""The generated file: imports, helper classes, one class for each block, the model."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from archdsl.backends.python.classes import ClassDef, Parameter, classes_of
from archdsl.backends.python.construction import Construction
from archdsl.backends.python.forward import Forward
from archdsl.backends.python.helpers import helper_sources
from archdsl.backends.python.initialization import initialization
from archdsl.backends.python.layout import INDENT, WIDTH, Brackets, lines
from archdsl.graph.ir import Graph
from archdsl.symbolic import Const

_NAME = re.compile(r"(?<![\w.])([A-Za-z_]\w*)")


def generate(graph: Graph, docstring: str = "") -> str:
    """The PyTorch source of a graph: deterministic, formatted as ruff format leaves it."""
    classes = classes_of(graph)
    construction = Construction(classes)
    parts = ["\n".join(_class(found, construction, graph)) for found in classes]
    body = "\n\n\n".join(parts)
    helpers = helper_sources(set(_NAME.findall(body)))
    if helpers:
        body = "\n\n\n".join([*helpers, body])
    head = _docstring([*_title(graph), *([docstring] if docstring else [])], "", module=True)
    return "\n".join([*head, "", *_imports(body), "", "", body, ""])


def _title(graph: Graph) -> list[str]:
    shape = graph.input_shape
    facts = f"{graph.params:,} parameters, {graph.macs:,} MACs at {shape.channels}×{shape.height}×{shape.width}."
    return [f"{graph.name}: {facts}"]


def _imports(body: str) -> Iterator[str]:
    names = set(_NAME.findall(body))
    standard = []
    if "math" in names:
        standard.append("import math")
    if "OrderedDict" in names:
        standard.append("from collections import OrderedDict")
    if standard:
        yield from standard
        yield ""
    if "torch" in names:
        yield "import torch"
    if "F" in names:
        yield "import torch.nn.functional as F"
    yield "from torch import Tensor, nn"


def _class(found: ClassDef, construction: Construction, graph: Graph) -> Iterator[str]:
    yield f"class {found.name}(nn.Module):"
    if found.docstring:
        yield from _docstring([found.docstring], INDENT)
        yield ""
    yield from _init_signature(found.parameters)
    yield f"{INDENT * 2}super().__init__()"
    for name, definition in found.locals.items():
        yield f"{INDENT * 2}{name} = {definition}"
    for name, module in found.body.members:
        yield from construction.member(name, module, 2)
    if found.is_model:
        yield from initialization(graph)
    yield ""
    forward = Forward(found.body)
    yield f"{INDENT}{forward.signature()}"
    yield from forward.statements(2)


def _init_signature(parameters: Sequence[Parameter]) -> Iterator[str]:
    items = ("self", *map(_parameter, parameters))
    return lines(Brackets("def __init__", items), "", 1, " -> None:")


def _parameter(parameter: Parameter) -> str:
    text = f"{parameter.name}: {parameter.type}"
    return f"{text} = {Const(parameter.default)}" if parameter.optional else text


def _docstring(paragraphs: Iterable[str], indent: str, module: bool = False) -> list[str]:
    text = "\n\n".join(paragraphs).replace("\\", "\\\\").replace('"""', "'''").strip()
    if text.endswith('"'):
        text += " "
    one = f'{indent}"""{text}"""'
    if "\n" not in text and len(one) <= WIDTH:
        return [one]
    wrapped: list[str] = []
    for paragraph in text.split("\n"):
        wrapped += textwrap.wrap(paragraph, WIDTH - len(indent) - 3, break_long_words=False) or [""]
    first, *rest = wrapped
    return [f'{indent}"""{first}', *(f"{indent}{line}" if line else "" for line in rest), f'{indent}"""']
