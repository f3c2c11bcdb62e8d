"""A design space, checked, and its points: takes places on its axes, gives the arguments of a network, or what refuses
them. What a search counts, measures and trains.

Reports E315 and what evaluation reports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TypeAlias

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.graph.space import ASKED, Axis, numbers_of, texts_of, written
from archdsl.semantics.conditions import condition
from archdsl.semantics.context import Context, Run
from archdsl.semantics.elaborate import guarded
from archdsl.semantics.evaluate import evaluate
from archdsl.semantics.parameters import parameters_by_name
from archdsl.semantics.program import FileScope
from archdsl.semantics.resolve import resolve_expression
from archdsl.semantics.values import UNKNOWN, Value, plain
from archdsl.semantics.variants import Configured
from archdsl.source import Source
from archdsl.syntax import ast
from archdsl.syntax.reading import parse_expression
from archdsl.syntax.walking import names_in

Member: TypeAlias = ast.Dimension | ast.Entry | ast.Require


@dataclass(frozen=True)
class SpaceLine:
    """A line of a space, and the file in whose names it is read."""

    syntax: Member
    file: FileScope

    @property
    def key(self) -> str | None:
        """What it says; None of a condition."""
        return None if isinstance(self.syntax, ast.Require) else self.syntax.key

    @property
    def reads(self) -> frozenset[str]:
        """The names that it reads; what varies reads nothing of the space."""
        match self.syntax:
            case ast.Entry(value=read) | ast.Require(condition=read):
                return names_in(read)
        return frozenset()

    @cached_property
    def costs(self) -> frozenset[str]:
        """The costs that a condition asks for: of such the network is needed."""
        return self.reads & ASKED.keys() if self.key is None else frozenset()


@dataclass(frozen=True)
class Point:
    """One network of a space, as a spec would write its arguments."""

    texts: Mapping[str, str]
    """Of every dimension."""
    arguments: Mapping[str, str]
    """Of the model's parameters that the space sets."""
    names: Mapping[str, Value]
    """The values of all lines, which conditions on costs read."""


