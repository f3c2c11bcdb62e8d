"""Variants: the published configurations of a file, amendments of them, and what is said about them.

Takes a `Program`; gives `Configured` variants: a model, its arguments, and the claims, initialization rules
and preprocessing that apply. Reports E106-E109, E113, E115, E119, E315, E320.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from archdsl import arguments
from archdsl.diagnostics.core import Bag
from archdsl.diagnostics.diagnostic import Label, declared
from archdsl.diagnostics.suggest import closest, meant_setting
from archdsl.graph.image import AS_WRITTEN, Image
from archdsl.semantics.assignments import written_arguments
from archdsl.semantics.elaborate import call_arguments
from archdsl.semantics.parameters import parameters_by_name
from archdsl.semantics.program import Definition, Program
from archdsl.semantics.values import Arg, args_from
from archdsl.source import Span
from archdsl.syntax import ast

MAX_AMENDED = 100
"""How many variants one may rest on, each an amendment of the next: all of them are asked for what holds of it."""


@dataclass(frozen=True)
class Configured:
    """One variant: which model, with which arguments."""

    name: str
    model: Definition
    args: Mapping[str, Arg]
    span: Span
    lineage: tuple[str, ...] = ()
    """This variant's name, then those it amends, then the model's: where claims and rules are looked up."""
    image: Image = AS_WRITTEN
    """What takes the place of arguments of the spec's `image(…)`."""
    output_stride: int | None = None
    """The greatest stride that is left; None: the spec's."""


@dataclass
class VariantTable:
    """Finds and configures the variants of a program."""

    program: Program
    bag: Bag
    found: dict[str, Configured] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._pending: dict[str, ast.Variant] = {}
        self._open: list[str] = []
        self._spans: dict[str, Span] = {}
        self._too_deep = False

    def collect(self) -> dict[str, Configured]:
        """All variants in the order of the file."""
        for item in self.program.root.items(ast.Variant):
            if self._fresh(item.name, item.name_span):
                self._pending[item.name] = item
        for rows in self.program.root.items(ast.Variants):
            self._rows(rows)
        for name in list(self._pending):
            self._configure(name)
        self._single_models()
        order = {name: i for i, name in enumerate(self._names_in_order())}
        self.found = dict(sorted(self.found.items(), key=lambda pair: order.get(pair[0], len(order))))
        return self.found

    def _names_in_order(self) -> Iterable[str]:
        for item in self.program.root.syntax.items:
            if isinstance(item, ast.Variants):
                yield from (row.name for row in item.rows)
            elif isinstance(item, ast.Variant):
                yield item.name

    def _single_models(self) -> None:
        """A model without variants whose parameters all have defaults is its own only variant."""
        used = {c.model for c in self.found.values()} | {
            self._models().get(v.base.name) for v in self._pending.values()
        }
        for name, model in self._models().items():
            syntax = model.syntax
            assert isinstance(syntax, ast.Definition)
            if model not in used and not self._named_in_variants(name) and all(p.default for p in syntax.parameters):
                self.found[name] = Configured(name, model, {}, model.span, (name,))

    def _named_in_variants(self, name: str) -> bool:
        return any(item.model.name == name for item in self.program.root.items(ast.Variants))

    def _models(self) -> dict[str, Definition]:
        return {n: d for n, d in self.program.root.names.items() if d.kind == "model"}

    def _fresh(self, name: str, span: Span) -> bool:
        if name in self._spans:
            self.bag.report("E106", span, name=name, secondary=[Label(self._spans[name], "first defined here")])
            return False
        self._spans[name] = span
        return True

    def _model(self, reference: ast.Name) -> Definition | None:
        models = self._models()
        if reference.name in self.program.root.missing:
            return None
        if reference.name not in models:
            unknown_target("E109", reference, {name: model.span for name, model in models.items()}, self.bag)
            return None
        return models[reference.name]

    def _rows(self, item: ast.Variants) -> None:
        model = self._model(item.model)
        if model is None:
            return
        assert isinstance(model.syntax, ast.Definition)
        names = [p.name for p in model.syntax.parameters]
        for column in item.columns:
            if column.name not in names:
                self.bag.report(
                    "E115", column.span, name=column.name, owner=model.name, suggestion=closest(column.name, names)
                )
                return
        columns = [column.name for column in item.columns]
        for row in item.rows:
            if not self._fresh(row.name, row.name_span):
                continue
            given = sum(1 for a in row.arguments if a.name is None and not a.spread)
            if given != len(columns):
                self.bag.report("E320", row.span, given=given, wanted=len(columns))
                continue
            ordered = [*columns, *(name for name in names if name not in columns)]
            args = call_arguments(row.arguments, ordered, model.name, row.span, self.program.root, self.bag)
            if args is not None:
                self.found[row.name] = Configured(row.name, model, args, row.name_span, (row.name, model.name))

    def _configure(self, name: str) -> Configured | None:
        if name in self.found:
            return self.found[name]
        item = self._pending.get(name)
        if item is None:
            return None
        if name in self._open:
            self.bag.report("E113", item.name_span, chain=" -> ".join([*self._open, name]))
            return None
        self._open.append(name)
        configured = self._amended(item) if item.amends else self._direct(item)
        self._open.pop()
        if configured is not None:
            self.found[name] = configured
        else:
            self._pending.pop(name, None)
        return configured

    def _direct(self, item: ast.Variant) -> Configured | None:
        model = self._model(item.base)
        if model is None:
            return None
        assert isinstance(model.syntax, ast.Definition)
        names = [p.name for p in model.syntax.parameters]
        args = call_arguments(item.arguments, names, model.name, item.span, self.program.root, self.bag)
        return None if args is None else Configured(item.name, model, args, item.name_span, (item.name, model.name))

    def _amended(self, item: ast.Variant) -> Configured | None:
        # In the order of the file what it amends is known, in any other it is found on the way.
        base = None if len(self._open) > MAX_AMENDED else self._configure(item.base.name)
        if len(self._open) > MAX_AMENDED or (base is not None and len(base.lineage) > MAX_AMENDED + 1):
            if not self._too_deep:
                facts = {"what": "variants that amend each other in a row", "limit": MAX_AMENDED}
                help_ = "amend a variant that is nearer to the model, and give all the arguments that differ"
                self.bag.report("E315", item.base.span, help=help_, facts=facts)
            self._too_deep = True
            return None
        if base is None:
            if item.base.name not in self._spans:
                unknown_target("E108", item.base, self._spans, self.bag)
            return None
        args = self.amend(base, item.arguments, item.span)
        if args is None:
            return None
        return Configured(item.name, base.model, args, item.name_span, (item.name, *base.lineage))

    def amend(self, base: Configured, arguments: Sequence[ast.Argument], span: Span) -> dict[str, Arg] | None:
        """The arguments of a variant with some replaced, by name; None after E119 or another error."""
        assert isinstance(base.model.syntax, ast.Definition)
        names = [p.name for p in base.model.syntax.parameters]
        result = dict(base.args)
        ok = True
        for argument in arguments:
            if argument.name is None and not argument.spread:
                self.bag.report("E105", argument.span, owner=f"{base.name} with", limit=0, given=1)
                ok = False
            elif argument.name is not None and argument.name not in names:
                place = argument.name_span or argument.span
                facts = {"name": argument.name, "owner": base.model.name}
                near, instead = meant_setting(argument.name, names)
                self.bag.report("E119", place, suggestion=near, help=instead, facts=facts)
                ok = False
        if not ok:
            return None
        fresh = call_arguments(tuple(arguments), names, base.model.name, span, self.program.root, self.bag)
        return None if fresh is None else {**result, **fresh}


