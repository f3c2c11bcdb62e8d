"""The `space` items of a file: takes a `Program`, gives `Space`s, each with what it amends taken in.

Reports E101-E106, E108, E113, E301, E302, E315, E441, E450-E458.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from archdsl.diagnostics.core import ArchError, Bag
from archdsl.diagnostics.diagnostic import declared
from archdsl.diagnostics.suggest import closest
from archdsl.graph.space import ASKED, Axis, Choices, texts_of
from archdsl.semantics.context import Context, Run
from archdsl.semantics.domains import MOST_AXES, Domains, Reported
from archdsl.semantics.elaborate import constant, elaborate, guarded
from archdsl.semantics.parameters import accepts, parameters_by_name
from archdsl.semantics.points import Point, Space, SpaceLine
from archdsl.semantics.program import Definition, Program, SpaceItem
from archdsl.semantics.values import UNKNOWN, Arg
from archdsl.semantics.variants import Configured, amended, targets_of, unknown_target
from archdsl.source import Source
from archdsl.symbolic import Const
from archdsl.syntax import ast
from archdsl.syntax.reading import parse_expression
from archdsl.syntax.walking import names_in

TRIED = 100
"""Values of a dimension that `check` holds against what the model declares: all, or those at both ends."""

DRAWS = 1_000
"""Points in which `check` looks for one that the conditions on parameters let pass: all, or so many random ones."""

MAX_AMENDED = 100
"""How many spaces one may rest on, each an amendment of the next."""


@dataclass(frozen=True)
class MergedSpace:
    """What a space and those that it amends say: each name once, by the one that said it last."""

    lines: tuple[SpaceLine, ...]
    docstring: str
    target: ast.Name | None
    depth: int


class Spaces:
    """Reads the spaces of a program's root file. One that is used from another file is there to be amended."""

    def __init__(self, program: Program, variants: Mapping[str, Configured], bag: Bag) -> None:
        self.program = program
        self.variants = variants
        self.bag = bag
        self._merged: dict[tuple[str, str], MergedSpace | None] = {}
        self._open: list[tuple[str, str]] = []

    def read(self) -> dict[str, Space]:
        """Those that are right, in the order of the file; what is wrong with others is in the bag."""
        found = {}
        for name, item in self.program.root.spaces.items():
            if item.file is self.program.root and (space := self._space(item)) is not None:
                found[name] = space
        return found

    # --- amendments --------------------------------------------------------------------------

    def _merge(self, item: SpaceItem) -> MergedSpace | None:
        """A space's lines with those it amends, in an order in which each can be read; None after an error."""
        key = item.file.source.identity, item.syntax.name
        if key not in self._merged:
            if key in self._open:
                chain = " -> ".join(name for _, name in (*self._open, key))
                self.bag.report("E113", item.syntax.name_span, chain=chain, help="name a space that stands by itself")
                return None
            self._open.append(key)
            self._merged[key] = self._amended(item)
            self._open.pop()
        return self._merged[key]

    def _amended(self, item: SpaceItem) -> MergedSpace | None:
        syntax, base = item.syntax, MergedSpace((), "", None, 0)
        if syntax.base is not None:
            below = item.file.spaces.get(syntax.base.name)
            if below is None:
                self._unknown(syntax.base, item)
                return None
            found = self._merge(below)
            if found is None:
                return None
            if found.depth + 1 > MAX_AMENDED or len(self._open) > MAX_AMENDED:
                facts = {"what": "spaces that amend each other in a row", "limit": MAX_AMENDED}
                self.bag.report("E315", syntax.base.span, facts=facts)
                return None
            base = found
            if below.file is not item.file:
                base = MergedSpace(base.lines, base.docstring, None, base.depth)
        lines = self._taken(item, base.lines)
        if lines is None:
            return None
        docstring = syntax.docstring.text if syntax.docstring else base.docstring
        return MergedSpace(lines, docstring, syntax.target or base.target, base.depth + 1)

    def _unknown(self, name: ast.Name, item: SpaceItem) -> None:
        if name.name not in item.file.missing:
            known = item.file.spaces
            near = closest(name.name, known)
            places = declared(known[near].syntax.name_span if near else None)
            facts = {"name": name.name, "suggestion": near, "known": ", ".join(known)}
            self.bag.report("E450", name.span, facts=facts, secondary=places)

    def _taken(self, item: SpaceItem, base: Sequence[SpaceLine]) -> tuple[SpaceLine, ...] | None:
        """The lines of an amendment over those of what it amends; None after E113 or E441."""
        named = {line.key for line in base}
        own: list[SpaceLine] = []
        gone: set[str] = set()
        ok = True
        for member in item.syntax.members:
            if isinstance(member, ast.Entry) and member.takes_back:
                if member.key not in named:
                    help_ = "leave it out: what a space does not mention does not vary"
                    self.bag.report("E441", member.value.span, key=member.key, help=help_)
                    ok = False
                gone.add(member.key)
            else:
                own.append(SpaceLine(member, item.file))
        if not ok:
            return None
        over = {line.key: line for line in own if line.key is not None}
        lines = [over.pop(line.key or "", line) for line in base if line.key not in gone]
        placed = set(map(id, lines))
        return self._in_order([*lines, *(line for line in own if id(line) not in placed)], item)

    def _in_order(self, lines: Sequence[SpaceLine], item: SpaceItem) -> tuple[SpaceLine, ...] | None:
        """The lines as they stand, but for those that others above them read; None after E113."""
        if item.syntax.base is None:
            return tuple(lines)
        by_name = {line.key: line for line in lines if line.key is not None}
        reads = {id(line): iter([by_name[name] for name in sorted(line.reads) if name in by_name]) for line in lines}
        placed: dict[int, SpaceLine] = {}
        for line in lines:
            waiting = {id(line): line}  # no recursion: a chain of lines may be as long as the file
            while waiting:
                last = next(reversed(waiting.values()))
                other = next((each for each in reads[id(last)] if id(each) not in placed), None)
                if other is None:
                    placed[id(last)] = waiting.pop(id(last))
                elif id(other) in waiting:
                    circle = [*list(waiting.values())[list(waiting).index(id(other)) :], other]
                    chain = " -> ".join(str(each.key) for each in circle)
                    assert not isinstance(other.syntax, ast.Require)  # which nothing can read
                    help_ = "a line may read what does not read it"
                    self.bag.report("E113", other.syntax.key_span, chain=chain, help=help_)
                    return None
                else:
                    waiting[id(other)] = other
        return tuple(placed.values())

    # --- one space ---------------------------------------------------------------------------

    def _space(self, item: SpaceItem) -> Space | None:
        merged = self._merge(item)
        base = None if merged is None else self._base(item, merged)
        if merged is None or base is None or not self._are_whole(item, merged, base.model):
            return None
        axes: list[Axis] = []
        ok = True
        for line in merged.lines:
            if isinstance(line.syntax, ast.Dimension):
                try:
                    own = Domains(line.file, self.bag).axes(line.syntax.key, line.syntax.domain)
                except Reported:
                    own = ()
                ok = bool(own) and self._means_the_same(line, own) and self._accepted(line, own, base.model) and ok
                axes += own
        if not ok:
            return None
        name, span = item.syntax.name, item.syntax.name_span
        if len(axes) > MOST_AXES:
            self.bag.report("E315", span, what="numbers and choices of a space", limit=MOST_AXES)
            return None
        if not any(axis.domain.size > 1 for axis in axes):
            self.bag.report("E455", span, name=name)
            return None
        return Space(name, merged.docstring, base, tuple(axes), merged.lines, item.file)

    def _base(self, item: SpaceItem, merged: MergedSpace) -> Configured | None:
        """The variant that a space is for, or its model without arguments; None after E108 or E457."""
        if merged.target is None:
            self.bag.report("E457", item.syntax.name_span, name=item.syntax.name)
            return None
        name, known = merged.target.name, targets_of(self.program, self.variants)
        if name in self.variants:
            return self.variants[name]
        if name in known:
            own = item.syntax.name
            return Configured(own, self.program.root.names[name], {}, item.syntax.name_span, (own, name))
        unknown_target("E108", merged.target, known, self.bag)
        return None

    def _are_whole(self, item: SpaceItem, merged: MergedSpace, model: Definition) -> bool:
        """Whether every name means something, and every parameter has a value; reports E452, E453, E456."""
        parameters = parameters_by_name(model)
        named = {m.key: m for m in (line.syntax for line in merged.lines) if not isinstance(m, ast.Require)}
        read = names_in(tuple(line.syntax for line in merged.lines))
        ok = True
        for name, member in named.items():
            if name in ASKED:
                self.bag.report("E456", member.key_span, name=name)
                ok = False
            elif name not in parameters and name not in read:
                near, known = closest(name, parameters), ", ".join(parameters)
                self.bag.report("E452", member.key_span, name=name, model=model.name, suggestion=near, known=known)
                ok = False
        base = self.variants.get(merged.target.name if merged.target else "")
        given = base.args if base is not None else {}
        missing = [n for n, p in parameters.items() if p.default is None and n not in named and n not in given]
        if ok and missing:
            facts = {"name": item.syntax.name, "missing": ", ".join(missing), "model": model.name}
            self.bag.report("E453", item.syntax.name_span, facts=facts)
            ok = False
        return ok

    def _means_the_same(self, line: SpaceLine, axes: Sequence[Axis]) -> bool:
        """Whether the choices of a space of another file, which are texts, say here what they say there."""
        here = self.program.root
        if line.file is here:
            return True
        assert isinstance(line.syntax, ast.Dimension)
        for axis in axes[:1]:
            for text in axis.domain.texts if isinstance(axis.domain, Choices) else ():
                for name in names_in(parse_expression(Source(axis.name, text), Bag())):
                    if name in line.file.names and line.file.names[name] is not here.names.get(name):
                        detail = f"`{name}` is of {line.file.source.name}: import it, or give the choices here"
                        self.bag.report("E454", line.syntax.domain.span, detail=detail)
                        return False
        return True

    def _accepted(self, line: SpaceLine, axes: Sequence[Axis], model: Definition) -> bool:
        """Whether the values are what the model declares; reports E301, E302 at the domain."""
        member = line.syntax
        assert isinstance(member, ast.Dimension)
        parameter = parameters_by_name(model).get(member.key)
        if parameter is None:
            return True
        size = axes[0].domain.size
        places = range(size) if size <= TRIED else (0, size - 1)
        span = member.domain.span
        for place in places:
            text = texts_of(axes, [place] * len(axes))[member.key]
            node = parse_expression(Source(f"{member.key} of a space", text), self.bag)
            value = UNKNOWN if node is None else constant(node, line.file, self.bag)
            if value is UNKNOWN:
                return False
            run = Run(self.bag)
            check = partial(accepts, parameter, Arg(value, Const(value), span), model, Context(run, model.file))
            fits = guarded(check, span, self.bag)
            run.hand_on_costs()
            if not fits:
                return False
        return True


