"""The generated file: imports, helper classes, one class for each block, the model."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Sequence

from archdsl.backends.python.classes import ClassDef, Parameter, body_holes, classes_of, named_numbers
from archdsl.backends.python.construction import Construction
from archdsl.backends.python.forward import Forward, region_name
from archdsl.backends.python.helpers import helper_sources
from archdsl.backends.python.initialization import initialization
from archdsl.backends.python.layout import INDENT, WIDTH, Brackets, lines
from archdsl.backends.python.modules import Listed, Option, Region, Weight
from archdsl.graph.ir import Graph
from archdsl.graph.settings import InitRule
from archdsl.symbolic import Const, Expr, Function, Invoke, Local, walk

_NAME = re.compile(r"(?<![\w.])([A-Za-z_]\w*)")


def generate(graph: Graph, docstring: str = "", rules: Sequence[InitRule] = ()) -> str:
    """The PyTorch source of a graph, initialized by `rules`: deterministic, formatted as ruff format leaves it."""
    classes = classes_of(graph)
    construction = Construction(classes)
    parts = ["\n".join(_class(found, construction, graph, rules)) for found in classes]
    body = "\n\n\n".join(parts)
    helpers = helper_sources(set(_NAME.findall(body)))
    functions = [_function(found) for found in _functions(classes)]
    if functions:
        body = "\n\n\n".join([*functions, body])
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
    if "fnmatchcase" in names:
        standard.append("from fnmatch import fnmatchcase")
    if standard:
        yield from standard
        yield ""
    if "torch" in names:
        yield "import torch"
    if "F" in names:
        yield "import torch.nn.functional as F"
    yield "from torch import Tensor, nn"


def _class(
    found: ClassDef, construction: Construction, graph: Graph, rules: Sequence[InitRule]
) -> Iterator[str]:
    sequence = _as_sequence(found)
    yield f"class {found.name}({'nn.Sequential' if sequence else 'nn.Module'}):"
    if found.docstring:
        yield from _docstring([found.docstring], INDENT)
        yield ""
    yield from _init_signature(found.parameters)
    if sequence:
        yield from _assignments(found, ())
        yield from construction.sequence(sequence, 2)
        return
    regions = [step.region for step in found.body.steps if step.region is not None]
    yield f"{INDENT * 2}super().__init__()"
    yield from _assignments(found, regions)
    for name, module in found.body.members:
        yield from construction.member(name, module, 2)
    if found.is_model:
        yield from initialization(graph, rules)
    yield ""
    forward = Forward(found.body)
    yield f"{INDENT}{forward.signature()}"
    yield from forward.statements(2)


def _assignments(found: ClassDef, regions: Sequence[Region]) -> Iterator[str]:
    """Named numbers, and the conditions that `forward` asks for."""
    kept = {region_name(region): region.condition for region in regions}
    for name, definition in found.locals.items():
        if name not in kept:
            yield f"{INDENT * 2}{name} = {definition}"
    for name, condition in kept.items():
        yield f"{INDENT * 2}self.{name} = {condition.definition if isinstance(condition, Local) else condition}"


def _functions(classes: Sequence[ClassDef]) -> list[Function]:
    """The spec's functions that the classes call, those that others call first."""
    found: dict[Function, None] = {}

    def visit(expr: Expr) -> None:
        for part in walk(expr):
            if isinstance(part, Invoke) and part.function not in found:
                visit(part.function.result)
                found[part.function] = None

    for known in classes:
        for hole in body_holes(known.body):
            visit(hole)
    return list(found)


def _function(function: Function) -> str:
    """A spec's fn as a Python function."""
    items = [name if default is None else f"{name}={Const(default)}" for name, default in function.parameters]
    body = [f"{INDENT}{name} = {value}" for name, value in named_numbers([function.result]).items()]
    return "\n".join([*lines(Brackets(f"def {function.name}", tuple(items)), "", 0, ":"), *body, f"{INDENT}return {function.result}"])


def _as_sequence(found: ClassDef) -> Listed | None:
    """The members of a block that is nothing but a sequence; it is an nn.Sequential then."""
    body = found.body
    current, items = body.inputs, []
    numbered = 0
    for step, (name, module) in zip(body.steps, body.members, strict=False):
        if step.inputs != current or step.path != (name,) or step.template or isinstance(module, Weight):
            return None
        if isinstance(module, Option):
            items.append((module.name, module))
        elif name != str(numbered):
            return None
        else:
            items.append(("", module))
        numbered += 1
        current = step.outputs
    plain = len(body.steps) == len(body.members) and current == body.outputs and not found.is_model and len(items) > 1
    return Listed(tuple(items)) if plain else None


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