def targets_of(program: Program, variants: Mapping[str, Configured]) -> dict[str, Span]:
    """What settings and references may speak of, models and variants, and where each is declared."""
    models = {name: d.span for name, d in program.root.names.items() if d.kind == "model"}
    return models | {name: configured.span for name, configured in variants.items()}


def unknown_target(code: str, name: ast.Name, known: Mapping[str, Span], bag: Bag, help: str | None = None) -> None:
    """E108 or E109 for what an item is about, where that is none of these, which are declared at their places."""
    near = closest(name.name, known)
    places = declared(known[near] if near else None)
    bag.report(code, name.span, name=name.name, suggestion=near, help=help, secondary=places)


def override(base: Configured, values: Mapping[str, Any]) -> Configured:
    """A variant with arguments given from Python (`classes=10`), plain values of parameters that it has."""
    return replace(base, args={**base.args, **args_from("<arguments>", values)})


def plain_arguments(base: Configured, values: Mapping[str, Any], bag: Bag) -> dict[str, Any]:
    """Values from Python as the language has them, by parameters of the model; E119 and E623 for what is none."""
    known = tuple(parameters_by_name(base.model))
    plain: dict[str, Any] = {}
    for name, value in values.items():
        if name not in known:
            near, instead = meant_setting(name, known)
            facts = {"name": name, "owner": base.model.name, "suggestion": near}
            bag.report("E119", None, facts=facts, help=instead)
            continue
        try:
            plain[name] = arguments.plain(value)
        except arguments.NotPlain as reason:
            bag.report("E623", None, facts={"name": name}, got=str(reason))
    return plain


def amended(program: Program, base: Configured, texts: Mapping[str, str], bag: Bag) -> Configured | None:
    """A variant with arguments written in the language, as `--set` gives them; None after an error."""
    given = written_arguments(texts, bag)
    if bag.errors:
        return None
    args = VariantTable(program, bag).amend(base, given, base.span)
    return None if args is None or bag.errors else replace(base, args=args)