@dataclass(frozen=True, repr=False)
class Space:
    """A design space, checked."""

    name: str
    source: str
    base: Configured
    """Whose other parameters are kept: the variant that it is for, or the model without arguments."""
    axes: tuple[Axis, ...]
    lines: tuple[SpaceLine, ...]
    home: FileScope
    more: tuple[SpaceLine, ...] = ()
    """Conditions that were added to those of the spec: on costs of other images or numbers than one in float32."""

    def __repr__(self) -> str:
        return f"<archdsl space {self.name} for {self.target}, {self.size:,} points>"

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

    def places(self, number: int) -> tuple[int, ...]:
        """The places on the axes of the point of this number, of which the last axis changes fastest."""
        places = []
        for axis in reversed(self.axes):
            number, place = divmod(number, axis.domain.size)
            places.append(place)
        return tuple(reversed(places))

    @cached_property
    def parameters(self) -> tuple[str, ...]:
        """The model's parameters that the space sets, in the model's order."""
        own = {line.key for line in self.lines}
        return tuple(name for name in parameters_by_name(self.base.model) if name in own)

    @property
    def cost_conditions(self) -> tuple[str, ...]:
        """The conditions on costs, as written."""
        return tuple(
            line.syntax.condition.span.text
            for line in self.lines
            if isinstance(line.syntax, ast.Require) and line.costs
        )

    @cached_property
    def asked(self) -> frozenset[str]:
        """The costs that its own conditions ask for."""
        return frozenset[str]().union(*(line.costs for line in self.lines))

    @cached_property
    def asked_more(self) -> frozenset[str]:
        """The costs that the conditions ask for which were added."""
        return frozenset[str]().union(*(line.costs for line in self.more))

    def point(self, indexes: Sequence[int]) -> Point | str:
        """The point at these places of the axes, or the condition on parameters that refuses it.

        Raises ArchError where the space itself is wrong there: an expression that cannot be evaluated.
        """
        known = numbers_of(self.axes, indexes)
        texts = texts_of(self.axes, indexes)
        reader = _Reader(Bag())
        kept: dict[str, str] = {}
        for line in (*self.lines, *self.more):
            match line.syntax:
                case ast.Dimension(key=name):
                    if name in known:
                        reader.names[name] = known[name]
                    else:
                        reader.names[name] = reader.value(_parsed(name, texts[name]), line.file)
                    kept[name] = texts[name]
                case ast.Entry(key=name, value=node):
                    value = reader.value(node, line.file)
                    if (reason := _requirement(reader.bag)) is not None:
                        return reason
                    reader.names[name] = value
                    if name in self.parameters:
                        kept[name] = written(value) or self._layer(line, node, reader)
                case ast.Require() if not line.costs:
                    if (reason := reader.refusal(line.syntax, line.file)) is not None:
                        return reason
        reader.bag.raise_errors()
        return Point(texts, {name: kept[name] for name in self.parameters}, reader.names)

    def _layer(self, line: SpaceLine, node: ast.Expression, reader: _Reader) -> str:
        """What the space says of a layer, which is read in the names of its home; E454 where it means other things."""
        assert isinstance(line.syntax, ast.Entry)
        key = line.syntax.key
        for name in sorted(names_in(node)):
            if name in reader.names:
                detail = f"a layer cannot follow from `{name}`: give the choices, `{key} in [relu, silu]`"
            elif name in line.file.names and line.file.names[name] is not self.home.names.get(name):
                detail = f"`{name}` is of {line.file.source.name}: import it, or give the layer here"
            else:
                continue
            reader.bag.report("E454", node.span, detail=detail)
        return node.span.text

    def refused(self, point: Point, costs: Mapping[str, float], *, more: bool = False) -> str | None:
        """The condition on costs that refuses a network with these costs; None if it is in the space.

        Its own conditions are on the costs of one image in float32; `more`: those that were added, on what was asked.
        """
        lines = [line for line in (self.more if more else self.lines) if line.costs]
        if not lines:
            return None
        reader = _Reader(Bag(), {**point.names, **costs})
        for line in lines:
            if isinstance(line.syntax, ast.Require):
                reason = reader.refusal(line.syntax, line.file)
                if reason is not None:
                    return reason
        reader.bag.raise_errors()
        return None


class _Reader:
    """Evaluates the lines of a space at a point."""

    def __init__(self, bag: Bag, names: Mapping[str, Value] | None = None) -> None:
        self.bag = bag
        self.names: dict[str, Value] = dict(names or {})
        self.run = Run(bag, traced=False)

    def value(self, node: ast.Expression | None, file: FileScope) -> Value:
        if node is None:
            return UNKNOWN
        ctx = Context(self.run, file, locals=dict(self.names))
        value = guarded(
            lambda: evaluate(resolve_expression(node, file, self.bag, self.names), ctx), node.span, self.bag
        )
        return UNKNOWN if value is None or value is UNKNOWN else plain(value)

    def refusal(self, syntax: ast.Require, file: FileScope) -> str | None:
        """What refuses, in words; None if the condition holds."""
        ctx = Context(self.run, file, locals=dict(self.names))
        asked = resolve_expression(syntax.condition, file, self.bag, self.names)
        test = guarded(lambda: condition(asked, ctx), syntax.span, self.bag)
        if (reason := _requirement(self.bag)) is not None:
            return reason
        if test is UNKNOWN or test is None or plain(test):
            return None
        return syntax.message.value if syntax.message else syntax.condition.span.text


def _requirement(bag: Bag) -> str | None:
    """The words of a `require` of a scaling or fn that refused; raises ArchError for any other error."""
    errors = bag.errors
    if not errors:
        return None
    if all(error.code == "E316" for error in errors):
        return errors[0].message
    raise ArchError(bag)


@lru_cache(10_000)
def _parsed(name: str, text: str) -> ast.Expression | None:
    return parse_expression(Source(f"{name} of a space", text), Bag())
