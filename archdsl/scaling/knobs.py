"""Knobs: a parameter of a model, the size of its image, or a parameter of a scaling rule, whose results set parameters.

Takes a `Variant` and what is said of the knob; gives the variant at any value of it. Reports E686 to E689.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from archdsl import arguments
from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.suggest import closest
from archdsl.graph.describe import value_text
from archdsl.graph.space import COSTS
from archdsl.semantics.elaborate import constant, value_of
from archdsl.semantics.program import Definition, FileScope
from archdsl.semantics.values import Layer, Record, plain
from archdsl.source import Source, Span
from archdsl.syntax import ast, parse_expression

if TYPE_CHECKING:
    from archdsl.variant import Variant

IMAGE = "image"
"""What the size of the image is called among the parameters."""

BASE = "base"
"""What the parameters of the network that is scaled are called where a rule is mapped to them."""


@dataclass(frozen=True)
class KnobPoint:
    """The network at a value of the knob; `given`: what the value sets, by parameter of the model, or `image`."""

    value: float
    variant: Variant
    given: Mapping[str, Any]
    promise: Mapping[str, float]
    """Cost by which the rule says it grows, over the network where it changes nothing."""

    @property
    def texts(self) -> dict[str, str]:
        """`given`, as a spec writes it."""
        return {name: value_text(value) for name, value in self.given.items()}

    def cost(self, name: str) -> int:
        return int(getattr(self.variant.graph.cost, name))


@dataclass
class Knob:
    """A number that a network is scaled by."""

    base: Variant
    name: str
    """`phi` of a rule, a parameter, or `image`."""
    rule: Definition | None = None
    fixed: Mapping[str, str] = field(default_factory=dict)
    """Other parameters of the rule, as texts in the language."""
    maps: Mapping[str, str] = field(default_factory=dict)
    """Expressions over what the rule gives and the parameters of `base`, by parameter of the model, or `image`."""
    without: Sequence[str] = ()
    """What the rule gives and is left out."""
    _points: dict[float, KnobPoint | ArchError] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return f"{self.rule.name}.{self.name}" if self.rule else self.name

    @cached_property
    def whole(self) -> bool:
        """Whether only whole numbers are values of it."""
        if self.name == IMAGE and self.rule is None:
            return True
        declared = self._parameter.type
        if declared is not None:
            return declared.name == "int"
        return self.rule is None and type(self.base_values.get(self.name)) is int

    @cached_property
    def _parameter(self) -> ast.Parameter:
        syntax = (self.rule or self.base.configured.model).syntax
        assert isinstance(syntax, ast.Definition)
        return next(parameter for parameter in syntax.parameters if parameter.name == self.name)

    @cached_property
    def base_values(self) -> dict[str, Any]:
        """The parameters of the network that is scaled: what its variant gives them, else their defaults."""
        model, given = self.base.configured.model, self.base.configured.args
        found = {}
        for parameter in model.parameters:
            if parameter.name in given:
                found[parameter.name] = given[parameter.name].value
            elif parameter.default is not None:
                found[parameter.name] = value_of(parameter.default, model.file, Bag())
        return found

    @cached_property
    def neutral(self) -> KnobPoint | None:
        """The network where the rule promises no growth: of `phi` 0, of a factor 1. Of a parameter, `base`."""
        if self.rule is None:
            return self.at(self.start)
        for value in (0, 1):
            try:
                point = self.at(value)
            except ArchError:
                continue
            if point.promise and all(factor == 1 for factor in point.promise.values()):
                return point
        return None

    @cached_property
    def start(self) -> float:
        """The value that the network has, or at which the rule changes nothing. Raises ArchError E689."""
        if self.rule is not None:
            return self.neutral.value if self.neutral is not None else 1
        if self.name == IMAGE:
            return self.base.graph.input_shape.height
        value = self.base_values.get(self.name)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ArchError.of("E689", name=self.name, owner=self.base.name, got=_kind(value))
        return value

    @property
    def additive(self) -> bool:
        """Whether the knob is an exponent: nothing changes at 0."""
        return self.rule is not None and self.start == 0

    def at(self, value: float) -> KnobPoint:
        """The network at a value; raises ArchError with what the spec says against it."""
        if self.whole and value == int(value):
            value = int(value)
        if value not in self._points:
            try:
                self._points[value] = self._made(value)
            except ArchError as error:
                self._points[value] = error
        found = self._points[value]
        if isinstance(found, ArchError):
            raise found
        return found

    def _made(self, value: float) -> KnobPoint:
        given: dict[str, Any]
        promise: dict[str, float] = {}
        if self.rule is None:
            given = {self.name: value}
        else:
            result = self._results(value)
            # A rule promises a cost by the name of it with `_` in front.
            said = {cost: result.fields.get(f"_{cost}") for cost in COSTS}
            promise = {cost: float(factor) for cost, factor in said.items() if isinstance(factor, int | float)}
            given = self._applied(result)
        variant = self.base.override({name: found for name, found in given.items() if name != IMAGE})
        if IMAGE in given:
            variant = variant.for_image(size=given[IMAGE])
        assert variant.graph.nodes
        return KnobPoint(value, variant, given, promise)

    def _results(self, value: float) -> Record:
        """What the rule gives at a value."""
        assert self.rule is not None
        bag = Bag()
        found = [_argument(name, text, f"--set {self.rule.name}.{name}", bag) for name, text in self.fixed.items()]
        found.append(_argument(self.name, repr(value), f"--along {self.title}", bag))
        bag.raise_errors()
        whole = Source(f"--along {self.title}", f"{self.rule.name}(…)")
        callee = ast.Name(self.rule.name, span=Span(whole, 0, len(self.rule.name)))
        call = ast.CallExpr(callee, tuple(a for a in found if a), span=Span(whole, 0, len(whole.text)))
        result = _evaluated(call, self.rule.file, {}, bag)
        assert isinstance(result, Record)
        return Record(result.table, {name: plain(item) for name, item in result.fields.items()})

    def _applied(self, result: Record) -> dict[str, Any]:
        """Parameters of the model from what the rule gives; raises ArchError E686 where there is no such parameter."""
        assert self.rule is not None
        bag = Bag()
        known = [name for name in result.fields if not name.startswith("_")]
        for name in self.without:
            if name not in known:
                what = f"what `{self.rule.name}` gives"
                bag.report("E114", None, help=f"it gives {', '.join(known)}", type=what, name=name)
        bag.raise_errors()
        parsed = {name: parse_expression(Source(f"--map {name}", text), bag) for name, text in self.maps.items()}
        bag.raise_errors()
        used = {read for tree in parsed.values() for read in _reads(tree, self.rule.name)}
        given: dict[str, Any] = {}
        for name, item in result.fields.items():
            if name.startswith("_") or name in self.without or name in self.maps:
                continue
            if name in self.base_values or name in self.base.parameters:
                given[name] = item
            elif name not in used:
                fits = "image" if name == "resolution" else closest(name, self.base.parameters)
                facts = {"name": name, "rule": self.rule.name, "model": self.base.configured.model.name, "fits": fits}
                bag.report("E686", None, facts=facts)
        bag.raise_errors()
        own = self.base.file.program.root
        names = {BASE: Record(BASE, self.base_values), self.rule.name: result}
        for name, tree in parsed.items():
            assert tree is not None
            given[name] = _plain(_evaluated(tree, own, names, bag), name)
        return given


def knob_of(
    base: Variant,
    along: str | None,
    rules: FileScope | None = None,
    rule: str | None = None,
    fixed: Mapping[str, str] | None = None,
    maps: Mapping[str, str] | None = None,
    without: Sequence[str] = (),
) -> Knob:
    """The knob that `along` names, a parameter or `rule.parameter`; without it, that of the only rule of one knob.

    `rules` is the file that has the rule, `rule` its name there; without them it is the file of the network, and that
    of its model. Raises ArchError E119, E687, E688.
    """
    owner, dot, name = (along or "").rpartition(".")
    known = _rules([rules] if rules else [base.file.program.root, base.configured.model.file])
    chosen = rule or (owner if dot else None)
    maps = maps or {}
    for target in maps:
        if target != IMAGE:
            _check_parameter(base, target)
    if chosen is None and along is not None:
        if along != IMAGE:
            knobs = [f"{rule.name}.{along}" for rule in known.values() if along in _names(rule)]
            _check_parameter(base, along, knobs[0] if len(knobs) == 1 else None)
        return Knob(base, along)
    if chosen is not None and chosen not in known:
        raise ArchError.of("E688", name=chosen, suggestion=closest(chosen, known), known=", ".join(known) or None)
    candidates = [known[chosen]] if chosen is not None else [d for d in known.values() if _open(d)]
    fixed = dict(fixed or {})
    if along is not None and len(candidates) == 1:
        return Knob(base, _declared(candidates[0], name), candidates[0], fixed, maps, without)
    found = [(d, [p for p in _open(d) if p not in fixed]) for d in candidates]
    single = [(d, names[0]) for d, names in found if len(names) == 1]
    if len(single) != 1:
        numbers = [name for name, value in Knob(base, "").base_values.items() if type(value) in (int, float)]
        several = [f"{d.name}.{name}" for d, names in found for name in names if chosen or len(single) > 1]
        raise ArchError.of("E687", name=base.name, known=", ".join([*several, *([] if chosen else numbers), IMAGE]))
    return Knob(base, single[0][1], single[0][0], fixed, maps, without)


def _rules(files: Sequence[FileScope]) -> dict[str, Definition]:
    return {name: d for file in reversed(files) for name, d in file.names.items() if d.kind == "scaling"}


def _open(rule: Definition) -> list[str]:
    """The parameters that a rule has to be given."""
    assert isinstance(rule.syntax, ast.Definition)
    return [parameter.name for parameter in rule.syntax.parameters if parameter.default is None]


def _names(rule: Definition) -> list[str]:
    assert isinstance(rule.syntax, ast.Definition)
    return [parameter.name for parameter in rule.syntax.parameters]


def _declared(rule: Definition, name: str) -> str:
    names = _names(rule)
    if name not in names:
        raise ArchError.of("E102", name=name, owner=rule.name, suggestion=closest(name, names), known=", ".join(names))
    return name


def _check_parameter(base: Variant, name: str, meant: str | None = None) -> None:
    if name not in base.parameters:
        owner = base.configured.model.name
        raise ArchError.of("E119", name=name, owner=owner, suggestion=meant or closest(name, base.parameters))


def _argument(name: str, text: str, label: str, bag: Bag) -> ast.Argument | None:
    value = parse_expression(Source(label, text), bag)
    return None if value is None else ast.Argument(name, value, span=value.span)


def _evaluated(tree: ast.Expression, file: FileScope, names: Mapping[str, Any], bag: Bag) -> Any:
    value = constant(tree, file, bag, names)
    bag.raise_errors()
    return value


def _reads(tree: Any, owner: str) -> Iterator[str]:
    """The fields of `owner` that an expression reads."""
    if isinstance(tree, ast.Attribute) and isinstance(tree.value, ast.Name) and tree.value.name == owner:
        yield tree.name
    if isinstance(tree, tuple | list):
        for item in tree:
            yield from _reads(item, owner)
    elif dataclasses.is_dataclass(tree) and not isinstance(tree, Span):
        for member in dataclasses.fields(tree):
            yield from _reads(getattr(tree, member.name), owner)


def _plain(value: Any, name: str) -> Any:
    if isinstance(value, Layer):
        raise ArchError.of("E623", name=name, got="a layer: give that with --set")
    try:
        return arguments.plain(value)
    except arguments.NotPlain as reason:
        raise ArchError.of("E623", name=name, got=str(reason)) from None


def _kind(value: Any) -> str:
    kinds = {bool: "true or false", str: "a string", tuple: "a list", range: "a list"}
    return "a layer" if isinstance(value, Layer) else kinds.get(type(value), "no value")
