"""The `space` items of a file: takes a `Program`, gives `Space`s, of which a point is the arguments of a network.

Reports E101-E106, E108, E301, E302, E315, E451-E456; of a point, what its conditions refuse.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from archdsl.diagnostics.core import ArchError, Bag, Label
from archdsl.diagnostics.suggest import closest
from archdsl.graph.space import COSTS, DISTRIBUTIONS, Axis, Choices, Domain, Steps, Whole, texts_of, written
from archdsl.semantics.conditions import condition
from archdsl.semantics.context import Context, Run
from archdsl.semantics.elaborate import call_arguments, constant, guarded
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.parameters import accepts, parameters_by_name
from archdsl.semantics.program import Definition, FileScope, Program
from archdsl.semantics.values import UNKNOWN, Arg, plain
from archdsl.semantics.variants import Configured, targets_of, unknown_target
from archdsl.source import Source, Span
from archdsl.symbolic import Const
from archdsl.syntax import ast
from archdsl.syntax.reading import parse_expression
from archdsl.syntax.walking import names_in

MOST_AXES = 1_000
MOST_VALUES = 1_000_000
"""Values of one axis."""
TRIED = 100
"""Values of a dimension that `check` holds against what the model declares: all, or those at both ends."""


@dataclass(frozen=True)
class Point:
    """One network of a space, as a spec would write its arguments."""

    texts: Mapping[str, str]
    """Of every dimension."""
    arguments: Mapping[str, str]
    """Of the model's parameters that the space sets."""


@dataclass(frozen=True)
class Space:
    """A design space, checked."""

    name: str
    source: str
    base: Configured
    """Whose other parameters are kept: the variant that it is for, or the model without arguments."""
    axes: tuple[Axis, ...]
    members: tuple[ast.Dimension | ast.Entry | ast.Require, ...]
    file: FileScope

    @property
    def target(self) -> str:
        """The name of the model or variant that it is for."""
        return self.base.model.name if self.base.name == self.name else self.base.name

    @property
    def size(self) -> int:
        """How many points there are, before any condition."""
        product = 1
        for axis in self.axes:
            product *= axis.domain.size
        return product

    @property
    def parameters(self) -> tuple[str, ...]:
        """The model's parameters that the space sets, in the model's order."""
        own = {member.key for member in self._named}
        return tuple(name for name in parameters_by_name(self.base.model) if name in own)

    @property
    def _named(self) -> Iterator[ast.Dimension | ast.Entry]:
        return (member for member in self.members if not isinstance(member, ast.Require))

    @property
    def cost_conditions(self) -> tuple[str, ...]:
        """The conditions on costs, as written."""
        asked = (m for m in self.members if isinstance(m, ast.Require) and _asks_costs(m))
        return tuple(member.condition.span.text for member in asked)

    def point(self, indexes: Sequence[int]) -> Point | str:
        """The point at these places of the axes, or the condition on parameters that refuses it.

        Raises ArchError where the space itself is wrong there: an expression that cannot be evaluated.
        """
        texts = texts_of(self.axes, indexes)
        bag = Bag()
        names: dict[str, Any] = {}
        kept: dict[str, str] = {}
        for member in self.members:
            match member:
                case ast.Dimension(key=name):
                    names[name] = self._evaluated(_parsed(name, texts[name], bag), names, bag)
                    kept[name] = texts[name]
                case ast.Entry(key=name):
                    value = self._evaluated(member.value, names, bag)
                    if (reason := _requirement(bag)) is not None:
                        return reason
                    names[name] = value
                    kept[name] = self._text(member, value)
                case ast.Require():
                    if _asks_costs(member):
                        continue
                    holds = self._holds(member, names, bag)
                    if holds is not None:
                        return holds
        bag.raise_errors()
        return Point(texts, {name: kept[name] for name in self.parameters})

    def refused(self, point: Point, costs: Mapping[str, float]) -> str | None:
        """The condition on costs that refuses a network with these costs; None if it is in the space."""
        conditions = [member for member in self.members if isinstance(member, ast.Require) and _asks_costs(member)]
        if not conditions:
            return None
        bag = Bag()
        names: dict[str, Any] = {}
        for member in self._named:
            if isinstance(member, ast.Dimension):
                names[member.key] = self._evaluated(_parsed(member.key, point.texts[member.key], bag), names, bag)
            else:
                names[member.key] = self._evaluated(member.value, names, bag)
        for required in conditions:
            reason = self._holds(required, {**names, **costs}, bag)
            if reason is not None:
                return reason
        bag.raise_errors()
        return None

    def _holds(self, member: ast.Require, names: Mapping[str, Any], bag: Bag) -> str | None:
        """What refuses, in words; None if the condition holds."""
        ctx = Context(Run(bag), self.file, locals=dict(names))
        test = guarded(lambda: condition(member.condition, ctx), member.span, bag)
        if (reason := _requirement(bag)) is not None:
            return reason
        if test is UNKNOWN or test is None or plain(test):
            return None
        return member.message.value if member.message else member.condition.span.text

    def _evaluated(self, node: ast.Expression | None, names: Mapping[str, Any], bag: Bag) -> Any:
        if node is None:
            return UNKNOWN
        ctx = Context(Run(bag), self.file, locals=dict(names))
        value = guarded(lambda: evaluate(node, ctx), node.span, bag)
        return UNKNOWN if value is None or value is UNKNOWN else plain(value)

    def _text(self, member: ast.Entry, value: Any) -> str:
        """A value as a spec writes it: that which was computed, or, of a layer, what the space says."""
        text = written(value)
        return member.value.span.text if text is None else text