def spaces_of(program: Program, variants: Mapping[str, Configured], bag: Bag) -> dict[str, Space]:
    """The spaces that a file has, by name; wrong ones are reported and left out."""
    return Spaces(program, variants, bag).read()


def _some(space: Space) -> Iterator[Sequence[int]]:
    """Places on the axes, the same each time: of all points, or of so many random ones."""
    rng = random.Random(0)
    if space.size <= DRAWS:
        yield from map(space.places, rng.sample(range(space.size), space.size))
    else:
        for _ in range(DRAWS):
            yield [axis.domain.draw(rng) for axis in space.axes]


def first_point(space: Space, refused: Counter[str]) -> Point | None:
    """Some point that the conditions on parameters let pass, the same each time; what refused those before it is
    counted."""
    for places in _some(space):
        point = space.point(places)
        if isinstance(point, Point):
            return point
        refused[point] += 1
    return None


def check_spaces(program: Program, variants: Mapping[str, Configured], bag: Bag) -> None:
    """Make one network of each space, which shows what is wrong with its lines and with its model; reports E458 where
    none is found."""
    for space in spaces_of(program, variants, bag).values():
        own = Bag()
        try:
            refused = Counter[str]()
            point = first_point(space, refused)
            if point is None:
                span = program.root.spaces[space.name].syntax.name_span
                tried = f"{'all' if space.size <= DRAWS else 'each of'} {refused.total():,} points"
                condition, count = refused.most_common(1)[0]
                bag.report("E458", span, name=space.name, tried=tried, condition=condition, count=f"{count:,}")
                continue
            found = amended(program, space.base, point.arguments, own)
            if found is not None:
                elaborate(found.name, found.model, found.args, found.span, own, traced=False)
            own.raise_errors()
        except ArchError as error:
            for diagnostic in error.diagnostics:
                if diagnostic.code != "E316":  # the model refuses this point, as a condition of the space would
                    bag.add(diagnostic)
