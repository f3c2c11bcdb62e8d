"""Names in a generated file. What the spec names keeps its name; what is ours makes way.

Classes, helper classes and functions are names of the file; constructor parameters, named numbers and variables are
names of one `__init__`, and would hide those of the file; what `forward` asks for is kept in attributes.
"""

from __future__ import annotations

import keyword
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from archdsl.backends.python.forms import wanted_names
from archdsl.backends.python.functions import FunctionDef, Functions
from archdsl.backends.python.modules import Built, Instance
from archdsl.backends.python.parameters import ClassDef
from archdsl.backends.python.repeated import name_repeated
from archdsl.backends.python.traversal import body_holes, modules_of, named_numbers, regions_in, rewrite_body, values_in
from archdsl.python_names import MODULE_ATTRIBUTES, PYTHON_NAMES
from archdsl.symbolic import Apply, Expr, Function, Invoke, Local, Symbol, substitute, symbols, walk

_RESERVED = PYTHON_NAMES | frozenset(keyword.kwlist)
ADDED = frozenset(
    """
    default_cfg feature_info forward_features forward_head get_classifier group_matcher head_hidden_size no_weight_decay
    num_classes num_features pretrained_cfg reset_classifier set_grad_checkpointing
    """.split()
)
"""What a model has beyond its layers; with a layer of such a name one that classifies has no head of its own."""


class Names:
    """The names of one file; chooses `ClassDef.name` and rewrites the bodies of the classes."""

    def __init__(self, classes: Sequence[ClassDef], helpers: Iterable[str], functions: Functions) -> None:
        self.kept: dict[int, dict[Expr, str]] = {}
        """By number of the class: the attributes that hold what its forward asks for, conditions and numbers."""
        inner = {name for known in classes for name in inner_names(known)}
        taken: set[str] = set()
        for known, wanted in wanted_names(classes):
            hidden = {p.name for user in classes if _builds(user, known) for p in user.parameters}
            known.name = unique(wanted, taken | _RESERVED | hidden)
            taken.add(known.name)
        self.helpers = {}
        for helper in helpers:
            self.helpers[helper] = unique(helper, taken | inner)
            taken.add(self.helpers[helper])
        self.functions: dict[FunctionDef, Function] = {}
        for found in functions.found:
            inner |= {*found.parameters, *named_numbers([found.result])}
        for found in functions.found:
            name = unique(found.name, taken | inner | _RESERVED)
            taken.add(name)
            self.functions[found] = found.function(name, _called(found.result, functions, self.functions))
        self.outputs = unique(f"{next(known.name for known in classes if known.is_model)}Outputs", taken)
        """The class of the outputs of a model that has several with names."""
        taken.add(self.outputs)
        for known in classes:
            self._name_class(known, taken, functions)

    def _name_class(self, known: ClassDef, taken: set[str], functions: Functions) -> None:
        own = {parameter.name for parameter in known.parameters}
        if any(_is_spread(part) for hole in body_holes(known.body) for part in walk(hole)):
            own.add("i")  # printed as a comprehension over `i`
        renamed = _Locals(taken | own | _RESERVED)

        def rule(expr: Expr) -> Expr:
            return renamed(_called(expr, functions, self.functions))

        known.body = rewrite_body(name_repeated(known.body, known.environments), rule)
        attributes = {name for name, _ in known.body.members} | MODULE_ATTRIBUTES | ADDED
        kept = self.kept[known.number] = {}
        asked: list[tuple[Expr, str]] = []
        asked += [(leaf, leaf.name) for region in regions_in(known.body.steps) for leaf in leaves(region.condition)]
        asked += [(v, v.name if isinstance(v, Local | Symbol) else name) for name, v in values_in(known.body.steps)]
        for expr, stem in asked:
            if expr not in kept:
                kept[expr] = unique(stem, attributes)
                attributes.add(kept[expr])


def leaves(condition: Expr) -> Iterator[Local | Symbol]:
    """The parameters and named numbers that a condition asks for: a module keeps them, `forward` compares them."""
    if isinstance(condition, Local | Symbol):
        yield condition
    else:
        for part in condition.parts():
            yield from leaves(part)


def unique(stem: str, taken: set[str] | frozenset[str]) -> str:
    """The name if it is free, else with the first number that makes it so."""
    name, ordinal = stem, 2
    while name in taken:
        name, ordinal = f"{stem}{ordinal}", ordinal + 1
    return name


def inner_names(known: ClassDef) -> Iterable[str]:
    """The names that a class's `__init__` has for its numbers."""
    yield from (parameter.name for parameter in known.parameters)
    yield from named_numbers(body_holes(known.body))


def _builds(user: ClassDef, known: ClassDef) -> bool:
    return any(isinstance(m, Instance) and m.definition == known.number for m in modules_of(user.body))


def helpers_used(classes: Sequence[ClassDef], available: Iterable[str]) -> list[str]:
    """The helper classes that the modules of some classes need."""
    targets = {m.target for known in classes for m in modules_of(known.body) if isinstance(m, Built)}
    return [name for name in available if name in targets]


class _Locals:
    """Renames named numbers of one class: two definitions of one name are two names."""

    def __init__(self, taken: set[str]) -> None:
        self.taken = set(taken)
        self.names: dict[tuple[str, Expr], str] = {}

    def __call__(self, expr: Expr) -> Expr:
        if isinstance(expr, Local):
            key = (expr.name, expr.definition)
            definition = self(expr.definition)
            if key not in self.names:
                self.names[key] = unique(expr.name, self.taken)
                self.taken.add(self.names[key])
            return Local(self.names[key], definition)
        parts = expr.parts()
        if not parts:
            return expr
        expr = expr.rebuild([self(part) for part in parts])
        if _is_spread(expr) and "i" in symbols(expr):
            return substitute(expr, {"i": self(Local("i_", Symbol("i")))})
        return expr


def _is_spread(expr: Expr) -> bool:
    return isinstance(expr, Apply) and expr.function == "linspace"


def _called(expr: Expr, functions: Functions, names: Mapping[FunctionDef, Function]) -> Expr:
    """The expression with calls of the functions as they are printed."""
    parts = expr.parts()
    if not parts:
        return expr
    parts = tuple(_called(part, functions, names) for part in parts)
    if isinstance(expr, Invoke):
        function = names[functions.of[expr.function]]
        given = {name: part for (name, _), part in zip(expr.arguments, parts, strict=True)}
        ordered = tuple((name, given[name]) for name, _ in function.parameters if name in given)
        return replace(expr, function=function, arguments=ordered)
    return expr.rebuild(parts)