def _requirement(bag: Bag) -> str | None:
    """The words of a `require` of a scaling or fn that refused; raises ArchError for any other error."""
    errors = bag.errors
    if not errors:
        return None
    if all(error.code == "E316" for error in errors):
        return errors[0].message
    raise ArchError(bag)


def _parsed(name: str, text: str, bag: Bag) -> ast.Expression | None:
    return parse_expression(Source(f"{name} of a space", text), bag)


def _asks_costs(member: ast.Syntax) -> bool:
    return isinstance(member, ast.Require) and not COSTS.keys().isdisjoint(names_in(member.condition))


class _Reported(Exception):
    """What is wrong has been said. Internal."""


class Spaces:
    """Reads the spaces of a program's root file."""

    def __init__(self, program: Program, variants: Mapping[str, Configured], bag: Bag) -> None:
        self.program = program
        self.variants = variants
        self.bag = bag

    def read(self) -> dict[str, Space]:
        """Those that are right, in the order of the file; what is wrong with others is in the bag."""
        found: dict[str, Space] = {}
        seen: dict[str, Span] = {}
        for item in self.program.root.items(ast.Space):
            if item.name in seen:
                first = [Label(seen[item.name], "first defined here")]
                self.bag.report("E106", item.name_span, name=item.name, secondary=first)
                continue
            seen[item.name] = item.name_span
            space = self._space(item)
            if space is not None:
                found[item.name] = space
        return found

    def _space(self, item: ast.Space) -> Space | None:
        base = self._base(item)
        if base is None or not self._are_whole(item, base.model):
            return None
        axes: list[Axis] = []
        ok = True
        for member in item.members:
            if isinstance(member, ast.Dimension):
                try:
                    own = self._axes(member.key, member.domain)
                except _Reported:
                    own = ()
                ok = bool(own) and self._accepted(member, own, base.model) and ok
                axes += own
        if not ok:
            return None
        if len(axes) > MOST_AXES:
            self.bag.report("E315", item.name_span, what="numbers and choices of a space", limit=MOST_AXES)
            return None
        if not any(axis.domain.size > 1 for axis in axes):
            self.bag.report("E455", item.name_span, name=item.name)
            return None
        docstring = item.docstring.text if item.docstring else ""
        return Space(item.name, docstring, base, tuple(axes), item.members, self.program.root)

    def _base(self, item: ast.Space) -> Configured | None:
        """The variant that a space is for, or its model without arguments; None after E108."""
        name, known = item.target.name, targets_of(self.program, self.variants)
        if name in self.variants:
            return self.variants[name]
        if name in known:
            return Configured(item.name, self.program.root.names[name], {}, item.name_span, (item.name, name))
        unknown_target("E108", item.target, known, self.bag)
        return None

    def _are_whole(self, item: ast.Space, model: Definition) -> bool:
        """Whether every name means something, and every parameter has a value; reports E452, E453, E456."""
        parameters = parameters_by_name(model)
        named = {member.key: member for member in item.members if not isinstance(member, ast.Require)}
        read = names_in(item.members)
        ok = True
        for name, member in named.items():
            if name in COSTS:
                self.bag.report("E456", member.key_span, name=name)
                ok = False
            elif name not in parameters and name not in read:
                near, known = closest(name, parameters), ", ".join(parameters)
                self.bag.report("E452", member.key_span, name=name, model=model.name, suggestion=near, known=known)
                ok = False
        base = self.variants.get(item.target.name)
        given = base.args if base is not None else {}
        missing = [n for n, p in parameters.items() if p.default is None and n not in named and n not in given]
        if ok and missing:
            facts = {"name": item.name, "missing": ", ".join(missing), "model": model.name}
            self.bag.report("E453", item.name_span, facts=facts)
            ok = False
        return ok

    # --- domains -----------------------------------------------------------------------------

    def _axes(self, name: str, node: ast.Expression) -> tuple[Axis, ...]:
        """The axes of a dimension: one, or as many as a list has members; raises _Reported."""
        if isinstance(node, ast.CallExpr) and isinstance(node.callee, ast.Name) and node.callee.name == "each":
            if len(node.arguments) != 2 or any(a.name or a.spread for a in node.arguments):
                raise self._no_domain(name, node)
            count = constant(node.arguments[0].value, self.program.root, self.bag)
            domain = self._domain(name, node.arguments[1].value)
            if count is UNKNOWN:
                raise _Reported
            if isinstance(count, bool) or not isinstance(count, int) or not 0 < count <= MOST_AXES:
                raise self._wrong(node.arguments[0].value, f"each: a list has 1 to {MOST_AXES:,} members")
            return tuple(Axis(name, place, domain) for place in range(count))
        return (Axis(name, None, self._domain(name, node)),)

    def _domain(self, name: str, node: ast.Expression) -> Domain:
        file = self.program.root
        if isinstance(node, ast.CallExpr) and isinstance(node.callee, ast.Name) and node.callee.name in DISTRIBUTIONS:
            return self._steps(node, node.callee.name)
        if isinstance(node, ast.Range) and node.start is not None and node.stop is not None:
            start, stop = constant(node.start, file, self.bag), constant(node.stop, file, self.bag)
            if start is UNKNOWN or stop is UNKNOWN:
                raise _Reported
            if not all(isinstance(end, int) and not isinstance(end, bool) for end in (start, stop)):
                raise self._wrong(node, "the ends of a range are whole numbers; others are uniform(low, high, step)")
            if not 0 < stop - start <= MOST_VALUES:
                raise self._wrong(node, f"a range holds 1 to {MOST_VALUES:,} numbers")
            return Whole(start, stop)
        if isinstance(node, ast.ListExpr) and (choices := _single(node)) is not None:
            texts = [choice.span.text for choice in choices]
            values = [constant(choice, file, self.bag) for choice in choices]
            if UNKNOWN in values:
                raise _Reported
            return self._choices(node, texts, values)
        is_list = isinstance(node, ast.ListExpr | ast.Name | ast.Comprehension)
        value = constant(node, file, self.bag) if is_list else None
        if value is UNKNOWN:
            raise _Reported
        members = [written(item) for item in value] if isinstance(value, tuple | range) else [None]
        if value is None or None in members:
            raise self._no_domain(name, node)
        return self._choices(node, [text for text in members if text is not None], list(value))

    def _choices(self, node: ast.Expression, texts: Sequence[str], values: Sequence[Any]) -> Domain:
        if not 0 < len(texts) <= MOST_VALUES:
            raise self._wrong(node, "there is nothing to choose from")
        numbers = all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
        if len(set(texts)) < len(texts):
            raise self._wrong(node, "the same choice stands there twice")
        return Choices(tuple(texts), ordered=numbers and list(values) == sorted(values))

    def _steps(self, node: ast.CallExpr, kind: str) -> Domain:
        """`uniform(low, high, step)`; raises _Reported."""
        names = ("low", "high", "step")
        args = call_arguments(node.arguments, names, kind, node.span, self.program.root, self.bag)
        if args is None:
            raise _Reported
        missing = next((name for name in names if name not in args), None)
        if missing is not None:
            self.bag.report("E103", node.span, name=missing, owner=kind)
            raise _Reported
        values = [args[name].value for name in names]
        for name, value in zip(names, values, strict=True):
            if isinstance(value, bool) or not isinstance(value, int | float):
                raise self._wrong(args[name], f"{name} is a number")
        whole = all(isinstance(value, int) for value in values)
        low, high, step = (Decimal(repr(value)) for value in values)
        logarithmic = DISTRIBUTIONS[kind]
        if step <= 0 or low > high:
            raise self._wrong(node, "it goes from the least to the greatest, in steps above 0")
        if logarithmic and low <= 0:
            raise self._wrong(args["low"], "a logarithm is of a number above 0")
        if low % step or high % step:
            raise self._wrong(node, f"both ends are multiples of the step, {step}")
        if (high - low) / step >= MOST_VALUES:
            raise self._wrong(node, f"these are more than {MOST_VALUES:,} values")
        return Steps(low, high, step, whole, logarithmic)

    def _no_domain(self, name: str, node: ast.Expression) -> _Reported:
        self.bag.report("E451", node.span, name=name)
        return _Reported()

    def _wrong(self, place: ast.Expression | Arg, detail: str) -> _Reported:
        self.bag.report("E454", place.span, detail=detail)
        return _Reported()

    def _accepted(self, member: ast.Dimension, axes: Sequence[Axis], model: Definition) -> bool:
        """Whether the values are what the model declares; reports E301, E302 at the domain."""
        parameter = parameters_by_name(model).get(member.key)
        if parameter is None:
            return True
        size = axes[0].domain.size
        places = range(size) if size <= TRIED else (0, size - 1)
        run = Run(self.bag)
        ctx, home = Context(run, self.program.root), Context(run, model.file)
        for place in places:
            node = _parsed(member.key, texts_of(axes, [place] * len(axes))[member.key], self.bag)
            value = UNKNOWN if node is None else plain(evaluate(node, ctx))
            if value is UNKNOWN or not accepts(parameter, Arg(value, Const(value), member.domain.span), model, home):
                return False
        run.settle()
        return True


def _single(node: ast.ListExpr) -> list[ast.Expression] | None:
    """The members of a list, where each is one value; None where an item may stand for none or several."""
    found: list[ast.Expression] = []
    for item in node.items:
        if item.count is not None or item.condition is not None or isinstance(item.value, ast.Splice):
            return None
        found.append(item.value)
    return found


def spaces_of(program: Program, variants: Mapping[str, Configured], bag: Bag) -> dict[str, Space]:
    """The spaces that a file has, by name; wrong ones are reported and left out."""
    return Spaces(program, variants, bag).read()


def first_point(space: Space) -> Point | None:
    """Some point that the conditions on parameters let pass, the same each time; None if it takes too many draws."""
    rng = random.Random(0)
    for _ in range(TRIED):
        point = space.point([axis.domain.draw(rng) for axis in space.axes])
        if isinstance(point, Point):
            return point
    return None
