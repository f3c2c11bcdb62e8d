"""What a generated file is meant to hold: its definitions, and all texts and names that may stand in them.

Takes what the file is printed from, before it is text; `vetting` compares the printed file with it.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from archdsl.backends.python.helpers import helper_bases
from archdsl.backends.python.modules import DECISION, Built, Listed, Option, Step
from archdsl.backends.python.naming import Names
from archdsl.backends.python.parameters import ClassDef
from archdsl.backends.python.traversal import body_holes, modules_of, named_numbers
from archdsl.graph.ir import Graph
from archdsl.graph.settings import InitRule
from archdsl.symbolic import Const, Expr, Function

_CALLED = frozenset(
    """
    OrderedDict ValueError abs fnmatchcase int isinstance len max min range round str sum super
    """.split()
)
"""Functions and classes of Python that generated code calls."""
_NAMES = _CALLED | frozenset(
    """
    F Tensor bool dict float getattr list math nn self torch tuple
    _ __ bound i i_ index j k layers m module n name out p parameter pre_logits q r s sequence u v w x y z
    """.split()
)
"""Names of the file that are ours: what is imported, Python's own, and variables."""
_LIBRARIES = frozenset(
    """
    math.ceil math.floor nn.Identity nn.Module nn.ModuleDict nn.ModuleList nn.Parameter nn.Sequential nn.init.uniform_
    torch.ones
    """.split()
)
_ATTRIBUTES = frozenset(
    """
    add_module append bias forward_features forward_head groups modules named_parameters numel register_parameter weight
    """.split()
)
_KEYWORDS = frozenset({"a", "b", "inplace", "val"})
_HOLE = re.compile(r"\{\w+\}")


@dataclass(frozen=True, slots=True)
class MeantClass:
    """A class: its base, the texts of its docstring, its constructor's parameters."""

    base: str
    docstring: list[str]
    parameters: list[str]


@dataclass(frozen=True, slots=True)
class Meaning:
    """A file: its definitions in order, by name, and what may stand in them."""

    docstring: list[str]
    helpers: Mapping[str, str]
    functions: dict[str, list[str]]
    records: dict[str, list[str]]
    """Named tuples, with the lines of their fields."""
    classes: dict[str, MeantClass]
    texts: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)
    callables: set[str] = field(default_factory=set)
    keywords: set[str] = field(default_factory=set)
    attributes: set[str] = field(default_factory=set)
    dotted: set[str] = field(default_factory=set)
    """What is taken from torch and math, with all dots."""
    refusals: set[tuple[str, str]] = field(default_factory=set)
    """What `forward` says of images that it refuses, and where it does: the condition, `anonymous`."""


def meaning_of(
    graph: Graph, docstring: Sequence[str], classes: Sequence[ClassDef], names: Names, rules: Sequence[InitRule]
) -> Meaning:
    """The meaning of the file that these make; `docstring` are the texts at its head."""
    functions = {function.name: [name for name, _ in function.parameters] for function in names.functions.values()}
    records = [names.outputs] if graph.form == "named" else []
    meaning = Meaning(
        list(docstring),
        names.helpers,
        functions,
        {name: [f"{key}: Tensor" for key in graph.output_names] for name in records},
        {
            known.name: MeantClass(
                "nn.Sequential" if known.body.sequential else "nn.Module",
                [known.docstring],
                [parameter.name for parameter in known.parameters],
            )
            for known in classes
        },
    )
    meaning.callables.update(_CALLED, functions, records, meaning.classes, names.helpers.values())
    meaning.names.update(_NAMES, meaning.callables, graph.output_names)
    meaning.keywords.update(_KEYWORDS)
    meaning.attributes.update(_ATTRIBUTES)
    meaning.dotted.update(_LIBRARIES)
    meaning.texts.update(graph.output_names)
    for known in classes:
        _add_class(meaning, known, names)
    for function in names.functions.values():
        _add_function(meaning, function)
    _add_initialization(meaning, graph, rules)
    return meaning


def _add_class(meaning: Meaning, known: ClassDef, names: Names) -> None:
    body = known.body
    parameters = [parameter.name for parameter in known.parameters]
    meaning.names.update(parameters, named_numbers(body_holes(body)), body.scope.input_names)
    meaning.keywords.update(parameters)
    meaning.attributes.update(names.kept[known.number].values())
    exprs = [*body_holes(body), *(Const(p.default) for p in known.parameters if p.optional)]
    meaning.texts.update(_strings(exprs))
    for label, _ in body.members:
        _add_label(meaning, label)
    for module in modules_of(body):
        if isinstance(module, Option):
            _add_label(meaning, module.name)
        elif isinstance(module, Listed):
            for label, _ in module.items:
                _add_label(meaning, label)
        elif isinstance(module, Built):
            meaning.keywords.update(name for name, _ in module.kwargs)
            if "." in module.target:
                meaning.dotted.add(module.target)
    for step in _steps(body.steps):
        for label in step.path:
            _add_label(meaning, label)
        _add_template(meaning, step)
        if step.role == DECISION:
            ((_, said),) = step.values
            assert isinstance(said, Const)
            condition = ast.parse(_HOLE.sub("x", step.template), mode="eval").body
            meaning.refusals.add((said.value, anonymous(condition)))


def anonymous(node: ast.expr) -> str:
    """An expression, whatever its variables are called."""
    return re.sub(r"Name\(id='\w+'", "Name(id=''", ast.dump(node))


def _add_label(meaning: Meaning, label: str) -> None:
    meaning.texts.add(label)
    if label.isidentifier():
        meaning.attributes.add(label)
        meaning.keywords.add(label)


def _add_function(meaning: Meaning, function: Function) -> None:
    parameters = [name for name, _ in function.parameters]
    meaning.names.update(parameters, named_numbers([function.result]))
    meaning.keywords.update(parameters)
    defaults = (Const(default) for _, default in function.parameters if default is not None)
    meaning.texts.update(_strings([function.result, *defaults]))


def _add_template(meaning: Meaning, step: Step) -> None:
    if step.template:
        filled = f"{step.template[:-1]}, {step.inplace})" if step.inplace else step.template
        for known, found in zip(
            (meaning.dotted, meaning.attributes, meaning.keywords, meaning.texts), _in_template(filled), strict=True
        ):
            known.update(found)


@cache
def _in_template(template: str) -> tuple[set[str], set[str], set[str], set[str]]:
    """Of a template of an op (`F.softmax({x}, dim={dim})`): what it takes from torch, attributes, arguments, texts."""
    dotted, attributes, keywords, texts = set[str](), set[str](), set[str](), set[str]()
    for node in ast.walk(ast.parse(_HOLE.sub("x", template))):
        match node:
            case ast.Attribute(value=ast.Name("F" | "torch" | "nn" | "math")):
                dotted.add(ast.unparse(node))
            case ast.Attribute(attr=name):
                attributes.add(name)
            case ast.keyword(arg=str(name)):
                keywords.add(name)
            case ast.Constant(value=str(text)):
                texts.add(text)
    return dotted, attributes, keywords, texts


def _add_initialization(meaning: Meaning, graph: Graph, rules: Sequence[InitRule]) -> None:
    for rule in rules:
        meaning.dotted.add(f"nn.init.{rule.initializer}_")
        meaning.keywords.update(rule.arguments)
        meaning.texts.update((rule.pattern, f"{rule.pattern}.weight"))
        meaning.texts.update(value for value in rule.arguments.values() if isinstance(value, str))
    if rules:
        for key, weight, _ in graph.state():
            meaning.texts.update((key, f"*.{key.rpartition('.')[2]}"))
            meaning.attributes.add(weight.name)
        for node in graph.nodes:
            if node.lowering.module is not None:
                target = node.lowering.module.target
                meaning.dotted.add(helper_bases().get(target, target))  # of a helper the class that it refines


def _steps(steps: Iterable[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        for _, branch in step.region.branches if step.region is not None else ():
            yield from _steps(branch.steps)


def _strings(exprs: Iterable[Expr]) -> Iterator[str]:
    """All texts in some expressions, each part looked at once."""
    stack: list[object] = list(exprs)
    met: set[int] = set()
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, tuple):
            stack += part
        elif isinstance(part, Const):
            stack.append(part.value)
        elif isinstance(part, Expr) and id(part) not in met:
            met.add(id(part))
            stack += part.parts()
